"""JSON objects of a file: one a line, one array of them, or objects over several lines."""

import json
import re
import reprlib
from collections.abc import Iterator
from typing import Any

from jaxgpt.core.wording import in_file, quoted

_BEGIN = re.compile(r'\s*(\[\s*)?\{\s*("(?:[^"\\\n]|\\.){0,200}"\s*:|\})')
_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


def looks_like_json(text: str) -> bool:
    """Whether a text begins as an object with a key does, or as an array of such."""
    return _BEGIN.match(text) is not None


def read_objects(text: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object, and where it stands, such as `line 3`.

    Raises:
      ValueError: for what is not JSON, or no object, with the line or the row; for an array without objects.
    """
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
            if not value:
                raise ValueError(in_file(path, "is an empty array; it should hold objects"))
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
