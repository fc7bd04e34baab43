"""JSON objects as rows: one a line, one array of them, or objects over several lines."""

import json
import re
import reprlib
from collections.abc import Iterator
from typing import Any

from jaxgpt.wording import in_file, quoted
from tasks.corpus.columns import choose_column

_BEGIN = re.compile(r'\s*(\[\s*)?\{\s*("(?:[^"\\\n]|\\.){0,200}"\s*:|\})')
_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


def looks_like_json(text: str) -> bool:
    """Whether a text begins as an object with a key does, or as an array of such."""
    return _BEGIN.match(text) is not None


def read_json(text: str, path: str, text_column: str | None) -> list[str]:
    """One key of every object; see `tasks.corpus.read_documents`.

    Raises:
      ValueError: for what is not JSON, no object, or an object without that text; with the line or the row.
    """
    rows = list(_rows(text, path))
    if not rows:
        raise ValueError(in_file(path, "is an empty array; it should hold objects"))
    # The values that are there: a table of all rows and all keys may be a million times as large.
    columns: dict[str, list[str]] = {}
    for _, row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value if isinstance(value, str) else reprlib.repr(value))
    names = list(columns)
    if not names:
        raise ValueError(in_file(path, "holds objects without keys"))
    name = names[choose_column(names, list(columns.values()), text_column, path, rows=len(rows))]
    for where, row in rows:
        if not isinstance(row.get(name), str):
            value = f"is {quoted(reprlib.repr(row[name]))}, not text" if name in row else "is missing"
            way = "; write a JSON object a row, with the text in it" if len(rows) == 1 else ""
            raise ValueError(in_file(path, f"{where}: {quoted(name)} {value}{way}"))
    return [row[name] for _, row in rows]


def _rows(text: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object, and where it stands."""
    place, line, counted, first = _SPACE.match(text).end(), 1, 0, True
    while place < len(text):
        line += text.count("\n", counted, place)
        counted = place
        try:
            value, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise _not_json(text, path, place, line, error) from error
        after = _SPACE.match(text, end).end()
        if first and isinstance(value, list) and after == len(text):
            for number, element in enumerate(value, 1):
                yield _object(element, path, f"row {number}")
            return
        yield _object(value, path, f"line {line}")
        first, place = False, after


def _object(value: Any, path: str, where: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(value, dict):
        raise ValueError(in_file(path, f"{where} is not a JSON object: {quoted(reprlib.repr(value))}"))
    return where, value


def _not_json(text: str, path: str, place: int, line: int, error: Exception) -> ValueError:
    """Names the line of the fault, or where it is the end, the line on which the value begins."""
    fault = getattr(error, "pos", place)
    if _SPACE.match(text, fault).end() < len(text):
        line += text.count("\n", place, fault)
        place = max(place, text.rfind("\n", place, fault) + 1)
        ends = ""
    else:
        ends = "; the file ends inside of it"
    shown = text[place : place + 80].split("\n")[0]
    return ValueError(in_file(path, f"line {line} is not JSON: {quoted(shown)}{ends}"))
