"""The experiments of Wagner's lecture on constructions (E11 to E14), by name.

They stand in `jaxgpt search` in the place of a problem.
"""

import dataclasses
from typing import NamedTuple

from jaxgpt.search import SearchConfig
from tasks.constructions.problem import Problem
from tasks.constructions.problems.isosceles import Isosceles


class Search(NamedTuple):
    """A problem, how it is searched, and by which arms."""

    problem: Problem
    config: SearchConfig
    arms: tuple[str, ...]


def own_attempts() -> Search:
    """A transformer is shown 1,000 sets of greedy fill on a 16 x 16 grid: what does it make of them (E11)?"""
    config = SearchConfig(generations=1, states=1000, keep=1000, steps=0, train_steps=600)
    return Search(Isosceles(n=16), config, ("transformer-alone",))


def smaller_grids() -> Search:
    """The same, with the best sets of grids of 8 to 15 shown as well (E12)."""
    base = own_attempts()
    config = dataclasses.replace(base.config, smaller=8, steps=300)
    return base._replace(config=config)


def larger_grid() -> Search:
    """A 21 x 21 grid, with the best sets of grids of 13 to 20 shown as well (E13)."""
    config = SearchConfig(generations=5, states=1000, keep=1000, steps=300, train_steps=600, smaller=8)
    return Search(Isosceles(n=21), config, ("transformer", "none"))


def feedback() -> Search:
    """Many generations of a transformer's own sets, without local search (E14): vary `--feedback`."""
    config = SearchConfig(generations=15, states=1024, keep=1024, steps=0, train_steps=200)
    return Search(Isosceles(n=16), config, ("transformer-alone",))


#: By the name that a command line has.
SEARCHES = {
    "own_attempts": own_attempts,
    "smaller_grids": smaller_grids,
    "larger_grid": larger_grid,
    "feedback": feedback,
}
