"""What the options of commands take: names, files, numbers, and what is told of a value that does not fit."""

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any

from jaxgpt.core.choice import nearest
from jaxgpt.core.paths import expanded
from jaxgpt.core.usage import UsageError


def meant(name: str, known: Sequence[str]) -> str:
    """The nearest of some names, and all of them in their order."""
    return f"{nearest(name, known).partition('known: ')[0]}known: {', '.join(known)}"


class Value(argparse.Action):
    """Keeps what an option or argument is given, converted by `type`; a mistake is told in one line."""

    def __init__(self, option_strings, dest, type: Callable[[str], Any] = str, **about):
        super().__init__(option_strings, dest, **about)
        self.convert = type

    def __call__(self, parser, namespace, values, option_string=None):
        name = option_string or self.metavar
        if isinstance(values, list):  # of an argument that several words may follow
            setattr(namespace, self.dest, [self.converted(name, text) for text in values])
        elif values is not None:
            setattr(namespace, self.dest, self.converted(name, values))

    def converted(self, name: str, text: str) -> Any:
        try:
            return self.convert(text)
        except ValueError as error:
            said = str(error)
            raise UsageError(
                f"{name} {said}" if said.startswith(text) else f"{name} {text}: {said}"
            ) from error


class Repeated(Value):
    """Keeps every value of an option that may be given several times."""

    def __call__(self, parser, namespace, values, option_string=None):
        before = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*before, self.converted(option_string, values)])


class Among:
    """The type of an option that takes one of some names."""

    def __init__(self, *names: str):
        self.names = names

    def __call__(self, text: str) -> str:
        if text not in self.names:
            raise ValueError(meant(text, self.names))
        return text


class Which(Among):
    """The type of `--checkpoint`: a name, or the number of a step."""

    def __init__(self):
        super().__init__("last", "best", "selected")

    def __call__(self, text: str) -> str | int:
        if text.isdecimal():
            return int(text)
        if text not in self.names:
            raise ValueError("last, best, selected or a step")
        return text


def path(text: str) -> str:
    """The type of a file or directory: `~` and `~name` in front stand for home directories."""
    return str(expanded(text)) if text.startswith("~") else text


def paths(text: str) -> str:
    """The type of several of them, with commas between."""
    return ",".join(path(part) for part in text.split(","))


def count(text: str) -> int:
    """The type of a whole number that may be 0."""
    if not text.isdecimal():
        raise ValueError("a whole number of at least 0 is needed")
    return int(text)


def positive(text: str) -> float:
    """The type of a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError("a positive number is needed")
    return value


def whole(text: str) -> int:
    """The type of a whole number, at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("a whole number of at least 1 is needed")
    return int(text)
