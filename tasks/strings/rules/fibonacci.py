"""Lines of numbers, each the sum of the two before, written with symbols that mean nothing to a model.

444,148,592,740,1332,2072,3404
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np

from tasks.strings.pair_lines import PairLines

_PLACES = ("ones", "tens", "hundreds", "thousands", "ten thousands")
_ORDINALS = ("1st", "2nd", "3rd")
#: Digits that a number may have.
_MOST_DIGITS = 18
#: Pairs of first numbers up to which the lengths of all lines are counted.
_COUNTED = 10**6


@dataclasses.dataclass(frozen=True)
class Fibonacci(PairLines):
    """Two random numbers, then sums of two neighbours; a comma between two numbers.

    Every sum is judged by the two numbers before it as they are written, so one error counts once.
    """

    terms: Annotated[int, "numbers of a line"] = 7
    largest: Annotated[int, "of the first two numbers, which begin at 0"] = 999
    order: Annotated[
        Literal["written", "reversed"], "of the digits: as one writes them, or the ones first"
    ] = "written"
    digits: Annotated[int, "every number is padded with zeros to so many; 0: none is"] = 0
    symbols: Annotated[str, "the ten digits and the comma, or eleven others that stand for them"] = (
        "0123456789,"
    )

    reasons = (
        "no such line",
        "other number of terms",
        "first numbers too large",
        "off by a carry into the tens",
        "off by a carry into the hundreds",
        "off by a carry into the thousands",
        "off by a carry into the ten thousands",
        "other wrong digits",
        "wrong number of digits",
    )

    def __post_init__(self):
        if self.terms < 3:
            raise ValueError(f"rule.terms={self.terms}: a line without a sum; give at least 3")
        if self.largest < 1:
            raise ValueError(f"rule.largest={self.largest} must be at least 1")
        if len(set(self.symbols)) != 11 or len(self.symbols) != 11:
            raise ValueError(
                f"rule.symbols={self.symbols!r} must be eleven different symbols, the last a comma's"
            )
        most = len(str(self._most))
        if most > _MOST_DIGITS:
            raise ValueError(
                f"rule.terms={self.terms} and rule.largest={self.largest}: numbers would have more than "
                f"{_MOST_DIGITS} digits; lower either"
            )
        if self.digits and not most <= self.digits <= _MOST_DIGITS:
            raise ValueError(
                f"rule.digits={self.digits}: the largest number has {most}; give {most} to {_MOST_DIGITS}, "
                "or 0"
            )

    def line(self, first: int, second: int) -> str:
        numbers = [first, second]
        while len(numbers) < self.terms:
            numbers.append(numbers[-1] + numbers[-2])
        return ",".join(map(self._written, numbers)).translate(self._to_symbols)

    def check(self, text: str) -> str | None:
        numbers = self._numbers(text)
        if None in numbers:
            return "no such line"
        if len(numbers) != self.terms:
            return "other number of terms"
        if max(numbers[:2]) > self.largest:
            return "first numbers too large"
        for a, b, c in zip(numbers, numbers[1:], numbers[2:], strict=False):
            if c != a + b:
                return _kind(a + b, c)
        return None

    def parts(self, text: str) -> Mapping[str, bool]:
        numbers = self._numbers(text)
        numbers = numbers[: self.terms] + [None] * (self.terms - len(numbers))
        return {
            f"{_ordinal(index + 1)} number": None not in numbers[index - 2 : index + 1]
            and numbers[index] == numbers[index - 1] + numbers[index - 2]
            for index in range(2, self.terms)
        }

    def explanation(self) -> str:
        return f"{self.terms} numbers, each from the third on the sum of the two before"

    def count_lengths(self) -> Mapping[int, int] | None:
        if self.digits:
            return {self.terms * (self.digits + 1) - 1: self.size()}
        return self._counted_lengths if self.size() <= _COUNTED else None

    def _written(self, number: int) -> str:
        text = str(number).zfill(self.digits)
        return text if self.order == "written" else text[::-1]

    def _numbers(self, text: str) -> list[int | None]:
        """The numbers of a line; None for what is none, or is not written as this rule writes it."""
        if not set(text) <= set(self.symbols):
            return [None]
        found: list[int | None] = []
        for field in text.translate(self._from_symbols).split(","):
            in_order = field if self.order == "written" else field[::-1]
            number = int(in_order) if 0 < len(field) <= _MOST_DIGITS + 1 else None
            found.append(number if number is not None and self._written(number) == field else None)
        return found

    @property
    def _most(self) -> int:
        """The largest number of a line, or one that is too large."""
        older, newer = self.largest, self.largest
        for _ in range(self.terms - 2):
            if newer >= 10**_MOST_DIGITS:
                break
            older, newer = newer, older + newer
        return newer

    @functools.cached_property
    def _to_symbols(self) -> dict[int, str]:
        return str.maketrans("0123456789,", self.symbols)

    @functools.cached_property
    def _from_symbols(self) -> dict[int, str]:
        return str.maketrans(self.symbols, "0123456789,")

    @functools.cached_property
    def _counted_lengths(self) -> Mapping[int, int]:
        """Lines of each length, over all pairs of first numbers."""
        counts = [(1, 0), (0, 1)]
        while len(counts) < self.terms:
            counts.append((counts[-1][0] + counts[-2][0], counts[-1][1] + counts[-2][1]))
        numbers, most = np.arange(self.largest + 1), len(str(self._most))
        tens = 10 ** np.arange(1, most)
        found = np.zeros(self.terms * (most + 1), int)
        for n in numbers:  # one row of the table of pairs after another
            # A comma less than there are numbers, and of each number one digit and those that tens give.
            symbols = 2 * self.terms - 1
            for first, second in counts:
                symbols = symbols + np.searchsorted(tens, first * n + second * numbers, side="right")
            found += np.bincount(symbols, minlength=len(found))
        return {length: int(lines) for length, lines in enumerate(found) if lines}


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"


def _kind(expected: int, found: int) -> str:
    """How a sum is wrong."""
    off = abs(expected - found)
    for place, name in enumerate(_PLACES):
        if place and off == 10**place:
            return f"off by a carry into the {name}"
    return "other wrong digits" if len(str(found)) == len(str(expected)) else "wrong number of digits"
