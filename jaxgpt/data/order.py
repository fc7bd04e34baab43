"""Which examples step k trains on, as a function of (seed, k) alone."""

import functools

import numpy as np


class Order:
    """An endless sequence of shuffled epochs, cut into batches.

    Item j of the sequence is item j mod N of epoch j div N; a batch may span two epochs, and a batch may
    be larger than the data. Nothing is stored but the current permutations, so resuming at step k gives
    the batches that an uninterrupted run would have seen.

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

    def batch(self, step: int) -> np.ndarray:
        """The indices of the examples of step `step`, counted from 0. [B]"""
        items = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, places = np.divmod(items, self.num_examples)
        indices = np.empty(self.batch_size, np.int32)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            indices[here] = self._permutation(int(epoch))[places[here]]
        return indices
