"""The command line `jaxgpt COMMAND ...`, and the scripts train.py and evaluate.py."""

import functools
import importlib
import itertools
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from jaxgpt.cli.options import Option, parse, usage
from jaxgpt.core import hints, printing, settings, trust
from jaxgpt.core.choice import imported
from jaxgpt.core.paths import broken_link
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import cut, visible

HELP = """usage: jaxgpt COMMAND ...

  train [EXPERIMENT]   train it (default: addition), evaluate it and draw the results; --list shows all
  evaluate RUN         score a run directory on held-out questions
  generate RUN         ask a run
  tokenize TEXT ...    make files of text a directory of tokens, to train on more than memory holds
  plan EXPERIMENT      what it would need on devices that are not there: memory, traffic, a mesh that fits
  compare EXPERIMENT   train it with several tokenizers, or other fields varied, and report with intervals
  import-hf DIR        make a run directory of a model that Hugging Face's transformers wrote
  export-hf RUN        write its model as a directory that transformers reads
  verify-hf DIR        check that such a model computes here what it computes in transformers

Each command has --help; jaxgpt --version says which version this is."""

TRAIN = (
    Option("list", "flag", "show the experiments and leave"),
    Option("workdir", "DIR", "run directory; default: runs/EXPERIMENT, numbered if taken"),
    Option("resume", "flag", "go on with the run in --workdir, or the newest of EXPERIMENT; none: begin it"),
    Option("dry-run", "flag", "show the resolved experiment, compile once, and leave"),
)
GENERATE = (
    Option("prompt", "TEXT", "a prompt in ordinary notation; without one it is asked for"),
    Option("prompts", "FILE", "one prompt a line"),
    Option("output", "FILE", "text, and beside it JSON lines with the settings"),
    Option(
        "max-new-tokens",
        "N",
        "at most so many; default: what the model has room for, of a text shown as it is written 200",
    ),
    Option("stop", "TEXT", "end a completion before this text"),
    Option("checkpoint", "WHICH", "last, best, selected or a step", "last"),
)
COMMON = (
    Option("help", "flag", "show this and leave"),
    Option("traceback", "flag", "show the whole traceback of an error"),
    Option(
        "trust", "MODULE,...", "modules of your own that a run's files may name; importing them runs them"
    ),
    Option("distributed", "flag", "this is one of several processes (jax.distributed.initialize)"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; errors a user can mend end in one line and status 2.

    Returns:
      The exit status.
    """
    printing.prepare()
    argv = list(sys.argv[1:] if argv is None else argv)
    together = "--distributed" in argv
    try:
        status = _called(argv)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a reader that is gone is told from a mistake
        return _left(status)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except BrokenPipeError:
        printing.let_go(sys.stdout)
        return _left(141, "nobody reads its output")
    except Exception as error:
        message = _explained(error)
        if "--traceback" in argv or message is None:
            if not together:
                raise
            traceback.print_exc()
            return _left(1, f"{type(error).__name__}, see its log")
        return _fail(message)
    finally:
        printing.flush()


def _called(argv: list[str]) -> int:
    """The status of the command that a command line begins with."""
    commands = {
        "train": _train,
        "evaluate": _evaluate,
        "generate": _generate,
        "tokenize": _tokenize,
        "plan": _plan,
        "compare": _compare,
        "import-hf": _import,
        "export-hf": _export,
        "verify-hf": _verify,
    }
    if not argv or argv[0] in ("-h", "--help"):
        print(HELP)
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"jaxgpt {importlib.import_module('jaxgpt').__version__}")
        return 0
    if argv[0] not in commands:
        raise UsageError(f"no command is called {argv[0]!r}; known: {', '.join(commands)}")
    _find_own_modules()
    if "--distributed" in argv and os.environ.get("TF_CPP_MIN_LOG_LEVEL", "1") == "1":  # which JAX sets, too
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "4"  # jaxgpt.parallel.processes says why
    settings.apply()
    with trust.allowing(_trusted(argv)):
        return commands[argv[0]](argv[1:])


def _find_own_modules() -> None:
    """Have `my_package.my_tasks:experiment` found in the working directory, behind all that is installed."""
    imported("tasks")  # before a folder of that name in the working directory can be found
    try:
        here = os.getcwd()
    except FileNotFoundError as error:
        raise UsageError("the working directory was deleted; change to one that exists") from error
    if here not in sys.path:
        sys.path.append(here)


def _trusted(argv: Sequence[str]) -> list[str]:
    """The modules that `--trust` allows; that it has a value is seen by `parse`."""
    given = [after for word, after in itertools.pairwise(argv) if word == "--trust"]
    given += [word.partition("=")[2] for word in argv if word.startswith("--trust=")]
    return [name for names in given for name in names.split(",") if name]


def _explained(error: Exception) -> str | None:
    """What to tell of an error that a user can mend; None for one that is a fault of the program."""
    if isinstance(error, UsageError):  # before JAX is waited for
        return str(error)
    from jax.errors import JaxRuntimeError

    from jaxgpt.parallel import processes
    from jaxgpt.runs.checkpoints import CheckpointError
    from jaxgpt.training.trainer import TrainingError

    if isinstance(error, JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error):
        return (
            "the device has too little memory; lower training.batch_size, raise training.accumulation, "
            "set model.remat=block, or give the mesh more devices"
        )
    if isinstance(error, JaxRuntimeError | CheckpointError) and (lost := processes.lost(error)):
        return lost
    if isinstance(error, ValueError | OSError | CheckpointError | TrainingError):
        return str(error) or type(error).__name__
    return None


def _fail(message: str, status: int = 2) -> int:
    """Tell why a command ends: on one line of at most 300 characters, whatever it quotes."""
    message = cut(visible(" ".join(message.splitlines())), 300 - len("error: "))
    printing.complain(f"error: {message}\n")
    return _left(status, message)


def _left(status: int, message: str | None = None) -> int:
    """The status, when the other processes, if there are any, know of this one's end and why."""
    if processes := sys.modules.get("jaxgpt.parallel.processes"):
        if message is not None:
            processes.tell(status, message)
        processes.leave(status)
    return status


def _start_jax(distributed: bool, *, quiet: bool = False) -> None:
    """Join the other processes, and say on standard error which accelerator was found."""
    if distributed:
        from jaxgpt.parallel import processes

        processes.join()
    from jaxgpt.runs.opening import devices

    try:
        found = devices()
    except (RuntimeError, AssertionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UsageError(
            f"JAX cannot start a device ({reason}); unset JAX_PLATFORMS, or install the extra for your "
            "accelerator"
        ) from error
    if not quiet:
        printing.complain(f"device: {found}\n")


def _train(argv: list[str]) -> int:
    given = parse(argv, TRAIN + COMMON, positional="EXPERIMENT")
    from jaxgpt.core import fields
    from jaxgpt.core.choice import load_dotted
    from jaxgpt.runs import experiments
    from jaxgpt.runs.run_directory import FirstFree, RunDirectory
    from jaxgpt.training import start

    if given.flag("list"):
        print(experiments.listing())
        return 0
    name = given.positional or "addition"
    begun = given.flag("resume")
    if begun and given.positional:
        # A preemptible machine is given one command again and again: the first time there is no run.
        there = given.get("workdir") or _newest(name)
        begun = there is not None and not RunDirectory(there).untouched()
    if begun:
        workdir = Path(given.get("workdir") or _newest(name) or _none_of(name))
        if ":" in name:
            load_dotted(name)  # what is named here may be named by the run's files
        experiment, _ = RunDirectory(workdir).read()
    else:
        experiment = experiments.find(name)
        free = FirstFree(Path("runs") / name.split(":")[-1].replace("-", "_"))
        workdir = given.get("workdir") or free
    if given.flag("help"):
        fields.override(experiment, given.fields)
        heading = f"fields of {name}, and what they are there:"
        print(usage("train [EXPERIMENT]", TRAIN + COMMON, experiment, heading))
        return 0
    if begun:
        experiment = fields.override(experiment, given.fields)
    else:
        experiment = start.override(experiment, given.fields, begin=True)
    if not given.flag("distributed"):
        settings.spread_seeds(experiment.seeds)
    _start_jax(given.flag("distributed"), quiet=True)  # the run's report says it
    from jaxgpt.runs.session import askable, train

    run = train(
        experiment,
        workdir,
        resume=given.flag("resume"),
        dry_run=given.flag("dry-run"),
        overridden=frozenset(path.replace("-", "_") for path in given.fields),
        say=_say,
    )
    if run.status == "finished" and experiment.task.sample_prompts:
        prompt = next(iter(askable(run.tokenizer, experiment.task)), "")
        asked = [f"--prompt={prompt}"] if prompt.startswith("--") else ["--prompt", prompt]
        asked = asked if prompt.strip() else []
        command = hints.command("generate", run.directory.path, *asked)
        _say(f"ask it: {command}{run.directory.trust_option()}")
    if run.status == "stopped":
        _leave()
    return 0


def _leave() -> NoReturn:
    """End at once: a compilation may still run in its thread, and waiting would outlast a grace period."""
    _left(0)
    printing.flush()
    os._exit(0)


def _evaluate(argv: list[str]) -> int:
    from jaxgpt.cli import evaluate as command

    given = parse(argv, command.OPTIONS + COMMON, positional="RUN")
    if given.flag("help") or given.positional is None:
        print(usage("evaluate RUN", command.OPTIONS + COMMON, None))
        return 0 if given.flag("help") else 2
    command.check(given)
    _start_jax(given.flag("distributed"))
    command.evaluate(given, _which(given.get("checkpoint")), _say)
    return 0


def _generate(argv: list[str]) -> int:
    given = parse(argv, GENERATE + COMMON, positional="RUN")
    if given.flag("help") or given.positional is None:
        from jaxgpt.generation import Sampling

        print(usage("generate RUN", GENERATE + COMMON, Sampling()))
        return 0 if given.flag("help") else 2
    from jaxgpt.cli.prompting import generate

    _start_jax(given.flag("distributed"))
    generate(given, _which(given.get("checkpoint")), _answer)
    return 0


def _tokenize(argv: list[str]) -> int:
    from jaxgpt.cli import tokenize as command

    texts, rest = command.split_texts(argv)
    given = parse(rest, command.OPTIONS + COMMON[:3], positional="TEXT")
    if given.flag("help"):
        print(usage("tokenize TEXT ...", command.OPTIONS + COMMON[:3], None))
        return 0
    command.run(texts, given, printing.say)
    return 0


def _compare(argv: list[str]) -> int:
    from jaxgpt.cli import compare as command

    given = parse(argv, command.OPTIONS + COMMON, positional="EXPERIMENT")
    if given.flag("help"):
        print(usage("compare EXPERIMENT", command.OPTIONS + COMMON, None))
        return 0
    _start_jax(given.flag("distributed"))
    status = command.compare(given, _say)
    if status == "stopped":
        _leave()
    return 1 if status == "failed" else 0


def _plan(argv: list[str]) -> int:
    from jaxgpt.cli import plan as command

    options = command.OPTIONS + COMMON[:3]  # no other process takes part
    given = parse(argv, options, positional="EXPERIMENT")
    if given.flag("help"):
        print(usage("plan EXPERIMENT", options, None))
        return 0
    # Not _say, which would start JAX: whatever accelerator there is, is no part of a plan.
    say = functools.partial(print, flush=True) if given.get("output") is None else printing.say
    return 0 if command.plan(given, say) else 1


def _import(argv: list[str]) -> int:
    from jaxgpt.cli import hub as command

    given = parse(argv, command.IMPORT + COMMON, positional="DIR")
    if given.flag("help") or given.positional is None:
        print(usage("import-hf DIR", command.IMPORT + COMMON, None))
        return 0 if given.flag("help") else 2
    _start_jax(given.flag("distributed"))
    command.import_hf(given, _say)
    return 0


def _export(argv: list[str]) -> int:
    from jaxgpt.cli import hub as command

    given = parse(argv, command.EXPORT + COMMON, positional="RUN")
    if given.flag("help") or given.positional is None:
        print(usage("export-hf RUN", command.EXPORT + COMMON, None))
        return 0 if given.flag("help") else 2
    _start_jax(given.flag("distributed"))
    command.export_hf(given, _which(given.get("checkpoint")), _say)
    return 0


def _verify(argv: list[str]) -> int:
    from jaxgpt.cli import hub as command

    given = parse(argv, command.VERIFY + COMMON, positional="DIR")
    if given.flag("help") or given.positional is None:
        print(usage("verify-hf DIR", command.VERIFY + COMMON, None))
        return 0 if given.flag("help") else 2
    _start_jax(given.flag("distributed"))
    return 0 if command.verify_hf(given, _say) else 1


def _which(text: str) -> str | int:
    if text in ("last", "best", "selected"):
        return text
    if text.isdecimal():
        return int(text)
    raise UsageError(f"--checkpoint {text}: last, best, selected or a step")


def _say(line: str) -> None:
    """Print a line; of several processes the first alone speaks."""
    import jax

    if jax.process_index() == 0:
        printing.say(line)


def _answer(line: str) -> None:
    """Print a line of what was asked for; where nobody reads it any more, the command ends."""
    import jax

    if jax.process_index() == 0:
        print(line, flush=True)


def _newest(name: str) -> Path | None:
    """The directory in runs/ of an experiment's newest run."""
    base = name.split(":")[-1].replace("-", "_")
    found = [p for p in Path("runs").glob(f"{base}*") if (p / "experiment.json").exists()]
    found = [p for p in found if p.name == base or p.name.removeprefix(base + "-").isdecimal()]
    return max(found, key=lambda p: (p / "experiment.json").stat().st_mtime, default=None)


def _none_of(name: str) -> NoReturn:
    missing = broken_link(Path("runs")) or f"there is no run of {name} in runs/"
    raise UsageError(f"{missing}; name one with --workdir, or the experiment that is to begin")
