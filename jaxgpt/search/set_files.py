"""Constructions in files: as text, as JSON, or as a picture that holds its JSON.

- Text: a line a set, 0 or 1 for every element; what begins with # is a remark.
- JSON: `{"problem": {"kind": "isosceles", "n": 16}, "sets": [[0, 3, ...], ...]}`, elements numbered from 0.
- PNG: a board a set, as many as are drawn, with the JSON of all in the file beside the picture.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from jaxgpt.core import fields, foreign
from jaxgpt.core.choice import family_of
from jaxgpt.core.wording import quoted, shown
from jaxgpt.core.writing import replacing, write_atomically
from jaxgpt.search.searchable import Searchable

#: The entry of a PNG that holds the JSON, and the endings of files.
_ENTRY, ENDINGS = "jaxgpt", (".txt", ".json", ".png")


def read(problem: Searchable, path: Path) -> Bool[np.ndarray, "B E"]:
    """The sets of a file, a row each; those of a smaller problem of the kind stand where they have a place.

    Raises:
      ValueError: for a file that is none, a set that is no set of the problem, or one that holds a conflict,
        in one line with the set's number and the elements.
      OSError: if it cannot be read.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path}: sets are read from {', '.join(ENDINGS)}; name such a file")
    found = _of_text(problem, path) if path.suffix == ".txt" else _of_json(problem, path)
    sets = np.zeros((len(found), problem.size()), bool)
    for row, (where, chosen) in enumerate(found):
        if broken := problem.verify(chosen):
            places = ", ".join(problem.place(element) for element in broken[0])
            raise ValueError(f"{path}, {where}: {places} are in conflict")
        sets[row, list(chosen)] = True
    if not len(sets):
        raise ValueError(f"{path} holds no sets; name another file")
    return sets


def write(
    problem: Searchable, sets: Sequence[Iterable[int]], base: Path, drawn: int | None = None
) -> list[Path]:
    """Write sets as text, JSON and PNG, each with what the problem's verifier says of it.

    Args:
      base: the path of the files, without their endings.
      drawn: how many, the first, have a board in the picture; None: all.

    Raises:
      OSError: if they cannot be written.
    """
    members = [sorted(map(int, chosen)) for chosen in sets]
    words = [_word(problem, chosen) for chosen in members]
    lines = [f"# {problem}"]
    for chosen, word in zip(members, words, strict=True):
        lines += [f"# {len(chosen)} elements, {word}", problem.write(chosen)]
    told = json.dumps({"problem": fields.to_json(problem), "sets": members, "verified": words})
    paths = [base.with_name(base.name + ending) for ending in ENDINGS]
    write_atomically(paths[0], "\n".join(lines) + "\n")
    write_atomically(paths[1], told + "\n")
    _draw(problem, members[:drawn], words[:drawn], told, paths[2])
    return paths


def _word(problem: Searchable, chosen: Sequence[int]) -> str:
    broken = problem.verify(chosen)
    return "verified: no conflict" if not broken else f"{len(broken)} conflicts"


def _of_text(problem: Searchable, path: Path) -> list[tuple[str, frozenset[int]]]:
    found = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#"):
            try:
                found.append((f"line {number}", problem.read(text)))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
    return found


def _of_json(problem: Searchable, path: Path) -> list[tuple[str, frozenset[int]]]:
    text = _entry(path) if path.suffix == ".png" else _text(path)
    try:
        told = foreign.parse_json(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error})") from error
    if not isinstance(told, dict) or not isinstance(told.get("sets"), list) or "problem" not in told:
        raise ValueError(f'{path} must be an object with "problem" and "sets"')
    with foreign.naming(path):
        theirs = fields.from_json(family_of(type(problem)), told["problem"], "problem")
    if type(theirs) is not type(problem):
        raise ValueError(f"{path} has sets of {theirs}; this search is of {problem}")
    found = []
    for number, chosen in enumerate(told["sets"], 1):
        if not _is_set(chosen, theirs.size()):
            raise ValueError(
                f"{path}, set {number}: {shown(chosen)} is no list of elements from 0 to {theirs.size() - 1}"
            )
        with foreign.naming(path):
            own = frozenset(chosen) if theirs == problem else problem.embedded(theirs, chosen)
        found.append((f"set {number}", own))
    return found


def _text(path: Path) -> str:
    """A file of text, with or without a byte order mark."""
    return foreign.read_text(path).removeprefix("\ufeff")


def _is_set(chosen: Any, size: int) -> bool:
    return isinstance(chosen, list) and all(type(e) is int and 0 <= e < size for e in chosen)


def _entry(path: Path) -> str:
    """The JSON that a PNG holds."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            found = getattr(image, "text", {}).get(_ENTRY)
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is no PNG ({error})") from error
    if found is None:
        raise ValueError(
            f"{path} holds no sets: a picture of jaxgpt search has them in its entry {quoted(_ENTRY)}"
        )
    return found


def _draw(problem: Searchable, sets: list[list[int]], words: list[str], told: str, path: Path) -> None:
    from jaxgpt.search import search_pictures

    figure = search_pictures.boards(problem, sets, words)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={_ENTRY: told, "Software": None})
