"""The best sets of a search, each once, the largest first."""

import numpy as np
from jaxtyping import Bool

Sets = Bool[np.ndarray, "S E"]


def packed(sets: Sets) -> np.ndarray:
    """Each set as one value that can be compared and looked for. [S]"""
    bits = np.ascontiguousarray(np.packbits(sets, axis=1))
    return bits.view(np.dtype((np.void, bits.shape[1]))).ravel()


def distinct(sets: Sets) -> Sets:
    """Each set once, in the order of its first."""
    _, first = np.unique(packed(sets), return_index=True)
    return sets[np.sort(first)]


def new(sets: Sets, known: Sets) -> Bool[np.ndarray, " S"]:
    """Which sets are not among those that are known."""
    return ~np.isin(packed(sets), packed(known))


def best(sets: Sets, count: int) -> Sets:
    """So many of the largest sets, each once; of two as large the first comes first."""
    sets = distinct(sets)
    order = np.argsort(-sets.sum(1), kind="stable")
    return sets[order[:count]]
