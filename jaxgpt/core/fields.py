"""Frozen dataclasses as configuration: JSON both ways, typed overrides, help.

One set of rules serves the command line, `experiment.json` and Python. Nothing here evaluates text: a
value is parsed by the type of its field, and a class is found by name and must be a subclass of the one
that the field declares.
"""

import contextlib
import dataclasses
import difflib
import inspect
import itertools
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union

from jaxgpt.core import trust
from jaxgpt.core.choice import Choice, FieldError, nearest
from jaxgpt.core.wording import quoted, shown


def told(default: Any) -> Any:
    """A field that follows from something else, such as the tokenizer: it is no option and not in the JSON.

    Whoever knows its value fills it in with `dataclasses.replace`.
    """
    return dataclasses.field(default=default, kw_only=True, metadata={"told": True})


def hints(cls: type) -> dict[str, Any]:
    """The type of each field that a person chooses, with `Annotated` help kept."""
    known = typing.get_type_hints(cls, include_extras=True)
    return {f.name: known[f.name] for f in dataclasses.fields(cls) if f.init and not f.metadata.get("told")}


def help_of(hint: Any) -> str:
    """The help text in `Annotated[type, "help"]`, or the empty string."""
    if typing.get_origin(hint) is Annotated:
        return next((m for m in hint.__metadata__ if isinstance(m, str)), "")
    return ""


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def type_name(hint: Any) -> str:
    """A type as a reader would write it."""
    hint = _bare(hint)
    origin = typing.get_origin(hint)
    if origin is Literal:
        return "|".join(map(str, typing.get_args(hint)))
    if origin in (Union, types.UnionType):
        return "|".join(type_name(a) for a in typing.get_args(hint))
    if origin is tuple:
        return f"{type_name(typing.get_args(hint)[0])},..."
    if hint is type(None):
        return "none"
    if inspect.isclass(hint) and issubclass(hint, Choice):
        return "|".join(hint.names())
    return getattr(hint, "metavar", getattr(hint, "__name__", str(hint)))


def parse(hint: Any, text: str, path: str) -> Any:
    """`text` as a value of type `hint`; `path` names the field in errors."""
    hint = _bare(hint)
    origin = typing.get_origin(hint)
    if origin is Literal:
        for option in typing.get_args(hint):
            if str(option).replace("_", "-") == text.replace("_", "-"):
                return option
        raise FieldError(f"{path}={quoted(text)}: {nearest(text, [str(a) for a in typing.get_args(hint)])}")
    if origin in (Union, types.UnionType):
        options = typing.get_args(hint)
        if type(None) in options and text.lower() == "none":
            return None
        errors = []
        for option in options:
            if option is not type(None):
                try:
                    return parse(option, text, path)
                except FieldError as error:
                    errors.append(error)
        raise errors[0]
    if origin is tuple:
        parts = [] if text.lower() in ("none", "empty") else text.split(",")
        return tuple(parse(typing.get_args(hint)[0], part, path) for part in parts if part)
    if hint is bool:
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
    elif hint is int:
        try:
            value = float(text) if "e" in text.lower() else int(text)
            if value == int(value) and abs(value) < 2**63:
                return int(value)
        except (ValueError, OverflowError):
            pass
    elif hint is float:
        try:
            return float(text)
        except ValueError:
            pass
    elif hint is str:
        return text
    elif inspect.isclass(hint) and hasattr(hint, "from_text"):
        try:
            return hint.from_text(text)
        except ValueError as error:
            raise FieldError(f"{path}={_as_typed(text)}: {error}") from error
    elif inspect.isclass(hint) and issubclass(hint, Choice):
        try:
            return hint.named(text)()
        except (ValueError, TypeError) as error:
            raise FieldError(f"{path}={_as_typed(text)}: {error}") from error
    if inspect.isclass(hint) and dataclasses.is_dataclass(hint):
        raise FieldError(f"{path}={_as_typed(text)}: it has several fields; {_inner(hint, text, path)}")
    raise FieldError(f"{path}={quoted(text)} is not of type {type_name(hint)}")


def _inner(cls: type, text: str, path: str) -> str:
    """Which field of a part may have been meant by a value for the part."""
    known = {name: _bare(hint) for name, hint in hints(cls).items()}
    taking = [n for n, h in known.items() if typing.get_origin(h) is Literal and text in typing.get_args(h)]
    shown = [f"--{path}.{name} {text}" for name in taking] or [f"--{path}.{name}" for name in known]
    return f"did you mean {', '.join(words.replace('_', '-') for words in shown[:3])}?"


def _as_typed(text: str) -> str:
    """A value of the command line inside a message."""
    return text if text.isprintable() and len(text) <= 60 else quoted(text)


def _check(hint: Any, value: Any, path: str) -> Any:
    """A JSON value as a value of type `hint`."""
    hint = _bare(hint)
    origin = typing.get_origin(hint)
    if origin is Literal:
        if value in typing.get_args(hint):
            return value
    elif origin in (Union, types.UnionType):
        for option in typing.get_args(hint):
            if option is type(None) and value is None:
                return None
            if option is not type(None) and value is not None:
                try:
                    return _check(option, value, path)
                except FieldError:
                    if isinstance(value, dict):
                        raise
    elif origin is tuple:
        if isinstance(value, list):
            return tuple(_check(typing.get_args(hint)[0], v, f"{path}[{i}]") for i, v in enumerate(value))
    elif hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif hint in (int, str, bool):
        if type(value) is hint:
            return value
    elif inspect.isclass(hint) and dataclasses.is_dataclass(hint):
        return from_json(hint, value, path)
    raise FieldError(f"{path}={shown(value)} is not of type {type_name(hint)}")


def to_json(value: Any) -> Any:
    """A configuration as JSON values; members of a family carry their `kind`."""
    if dataclasses.is_dataclass(value):
        head = {"kind": type(value).kind()} if isinstance(value, Choice) else {}
        return head | {name: to_json(getattr(value, name)) for name in hints(type(value))}
    if isinstance(value, tuple):
        return [to_json(v) for v in value]
    return value


def from_json(cls: Any, data: Any, path: str = "") -> Any:
    """The inverse of `to_json`.

    Raises:
      FieldError: for an unknown key (with the nearest known one), a wrong type, or an unknown kind.
    """
    where = path or cls.__name__
    if not isinstance(data, dict):
        raise FieldError(f"{where}={shown(data)} is not an object")
    data = dict(data)
    if issubclass(cls, Choice):
        kind = data.pop("kind", None)
        if not isinstance(kind, str):
            raise FieldError(f"{where} has no kind; known: {', '.join(cls.names())}")
        try:
            with trust.from_file():
                cls = cls.named(kind)
        except FieldError as error:
            raise FieldError(f"{where}: {error}") from error
    known = hints(cls)
    for key in data:
        if key not in known:
            raise FieldError(f"{where} has no field {quoted(key)}; {nearest(key, list(known))}")
    missing = [
        f.name
        for f in dataclasses.fields(cls)
        if f.init and f.default is f.default_factory is dataclasses.MISSING and f.name not in data
    ]
    if missing:
        raise FieldError(f"{where} lacks {', '.join(missing)}; known: {', '.join(sorted(known))}")
    prefix = f"{path}." if path else ""
    values = {key: _check(known[key], value, prefix + key) for key, value in data.items()}
    try:
        return cls(**values)
    except FieldError:
        raise
    except ValueError as error:
        raise FieldError(_located(prefix, cls, error)) from error


def override(config: Any, values: Mapping[str, str]) -> Any:
    """`config` with fields set from text, all at once, so that checks across fields see them together.

    Args:
      values: text by dotted path; hyphens may stand for underscores. A path that names a whole part
        (`model.position`) takes effect before those that lie inside it.

    A member of a family that is named whole takes over what was set of the fields that it `keeps`, such as
    the learning rate for `optimizer`.

    Of two fields that say the same (`instead_of` of a config), such as steps and epochs, the given counts.

    Raises:
      FieldError: for a path that does not exist, with the nearest ones, for a value of the wrong type, or for
        two fields that say the same.
    """
    return _override(config, [(path.replace("-", "_"), path, text) for path, text in values.items()])


def _override(config: Any, values: list[tuple[str, str, str]]) -> Any:
    known = hints(type(config)) if dataclasses.is_dataclass(config) else {}
    new: dict[str, Any] = {}
    inner: dict[str, list[tuple[str, str, str]]] = {}
    for path, full, text in values:
        name, _, rest = path.partition(".")
        if name not in known:
            raise FieldError(f"no field {quoted(full)}; {_shortlist(config, path, full)}")
        if rest:
            inner.setdefault(name, []).append((rest, full, text))
        else:
            new[name] = _taken_over(getattr(config, name), parse(known[name], text, full), full)
    for name, rest in inner.items():
        new[name] = _override(new.get(name, getattr(config, name)), rest)
    for name, other in getattr(config, "instead_of", {}).items():
        if name in new and new.get(other) is not None:
            shown = " and ".join(full for path, full, _ in values if path in (name, other))
            raise FieldError(f"{shown} are two ways to say the same; give one of them")
        if name in new:
            new[other] = None
    try:
        return dataclasses.replace(config, **new)
    except FieldError:
        raise
    except ValueError as error:
        prefix = values[0][1][: len(values[0][1]) - len(values[0][0])]
        raise FieldError(_located(prefix, type(config), error)) from error


def _taken_over(old: Any, new: Any, path: str) -> Any:
    """`new` with what was set in `old`, a member of the same family, of the fields that it keeps."""
    if not isinstance(new, Choice) or not isinstance(old, Choice):
        return new
    known = {f.name: f for f in dataclasses.fields(old)}
    kept = {}
    for name in new.keeps:
        if name in known and (value := getattr(old, name)) != known[name].default:
            kept[name] = value
    try:
        return dataclasses.replace(new, **kept)
    except ValueError as error:
        raise FieldError(_located(f"{path}.", type(new), error)) from error


def _located(prefix: str, cls: type, error: ValueError) -> str:
    """What a configuration says of itself, with where it stands: `training.mesh.` and `data=0 ...`.

    The message may begin with the part's own name, as in `mesh.data=0 ...`, which `prefix` says already.
    """
    message, known = str(error), hints(cls)
    first, _, rest = message.partition(".")
    if re.fullmatch(r"\w+", first) and first not in known and _first_word(rest) in known:
        message = rest
    if prefix and _first_word(message) not in known:
        return f"{prefix[:-1]}: {message}"
    return prefix + message


def _first_word(message: str) -> str:
    return re.match(r"\w*", message)[0]


@contextlib.contextmanager
def renamed(old: str, new: str) -> Iterator[None]:
    """Inside, a ValueError about `old.` is one about `new.`, as which the part stands where it is checked."""
    try:
        yield
    except ValueError as error:
        if not str(error).startswith(f"{old}."):
            raise
        raise ValueError(new + str(error)[len(old) :]) from error


def _shortlist(config: Any, path: str, full: str) -> str:
    prefix = full[: len(full) - len(path)]
    names = [row.path for row in describe(config)]
    last = path.split(".")[-1]
    close = [n for n in names if n.split(".")[-1] == last][:3]
    close = close or difflib.get_close_matches(path[:100], names, n=3, cutoff=0.5)
    found = ["--" + prefix + n.replace("_", "-") for n in close or names]
    return f"did you mean {', '.join(found)}?" if close else nearest("", found)


class Row(typing.NamedTuple):
    """One settable field, for help texts and the reference."""

    path: str
    type: str
    value: Any
    help: str


def describe(config: Any, prefix: str = "") -> Iterator[Row]:
    """Every field of a configuration, depth first."""
    if not dataclasses.is_dataclass(config):
        return
    for name, hint in hints(type(config)).items():
        value = getattr(config, name)
        if dataclasses.is_dataclass(value):
            if hasattr(_bare(hint), "from_text") or (
                inspect.isclass(_bare(hint)) and issubclass(_bare(hint), Choice)
            ):
                shown = type(value).kind() if isinstance(value, Choice) else ""
                yield Row(prefix + name, type_name(hint), shown, help_of(hint))
            yield from describe(value, f"{prefix}{name}.")
        else:
            yield Row(prefix + name, type_name(hint), value, help_of(hint))


def changed(config: Any, prefix: str = "") -> frozenset[str]:
    """The paths, as `describe` has them, of fields that differ from the defaults of their classes.

    Of a member of a family that is not the default one, its name counts, and each of its fields that differs
    from that member's own default. A field without a default counts always.
    """
    found: set[str] = set()
    for field in dataclasses.fields(config):
        if not field.init or field.metadata.get("told"):
            continue
        path, value = prefix + field.name, getattr(config, field.name)
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if dataclasses.is_dataclass(value):
            if type(value) is not type(default):
                found.add(path)
            found |= changed(value, f"{path}.")
        elif value != default:
            found.add(path)
    return frozenset(found)


def only_here(config: Any) -> list[str]:
    """What of a configuration no other process would find again, a sentence each with the way out."""
    if not dataclasses.is_dataclass(config):
        return []
    own = [config.only_here()] if isinstance(config, Choice) else []
    inner = (only_here(getattr(config, name)) for name in hints(type(config)))
    return list(dict.fromkeys(filter(None, [*own, *itertools.chain.from_iterable(inner)])))


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """`field: old -> new` for every field in which two configurations differ."""
    a, b = to_json(old), to_json(new)
    rows = []

    def walk(x, y, path):
        if isinstance(x, dict) and isinstance(y, dict):
            for key in [*x, *(k for k in y if k not in x)]:
                walk(x.get(key), y.get(key), f"{path}.{key}" if path else key)
        elif x != y:
            rows.append(f"{path}: {x} -> {y}")

    walk(a, b, prefix)
    return rows
