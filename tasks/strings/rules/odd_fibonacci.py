"""Lines of five numbers with odd laws, as in the second Fibonacci experiment of Wagner's lecture.

    248,602,750,32551,33301

248 + 602 is 850, and 7s and 8s change places: 750. 602 + 750 + 171 is 1523, backwards 3251, and every 5 is
doubled: 32551. 750 + 32551 is 33301, which would end before its first 4.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated

from tasks.strings.pair_lines import PairLines

_SWAPPED = str.maketrans("78", "87")
#: Digits of the first two numbers. A number after them has at most one more, each doubled.
_MOST_DIGITS = 18
_NAMES = ("3rd number", "4th number", "5th number")


@dataclasses.dataclass(frozen=True)
class OddFibonacci(PairLines):
    """Two random numbers and three that follow from them; each is judged by those before it as written."""

    largest: Annotated[int, "of the first two numbers, which begin at 0"] = 999

    reasons = (
        "no such line",
        "other number of terms",
        "first numbers too large",
        *map("wrong {}".format, _NAMES),
    )

    def __post_init__(self):
        if not 1 <= self.largest < 10**_MOST_DIGITS:
            raise ValueError(f"rule.largest={self.largest}: give 1 or more, of at most {_MOST_DIGITS} digits")

    def line(self, first: int, second: int) -> str:
        fields = [str(first), str(second)]
        while len(fields) < 5:
            fields.append(_next(fields))
        return ",".join(fields)

    def check(self, text: str) -> str | None:
        fields = text.split(",")
        if not _plain(fields[:2]):
            return "no such line"
        if len(fields) != 5:
            return "other number of terms"
        if max(map(int, fields[:2])) > self.largest:
            return "first numbers too large"
        return next((f"wrong {name}" for name, right in self.parts(text).items() if not right), None)

    def parts(self, text: str) -> Mapping[str, bool]:
        fields = text.split(",")
        found = {}
        for index, name in enumerate(_NAMES, 2):
            before = fields[:index]
            known = len(fields) > index and _plain(before[:2]) and all(map(_digits, before[2:]))
            found[name] = known and fields[index] == _next(before)
        return found

    def explanation(self) -> str:
        return (
            "five numbers: the third is the sum of two with 7 and 8 exchanged, the fourth a sum backwards "
            "with 5s doubled, the fifth a sum cut before its first 4"
        )


def _next(fields: list[str]) -> str:
    """The number that follows two, three or four."""
    numbers = list(map(int, fields))
    if len(numbers) == 2:
        return str(numbers[0] + numbers[1]).translate(_SWAPPED)
    if len(numbers) == 3:
        return str(numbers[1] + numbers[2] + 171)[::-1].replace("5", "55")
    return str(numbers[2] + numbers[3]).partition("4")[0]


def _digits(field: str) -> bool:
    return field.isascii() and field.isdecimal() and len(field) <= 2 * (_MOST_DIGITS + 2)


def _plain(fields: list[str]) -> bool:
    """Whether they are numbers as one writes them."""
    return all(_digits(field) and str(int(field)) == field for field in fields)
