"""Splitting a command line into its own options and the fields of an experiment."""

import dataclasses
import difflib
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxgpt.core import hints
from jaxgpt.core.fields import describe
from jaxgpt.core.paths import broken_link, expanded
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import quoted


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of a command. `value` names what follows it; `flag` means that nothing does.

    One that `repeats` may be given several times, and all of its values are kept.
    """

    name: str
    value: str
    help: str
    default: str | None = None
    repeats: bool = False


@dataclasses.dataclass(frozen=True)
class Given:
    """A parsed command line.

    Attributes:
      options: text by option name.
      fields: text by dotted path, for `jaxgpt.core.fields.override`.
      repeated: the texts of an option that repeats, by its name.
    """

    positional: str | None
    options: dict[str, str]
    fields: dict[str, str]
    repeated: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def flag(self, name: str) -> bool:
        return name in self.options

    def get(self, name: str) -> Any:
        return self.options.get(name)

    def whole(self, name: str) -> int:
        """An option as a whole number, at least 1."""
        text = self.options[name]
        if not text.isdecimal() or int(text) < 1:
            raise UsageError(f"--{name} {text}: a whole number of at least 1 is needed")
        return int(text)


def parse(argv: Sequence[str], options: Sequence[Option], *, positional: str) -> Given:
    """Options of the command, `--dotted.field VALUE` pairs, and at most one positional argument.

    In paths, `~` and `~name` stand for home directories.

    Raises:
      UsageError: for a missing value, a second positional argument, an option given twice, or a home that
        nobody has.
    """
    known = {option.name: option for option in options}
    given: dict[str, str] = {o.name: o.default for o in options if o.default is not None}
    fields: dict[str, str] = {}
    repeated: dict[str, list[str]] = {o.name: [] for o in options if o.repeats}
    first: str | None = None
    seen: set[str] = set()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "-h":
            word = "--help"
        if not word.startswith("--"):
            if first is not None:
                raise UsageError(f"{quoted(word)} is one argument too many after {positional}={first}")
            first = _at_home(positional, positional, word)
            continue
        name, equals, value = word[2:].partition("=")
        plain = name.replace("_", "-")
        option = known.get(plain)
        if option is not None and option.value == "flag":
            if equals:
                raise UsageError(f"--{plain} takes no value")
            given[plain] = ""
            continue
        if option is None and "." not in name and (not rest or rest[0].startswith("--")) and not equals:
            raise UsageError(unknown(name, list(known)))
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise UsageError(f"--{name} needs a value (one that starts with -- goes behind =)")
            value = rest.pop(0)
        if plain in repeated:
            repeated[plain].append(value)
            continue
        if plain in seen:
            raise UsageError(f"--{name} is given twice")
        seen.add(plain)
        if option is not None:
            given[plain] = _at_home(option.value, f"--{plain}", value)
        else:
            fields[name] = value
    return Given(first, given, fields, repeated)


#: What stands for the value of an option or a positional argument that names files or directories.
_PATHS = ("DIR", "DIR,DIR", "FILE", "RUN")


def _at_home(kind: str, name: str, value: str) -> str:
    """The value with `~` written out, if it is of a kind that names paths; else as it is."""
    if kind not in _PATHS:
        return value
    parts = value.split(",") if "," in kind else [value]
    try:
        return ",".join(str(expanded(part)) if part.startswith("~") else part for part in parts)
    except ValueError as error:
        raise UsageError(f"{name} {error}") from error


def writable(output: Path | str, *, name: str = "--output ", instead: str = "name another") -> None:
    """See before anything costly is done that a file can be made, or be replaced by another.

    Args:
      name: what the message begins with, ahead of the file; instead: the way out.

    Raises:
      UsageError: if not, with the reason.
    """
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{name}{output} is a directory; name a file in it")
    if broken := broken_link(path):
        raise UsageError(f"{name}{output}: {broken}")
    if not path.parent.exists():
        raise UsageError(f"{name}{output}: the directory {path.parent} does not exist")
    try:
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        _try_to_write(path.parent / f".{path.name}.{os.getpid()}.tmp")
    except OSError as error:
        raise UsageError(f"{name}{output} cannot be written to ({error.strerror}); {instead}") from error


def makeable(directory: Path | str, *, name: str) -> None:
    """See before anything costly is done that a directory can be made, or be written to; nothing is left.

    Raises:
      UsageError: if not, with the reason; `name` is the option that names it.
    """
    path = Path(directory)
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        _try_to_write(path / f".writable-{os.getpid()}")
    except OSError as error:
        raise UsageError(
            f"{name} {directory} cannot be written to ({error.strerror}); choose another"
        ) from error


def _try_to_write(path: Path) -> None:
    with open(path, "x"):
        pass
    path.unlink()


def unknown(name: str, known: Sequence[str]) -> str:
    """A line about an option that does not exist."""
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"no option --{name}; known: " + ", ".join("--" + n for n in close or sorted(known))


def usage(command: str, options: Sequence[Option], config: Any, heading: str | None = None) -> str:
    """Help: the options, then under a heading every field with its type and default."""
    name, _, positional = command.partition(" ")
    lines = [f"usage: {hints.command(name)} {positional} [--dotted.field VALUE ...]", ""]
    for option in options:
        left = f"--{option.name}" + ("" if option.value == "flag" else f" {option.value}")
        default = f" (default: {option.default})" if option.default is not None else ""
        lines.append(f"  {left:<34} {option.help}{default}")
    if config is not None:
        lines += ["", "fields:" if heading is None else heading]
        for row in describe(config):
            left = f"--{row.path.replace('_', '-')} {row.type}"
            default = "" if row.value == "" else f" (default: {row.value})"
            lines.append(f"  {left:<58} {row.help}{default}")
    return "\n".join(lines)
