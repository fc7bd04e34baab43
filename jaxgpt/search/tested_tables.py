"""Tables of conflicts built on the device, from a test that tells whether three elements are in conflict.

Nothing is listed: every three elements are tested, of each orbit's first element with all others. 992 orbits
of isosceles triangles on a 64 x 64 grid take 8 s of processor time, 2,450 on a 100 x 100 grid two minutes.

E is the number of elements, O that of orbits, G the most elements of an orbit.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Int, UInt

from jaxgpt.search.conflict_tables import WORD, BitTable, words
from jaxgpt.search.searchable import ThreeUniform


def members(number: Int[np.ndarray, " E"]) -> Int[np.ndarray, "G O"]:
    """The elements of each orbit, filled up with its first one; orbits of number -1 are left out."""
    order = np.argsort(number, kind="stable")
    order = order[number[order] >= 0]
    sizes = np.bincount(number[order])
    first = np.cumsum(sizes) - sizes
    place = np.arange(sizes.max(initial=0))[:, None]
    return order[first + np.where(place < sizes, place, 0)]


@partial(jax.jit, static_argnums=0)
def alone(problem: ThreeUniform, points: Int[Array, "G O"]) -> Bool[Array, " O"]:
    """Which orbits hold a conflict by themselves."""

    def orbit(own: Int[Array, " G"]) -> Bool[Array, ""]:
        return _tested(problem, own[0], own[:, None], own[None]).any()

    return lax.map(orbit, points.T)


@partial(jax.jit, static_argnums=0)
def tested_table(problem: ThreeUniform, points: Int[Array, "G O"]) -> BitTable:
    """The conflicts between orbits that hold none by themselves, of `bit_table_bytes(O)` bytes.

    Orbits are in conflict if elements of them are. The first element of one orbit is enough, since the
    symmetry takes it to the others.
    """
    orbits = points.shape[1]
    numbers = jnp.arange(orbits)

    def put(orbit: Int[Array, ""], bits: UInt[Array, "R W"]) -> UInt[Array, "R W"]:
        others = _meeting(problem, points[0, orbit], points)
        pairs = others[orbit] | jnp.diagonal(others)  # with one or two elements of the second orbit
        others &= (numbers != orbit) & (numbers[:, None] != numbers)
        others = others.at[orbit].set(pairs & (numbers != orbit))
        return lax.dynamic_update_slice(bits, _packed(others), (orbits * orbit, 0))

    empty = jnp.zeros((orbits * orbits + 1, words(orbits)), jnp.uint32)
    return BitTable(lax.fori_loop(0, orbits, put, empty))


def _meeting(problem: ThreeUniform, element: Int[Array, ""], points: Int[Array, "G O"]) -> Bool[Array, "O O"]:
    """Which two orbits have elements that are in conflict with an element."""
    size, orbits = points.shape

    def more(i: Int[Array, ""], found: Bool[Array, "O O"]) -> Bool[Array, "O O"]:
        return found | _tested(problem, element, points[i // size][:, None], points[i % size][None])

    return lax.fori_loop(0, size**2, more, jnp.zeros((orbits, orbits), bool))


def _tested(problem: ThreeUniform, first: Array, second: Array, third: Array) -> Array:
    different = (first != second) & (first != third) & (second != third)
    return different & problem.in_conflict(first, second, third)


def _packed(rows: Bool[Array, "O O"]) -> UInt[Array, "O W"]:
    """The bits of each row in words, the lowest first."""
    size = len(rows)
    filled = jnp.pad(rows, ((0, 0), (0, WORD * words(size) - size))).reshape(size, -1, WORD)
    return (filled.astype(jnp.uint32) << jnp.arange(WORD, dtype=jnp.uint32)).sum(-1, dtype=jnp.uint32)
