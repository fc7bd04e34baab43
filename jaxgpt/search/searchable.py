"""What a search needs to know of a problem."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from jaxtyping import Int


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

    def symmetries(self) -> Mapping[str, Int[np.ndarray, "G E"]]:
        """Generators of each group of symmetries, by its name: where each element goes."""
        ...
