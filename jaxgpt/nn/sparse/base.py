"""What a sparse scheme is: a frozen description of which keys each layer's queries meet."""

import dataclasses
from typing import NamedTuple

from jaxgpt.core.choice import Choice

#: Tokens in a window or chunk: texts are filled up to whole ones, which takes memory.
LONGEST = 2**16


class Blocks(NamedTuple):
    """Queries meet the keys of their own block and of its neighbours.

    Attributes:
      size: tokens a block.
      before, after: neighbours on either side.
      wrap: whether the first block and the last are neighbours.
      reach: how far a query sees to either side within them; None: all of them.
    """

    size: int
    before: int
    after: int
    wrap: bool = False
    reach: int | None = None


class Hashing(NamedTuple):
    """Queries meet the keys that stand beside them once all are sorted by their hashes.

    Attributes:
      size: tokens a chunk of the sorted sequence.
      before, after: neighbouring chunks that are met as well.
      rounds: times that all are hashed.
      buckets: hash values; several factors are hashed each for itself.
      seed: of the rotations that hash.
    """

    size: int
    before: int
    after: int
    rounds: int
    buckets: tuple[int, ...]
    seed: int


def ring_shifts(before: int, after: int, count: int) -> list[int]:
    """How far from a block those stand that it meets, itself included, where `count` blocks form a ring.

    Of few blocks the same one may be met on both sides, or be the block itself; it counts once.
    """
    shifts = {}
    for shift in sorted(range(-before, after + 1), key=abs):
        shifts.setdefault(shift % count, shift)
    return sorted(shifts.values())


@dataclasses.dataclass(frozen=True)
class Sparse(Choice, package="jaxgpt.nn.sparse"):
    """Attention in which a query meets only some of the keys."""

    def layer(self, index: int, *, length: int, max_length: int, causal: bool) -> Blocks | Hashing:
        """What layer `index` does with `length` tokens."""
        raise NotImplementedError

    def padded(self, length: int) -> int:
        """The length that `length` tokens are padded to."""
        return length

    def shares_keys(self, index: int) -> bool:
        """Whether the keys of layer `index` are its queries."""
        return False

    @property
    def sees_all(self) -> bool:
        """Whether some tokens see all and are seen by all, through maps of their own."""
        return False
