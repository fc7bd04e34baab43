"""Constructions: the largest set of elements that holds none of a problem's conflicts.

    problem = Isosceles(n=4)
    problem.read("0110100100000000")  # frozenset({1, 2, 4, 7})

`tasks.constructions.problems` has one file a problem. `jaxgpt.search` looks for large sets.
"""

from tasks.constructions.problem import Problem

__all__ = ["Problem"]
