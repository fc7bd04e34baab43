"""The shortest examples first: longer ones are let in step by step (Bengio et al. 2009, a curriculum)."""

import numpy as np
from jaxtyping import Int

from jaxgpt.data.order import Order

#: Keys of the draws, apart from those of the epochs' permutations.
_DRAWS = 2**63


class GrowingOrder(Order):
    """An order whose first steps draw from the shortest examples alone.

    Step k of the first G draws with replacement from the shortest share ((k + 1) / G)^4 of the examples, at
    least a batch of them. From step G on it is `Order`. Either way a batch follows from (seed, k) alone. Of
    lengths that are equally likely, two steps of five see the shortest fortieth (Platanios et al. 2019, arXiv
    1903.09848, section 3, lets sentences in as a root of the step: the shortest of them are few).

    Args:
      lengths: of each example. [N]
      growing: G, in steps.
    """

    def __init__(self, lengths: Int[np.ndarray, "N"], batch_size: int, seed: int, growing: int):
        super().__init__(len(lengths), batch_size, seed)
        self.growing = growing
        self._by_length = np.argsort(lengths, kind="stable").astype(np.int32)

    def batches(self, first: int, count: int) -> np.ndarray:
        short = range(first, min(first + count, self.growing))
        drawn = [self._among_the_shortest(step) for step in short]
        rest = super().batches(first + len(short), count - len(short))
        return np.concatenate([np.stack(drawn), rest]) if drawn else rest

    def _among_the_shortest(self, step: int) -> np.ndarray:
        share = ((step + 1) / self.growing) ** 4
        most = min(self.num_examples, max(self.batch_size, round(share * self.num_examples)))
        generator = np.random.Generator(np.random.Philox(key=np.array([self.seed, _DRAWS + step], np.uint64)))
        return self._by_length[generator.integers(most, size=self.batch_size)]
