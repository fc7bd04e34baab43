"""What a construction problem is: a family, one file a member in `tasks/constructions/problems`, or your own.

A problem asks for the largest set of elements that holds no conflict. Elements are numbered from 0.
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Bool, Int

from jaxgpt.core.choice import Choice
from jaxgpt.core.wording import quoted

#: Elements that are drawn in one row.
_STRIP = 40


@dataclasses.dataclass(frozen=True)
class Problem(Choice, package="tasks.constructions.problems"):
    """The largest set of elements without a conflict: a frozen dataclass whose fields are its settings.

    A member defines `size`, `conflicts` and `verify`, `largest_conflict` if that is 4, and `best_known` where
    the literature has a value; `ThreeUniform` has `in_conflict` in place of `conflicts`. It may have its own
    symmetries, text and names of elements.
    """

    #: How many elements the largest conflicts have: 3 or 4.
    largest_conflict: ClassVar[int] = 3

    def size(self) -> int:
        """How many elements there are."""
        raise NotImplementedError(f"{type(self).__name__} does not define size")

    def conflicts(self) -> Int[np.ndarray, "C W"]:
        """Every set of two to four elements of which one must be missing, once each.

        A row has them in ascending order; -1 at its end fills it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define conflicts")

    def conflict_elements(self) -> int | None:
        """How many elements all conflicts have together; None where that is known only by listing them.

        A table that would be too large is then refused before its conflicts are listed.
        """
        return None

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        """The conflicts that a set holds, in plain exact Python that shares no code with `conflicts`."""
        raise NotImplementedError(f"{type(self).__name__} does not define verify")

    def best_known(self) -> int | None:
        """The largest score in the literature; None where this module knows none."""
        return None

    def score(self, chosen: Iterable[int]) -> int:
        """How many elements a set has."""
        return len(set(chosen))

    def symmetries(self) -> dict[str, Int[np.ndarray, "G E"]]:
        """Generators of each group of symmetries, by its name: where each element goes.

        The group `none` is always there.
        """
        return {"none": np.arange(self.size())[None]}

    def has_symmetries(self) -> bool:
        """Whether there are other groups than `none`, told without listing them."""
        return type(self).symmetries is not Problem.symmetries

    def board(self, chosen: Iterable[int]) -> Bool[np.ndarray, "R C"]:
        """A set as a board to be drawn: all elements in rows, row after row."""
        columns = math.isqrt(self.size() - 1) + 1 if self.size() > _STRIP else self.size()
        board = np.zeros(-(-self.size() // columns) * columns, bool)
        board[list(chosen)] = True
        return board.reshape(-1, columns)

    def embedded(self, smaller: Self, chosen: Iterable[int]) -> frozenset[int]:
        """The elements of this problem that a set of a smaller one stands for.

        Raises:
          ValueError: if there is no natural place for it.
        """
        raise ValueError(f"sets of {smaller} have no place in {self}")

    def place(self, element: int) -> str:
        """An element in words, for messages."""
        return f"element {element}"

    def write(self, chosen: Iterable[int]) -> str:
        """A set as text: one character an element, 1 where it is in the set and 0 elsewhere."""
        members = set(chosen)
        return "".join("01"[element in members] for element in range(self.size()))

    def read(self, text: str) -> frozenset[int]:
        """The set that a text stands for, which may hold conflicts.

        Raises:
          ValueError: if the text has another length, or a character that is neither 0 nor 1.
        """
        for element, character in enumerate(text[: self.size()]):
            if character not in "01":
                raise ValueError(
                    f"character {element + 1}, {self.place(element)}, is {quoted(character)}; write 0 or 1"
                )
        if len(text) != self.size():
            raise ValueError(
                f"the text has {len(text)} characters; a set of {self} has {self.size()} characters"
            )
        return frozenset(element for element, character in enumerate(text) if character == "1")


@dataclasses.dataclass(frozen=True)
class ThreeUniform(Problem):
    """A problem all of whose conflicts have three elements; a member defines a test of three.

    The search builds its tables from the test alone, so that a grid may be too large to list its conflicts.
    """

    def in_conflict(
        self, first: Int[Any, "*F"], second: Int[Any, "*S"], third: Int[Any, "*T"]
    ) -> Bool[Any, "*B"]:
        """Whether three elements, all different, are in conflict: of arrays that broadcast, traced by JAX."""
        raise NotImplementedError(f"{type(self).__name__} does not define in_conflict")

    def conflicts(self) -> Int[np.ndarray, "C 3"]:
        found = [np.empty((0, 3), int)]
        for first in range(self.size()):
            later = np.arange(first + 1, self.size())
            tested = np.triu(self.in_conflict(np.array(first), later[:, None], later), 1)
            second, third = first + 1 + np.array(np.nonzero(tested))
            found.append(np.stack([np.full_like(second, first), second, third], axis=1))
        return np.concatenate(found)


def check_at_least(name: str, value: int, least: int) -> None:
    """Raises ValueError unless a setting is at least so large."""
    if value < least:
        raise ValueError(f"problem.{name}={value}: give at least {least}")
