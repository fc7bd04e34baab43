"""Problems on a square grid: element n * row + column."""

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Self

import numpy as np
from jaxtyping import Bool, Int

from tasks.constructions.problem import Problem, check_at_least

Side = Annotated[int, "points on a side of the grid"]


@dataclasses.dataclass(frozen=True)
class Grid(Problem):
    """What problems on a grid share: its side, its symmetries and the names of its points."""

    n: Side = 16

    def __post_init__(self):
        check_at_least("n", self.n, 1)

    def size(self) -> int:
        return self.n**2

    def board(self, chosen: Iterable[int]) -> Bool[np.ndarray, "n n"]:
        """The grid."""
        board = np.zeros(self.size(), bool)
        board[list(chosen)] = True
        return board.reshape(self.n, self.n)

    def embedded(self, smaller: Self, chosen: Iterable[int]) -> frozenset[int]:
        """A smaller grid lies in the corner of the first row and column."""
        if smaller.n > self.n:
            return super().embedded(smaller, chosen)
        return frozenset(self.n * (point // smaller.n) + point % smaller.n for point in chosen)

    def place(self, element: int) -> str:
        row, column = divmod(element, self.n)
        return f"row {row + 1}, column {column + 1}"

    def symmetries(self) -> dict[str, Int[np.ndarray, "G E"]]:
        """Turns and mirrors of the square.

        `mirror` exchanges left and right, `flip` top and bottom, `4-fold` does both; `diagonal` exchanges
        rows and columns, `antidiagonal` mirrors in the other diagonal; `8-fold` has all these symmetries.
        """
        points = np.arange(self.n**2).reshape(self.n, self.n)
        turned, upside_down, mirrored = np.rot90(points), points[::-1], points[:, ::-1]
        groups = {
            "none": [points],
            "mirror": [mirrored],
            "flip": [upside_down],
            "half-turn": [np.rot90(points, 2)],
            "quarter-turn": [turned],
            "4-fold": [upside_down, mirrored],
            "8-fold": [turned, mirrored],
            "diagonal": [points.T],
            "antidiagonal": [np.rot90(points, 2).T],
        }
        return {name: np.stack(group).reshape(-1, self.n**2) for name, group in groups.items()}
