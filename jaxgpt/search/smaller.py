"""Sets of smaller problems, which a model may learn beside its own."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Bool

from jaxgpt.search import pool
from jaxgpt.search.improving import Improving
from jaxgpt.search.search_config import SearchConfig
from jaxgpt.search.searchable import Searchable


def smaller_sets(problem: Searchable, config: SearchConfig) -> Bool[np.ndarray, "B E"]:
    """The best sets of `config.smaller` sizes n - 1, n - 2, ... of a problem, each where it has its place.

    They are those of a local search of every size, `config.keep` of all sizes together.

    Raises:
      ValueError: if the problem has no smaller ones, or their sets have no place in it.
    """
    found = [np.zeros((0, problem.size()), bool)]
    n = getattr(problem, "n", None)
    if config.smaller and (n is None or config.smaller >= n):
        raise ValueError(f"smaller={config.smaller}: {problem} has no so many smaller problems")
    for less in range(1, config.smaller + 1):
        small = dataclasses.replace(problem, n=n - less)
        improving = Improving(small, config)
        sets = improving.fill(jax.random.key(less), config.states)
        sets = pool.best(improving.search(sets, jax.random.key(less)), max(1, config.keep // config.smaller))
        own = np.zeros((len(sets), problem.size()), bool)
        for row, chosen in enumerate(sets):
            own[row, list(problem.embedded(small, np.flatnonzero(chosen).tolist()))] = True
        found.append(own)
    return np.concatenate(found)
