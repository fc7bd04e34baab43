"""Which colour, dash and marker a cell is drawn with: the same in every report."""

import hashlib
from collections.abc import Sequence

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
            *("subset", "fone", "spaced", "bpe", "bytes", "xval", "bittokens", "characters", "base", "words"),
        )
    )
} | {"fixed": 10}  # as in its first report


def styles(names: Sequence[str]) -> list[dict[str, str]]:
    """How the cells with these names are drawn, as keywords of matplotlib.

    A name's place among colours and dashes follows from the name alone. Where two names of one report would
    share a place, the later takes the next free one.
    """
    places, count = [], len(COLORS) * len(DASHES)
    for name in names:
        place = _place(name) % count
        while place in places and len(places) < count:
            place = (place + 1) % count
        places.append(place)
    return [
        {
            "color": COLORS[place % len(COLORS)],
            "linestyle": DASHES[place // len(COLORS)],
            "marker": _MARKERS[place % len(_MARKERS)],
        }
        for place in places
    ]


def _place(name: str) -> int:
    for known in (name, name.split(":")[0]):
        if known in _PLACES:
            return _PLACES[known]
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")
