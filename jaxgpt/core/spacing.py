"""Whole numbers that lie evenly on a logarithmic scale, such as the steps at which a run is looked at."""

import numpy as np


def log_spaced(count: int, last: int, first: int = 1) -> tuple[int, ...]:
    """`count` different whole numbers from `first` to `last`, both among them; one number alone is the last.

    Each is about as many times the one before it.

    Raises:
      ValueError: if there are not so many.
    """
    if not 0 <= count <= last - first + 1:
        raise ValueError(f"there are no {count} different whole numbers from {first} to {last}")
    if count < 2:
        return (last,) * count
    found = np.round(np.geomspace(first, last, count)).astype(int).tolist()
    for i in range(1, count):  # small numbers lie too close together
        found[i] = max(found[i], found[i - 1] + 1)
    return tuple(found)
