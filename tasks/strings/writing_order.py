"""Orders in which the symbols of a string are written, and how they are put back.

    string        0 1 2 3 4 5 6
    ends_first    0 6 1 5 2 4 3
    turned at 3   0 1 2 6 5 4 3
    turned_counted at 5   0 1 2" 3" 4" 6 5

Places counted from the end are then as fixed as those counted from the start. `ends_first` writes place k as
number 2k, in strings of 2k + 1 symbols or more, and place -k as number 2k - 1, in strings of 2k or more.
`turned` writes the first places as they stand, and place -k as number at + k - 1, in strings of at + k
symbols or more. Forward, place -k stands where the length decides, which a model that writes does not know
before the end. `turned_counted` tells a short length in time: 2" is a symbol that stands for symbol 2 and for
its place from the end. So each place from the end is fixed, or told, in strings of any length.
"""

import dataclasses
import itertools
import sys

from jaxgpt.core.wording import quoted

#: Symbols for private use, of which 94 stand for the visible ones of ASCII at each place from the end.
_PRIVATE, _VISIBLE = 0xF0000, 94
#: The farthest place from the end that they can tell.
FARTHEST = (sys.maxunicode + 1 - _PRIVATE) // _VISIBLE


@dataclasses.dataclass(frozen=True)
class Forward:
    """As they stand."""

    #: What is said of the order before training; empty: nothing.
    words = ""

    def write(self, text: str) -> str:
        """The symbols of a string in the order in which they are written."""
        return text

    def read(self, written: str) -> str:
        """The string that was written."""
        return written

    def names(self, length: int, first: int) -> tuple[str, ...]:
        """The place of each written symbol in its string: `first` and on, and -1 and before from the end.

        None are named where they stand in their order.
        """
        return ()


@dataclasses.dataclass(frozen=True)
class EndsFirst(Forward):
    """The first symbol, the last, the second, the last but one, and so on."""

    words = "the first symbol, the last, the second, the last but one, and so on"

    def write(self, text: str) -> str:
        front, back = text[: (len(text) + 1) // 2], text[: (len(text) - 1) // 2 : -1]
        return "".join(itertools.chain.from_iterable(itertools.zip_longest(front, back, fillvalue="")))

    def read(self, written: str) -> str:
        return written[::2] + written[1::2][::-1]

    def names(self, length: int, first: int) -> tuple[str, ...]:
        return tuple(str(first + n // 2 if n % 2 == 0 else -(n // 2) - 1) for n in range(length))


@dataclasses.dataclass(frozen=True)
class Turned(Forward):
    """The first `at` symbols as they stand, then the others from the last one back."""

    at: int

    @property
    def words(self) -> str:
        return f"the first {self.at} symbols, then the others from the last one back"

    def write(self, text: str) -> str:
        return text[: self.at] + text[self.at :][::-1]

    def read(self, written: str) -> str:
        return written[: self.at] + written[self.at :][::-1]

    def names(self, length: int, first: int) -> tuple[str, ...]:
        return tuple(str(first + n if n < self.at else self.at - n - 1) for n in range(length))


@dataclasses.dataclass(frozen=True)
class TurnedCounted(Turned):
    """The same; those of the first that are among the last `at`, too, tell their place from the end."""

    @property
    def words(self) -> str:
        return f"{super().words}; of the first, the last {self.at} are written with their place from the end"

    def write(self, text: str) -> str:
        """The symbols, some of them replaced by one that stands for the symbol and its place.

        Raises:
          ValueError: if a symbol is no visible one of ASCII.
        """
        if strange := next((symbol for symbol in text if not "!" <= symbol <= "~"), None):
            raise ValueError(
                f"task.order=turned_counted: {quoted(strange)} cannot be written with its place; take "
                "visible symbols of ASCII, or --task.order turned"
            )
        start = max(len(text) - self.at, 0)
        counted = [
            _with_place(symbol, len(text) - at) for at, symbol in enumerate(text[start : self.at], start)
        ]
        return text[: min(start, self.at)] + "".join(counted) + text[self.at :][::-1]

    def read(self, written: str) -> str:
        return super().read("".join(map(_without_place, written)))


def _with_place(symbol: str, back: int) -> str:
    return chr(_PRIVATE + (back - 1) * _VISIBLE + ord(symbol) - ord("!"))


def _without_place(symbol: str) -> str:
    return chr((ord(symbol) - _PRIVATE) % _VISIBLE + ord("!")) if ord(symbol) >= _PRIVATE else symbol
