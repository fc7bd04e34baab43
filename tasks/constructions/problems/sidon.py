"""Sidon sets: numbers of 1 to n of which all sums of two are different.

    1100101

These are 1, 2, 5 and 7. The sums of a number with itself count, so that a + b = 2c is a conflict, too.

The mirror, x to n + 1 - x, is no symmetry to search with: all numbers and their images have one sum, so that
no Sidon set of three numbers is its own image.
"""

import bisect
import dataclasses
from collections.abc import Iterable
from typing import Annotated

import numpy as np
from jaxtyping import Int

from tasks.constructions import verifiers
from tasks.constructions.problem import Problem, check_at_least

#: Lengths of the shortest Golomb rulers with 1, 2, ... marks: OEIS A003022. A set in 1..n is such a ruler.
RULERS = (
    *(0, 1, 3, 6, 11, 17, 25, 34, 44, 55, 72, 85, 106, 127, 151, 177, 199, 216, 246, 283, 333),
    *(356, 372, 425, 480, 492, 553, 585),
)


@dataclasses.dataclass(frozen=True)
class Sidon(Problem):
    """The largest Sidon set among 1 to n; element 0 is the number 1."""

    n: Annotated[int, "the largest number"] = 35

    largest_conflict = 4

    def __post_init__(self):
        check_at_least("n", self.n, 1)

    def size(self) -> int:
        return self.n

    def place(self, element: int) -> str:
        return f"number {element + 1}"

    def conflicts(self) -> Int[np.ndarray, "C 4"]:
        # a < b <= c < d with a + d = b + c. First those of a = 0, by their width d; each other a has as many
        # of them as fit behind it.
        widths = np.arange(self.n)
        d = np.repeat(widths, widths // 2)
        ends = np.cumsum(widths // 2)
        b = 1 + np.arange(len(d)) - np.repeat(ends - widths // 2, widths // 2)
        c = d - b
        four = np.stack([0 * d, b, np.where(b < c, c, d), np.where(b < c, d, -1)], axis=1).astype(np.int32)
        found, filled = np.empty((ends.sum(), 4), np.int32), 0
        for a, end in enumerate(ends[::-1]):
            found[filled : filled + end] = np.where(four[:end] >= 0, four[:end] + np.int32(a), -1)
            filled += end
        return found

    def conflict_elements(self) -> int:
        """Each a and width w have w // 2 conflicts, of four elements each; where w is even one has three."""
        last, halves = self.n - 1, (self.n - 1) // 2
        conflicts = (last * self.n * (2 * last + 1) // 6 - (last + 1) // 2) // 4
        return 4 * conflicts - halves * (last - halves)

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.sidon(chosen)

    def best_known(self) -> int | None:
        return bisect.bisect_left(RULERS, self.n) if self.n <= RULERS[-1] + 1 else None
