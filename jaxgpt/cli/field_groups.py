"""Fields of a configuration as groups of options: for help, and for a shell that completes them."""

import argparse
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from jaxgpt.cli.first_fields import FIRST
from jaxgpt.core.fields import Row, describe, help_of, hints
from jaxgpt.task import Task

#: A heading and the fields below it.
Group = tuple[str, list[Row]]

#: What an option and its values may take of a line; longer lists of values stand in the help.
_WIDTH = 36
#: Types as a person would say them.
_TYPES = {"bool": "true|false", "str": "TEXT"}


def first(config: Any) -> list[Group]:
    """The fields that people change first."""
    common = {f"task.{name}" for name in hints(Task)}  # what every task has is no setting of this one
    rows = [row for row in describe(config) if row.path not in common]
    groups, shown = [], set()
    for heading, names in FIRST.items():
        chosen = [row for name in names for row in _found(name, rows) if row.path not in shown]
        shown |= {row.path for row in chosen}
        groups.append((heading, chosen))
    return groups


def _found(name: str, rows: list[Row]) -> list[Row]:
    """The field of this name, or those that parts hold under its last word."""
    exact = [row for row in rows if row.path == name]
    return exact or [row for row in rows if _meant(name, row.path)]


def _meant(name: str, path: str) -> bool:
    if name.endswith(".*"):
        return path.startswith(name[:-1])
    part, _, field = name.partition(".")
    return path.startswith(f"{part}.") and bool(field) and path.endswith(f".{field}")


def every(config: Any, name: str) -> list[Group]:
    """All fields by the part of the configuration that holds them; `name` is what the outermost is called."""
    titles = dict(_titles(config))
    groups: dict[str, list[Row]] = {}
    for row in describe(config):
        groups.setdefault(row.path.rpartition(".")[0], []).append(row)
    return [(f"{part}: {titles[part]}" if part else name, rows) for part, rows in groups.items()]


def _titles(config: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """What every part of a configuration is."""
    for name, hint in hints(type(config)).items():
        value = getattr(config, name)
        if dataclasses.is_dataclass(value):
            yield prefix + name, help_of(hint)
            yield from _titles(value, f"{prefix}{name}.")


def add(parser: argparse.ArgumentParser, groups: Iterable[Group]) -> None:
    """Give a parser an option for each field."""
    for heading, rows in groups:
        group = parser.add_argument_group(heading.replace("%", "%%"))
        for row in rows:
            option = group.add_argument(
                f"--{row.path.replace('_', '-')}", metavar=_behind(row), help=_help(row)
            )
            option.values = values(row)


def values(row: Row) -> list[str]:
    """The names that a field takes; of a number none but `none`."""
    words = _TYPES.get(row.type, row.type).split("|")
    return [word for word in words if word not in ("int", "float", "TEXT", "PRESET") and "," not in word]


def _behind(row: Row) -> str:
    """What stands behind the name of a field: its type, or NAME where that would be long."""
    kind = "|".join(_TYPES.get(word, word) for word in row.type.split("|"))
    kind = ",".join(_TYPES.get(word, word) for word in kind.split(","))
    return kind if len(f"--{row.path} {kind}") <= _WIDTH or not values(row)[1:] else "NAME"


def _help(row: Row) -> str:
    text = row.help
    if _behind(row) == "NAME":
        text += f": {', '.join(values(row))}"
    if row.value != "":
        text += f" (default: {typed(row.value)})"
    return text.replace("%", "%%")


def typed(value: Any) -> str:
    """A value as it would be typed."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ",".join(map(typed, value)) or "empty"
    return str(value).lower() if isinstance(value, bool) else str(value)
