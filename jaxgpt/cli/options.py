"""The parser of every command: argparse, with fields of a configuration beside the command's own options."""

import argparse
import difflib
import shutil
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from jaxgpt.cli.option_types import Repeated, Value, Which
from jaxgpt.core import hints
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import quoted

#: Names of fields, where finding them out may take an import.
Fields = Callable[[], Sequence[str]]


def experiment_fields() -> list[str]:
    """The outermost fields of an experiment."""
    from jaxgpt.core.fields import hints
    from jaxgpt.training.experiment import Experiment

    return list(hints(Experiment))


class Parser(argparse.ArgumentParser):
    """Options of a command. Hyphens and underscores are the same, and no name is abbreviated.

    Args:
      command: as it is typed behind `jaxgpt`.
      words: what the usage line shows behind it.
      fields: the outermost names of fields that the command takes beside its own options, such as `model` for
        `--model.d-model 96`; called when it is asked what a name may be.
    """

    def __init__(self, command: str, words: str, *, fields: Fields | None = None, **about: str):
        self.command, self.fields = command, fields
        program = hints.command(command).replace("%", "%%")
        super().__init__(
            prog=program,
            usage=f"{program} {words}",
            add_help=False,
            allow_abbrev=False,
            formatter_class=Page,
            **about,
        )
        self.register("action", None, Value)
        self._positionals.title = "argument"

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """The options by name, and beside them

        - `fields`: text by dotted path, for `jaxgpt.core.fields.override`;
        - `given`: the names of the own options that were typed.

        Raises:
          UsageError: for what the command does not know, a value that is missing or does not fit, or an
            option that is given twice.
        """
        own, arguments, fields = self._apart(argv)
        if {"--help", "--help-all"} & set(own):  # which need nothing beside them
            for action in self._actions:
                action.required = False
        given, more = self.parse_known_args([*own, "--", *arguments] if arguments else own)
        if more:
            first = next(action for action in self._actions if not action.option_strings)
            before = f"{first.metavar}={getattr(given, first.dest)}"
            raise UsageError(f"{quoted(more[0])} is one argument too many after {before}")
        given.fields = fields
        given.given = {word.removeprefix("--").partition("=")[0] for word in own}
        return given

    def error(self, message: str) -> NoReturn:
        """What argparse finds wrong: one line, without the usage ahead of it."""
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            message = f"{self.command} needs {missing}"
        raise UsageError(f"{message}; see {hints.command(self.command, '--help')}")

    def _apart(self, argv: Sequence[str]) -> tuple[list[str], list[str], dict[str, str]]:
        """Own options as `--name=value`, arguments, and fields.

        argparse would take the value of a field that it does not know for an argument, and a value such as
        `-12+5` for an option.
        """
        own: list[str] = []
        arguments: list[str] = []
        fields: dict[str, str] = {}
        seen: set[str] = set()
        rest = list(argv)
        while rest:
            word = rest.pop(0)
            if word == "-h":
                word = "--help"
            if not word.startswith("--"):
                arguments.append(word)
                continue
            name, equals, value = word[2:].partition("=")
            plain = name.replace("_", "-")
            option = self._option_string_actions.get(f"--{plain}")
            if option is not None and option.nargs == 0:
                if equals:
                    raise UsageError(f"--{plain} takes no value")
                own.append(f"--{plain}")
                continue
            follows = bool(equals or (rest and not rest[0].startswith("--")))
            if option is None:
                self._check_field(name, follows)
            if not follows:
                raise UsageError(f"--{name} needs a value (one that starts with -- goes behind =)")
            if not equals:
                value = rest.pop(0)
            if plain in seen and not isinstance(option, Repeated):
                raise UsageError(f"--{name} is given twice")
            seen.add(plain)
            if option is not None:
                own.append(f"--{plain}={value}")
            else:
                fields[name] = value
        return own, arguments, fields

    def _check_field(self, name: str, follows: bool) -> None:
        """Raises UsageError for an option that can be no field, or is more likely a slip in an own one."""
        known = [option.removeprefix("--") for option in self._option_string_actions]
        if not name or self.fields is None or ("." not in name and not follows):
            raise UsageError(unknown(name, known))
        begun = any(option.startswith(name) for option in known)
        slip = "." not in name and (begun or difflib.get_close_matches(name[:100], known, n=1, cutoff=0.8))
        if slip and name.replace("-", "_") not in self.fields():
            raise UsageError(unknown(name, known))


def unknown(name: str, known: Sequence[str]) -> str:
    """A line about an option that does not exist."""
    close = difflib.get_close_matches(name[:100], known, n=3, cutoff=0.5)
    return f"no option --{name}; known: " + ", ".join("--" + n for n in close or sorted(known))


#: The heading of the options of every command.
COMMON = "options of every command"


def add_common(common: Any, *, processes: bool = True) -> None:
    """The options of every command, in a parser or its group; `processes`: several may run it together."""
    common.add_argument("--help", action="store_true", help="show this and leave")
    common.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")
    common.add_argument(
        "--trust",
        metavar="MODULE,...",
        help="modules of your own that a run's files may name; importing them runs them",
    )
    if processes:
        common.add_argument(
            "--distributed",
            action="store_true",
            help="this is one of several processes (jax.distributed.initialize)",
        )


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    """Give a command that loads a run `--checkpoint`."""
    parser.add_argument(
        "--checkpoint",
        metavar="WHICH",
        type=Which(),
        default="last",
        help="last, best, selected or a step (default: %(default)s)",
    )


class Page(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, between 80 and 110 columns; 100 where there is none."""

    def __init__(self, prog: str):
        width = min(max(shutil.get_terminal_size((100, 24)).columns, 80), 110)
        super().__init__(prog, max_help_position=36, width=width)
