"""The command line `jaxgpt COMMAND ...`, and the scripts train.py and evaluate.py."""

import importlib
import itertools
import os
import sys
import traceback
from collections.abc import Sequence

from jaxgpt.cli import process
from jaxgpt.cli.commands import COMMANDS, find_own_modules, module, overview
from jaxgpt.cli.option_types import meant
from jaxgpt.core import printing, settings, trust
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import cut, quoted, visible


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; errors a user can mend end in one line and status 2.

    Returns:
      The exit status.
    """
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next
        from jaxgpt.cli import completion

        completion.answer()
    printing.prepare()
    argv = list(sys.argv[1:] if argv is None else argv)
    together = "--distributed" in argv
    try:
        status = _called(argv)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a reader that is gone is told from a mistake
        return process.left(status)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        printing.let_go(sys.stdout)
        return process.left(141, "nobody reads its output")
    except Exception as error:
        message = _explained(error, argv)
        if "--traceback" in argv or message is None:
            if not together:
                raise
            traceback.print_exc()
            return process.left(1, f"{type(error).__name__}, see its log")
        return _fail(message)
    finally:
        printing.flush()


def _called(argv: list[str]) -> int:
    """The status of the command that a command line begins with."""
    if not argv or argv[0] in ("-h", "--help"):
        print(overview())
        return 0 if argv else 2
    name, *words = argv
    if name == "--version":
        print(f"jaxgpt {importlib.import_module('jaxgpt').__version__}")
        return 0
    if name not in COMMANDS:
        raise UsageError(f"no command is called {quoted(name)}; {meant(name, list(COMMANDS))}")
    find_own_modules()
    if "--distributed" in words and os.environ.get("TF_CPP_MIN_LOG_LEVEL", "1") == "1":  # which JAX sets, too
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "4"  # jaxgpt.parallel.processes says why
    settings.apply()
    with trust.allowing(_trusted(words)):
        command = module(name)
        parser = command.parser()
        given = parser.parse(words)
        if given.help or getattr(given, "help_all", False):
            text = command.help_text(given) if hasattr(command, "help_text") else parser.format_help()
            print(text, end="")
            return 0
        return command.run(given)


def _trusted(argv: Sequence[str]) -> list[str]:
    """The modules that `--trust` allows; that it has a value is seen by the command's parser."""
    given = [after for word, after in itertools.pairwise(argv) if word == "--trust"]
    given += [word.partition("=")[2] for word in argv if word.startswith("--trust=")]
    return [name for names in given for name in names.split(",") if name]


#: How a command takes less memory, unless it has a `LESS_MEMORY` of its own.
_LESS_MEMORY = (
    "lower training.batch_size, raise training.accumulation, set model.remat=block, or give the mesh more "
    "devices"
)


def _less_memory(argv: Sequence[str]) -> str:
    """How a command takes less memory."""
    known = argv and argv[0] in COMMANDS
    return getattr(module(argv[0]), "LESS_MEMORY", _LESS_MEMORY) if known else _LESS_MEMORY


def _explained(error: Exception, argv: Sequence[str]) -> str | None:
    """What to tell of an error that a user can mend; None for one that is a fault of the program."""
    if isinstance(error, UsageError):  # before JAX is waited for
        return str(error)
    if isinstance(error, MemoryError):
        reason = f" ({error})" if str(error) else ""
        return f"this machine has too little memory{reason}; {_less_memory(argv)}"
    from jax.errors import JaxRuntimeError

    from jaxgpt.parallel import processes
    from jaxgpt.runs.checkpoints import CheckpointError
    from jaxgpt.training.trainer import TrainingError

    if isinstance(error, JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error):
        return f"the device has too little memory; {_less_memory(argv)}"
    if isinstance(error, JaxRuntimeError | CheckpointError) and (lost := processes.lost(error)):
        return lost
    if isinstance(error, ValueError | OSError | CheckpointError | TrainingError):
        return str(error) or type(error).__name__
    return None


def _fail(message: str, status: int = 2) -> int:
    """Tell why a command ends: on one line of at most 300 characters, whatever it quotes."""
    message = cut(visible(" ".join(message.splitlines())), 300 - len("error: "))
    printing.complain(f"error: {message}\n")
    return process.left(status, message)
