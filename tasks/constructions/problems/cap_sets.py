"""Cap sets: points of F_3^n of which no three different ones have the sum 0.

    110110000

This is the largest for n = 2: the points 00, 01, 10 and 11. Three different points have the sum 0 where they
are a line.
"""

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from jaxtyping import Bool

from tasks.constructions import verifiers
from tasks.constructions.problem import ThreeUniform, check_at_least

#: For n = 0, 1, ...: OEIS A090245.
BEST = (1, 2, 4, 9, 20, 45, 112)
#: So many dimensions have 3^39 points, the most that a number of eight bytes can count.
MOST = 39


@dataclasses.dataclass(frozen=True)
class CapSets(ThreeUniform):
    """The largest cap set in dimension n. The digits of an element, in base 3, are its coordinates."""

    n: Annotated[int, "dimensions"] = 4

    def __post_init__(self):
        check_at_least("n", self.n, 1)
        if self.n > MOST:
            raise ValueError(f"problem.n={self.n}: give at most {MOST}")

    def size(self) -> int:
        return 3**self.n

    def board(self, chosen: Iterable[int]) -> Bool[np.ndarray, "R C"]:
        """The first half of the coordinates chooses the row, the others the column."""
        board = np.zeros(self.size(), bool)
        board[list(chosen)] = True
        return board.reshape(3 ** (self.n // 2), -1)

    def place(self, element: int) -> str:
        return f"point {np.base_repr(element, 3).zfill(self.n)}"

    def in_conflict(self, first: Any, second: Any, third: Any) -> Any:
        line = True
        for weight in (3**digit for digit in range(self.n)):
            line &= (first // weight + second // weight + third // weight) % 3 == 0
        return line

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.cap_sets(self.n, chosen)

    def best_known(self) -> int | None:
        return BEST[self.n] if self.n < len(BEST) else None
