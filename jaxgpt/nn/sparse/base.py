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

    def filled(self, length: int) -> int:
        """The length that `length` tokens are filled up to, in whole blocks."""
        return -(-length // self.size) * self.size

    def pairs(self, length: int) -> int:
        """Products of a query and a key among `length` tokens, those that a mask hides included."""
        filled, near = self.filled(length), self.before + 1 + self.after
        if self.wrap:
            near = len(ring_shifts(self.before, self.after, filled // self.size))
        return filled * near * self.size


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

    def pairs(self, length: int) -> int:
        """Products of a query and a key among `length` tokens, at most one chunk or whole ones."""
        if length <= self.size:
            return length**2
        near = len(ring_shifts(self.before, self.after, length // self.size))
        return self.rounds * length * near * self.size

    def turns(self, length: int) -> int:
        """Products of a token and a vector of the rotations that hash it; one chunk is not hashed."""
        return 0 if length <= self.size else self.rounds * length * (sum(self.buckets) // 2)


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
