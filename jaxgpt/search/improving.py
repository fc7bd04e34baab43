"""Proposals made into sets without conflict: repaired, filled up, improved by local search."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, PRNGKeyArray

from jaxgpt.search.local_search import climbed
from jaxgpt.search.moves import States, filled, placed
from jaxgpt.search.orbits import Orbits, check_polish, orbits_of
from jaxgpt.search.repair import repaired
from jaxgpt.search.search_config import SearchConfig
from jaxgpt.search.searchable import Searchable


class Improving:
    """The tables of a problem, built once, and what is done with sets on them.

    Raises:
      ValueError: as `jaxgpt.search.local`.
    """

    def __init__(self, problem: Searchable, config: SearchConfig):
        self.config = config
        polishes = config.symmetry != "none" and config.moves.polish > 0
        if polishes:
            check_polish(problem, config.table_limit)
        self._orbits = orbits_of(problem, config.symmetry, config.table_limit)
        self._free: Orbits | None = None
        if polishes:
            self._free = orbits_of(problem, "none", config.table_limit)

    def fill(self, key: PRNGKeyArray, count: int) -> Bool[np.ndarray, "S E"]:
        """So many sets, filled in random order from nothing; whole orbits where there is a symmetry."""
        orbits = self._orbits
        end, _ = filled(orbits.table, States.empty(count, len(orbits.sizes)), key)
        return orbits.elements(np.asarray(end.inside))

    def whole(self, sets: Bool[np.ndarray, "S E"]) -> Bool[np.ndarray, "S E"]:
        """The whole orbits of which sets hold at least a half, conflicts between them and all."""
        return self._orbits.elements(self._orbits.most(sets))

    def repair(self, sets: Bool[np.ndarray, "S E"], key: PRNGKeyArray) -> Bool[np.ndarray, "S E"]:
        """The sets without the elements in the most conflicts, filled up.

        With a symmetry an orbit is taken where at least half of its elements are in the set.
        """
        orbits, (first, last) = self._orbits, jax.random.split(key)
        states, _ = repaired(orbits.table, placed(orbits.table, jnp.asarray(orbits.most(sets))), first)
        states, _ = filled(orbits.table, states, last)
        return orbits.elements(np.asarray(states.inside))

    def search(
        self, sets: Bool[np.ndarray, "S E"], key: PRNGKeyArray, steps: int | None = None
    ) -> Bool[np.ndarray, "S E"]:
        """The best set that a local search finds from each of these, which hold no conflict."""
        moves, length = self.config.moves, (len(sets), self.config.steps if steps is None else steps)
        found, _ = climbed(
            self._orbits, self._orbits.orbits(sets), length, jax.random.fold_in(key, 0), None, moves
        )
        sets = self._orbits.elements(found)
        if self._free is not None:
            length = (len(sets), moves.polish if steps is None else steps)
            found, _ = climbed(
                self._free, self._free.orbits(sets), length, jax.random.fold_in(key, 1), None, moves
            )
            sets = self._free.elements(found)
        return sets
