"""Configurations inside configurations, by dotted paths such as `attention.softcap`."""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from jaxgpt.core.choice import Choice

Config = TypeVar("Config")


def value(config: Any, path: str) -> Any:
    """The field that a path names."""
    return functools.reduce(getattr, path.split("."), config)


def paths(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field with its path; a member of a family is one value."""
    for field in dataclasses.fields(config):
        found = getattr(config, field.name)
        if dataclasses.is_dataclass(found) and not isinstance(found, Choice):
            yield from paths(found, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, found


def replaced(config: Config, values: Mapping[str, Any]) -> Config:
    """`dataclasses.replace` by dotted paths, all at once, so that checks across fields see them together.

        replaced(gpt2(), {"num_layers": 24, "attention.num_kv_heads": 4})

    A path that names a whole part takes effect before those that lie inside it.

    Raises:
      TypeError: for a field that does not exist. ValueError: for values that do not fit together.
    """
    new: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for path, given in values.items():
        name, _, rest = path.partition(".")
        if rest:
            inner.setdefault(name, {})[rest] = given
        else:
            new[name] = given
    for name, given in inner.items():
        new[name] = replaced(new.get(name, getattr(config, name)), given)
    return dataclasses.replace(config, **new)


def made(cls: type[Config], **values: Any) -> Config:
    """A configuration whose fields all have defaults, by dotted paths; errors as of `replaced`."""
    return replaced(cls(), values)
