"""Boards without two ones at given distances, written row after row.

    Grid(rows=8, columns=8, distances=(4, 5))

Eight rows of eight are a string of 64 zeros and ones.
"""

import dataclasses
import functools
import itertools
import math
import random
from collections.abc import Iterable
from typing import Annotated

import numpy as np

from tasks.strings.rule import Floor, Rule, all_written, rate

#: Boards from which the floor is estimated, and the cells that all of them have at most.
_BOARDS, _CELLS = 50_000, 2**24
#: Beginnings of boards, of all lengths together, up to which boards are counted.
_COUNTED = 2**20


@dataclasses.dataclass(frozen=True)
class Grid(Rule):
    """Cells are filled in reading order: a one with probability `share` where it is allowed, else a zero.

    Distances are Euclidean between the centres of two cells, so 5 is also 3 across and 4 down.
    """

    rows: Annotated[int, "of the board"] = 8
    columns: Annotated[int, "of the board"] = 8
    distances: Annotated[tuple[int, ...], "that no two ones may have"] = (4, 5)
    share: Annotated[float, "probability of a one where it is allowed"] = 0.5

    reasons = ("too short", "too long", "other symbols", "two ones too near")

    def __post_init__(self):
        if min(self.rows, self.columns) < 1 or self.rows * self.columns < 2:
            raise ValueError(f"rule.rows={self.rows} and rule.columns={self.columns}: give two cells or more")
        if not self.distances or min(self.distances) < 1:
            raise ValueError(
                f"rule.distances={self.distances} must be whole numbers of at least 1, such as 4,5"
            )
        if not 0 < self.share < 1:
            raise ValueError(f"rule.share={self.share} must be above 0 and below 1")
        if not any(self.conflicts):
            raise ValueError(
                f"rule.distances={self.distances}: no two cells of {self.rows} x {self.columns} have such a "
                "distance; give smaller ones"
            )

    def sample(self, rng: random.Random) -> str:
        drawn = []
        ones = 0
        for place, near in enumerate(self._masks):
            one = not ones & near and rng.random() < self.share
            ones |= one << place
            drawn.append("1" if one else "0")
        return "".join(drawn)

    def check(self, text: str) -> str | None:
        cells = self.rows * self.columns
        if len(text) < cells:
            return "too short"
        if len(text) > cells:
            return "too long"
        if not set(text) <= {"0", "1"}:
            return "other symbols"
        ones = [place for place, symbol in enumerate(text) if symbol == "1"]
        clash = any(text[other] == "1" for place in ones for other in self.conflicts[place])
        return "two ones too near" if clash else None

    def explanation(self) -> str:
        named = " or ".join(map(str, self.distances))
        return f"{self.rows} rows of {self.columns}, no two ones at distance {named}"

    def board(self) -> tuple[int, int]:
        return self.rows, self.columns

    def chance(self) -> float | None:
        size = self.size()
        return None if size is None else size / 2 ** (self.rows * self.columns)

    def size(self) -> int | None:
        """Counted cell after cell along the shorter side; None for boards too wide for that, as of 8 x 8."""
        turned = dataclasses.replace(self, rows=self.columns, columns=self.rows)
        return (turned if self.rows < self.columns else self)._count

    def floor(self) -> Floor:
        """Estimated: the entropy is that of one choice times the mean number of cells where there is one."""
        cells = self.rows * self.columns
        one = -self.share * math.log(self.share) - (1 - self.share) * math.log(1 - self.share)
        return Floor(rate(one * self._mean_free, cells), exact=False)

    def every(self) -> Iterable[str] | None:
        texts = all_written("01", [self.rows * self.columns])
        return None if texts is None else (text for text in texts if self.check(text) is None)

    @functools.cached_property
    def conflicts(self) -> tuple[tuple[int, ...], ...]:
        """For each cell the earlier ones that may not hold a one together with it."""
        far = {distance**2 for distance in self.distances}
        steps = [
            (up, right)
            for up in range(self.rows - 1, -1, -1)
            for right in range(1 - self.columns, self.columns if up else 0)
            if up**2 + right**2 in far
        ]
        return tuple(
            tuple(
                (row - up) * self.columns + column + right
                for up, right in steps
                if up <= row and 0 <= column + right < self.columns
            )
            for row, column in itertools.product(range(self.rows), range(self.columns))
        )

    @functools.cached_property
    def _count(self) -> int | None:
        """How many boards there are, from how many beginnings have the same ones that later cells look at."""
        last = {earlier: place for place, near in enumerate(self.conflicts) for earlier in near}
        begun, seen = {0: 1}, 0
        for place, near in enumerate(self._masks):
            ended = sum(1 << earlier for earlier in self.conflicts[place] if last[earlier] == place)
            one = 1 << place if place in last else 0
            longer: dict[int, int] = {}
            for ones, count in begun.items():
                left = ones & ~ended
                longer[left] = longer.get(left, 0) + count
                if not ones & near:
                    longer[left | one] = longer.get(left | one, 0) + count
            begun, seen = longer, seen + len(longer)
            if seen > _COUNTED:
                return None
        return sum(begun.values())

    @functools.cached_property
    def _masks(self) -> tuple[int, ...]:
        return tuple(sum(1 << other for other in near) for near in self.conflicts)

    @functools.cached_property
    def _mean_free(self) -> float:
        rng = np.random.default_rng(0)
        boards = max(1, min(_BOARDS, _CELLS // (self.rows * self.columns)))
        ones = np.zeros((self.rows * self.columns, boards), bool)
        free = 0
        for place, near in enumerate(self.conflicts):
            allowed = ~ones[list(near)].any(axis=0)
            free += int(allowed.sum())
            ones[place] = allowed & (rng.random(boards) < self.share)
        return free / boards
