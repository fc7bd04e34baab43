"""Which examples step k trains on, as a function of (seed, k) alone."""

import functools

import numpy as np

from jaxgpt.data.permutation import Permutation

#: So many examples at most have their order kept as a table, which takes 4 bytes each.
MOST_IN_MEMORY = 2**27


class Order:
    """An endless sequence of shuffled epochs, cut into batches.

    Item j of the sequence is item j mod N of epoch j div N; a batch may span two epochs, and a batch may
    be larger than the data. Nothing is stored but the current permutations, so resuming at step k gives
    the batches that an uninterrupted run would have seen. Beyond `MOST_IN_MEMORY` examples those are not
    stored, either: each item is computed.

    Args:
      num_examples: N; at least 1.
      batch_size: examples a batch.
      seed: of the permutations.
    """

    def __init__(self, num_examples: int, batch_size: int, seed: int):
        if num_examples < 1:
            raise ValueError("there are no examples to train on")
        self.num_examples = num_examples
        self.batch_size = batch_size
        self.seed = seed
        self._permutation = functools.lru_cache(maxsize=2)(self._make)

    def _make(self, epoch: int) -> np.ndarray:
        generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
        return generator.permutation(self.num_examples).astype(np.int32)

    def _items(self, epoch: int, first: int, last: int) -> np.ndarray:
        """Items first, ..., last - 1 of an epoch."""
        if self.num_examples <= MOST_IN_MEMORY:
            return self._permutation(epoch)[first:last]
        return Permutation(self.num_examples, (self.seed, epoch))(np.arange(first, last))

    def batch(self, step: int) -> np.ndarray:
        """The indices of the examples of step `step`, counted from 0. [B]"""
        return self.batches(step, 1)[0]

    def batches(self, first: int, count: int) -> np.ndarray:
        """The batches of steps first, ..., first + count - 1, together because that is cheaper. [count, B]"""
        start, end = first * self.batch_size, (first + count) * self.batch_size
        pieces = []
        while start < end:
            epoch, place = divmod(start, self.num_examples)
            stop = min(place + end - start, self.num_examples)
            pieces.append(self._items(epoch, place, stop))
            start += stop - place
        return np.concatenate(pieces or [np.empty(0, np.int32)]).reshape(count, self.batch_size)
