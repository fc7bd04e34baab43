"""Grid points of which no three form an isosceles triangle, flat ones included: PatternBoost, section 3.

    0110
    1001
    0000
    0000

Three points are in conflict if one of them is as far from the second as from the third. A point and its two
neighbours in a line are, too. OEIS A271914 allows those, so that its values are larger.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from tasks.constructions import verifiers
from tasks.constructions.grid import Grid
from tasks.constructions.problem import ThreeUniform

#: The largest known sets for n = 1, 2, ...; to 12 by exhaustive search, the others by search alone.
BEST = (1, 2, 4, 6, 7, 9, 10, 13, 16, 18, 18, 20, 22, 23, 25, 28, 30, 32)
#: For larger n: PatternBoost (arXiv:2411.00566) and AlphaEvolve (arXiv:2511.02864), and searches of our own.
BEST_LARGER = {20: 34, 21: 37, 24: 39, 27: 48, 32: 56, 64: 112, 100: 164}


@dataclasses.dataclass(frozen=True)
class Isosceles(Grid, ThreeUniform):
    """The largest set of points of an n x n grid without an isosceles triangle."""

    def in_conflict(self, first: Any, second: Any, third: Any) -> Any:
        one, two, three = (
            self.squared(first, second),
            self.squared(second, third),
            self.squared(first, third),
        )
        return (one == two) | (two == three) | (one == three)

    def squared(self, a: Any, b: Any) -> Any:
        """The squared distance of two points."""
        return (a // self.n - b // self.n) ** 2 + (a % self.n - b % self.n) ** 2

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.isosceles(self.n, chosen)

    def best_known(self) -> int | None:
        return BEST[self.n - 1] if self.n <= len(BEST) else BEST_LARGER.get(self.n)
