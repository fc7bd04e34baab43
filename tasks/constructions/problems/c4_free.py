"""Graphs without a cycle of four edges.

    111001

The edges of four vertices come in the order 12, 13, 14, 23, 24, 34; this graph has 12, 13, 14 and 34. Four
edges are in conflict if they are a cycle.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Int

from tasks.constructions import verifiers
from tasks.constructions.problem import Problem, check_at_least

#: ex(n; C4) for n = 1, 2, ...: OEIS A006855.
BEST = (
    *(0, 1, 3, 4, 6, 7, 9, 11, 13, 16, 18, 21, 24, 27, 30, 33, 36, 39, 42, 46),
    *(50, 52, 56, 59, 63, 67, 71, 76, 80, 85, 90, 92, 96, 102, 106, 110, 113, 117, 122, 127),
)


@dataclasses.dataclass(frozen=True)
class C4Free(Problem):
    """The most edges of a graph on n vertices without a 4-cycle."""

    n: Annotated[int, "vertices"] = 12

    largest_conflict = 4

    def __post_init__(self):
        check_at_least("n", self.n, 2)

    def size(self) -> int:
        return self.n * (self.n - 1) // 2

    def board(self, chosen: Iterable[int]) -> Bool[np.ndarray, "n n"]:
        """The matrix of neighbours."""
        board = np.zeros((self.n, self.n), bool)
        rows, columns = np.triu_indices(self.n, 1)
        held = list(chosen)
        board[rows[held], columns[held]] = True
        return board | board.T

    def place(self, element: int) -> str:
        first, second = list(itertools.combinations(range(1, self.n + 1), 2))[element]
        return f"edge {first}-{second}"

    def conflicts(self) -> Int[np.ndarray, "C 4"]:
        edge = np.zeros((self.n, self.n), np.int32)
        upper = np.triu_indices(self.n, 1)
        edge[upper] = np.arange(self.size())
        edge += edge.T
        found, filled = np.empty((3 * math.comb(self.n, 4), 4), np.int32), 0
        for a, b in itertools.combinations(range(self.n), 2):  # no larger arrays than what is found
            c, d = b + 1 + np.array(np.triu_indices(self.n - b - 1, 1))
            for first, second, third, fourth in ((a, b, c, d), (a, c, b, d), (a, b, d, c)):
                cycle = found[filled : filled + len(c)]
                cycle[:, 0], cycle[:, 1] = edge[first, second], edge[second, third]
                cycle[:, 2], cycle[:, 3] = edge[third, fourth], edge[fourth, first]
                filled += len(c)
        found.sort(axis=1)
        return found

    def conflict_elements(self) -> int:
        """Four vertices have three cycles, of four edges each."""
        return 12 * math.comb(self.n, 4)

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        return verifiers.c4_free(self.n, chosen)

    def best_known(self) -> int | None:
        return BEST[self.n - 1] if self.n <= len(BEST) else None
