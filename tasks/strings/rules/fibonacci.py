"""Lines of numbers, each the sum of the two before, written with symbols that mean nothing to a model.

444,148,592,740,1332,2072,3404
"""

import dataclasses
import functools
import itertools
import math
import random
import statistics
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

import numpy as np

from tasks.strings.rule import MOST_LISTED, Floor, Rule, rate

_PLACES = ("ones", "tens", "hundreds", "thousands", "ten thousands")
_ORDINALS = ("1st", "2nd", "3rd")
#: Digits that a number may have.
_MOST_DIGITS = 18
#: Pairs of first numbers up to which all are counted, and lines from which the mean length is else estimated.
_COUNTED, _LINES = 10**6, 20_000


@dataclasses.dataclass(frozen=True)
class Fibonacci(Rule):
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

    def sample(self, rng: random.Random) -> str:
        return self.line(rng.randint(0, self.largest), rng.randint(0, self.largest))

    def line(self, first: int, second: int) -> str:
        """The line that begins with two numbers."""
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

    def floor(self) -> Floor:
        """With many pairs of first numbers the mean length is estimated."""
        counted = self.digits > 0 or self.size() <= _COUNTED
        mean = self._mean_length if counted else self._estimated_length
        return Floor(rate(2 * math.log(self.largest + 1), mean), exact=counted)

    def size(self) -> int:
        return (self.largest + 1) ** 2

    def every(self) -> Iterable[str] | None:
        if self.size() > MOST_LISTED:
            return None
        return (self.line(*pair) for pair in itertools.product(range(self.largest + 1), repeat=2))

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
    def _mean_length(self) -> float:
        """Symbols of a line, over all pairs of first numbers."""
        if self.digits:
            return self.terms * (self.digits + 1) - 1
        counts = [(1, 0), (0, 1)]
        while len(counts) < self.terms:
            counts.append((counts[-1][0] + counts[-2][0], counts[-1][1] + counts[-2][1]))
        numbers = np.arange(self.largest + 1)
        tens = 10 ** np.arange(1, len(str(self._most)))
        total = self.terms - 1
        for first, second in counts:
            # The digits of each sum, for one row of the table of pairs after another.
            rows = (np.searchsorted(tens, first * n + second * numbers, side="right").mean() for n in numbers)
            total += 1 + math.fsum(rows) / len(numbers)
        return total

    @functools.cached_property
    def _estimated_length(self) -> float:
        rng = random.Random(0)
        return statistics.fmean(len(self.sample(rng)) for _ in range(_LINES))


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"


def _kind(expected: int, found: int) -> str:
    """How a sum is wrong."""
    off = abs(expected - found)
    for place, name in enumerate(_PLACES):
        if place and off == 10**place:
            return f"off by a carry into the {name}"
    return "other wrong digits" if len(str(found)) == len(str(expected)) else "wrong number of digits"
