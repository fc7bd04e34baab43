"""The attention of a board's cells by where the cell that is looked at lies, and by its distance."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

#: A distance is left out if it has fewer pairs than this share of the cells: one pair says little.
_RARE = 1 / 8


class Offsets(NamedTuple):
    """The mean weight by where the other cell lies.

    Attributes:
      weight: by rows up, and columns from the leftmost to the rightmost; NaN where no cell has such another.
      equal: what equal attention to all earlier cells would give in the mean.
    """

    weight: Float[np.ndarray, "*P R 2*C-1"]
    equal: Float[np.ndarray, "R 2*C-1"]

    @property
    def lift(self) -> Float[np.ndarray, "*P R 2*C-1"]:
        """The mean weight over the equal one: 1 is as much."""
        return self.weight / self.equal


class Distance(NamedTuple):
    """The attention to all cells at one Euclidean distance.

    Attributes:
      pairs: cells that have an earlier one at this distance, counted once for each.
      weight: the mean over pairs, layers and heads.
      lift: the same over what equal attention to all earlier cells would give.
      by_head: the lift of each layer and head.
    """

    distance: float
    pairs: int
    weight: float
    lift: float
    by_head: Float[np.ndarray, "L H"]

    @property
    def name(self) -> str:
        return f"{self.distance:.3g}"

    @property
    def best(self) -> tuple[int, int]:
        """The layer and head that look there most."""
        layer, head = np.unravel_index(np.argmax(self.by_head), self.by_head.shape)
        return int(layer), int(head)


def offsets(weights: Float[np.ndarray, "L H N N"], board: tuple[int, int]) -> Offsets:
    """The attention by layer and head, for each number of rows up and columns to the side.

    Args:
      weights: how much each cell looks at each earlier one, in reading order.
      board: rows and columns, N cells.
    """
    rows, columns = board
    pairs = _Pairs(weights.shape[-1], columns)
    where = pairs.up * (2 * columns - 1) + pairs.across + columns - 1
    shape = (rows, 2 * columns - 1)
    count, weight, equal = _sums(weights, pairs, where, math.prod(shape))
    with np.errstate(invalid="ignore"):  # where no cell has such another
        weight, equal = weight / count, equal / count
    return Offsets(weight.reshape(*weight.shape[:-1], *shape), equal.reshape(shape))


def distances(weights: Float[np.ndarray, "L H N N"], board: tuple[int, int]) -> list[Distance]:
    """The attention at each distance that two cells have, but for rare ones; the largest lift first.

    Args:
      weights, board: as of `offsets`.
    """
    pairs = _Pairs(weights.shape[-1], board[1])
    squares, where = np.unique(pairs.up**2 + pairs.across**2, return_inverse=True)
    count, weight, equal = _sums(weights, pairs, where, len(squares))
    found = [
        Distance(
            math.sqrt(square),
            int(count[i]),
            float(weight[..., i].mean() / count[i]),
            float(weight[..., i].mean() / equal[i]),
            weight[..., i] / equal[i],
        )
        for i, square in enumerate(squares.tolist())
        if count[i] >= _RARE * weights.shape[-1]
    ]
    return sorted(found, key=lambda one: -one.lift)


class _Pairs:
    """Of each cell and each earlier one: rows up and columns to the right, and both their places."""

    def __init__(self, cells: int, columns: int):
        self.later, self.earlier = np.tril_indices(cells, -1)
        self.up = self.later // columns - self.earlier // columns
        self.across = self.earlier % columns - self.later % columns


def _sums(weights: np.ndarray, pairs: _Pairs, where: np.ndarray, size: int) -> tuple[np.ndarray, ...]:
    """Over pairs of cells, by where each pair counts: their number, their weights, and equal ones."""
    flat = weights[..., pairs.later, pairs.earlier].reshape(-1, len(where))
    sums = np.stack([np.bincount(where, row, size) for row in flat])
    equal = np.bincount(where, 1 / pairs.later, size)
    return np.bincount(where, minlength=size), sums.reshape(*weights.shape[:-2], size), equal
