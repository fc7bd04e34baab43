"""Which colour, dash and marker a cell is drawn with: the same in every report."""

import hashlib
from collections.abc import Sequence

from jaxgpt.comparison.axes import label
from jaxgpt.comparison.cells import Cell

#: Distinct also for most readers who see few colours (Okabe and Ito 2008).
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933")
DASHES = ("-", "--", ":", "-.")
_MARKERS = "os^vD"

#: Names whose place is fixed, so that those that are often compared have colours of their own. A name without
#: its settings stands for all of them.
_PLACES = {
    name: place
    for place, name in enumerate(
        (
            *("digits", "digits:2:right", "digits:2:left", "digits:3:right", "digits:3:left", "10e"),
            *("subset", "fone", "spaced", "bpe", "fixed", "xval", "bittokens", "characters", "base", "words"),
        )
    )
} | {"bytes": 20}  # not in the colour of digits


def of_cells(cells: Sequence[Cell]) -> list[dict[str, str]]:
    """How cells are drawn, as keywords of matplotlib: by `styles`, and those of one tokenizer alike."""
    return styles([cell.name for cell in cells], [tokenizer_of(cell) for cell in cells])


def tokenizer_of(cell: Cell) -> str:
    """The tokenizer in a cell's name, which decides its colour; the whole name where none is varied."""
    varied = cell.values.get("tokenizer")
    return cell.name if varied is None else label({"tokenizer": varied})


def styles(names: Sequence[str], leading: Sequence[str] | None = None) -> list[dict[str, str]]:
    """The colour, dash and marker of each name, as keywords of matplotlib.

    The place of a name among colours and dashes follows from the name alone. Where two of one report would
    share a place, the one that `_PLACES` has keeps it, then the one whose kind it has, then the earlier; the
    other takes the next free one.

    Args:
      leading: the part of each name that its colour follows from; by default the whole. Names with the same
        part are told apart by dash and marker, alike for every such part.
    """
    leading = list(names if leading is None else leading)
    places, count = {}, len(COLORS) * len(DASHES)
    for part in sorted(dict.fromkeys(leading), key=_rank):
        place = _place(part) % count
        while place in places.values() and len(places) < count:
            place = (place + 1) % count
        places[part] = place
    rests = [name.replace(part, "", 1) for name, part in zip(names, leading, strict=True)]
    order = list(dict.fromkeys(rests))
    return [_style(places[part], order.index(rest)) for part, rest in zip(leading, rests, strict=True)]


def _style(place: int, shift: int) -> dict[str, str]:
    """A place's colour, with the dash and marker so many behind its own."""
    return {
        "color": COLORS[place % len(COLORS)],
        "linestyle": DASHES[(place // len(COLORS) + shift) % len(DASHES)],
        "marker": _MARKERS[(place + shift) % len(_MARKERS)],
    }


def _rank(name: str) -> int:
    """Who comes first where a place is free: a known name, one of a known kind, any other."""
    return 0 if name in _PLACES else 1 if name.split(":")[0] in _PLACES else 2


def _place(name: str) -> int:
    for known in (name, name.split(":")[0]):
        if known in _PLACES:
            return _PLACES[known]
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")
