"""Strings written from both ends: the first symbol, the last, the second, the last but one, and so on.

    string    0 1 2 3 4 5 6
    written   0 6 1 5 2 4 3

Places counted from the end are then as fixed as those counted from the start: place k is written as number
2k, place -k as number 2k - 1, in strings of any length that is 2k or more. Forward, place -k stands where the
length decides, which a model that writes does not know before the end.
"""

import itertools


def ends_first(text: str) -> str:
    """The symbols of a string in the order in which they are written from both ends."""
    front, back = text[: (len(text) + 1) // 2], text[: (len(text) - 1) // 2 : -1]
    return "".join(itertools.chain.from_iterable(itertools.zip_longest(front, back, fillvalue="")))


def put_back(written: str) -> str:
    """The string that was written from both ends."""
    return written[::2] + written[1::2][::-1]


def place_names(length: int, first: int) -> tuple[str, ...]:
    """The place of each written symbol in its string: `first` and on, and -1 and before from the end."""
    return tuple(str(first + n // 2 if n % 2 == 0 else -(n // 2) - 1) for n in range(length))
