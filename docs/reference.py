"""The reference pages, made from the code while the site is built: a Sphinx extension.

A page says what stands where: `<!-- generated: commands -->` is replaced by what the function of that name in
`PARTS` returns, as Markdown. Of dataclasses, autodoc shows the fields with the help that `Annotated` holds.
"""

import contextlib
import dataclasses
import inspect
import io
import os
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

import jaxgpt
from jaxgpt.core import fields, tables
from jaxgpt.core.choice import Choice

_MARK = re.compile(r"^<!-- generated: ([\w ]+) -->$", re.MULTILINE)

#: In docstrings: what stands between backticks, on one line or several.
_CODE = re.compile(r"``.+?``|`[^`]+`", re.DOTALL)
#: What reStructuredText would take for markup.
_MARKUP = re.compile(r"[*|\\`]|_(?!\w)")
#: The headings of Google's style, under which indented lines are no code.
_HEADINGS = ("Args:", "Attributes:", "Raises:", "Returns:", "Yields:")


def commands() -> str:
    """What `jaxgpt COMMAND --help` prints, of every command."""
    from jaxgpt.cli.main import main

    overview = _printed(main, ["--help"])
    names = re.findall(r"^ +(\w[\w-]*) .*\S", overview, re.MULTILINE)
    parts = ["```text", overview, "```", ""]
    for name in dict.fromkeys(names):
        # Of an experiment's own fields there is a table each, below.
        shown = _printed(main, [name, "--help"]).partition("\nfields of ")[0].rstrip()
        parts += [f"## jaxgpt {name}", "", "```text", shown, "```", ""]
    return "\n".join(parts)


def _printed(main: Callable[[list[str]], int], arguments: list[str]) -> str:
    printed, width = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "84"
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main(arguments)
    finally:
        del os.environ["COLUMNS"]
        if width is not None:
            os.environ["COLUMNS"] = width
    if not printed.getvalue():
        raise ValueError(f"jaxgpt {' '.join(arguments)} prints nothing")
    return printed.getvalue().rstrip()


def experiments() -> str:
    """Every experiment with a short name."""
    from jaxgpt.runs import experiments as found

    rows = [
        (f"`{name.replace('_', '-')}`", _first(function), found.takes(function))
        for name, function in found.available().items()
    ]
    return _table(("name", "what is learned", "time"), rows)


def presets() -> str:
    """Every architecture that `--model NAME` takes."""
    from jaxgpt.models import presets as found

    rows = [(f"`{n.replace('_', '-')}`", _first(f)) for n, f in found.functions().items()]
    return _table(("preset", "what it is"), rows)


def tokenizers() -> str:
    """Every tokenizer and its arguments."""
    from jaxgpt.tokenizers import Tokenizer

    members = map(Tokenizer.named, Tokenizer.names())
    return _table(("how it is written", "what it does"), [(f"`{m.usage}`", _first(m)) for m in members])


def options() -> str:
    """The fields of every part of an experiment, but those of families."""
    from jaxgpt import Experiment

    parts, loose = [], []
    for name, hint in fields.hints(Experiment).items():
        kind = _kinds(hint)[0]
        chosen = dataclasses.is_dataclass(kind) and issubclass(kind, Choice) and name != "task"
        if chosen or not dataclasses.is_dataclass(kind):
            loose.append((name, fields.type_name(hint), _default(Experiment, name), fields.help_of(hint)))
        elif not issubclass(kind, Choice):
            inner = dict(_families(kind, f"{name}."))
            rows = [
                (f"{name}.{row.path}", row.type, row.value, row.help)
                for row in fields.describe(kind())
                if not any(f"{name}.{row.path}".startswith(path + ".") for path in inner)
            ]
            parts += [f"## {name.capitalize()}", "", _first(kind), "", _options(rows), ""]
    return "\n".join(["## The experiment itself", "", _options(loose), "", *parts])


def families() -> str:
    """Every family that a field chooses a member of, but for tasks, with the members' own fields."""
    from jaxgpt import Experiment

    found = [(path, family) for path, family in _families(Experiment) if path != "task"]
    return "\n".join(
        f"## --{path.replace('_', '-')} NAME\n\n{_first(family)}\n\n{_members(path, family, 3)}"
        for path, family in found
    )


def tasks() -> str:
    """Every task with its fields, and after them the families that these choose members of."""
    found = [
        (f"## {name.replace('_', '-')}: `--{path.replace('_', '-')} NAME`", path, family)
        for name in jaxgpt.Task.names()
        for path, family in _families(jaxgpt.Task.named(name), "task.")
    ]
    parts = [f"{head}\n\n{_first(family)}\n\n{_members(path, family, 3)}" for head, path, family in found]
    return "\n".join([_members("task", jaxgpt.Task, 2), *parts])


def _members(path: str, family: type[Choice], level: int) -> str:
    lines = []
    for name in family.names():
        member = family.named(name)
        rows = [(f"{path}.{r.path}", r.type, r.value, r.help) for r in fields.describe(member())]
        table = _options(rows) if rows else "It has no fields."
        lines += [f"{'#' * level} {name.replace('_', '-')}", "", _first(member), "", table, ""]
    return "\n".join(lines)


def sampling() -> str:
    """The fields of `jaxgpt.Sampling`."""
    return _options([(row.path, row.type, row.value, row.help) for row in fields.describe(jaxgpt.Sampling())])


def names() -> str:
    """The public names, each with what it is."""
    found = [(name, getattr(jaxgpt, name)) for name in jaxgpt.__all__]
    rows = [
        (f"[`jaxgpt.{name}`](#{value.__module__}.{value.__qualname__})", _first(value))
        for name, value in found
    ]
    return _table(("name", "what it is"), rows)


PARTS = {
    part.__name__: part
    for part in (commands, experiments, presets, tokenizers, options, families, tasks, sampling, names)
}


def _families(cls: type, prefix: str = "") -> Iterator[tuple[str, type[Choice]]]:
    """The families that fields of a configuration hold members of, with their paths."""
    for name, hint in fields.hints(cls).items():
        for kind in _kinds(hint):
            if inspect.isclass(kind) and issubclass(kind, Choice):
                yield prefix + name, kind
            elif dataclasses.is_dataclass(kind):
                yield from _families(kind, f"{prefix}{name}.")


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The types that a field may have, without help and None."""
    if typing.get_origin(hint) is Annotated:
        return _kinds(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(kind for kind in typing.get_args(hint) if kind is not type(None))
    return (hint,)


def _default(cls: type, name: str) -> Any:
    found = next(field for field in dataclasses.fields(cls) if field.name == name)
    if found.default_factory is not dataclasses.MISSING:
        return type(found.default_factory()).kind()
    return "" if found.default is dataclasses.MISSING else found.default


def _options(rows: Iterable[tuple[str, str, Any, str]]) -> str:
    cells = []
    for path, kind, value, text in rows:
        # A choice of many names may break between any two of them.
        kinds = " or ".join(f"`{name}`" for name in kind.split("|"))
        cells.append((f"`--{path.replace('_', '-')}`", f"{text}<br>{kinds}; default: {_value(value)}"))
    return _table(("option", "meaning"), cells)


def _value(value: Any) -> str:
    """A default as it would be typed."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value != "" else "empty"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = ([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    return "\n".join(tables.grid(heads, cells))


def _first(described: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(described) or "").split("\n\n")[0].split())


def _fill(app, docname: str, source: list[str]) -> None:
    source[0] = _MARK.sub(lambda mark: PARTS[mark[1]](), source[0])


def _as_text(app, what: str, name: str, obj: Any, options, lines: list[str]) -> None:
    """Docstrings are written as plain text: backticks are code, indented parts are shown as they stand."""
    text = "\n".join(lines)
    outside = _CODE.split(text)
    inside = [f"``{code.strip('` ')}``" for code in _CODE.findall(text)]
    escaped = [_MARKUP.sub(r"\\\g<0>", part) for part in outside]
    whole = "".join(part + code for part, code in zip(escaped, [*inside, ""], strict=True)).split("\n")
    lines[:] = _with_blocks(whole, text.split("\n"))
    if what == "class" and dataclasses.is_dataclass(obj):
        lines += _described(obj)


def _with_blocks(escaped: list[str], plain: list[str]) -> list[str]:
    """Escaped lines, with those of indented blocks as they were; `::` begins a block."""
    found: list[str] = []
    heading = block = False
    for line, original in zip(escaped, plain, strict=True):
        if original and not original[0].isspace():
            heading, block = original.rstrip() in _HEADINGS, False
        elif original and not heading and not block and found and not found[-1]:
            found, block = [*found, "::", ""], True
        found.append(original if block else line)
    return found


def _described(cls: type) -> list[str]:
    """The fields of a configuration, as a definition list; none where a field has no help."""
    try:
        hints = fields.hints(cls)
    except NameError:  # of a type that is imported for type checkers alone: no configuration
        return []
    if not any(map(fields.help_of, hints.values())):
        return []
    lines = ["", "Fields:", ""]
    for field in dataclasses.fields(cls):
        if field.name not in hints:
            continue
        hint = hints[field.name]
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        shown = f"{type(default).__name__}()" if dataclasses.is_dataclass(default) else repr(default)
        head = f"``{field.name}``: {fields.type_name(hint)}".replace("|", " | ")
        lines.append(head if default is dataclasses.MISSING else f"{head} = ``{shown}``")
        lines.append("    " + (_MARKUP.sub(r"\\\g<0>", fields.help_of(hint)) or "-"))
    return [*lines, ""]


def _without_help(app, what: str, name: str, obj: Any, options, signature, returned):
    """Signatures without the help that `Annotated` holds, which stands below them."""
    from sphinx.util.inspect import stringify_signature  # the rest is read without Sphinx, too

    if what != "class" or not dataclasses.is_dataclass(obj) or signature is None:
        return None
    found = inspect.signature(obj)
    parameters = [
        p.replace(annotation=_bare(p.annotation)) for p in found.parameters.values() if p.name != "self"
    ]
    found = found.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    return stringify_signature(found, unqualified_typehints=True), None


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def setup(app) -> dict[str, bool]:
    app.connect("source-read", _fill)
    app.connect("autodoc-process-docstring", _as_text, priority=400)  # before Google's style is read
    app.connect("autodoc-process-signature", _without_help)
    return {"parallel_read_safe": True}
