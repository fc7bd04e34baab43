"""What a search needs to know of a problem."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int


class Searchable(Protocol):
    """A problem: elements, conflicts and symmetries, as `tasks.constructions.Problem` has them.

    Attributes:
      largest_conflict: how many elements the largest conflicts have, 3 or 4.
    """

    @property
    def largest_conflict(self) -> int: ...

    def size(self) -> int:
        """How many elements there are."""
        ...

    def conflicts(self) -> Int[np.ndarray, "C W"]:
        """Every set of elements of which one must be missing, a row each; -1 at its end fills a row."""
        ...

    def conflict_elements(self) -> int | None:
        """How many elements all conflicts have together; None where that is known only by listing them."""
        ...

    def symmetries(self) -> Mapping[str, Int[np.ndarray, "G E"]]:
        """Generators of each group of symmetries, by its name: where each element goes."""
        ...

    def has_symmetries(self) -> bool:
        """Whether there are other groups than `none`, told without listing them."""
        ...

    def verify(self, chosen: Iterable[int]) -> list[tuple[int, ...]]:
        """The conflicts that a set holds, found in another way than `conflicts`."""
        ...

    def best_known(self) -> int | None:
        """The largest score in the literature; None where none is known."""
        ...

    def place(self, element: int) -> str:
        """An element in words."""
        ...

    def write(self, chosen: Iterable[int]) -> str:
        """A set as text of 0 and 1."""
        ...

    def read(self, text: str) -> frozenset[int]:
        """The set that a text stands for."""
        ...

    def embedded(self, smaller: Self, chosen: Iterable[int]) -> frozenset[int]:
        """The elements that a set of a smaller problem of the kind stands for."""
        ...

    def board(self, chosen: Iterable[int]) -> Bool[np.ndarray, "R C"]:
        """A set as a board to be drawn."""
        ...


@runtime_checkable
class ThreeUniform(Searchable, Protocol):
    """A problem that tells whether three elements are in conflict, and has no other conflicts.

    Its tables are built on the device, whatever their size; those of other problems from `conflicts()`. It
    is hashable, as frozen dataclasses are.
    """

    def in_conflict(
        self, first: Int[Any, "*F"], second: Int[Any, "*S"], third: Int[Any, "*T"]
    ) -> Bool[Any, "*B"]:
        """Whether three elements, all different, are in conflict: of arrays that broadcast, traced by JAX."""
        ...
