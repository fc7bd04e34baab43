"""Local search of thousands of states at once, and greedy fill."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int, PRNGKeyArray

from jaxgpt.search.moves import Moves, States, filled, placed, searched
from jaxgpt.search.orbits import TABLE_LIMIT, Orbits, check_polish, orbits_of
from jaxgpt.search.searchable import Searchable

#: More elements than any problem has.
_ENDLESS = 2**30


@dataclasses.dataclass(frozen=True)
class Found:
    """Sets without conflicts.

    Attributes:
      sets: which elements are in the best set of each state.
      scores: how many they are.
      best: the elements of the largest set.
      evaluations: how many moves were valued: every element of every state in every step.
    """

    sets: Bool[np.ndarray, "S E"]
    scores: Int[np.ndarray, " S"]
    best: frozenset[int]
    evaluations: int


def fill(
    problem: Searchable,
    states: int = 1024,
    symmetry: str = "none",
    seed: int = 0,
    table_limit: int = TABLE_LIMIT,
) -> Found:
    """Sets to which nothing can be added, filled in random order from nothing: greedy fill.

    Args:
      states: how many sets.
      symmetry: whole orbits of it are added; one of `problem.symmetries()`.
      table_limit: the most bytes that the table of conflicts may take.

    Raises:
      ValueError: if there is no such symmetry, each of its orbits holds a conflict, or the table takes more
        than `table_limit` bytes.
    """
    _check(states, 0)
    orbits = orbits_of(problem, symmetry, table_limit)
    end, steps = filled(orbits.table, States.empty(states, len(orbits.sizes)), jax.random.key(seed))
    return _found(orbits, np.asarray(end.inside), end.inside.size * int(steps))


def local(
    problem: Searchable,
    states: int = 1024,
    steps: int = 1000,
    symmetry: str = "none",
    seed: int = 0,
    *,
    start: Bool[np.ndarray, "S E"] | None = None,
    enough: int | None = None,
    moves: Moves | None = None,
    table_limit: int = TABLE_LIMIT,
) -> Found:
    """The best set of each of many states that move at once, see `jaxgpt.search.moves`.

    The same arguments give the same sets, bit for bit, on a CPU. With a symmetry whole orbits move. The best
    sets then move without it for `moves.polish` steps; those that do not grow by that keep their symmetry.

    Args:
      states: how many sets are searched side by side.
      steps: moves of each state.
      symmetry: `none`, or another of `problem.symmetries()`.
      start: the sets to begin from, a row a state, which may hold conflicts; without it those of greedy fill.
      enough: the search ends once a set has so many elements.
      moves: temperatures, penalty, tabu and polish.
      table_limit: the most bytes that the table of conflicts may take.

    Raises:
      ValueError: if there is no such symmetry, each of its orbits holds a conflict, a table takes more than
        `table_limit` bytes, or `start` has another shape or not the symmetry.
    """
    _check(states, steps)
    moves, key = moves or Moves(), jax.random.key(seed)
    if start is not None and np.shape(start) != (states, problem.size()):
        raise ValueError(f"start has the shape {np.shape(start)}; give ({states}, {problem.size()})")
    if symmetry != "none" and moves.polish:
        check_polish(problem, table_limit)  # not only after the search with the symmetry
    orbits = orbits_of(problem, symmetry, table_limit)
    begun = None if start is None else orbits.orbits(np.asarray(start, bool))
    sets, made = climbed(orbits, begun, (states, steps), jax.random.fold_in(key, 0), enough, moves)
    found = _found(orbits, sets, made)
    if symmetry == "none" or not moves.polish or (enough is not None and found.scores.max() >= enough):
        return found
    free = orbits_of(problem, "none", table_limit)
    sets, more = climbed(free, found.sets, (states, moves.polish), jax.random.fold_in(key, 1), enough, moves)
    return _found(free, sets, made + more)


def climbed(
    orbits: Orbits,
    start: Bool[np.ndarray, "S O"] | None,
    length: tuple[int, int],
    key: PRNGKeyArray,
    enough: int | None,
    moves: Moves,
) -> tuple[Bool[np.ndarray, "S O"], int]:
    """The best sets of orbits of a search of (states, steps), filled up; how many moves were valued."""
    (states, steps), size = length, len(orbits.sizes)
    first, walk, last = jax.random.split(key, 3)
    if start is None:
        begun, made = filled(orbits.table, States.empty(states, size), first)
    else:
        begun, made = placed(orbits.table, jnp.asarray(start)), 0
    temperatures = np.geomspace(moves.coldest, moves.warmest, states, dtype=np.float32)
    best, walked = searched(
        orbits.table,
        begun,
        jnp.asarray(orbits.sizes, jnp.int32),
        walk,
        jnp.asarray(temperatures),
        jnp.float32(moves.penalty),
        jnp.float32(moves.degree_cost),
        jnp.int32(moves.tabu),
        jnp.int32(steps),
        jnp.int32(_ENDLESS if enough is None else min(enough, _ENDLESS)),
    )
    end, added = filled(orbits.table, placed(orbits.table, best), last)
    return np.asarray(end.inside), states * size * (int(made) + int(walked) + int(added))


def _found(orbits: Orbits, sets: Bool[np.ndarray, "S O"], evaluations: int) -> Found:
    elements = orbits.elements(sets)
    scores = elements.sum(1)
    best = frozenset(np.flatnonzero(elements[scores.argmax()]).tolist())
    return Found(elements, scores, best, evaluations)


def _check(states: int, steps: int) -> None:
    if states < 1 or not 0 <= steps < 2**31:
        raise ValueError(f"states={states} and steps={steps}: give states >= 1 and 0 <= steps < 2^31")
