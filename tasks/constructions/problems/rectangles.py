"""Square 0/1-matrices without a rectangle of ones: the numbers of Zarankiewicz, z(n; 2).

    110
    101
    011

Two rows have a one in at most one common column.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

from tasks.constructions import verifiers
from tasks.constructions.grid import Grid, Side

#: For n = 1, 2, ...: OEIS A072567, which is A001197 less 1.
BEST = (1, 3, 6, 9, 12, 16, 21, 24, 29, 34, 39, 45, 52, 56, 61, 67, 74, 81, 88, 96, 105, 108, 115, 122)


@dataclasses.dataclass(frozen=True)
class Rectangles(Grid):
    """The most ones of an n x n matrix in which no two rows share two columns of ones."""

    n: Side = 7

    largest_conflict = 4

    def conflicts(self) -> Int[np.ndarray, "C 4"]:
        first, second = np.array(np.triu_indices(self.n, 1), np.int32)
        found = np.empty((len(first), len(first), 4), np.int32)
        for place, (row, column) in enumerate(itertools.product((first, second), repeat=2)):
            np.add(self.n * row[:, None], column, out=found[..., place])
        return found.reshape(-1, 4)

    def conflict_elements(self) -> int:
        """Two rows and two columns have a rectangle, of four corners."""
        return 4 * math.comb(self.n, 2) ** 2

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.rectangles(self.n, chosen)

    def best_known(self) -> int | None:
        return BEST[self.n - 1] if self.n <= len(BEST) else None
