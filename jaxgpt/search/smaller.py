"""Sets of smaller problems, which a model may learn beside its own."""

import dataclasses
import time

import jax
import numpy as np
from jaxtyping import Bool

from jaxgpt.search import pool
from jaxgpt.search.improving import Improving
from jaxgpt.search.search_config import SearchConfig
from jaxgpt.search.searchable import Searchable


def smaller_sets(problem: Searchable, config: SearchConfig) -> tuple[Bool[np.ndarray, "B E"], float]:
    """The best sets of `config.smaller` sizes n - 1, n - 2, ... of a problem, each where it has its place.

    They are those of a local search of every size, `config.keep` of all sizes together. All seeds of a search
    have the same.

    Returns:
      The sets, and the seconds that they took, compiling not counted.

    Raises:
      ValueError: if the problem has no smaller ones, or their sets have no place in it.
    """
    found, seconds = [np.zeros((0, problem.size()), bool)], 0.0
    n = getattr(problem, "n", None)
    if config.smaller and (n is None or config.smaller >= n):
        raise ValueError(f"smaller={config.smaller}: {problem} has no so many smaller problems")
    for less in range(1, config.smaller + 1):
        small = dataclasses.replace(problem, n=n - less)
        improving = Improving(small, config)
        key = jax.random.key(less)
        improving.search(improving.fill(key, config.states), key, steps=1)  # compiled before it is timed
        began = time.perf_counter()
        sets = improving.fill(key, config.states)
        sets = pool.best(improving.search(sets, key), max(1, config.keep // config.smaller))
        seconds += time.perf_counter() - began
        own = np.zeros((len(sets), problem.size()), bool)
        for row, chosen in enumerate(sets):
            own[row, list(problem.embedded(small, np.flatnonzero(chosen).tolist()))] = True
        found.append(own)
    return np.concatenate(found), seconds
