"""Reformer: chunks, and chunks of what hashes alike (Kitaev et al. 2020, arXiv 2001.04451, section 2)."""

import dataclasses
import math
from typing import Annotated, Literal

from jaxgpt.nn.sparse.base import LONGEST, Blocks, Hashing, Sparse

#: Chunks seen on one side; each is copied for every chunk that sees it.
_MOST_CHUNKS = 64


@dataclasses.dataclass(frozen=True)
class Reformer(Sparse):
    """Layers of two kinds: `local`, whose queries see their own chunk and the one before, and `lsh`.

    In an `lsh` layer queries and keys are the same vectors. They are hashed by random rotations, sorted by
    hash and cut into chunks; each chunk sees itself and the one before. A token sees itself only where it
    sees nothing else. As in transformers, whose checkpoints it reads, keys of another hash in these chunks
    are not hidden, and what several rounds of hashing find twice counts twice.

    Which chunk a token falls into depends on all tokens, later ones included, so that what is generated token
    by token may differ a little from one pass over the whole.
    """

    layers: Annotated[tuple[Literal["local", "lsh"], ...], "kinds of layer, repeated over the depth"] = (
        "local",
        "lsh",
    )
    chunk: Annotated[int, "tokens a chunk of hashed ones"] = 64
    local_chunk: Annotated[int, "tokens a chunk of local layers"] = 64
    before: Annotated[int, "chunks before that are seen as well"] = 1
    after: Annotated[int, "chunks behind that are seen as well"] = 0
    local_before: Annotated[int, "the same in local layers"] = 1
    local_after: Annotated[int, "the same in local layers; none in a decoder"] = 0
    rounds: Annotated[int, "times that all tokens are hashed"] = 1
    buckets: Annotated[tuple[int, ...], "hash values, even; factors of their number; empty: by length"] = ()
    seed: Annotated[int, "of the rotations outside of training"] = 0

    def __post_init__(self):
        for name in ("chunk", "local_chunk", "rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"sparse.{name}={getattr(self, name)} must be at least 1")
        for name in ("before", "after", "local_before", "local_after", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"sparse.{name}={getattr(self, name)} must not be negative")
        for name in ("chunk", "local_chunk"):
            if getattr(self, name) > LONGEST:
                raise ValueError(f"sparse.{name}={getattr(self, name)} must be at most {LONGEST}")
        for name in ("before", "after", "local_before", "local_after"):
            if getattr(self, name) > _MOST_CHUNKS:
                raise ValueError(f"sparse.{name}={getattr(self, name)} must be at most {_MOST_CHUNKS}")
        if not self.layers:
            raise ValueError("sparse.layers is empty; name local, lsh or both")
        if any(n < 2 or n % 2 for n in self.buckets):
            raise ValueError(f"sparse.buckets={self.buckets} must be even and at least 2")

    def layer(self, index, *, length, max_length, causal):
        if not self.shares_keys(index):
            # Behind the last chunk stands the first, which a decoder's last tokens would see.
            after = 0 if causal else self.local_after
            return Blocks(self.local_chunk, self.local_before, after, wrap=True)
        buckets = self.buckets or self._buckets(length, max_length)
        return Hashing(self.chunk, self.before, self.after, self.rounds, buckets, self.seed)

    def padded(self, length):
        used = [{"local": self.local_chunk, "lsh": self.chunk}[kind] for kind in set(self.layers)]
        return length if length <= min(used) else -(-length // math.lcm(*used)) * math.lcm(*used)

    def shares_keys(self, index):
        return self.layers[index % len(self.layers)] == "lsh"

    def _buckets(self, length: int, max_length: int) -> tuple[int, ...]:
        """About two buckets a chunk, a power of two; many of them as two factors."""
        exponent = max((2 * (length // self.chunk)).bit_length() - 1, 1)
        if 2**exponent > 2 * max(math.isqrt(max_length // self.chunk), self.chunk):
            return 2 ** (exponent // 2), 2 ** (exponent - exponent // 2)
        return (2**exponent,)
