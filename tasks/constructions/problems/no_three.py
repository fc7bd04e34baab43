"""Grid points of which no three are in line.

    110
    101
    011

Each row holds at most two, so that no set has more than 2n points. Sets of 2n are known for n up to 46, for
48, 50 and 52 (Flammenkamp 1998), and by symmetric search with constraint solvers for all n up to 60.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

from tasks.constructions import verifiers
from tasks.constructions.grid import Grid, Side

#: 2n points are known for every n from 2 to here.
ALL_KNOWN = 60


@dataclasses.dataclass(frozen=True)
class NoThree(Grid):
    """The largest set of points of an n x n grid with no three in line."""

    n: Side = 10

    def conflicts(self) -> Int[np.ndarray, "C 3"]:
        row, column = self.rows_and_columns()
        found = [np.empty((0, 3), int)]
        for first in range(self.size()):
            down, right = row[first + 1 :] - row[first], column[first + 1 :] - column[first]
            in_line = down[:, None] * right == right[:, None] * down
            second, third = first + 1 + np.array(np.nonzero(np.triu(in_line, 1)))
            found.append(np.stack([np.full_like(second, first), second, third], axis=1))
        return np.concatenate(found)

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.no_three(self.n, chosen)

    def best_known(self) -> int | None:
        if self.n == 1:
            return 1
        return 2 * self.n if self.n <= ALL_KNOWN else None
