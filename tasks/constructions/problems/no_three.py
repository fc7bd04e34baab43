"""Grid points of which no three are in line.

    110
    101
    011

Each row holds at most two, so that no set has more than 2n points. Sets of 2n are known for n up to 46, for
48, 50 and 52 (Flammenkamp 1998), and by symmetric search with constraint solvers for all n up to 60.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from tasks.constructions import verifiers
from tasks.constructions.grid import Grid, Side
from tasks.constructions.problem import ThreeUniform

#: 2n points are known for every n from 2 to here.
ALL_KNOWN = 60


@dataclasses.dataclass(frozen=True)
class NoThree(Grid, ThreeUniform):
    """The largest set of points of an n x n grid with no three in line."""

    n: Side = 10

    def in_conflict(self, first: Any, second: Any, third: Any) -> Any:
        down, right = second // self.n - first // self.n, second % self.n - first % self.n
        return down * (third % self.n - first % self.n) == right * (third // self.n - first // self.n)

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.no_three(self.n, chosen)

    def best_known(self) -> int | None:
        if self.n == 1:
            return 1
        return 2 * self.n if self.n <= ALL_KNOWN else None
