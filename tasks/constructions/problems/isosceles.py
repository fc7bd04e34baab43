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

import numpy as np
from jaxtyping import Int

from tasks.constructions import verifiers
from tasks.constructions.grid import Grid

#: The largest known sets for n = 1, 2, ...; to 12 by exhaustive search, the others by search alone.
BEST = (1, 2, 4, 6, 7, 9, 10, 13, 16, 18, 18, 20, 22, 23, 25, 28, 30, 32)
#: For larger n: PatternBoost (arXiv:2411.00566) and AlphaEvolve (arXiv:2511.02864), and searches of our own.
BEST_LARGER = {20: 34, 21: 37, 24: 39, 27: 48, 32: 56, 64: 112, 100: 164}


@dataclasses.dataclass(frozen=True)
class Isosceles(Grid):
    """The largest set of points of an n x n grid without an isosceles triangle."""

    def conflicts(self) -> Int[np.ndarray, "C 3"]:
        row, column = self.rows_and_columns()
        distance = (row[:, None] - row) ** 2 + (column[:, None] - column) ** 2
        others = np.argsort(distance, axis=1)  # of each apex, so that equal distances lie side by side
        distance = np.take_along_axis(distance, others, axis=1)
        found = [np.empty((0, 3), int)]
        for apart in range(1, self.size()):
            apex, first = np.nonzero(distance[:, :-apart] == distance[:, apart:])
            if not len(apex):
                break
            found.append(np.stack([apex, others[apex, first], others[apex, first + apart]], axis=1))
        # A grid has no equilateral triangle: each triple has one apex, and is found once.
        return np.sort(np.concatenate(found), axis=1)

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.isosceles(self.n, chosen)

    def best_known(self) -> int | None:
        return BEST[self.n - 1] if self.n <= len(BEST) else BEST_LARGER.get(self.n)
