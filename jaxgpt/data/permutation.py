"""A shuffled order that is computed item by item, for more items than a table of them may take memory."""

import numpy as np

#: Of the network. Luby and Rackoff need four of a random function; the mixing below is a weaker one.
_ROUNDS = 8


class Permutation:
    """A bijection of 0, ..., N - 1 that follows from its key and takes no memory.

    A Feistel network permutes the numbers of as many bits as N - 1 has: in turns, one half of the bits is
    changed by a function of the other, which can be undone whatever the function is (Luby and Rackoff 1988).
    What lands at N or beyond goes through it again until it lands below (cycle walking: Black and Rogaway
    2002, section 3), less than twice on average. Shuffling by such bijections: Mitchell et al., arXiv
    2106.06161.

    Args:
      size: N, from 1 to 2^62.
      key: whole numbers from which the rounds' keys are drawn.
    """

    def __init__(self, size: int, key: tuple[int, int]):
        self._size = np.uint64(size)
        bits = max(2, (size - 1).bit_length())
        self._low_bits = np.uint64(bits // 2)
        self._low = np.uint64(2 ** (bits // 2) - 1)
        self._high = np.uint64(2 ** (bits - bits // 2) - 1)
        generator = np.random.Generator(np.random.Philox(key=list(key)))
        self._keys = generator.integers(0, 2**64, _ROUNDS, np.uint64)

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """The items at some places of the order. [B] -> [B], int64"""
        items = self._network(places.astype(np.uint64))
        while (outside := items >= self._size).any():
            items[outside] = self._network(items[outside])
        return items.astype(np.int64)

    def _network(self, numbers: np.ndarray) -> np.ndarray:
        low, high = numbers & self._low, numbers >> self._low_bits
        for index, key in enumerate(self._keys):
            if index % 2:
                low ^= _mixed(high, key) & self._low
            else:
                high ^= _mixed(low, key) & self._high
        return high << self._low_bits | low


def _mixed(half: np.ndarray, key: np.uint64) -> np.ndarray:
    """A 64-bit number in which every bit of both depends on every other (SplitMix64; Steele et al. 2014)."""
    mixed = (half + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
