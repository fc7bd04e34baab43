"""`jaxgpt completion`, and what a shell is answered that completes a command line."""

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from jaxgpt.cli import commands
from jaxgpt.cli.option_types import Among, Repeated, Value
from jaxgpt.cli.options import COMMON, Parser, add_common
from jaxgpt.core.usage import UsageError


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "completion",
        "SHELL",
        description="Print what makes a shell complete commands, options, experiments and their fields.\n"
        'In bash: eval "$(jaxgpt completion bash)"',
    )
    parser.add_argument(
        "shell",
        metavar="SHELL",
        type=Among("bash", "zsh", "fish", "tcsh", "powershell"),
        help="bash, zsh, fish, tcsh or powershell",
    )
    add_common(parser.add_argument_group(COMMON), processes=False)
    return parser


def run(given: argparse.Namespace) -> int:
    """Print the code.

    Raises:
      UsageError: without argcomplete.
    """
    print(_library().shellcode(["jaxgpt"], shell=given.shell))
    return 0


def answer() -> None:
    """Tell the shell that asks what may come next, and end the process."""
    line = os.environ.get("COMP_LINE", "")
    line = line[: int(os.environ.get("COMP_POINT") or len(line))]
    with contextlib.suppress(Exception):  # a line that is not finished may be wrong in any way
        _library().autocomplete(grammar(line), always_complete_options="long")
    sys.exit(1)


def grammar(line: str) -> argparse.ArgumentParser:
    """A parser of what may stand on a command line that begins so."""
    try:
        words = shlex.split(line)[1:]
    except ValueError:  # a quotation that is still open
        words = line.split()[1:]
    if not line.endswith(" "):
        words = words[:-1]  # the word that is being typed
    top = argparse.ArgumentParser(prog="jaxgpt", add_help=False)
    top.add_argument("--help", action="store_true")
    top.add_argument("--version", action="store_true")
    below = top.add_subparsers()
    for name, (_, summary) in commands.COMMANDS.items():
        parents = []
        if words[:1] == [name]:
            parents = [commands.module(name).parser()]
            with contextlib.suppress(ValueError):  # an experiment or a run that is not there
                _add_fields(parents[0], words[1:])
            for action in parents[0]._actions:
                action.completer = _completer(action)
        below.add_parser(name, help=summary.replace("%", "%%"), add_help=False, parents=parents)
    return top


def _add_fields(parser: Parser, words: Sequence[str]) -> None:
    """Give the parser of a command the fields of the experiment that is named, as the words have set them."""
    if parser.fields is None:
        return
    from jaxgpt.cli import field_groups
    from jaxgpt.core import fields

    commands.find_own_modules()
    try:
        given = parser.parse(words)
    except UsageError:  # the last word may be an option that waits for its value
        given = parser.parse(words[:-1])
    left = dict(given.fields)
    for part, config in _configs(parser.command, given).items():
        inner = {path.removeprefix(part): left.pop(path) for path in list(left) if path.startswith(part)}
        with contextlib.suppress(ValueError):
            config = fields.override(config, inner)
        field_groups.add(parser, [("fields", list(fields.describe(config, part)))])


def _configs(command: str, given: argparse.Namespace) -> dict[str, Any]:
    """The configurations of a command line's fields, by the prefix of their names; "" comes last."""
    if command == "search":
        from jaxgpt.cli import search

        problem, config, _ = search.asked(given.problem, {})
        return {"problem.": problem, "": config}
    if command == "lab":
        return _of_lab(given.runs)
    return {"": _config(given)}


def _of_lab(runs: Sequence[str]) -> dict[str, Any]:
    from jaxgpt.cli import lab
    from jaxgpt.runs import experiments

    if lab.LADDER in runs:
        from jaxgpt.lab.ladder_training import LadderConfig

        return {"task.": experiments.find("truecasing").task, "ladder.": LadderConfig()}
    if lab.THREE in runs:
        return {"": experiments.find("lab-shakespeare")}
    return {}


def _config(given: argparse.Namespace) -> Any:
    if hasattr(given, "experiment"):
        from jaxgpt.runs import experiments

        return experiments.find(given.experiment or "addition")
    if hasattr(given, "prompt"):
        from jaxgpt.generation import Sampling

        return Sampling()
    from jaxgpt.runs.run_directory import RunDirectory

    return RunDirectory(given.run).read()[0]


def _completer(action: argparse.Action) -> Any:
    """What may stand behind an option, or as an argument; None leaves it to the names of files."""
    if names := getattr(action, "values", None) or getattr(getattr(action, "convert", None), "names", None):
        return _Names(names)
    if action.metavar == "EXPERIMENT":
        return _Names(_experiments())
    return None


def _experiments() -> Iterator[str]:
    from jaxgpt.runs import experiments

    return (name.replace("_", "-") for name in experiments.available())


class _Names:
    """A completer of names; `argcomplete` calls it with what it knows of the line."""

    def __init__(self, names):
        self.names = list(names)

    def __call__(self, **_) -> list[str]:
        return self.names


def _library() -> Any:
    """argcomplete.

    Raises:
      UsageError: if it is not installed.
    """
    try:
        import argcomplete
    except ImportError as error:
        raise UsageError(
            "completion needs argcomplete, which is not installed: pip install 'jaxgpt[completion]' "
            "(in a checkout: pip install -e '.[completion]')"
        ) from error
    argcomplete.safe_actions.update({Value, Repeated})
    return argcomplete
