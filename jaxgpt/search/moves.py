"""One move of many states at once: the value of every move is computed, and noise chooses among them.

A state is a set, which may hold conflicts. A move adds or drops one element. Its value is the change of

    weight of the set - penalty * conflicts in it

and a move is drawn with probability proportional to exp(value / temperature), by adding Gumbel noise to all
values and taking the largest. An element that moved must wait before it moves again (tabu). Lock-step
Metropolis would refuse almost all of its moves; here every state moves in every step.
"""

import dataclasses
from typing import Annotated, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt

from jaxgpt.search.conflict_tables import Table

#: 2^32 divided by the golden ratio: its multiples are far apart in the bits that are kept.
_GOLDEN = np.uint32(0x9E3779B9)
#: Temperatures and costs lie between these, so that float32 holds each cost over each temperature.
_LEAST, _MOST = 1e-9, 1e9


@dataclasses.dataclass(frozen=True)
class Moves:
    """How a local search moves.

    Raises:
      ValueError: unless coldest <= warmest, and all are in range and finite.
    """

    coldest: Annotated[float, "temperature of the first state, in elements"] = 0.07
    warmest: Annotated[float, "temperature of the last state; between them they grow by one factor"] = 0.28
    penalty: Annotated[float, "what a conflict costs, in elements"] = 1.0
    degree_cost: Annotated[
        float, "what the element in the most conflicts of the problem costs more than that in the fewest"
    ] = 0.0
    tabu: Annotated[int, "the most steps that an element waits after it moved; drawn from 0 on"] = 8
    polish: Annotated[int, "steps without the symmetry, after those with it"] = 250

    def __post_init__(self):
        if not _LEAST <= self.coldest <= self.warmest <= _MOST:
            raise ValueError(
                f"coldest={self.coldest} and warmest={self.warmest}: give {_LEAST} <= coldest <= warmest <= "
                f"{_MOST:.0e}"
            )
        if not _LEAST <= self.penalty <= _MOST:
            raise ValueError(f"penalty={self.penalty}: give {_LEAST} <= penalty <= {_MOST:.0e}")
        if not 0 <= self.degree_cost <= _MOST:
            raise ValueError(f"degree_cost={self.degree_cost}: give 0 <= degree_cost <= {_MOST:.0e}")
        if not 0 <= self.tabu < 2**14:
            raise ValueError(f"tabu={self.tabu}: give 0 <= tabu < {2**14}")
        if not 0 <= self.polish < 2**31:
            raise ValueError(f"polish={self.polish}: give 0 <= polish < 2^31")


class States(NamedTuple):
    """Sets, with the conflicts of every element; E is the number of elements.

    Attributes:
      inside: which elements are in the set.
      counts: in how many conflicts each element is, or would be if it were added.
      members: the elements of the set in any order, and E behind them.
    """

    inside: Bool[Array, "S E"]
    counts: Int[Array, "S E"]
    members: Int[Array, "S E"]

    @classmethod
    def empty(cls, states: int, size: int) -> Self:
        """Empty sets."""
        shape = (states, size)
        return cls(jnp.zeros(shape, bool), jnp.zeros(shape, jnp.int32), jnp.full(shape, size, jnp.int32))

    def valid(self) -> Bool[Array, " S"]:
        """Whether each set holds no conflict."""
        return ~(self.inside & (self.counts > 0)).any(1)

    def flip(self, table: Table, element: Int[Array, " S"]) -> Self:
        """The states after one element each was added, or dropped where it was inside; E for none."""
        rows, size = jnp.arange(len(self.inside)), self.inside.shape[1]
        changed = jnp.arange(size) == element[:, None]
        drops = (self.inside & changed).any(1)
        # A barrier: what is fused with the loop below would be computed again for each of its consumers.
        change = lax.optimization_barrier(table.change(self.inside, self.members, element))
        counts = self.counts + jnp.where(drops, -1, 1)[:, None] * change
        number = self.inside.sum(1)
        last = jnp.maximum(number - 1, 0)
        place = jnp.where(self.members == element[:, None], jnp.arange(size), 0).max(1)
        place = jnp.where(drops, place, number)  # a member's place goes to the last member
        members = self.members.at[rows, place].set(
            jnp.where(drops, self.members[rows, last], element), mode="drop"
        )
        members = members.at[rows, jnp.where(drops, last, size)].set(size, mode="drop")
        return type(self)(self.inside ^ changed, counts, members)


def values(
    states: States, weights: Float[Array, " E"], penalty: Float[Array, ""] | float
) -> Float[Array, "S E"]:
    """What each move changes: weight gained less the penalty of conflicts gained."""
    adding = weights - penalty * states.counts
    return jnp.where(states.inside, -adding, adding)


def weights_of(
    table: Table, sizes: Int[Array, " E"], degree_cost: Float[Array, ""] | float
) -> Float[Array, " E"]:
    """What each element weighs in `values`: the largest 1, less a cost that grows with its conflicts."""
    degrees = table.degrees()
    above = degrees - degrees.min()
    return sizes / sizes.max(initial=1) - degree_cost * above / above.max(initial=1)


def draw(
    key: PRNGKeyArray, values: Float[Array, "S E"], allowed: Bool[Array, "S E"]
) -> tuple[Int[Array, " S"], Int[Array, " S"]]:
    """An allowed element for each state, with probability proportional to exp(value); E where none is.

    Returns:
      the elements, and 16 random bits for each state.
    """
    size = values.shape[1]
    # Barriers: the random bits and the sums would be computed in the reductions, which are not vectorized.
    seeds = jax.random.bits(key, (len(values), 2))
    bits = lax.optimization_barrier(_mixed(seeds[:, :1] + _GOLDEN * jnp.arange(size, dtype=jnp.uint32)) >> 16)
    uniform = (bits.astype(jnp.float32) + 0.5) * 2.0**-16
    noisy = jnp.where(allowed, values - jnp.log(-jnp.log(uniform)), -jnp.inf)
    noisy = lax.optimization_barrier(noisy)
    largest = noisy.max(1, keepdims=True)
    chosen = jnp.where((noisy == largest) & allowed, jnp.arange(size), size).min(1)
    return chosen.astype(jnp.int32), (seeds[:, 1] >> 16).astype(jnp.int32)


def _mixed(bits: UInt[Array, "S E"]) -> UInt[Array, "S E"]:
    """Numbers that count up made into random ones: the end of MurmurHash3.

    On a CPU it takes a tenth of the time of `jax.random.bits`, which was a third of a step.
    """
    bits = (bits ^ (bits >> 16)) * jnp.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> 13)) * jnp.uint32(0xC2B2AE35)
    return bits ^ (bits >> 16)


@jax.jit
def placed(table: Table, sets: Bool[Array, "S E"]) -> States:
    """States that hold these sets, conflicts counted."""
    size = sets.shape[1]

    def more(states: States) -> Bool[Array, ""]:
        return (states.inside != sets).any()

    def add(states: States) -> States:
        missing = jnp.where(sets & ~states.inside, jnp.arange(size), size).min(1)
        return states.flip(table, missing.astype(jnp.int32))

    return lax.while_loop(more, add, States.empty(*sets.shape))


@jax.jit
def filled(table: Table, states: States, key: PRNGKeyArray) -> tuple[States, Int[Array, ""]]:
    """States to which elements without conflict were added in random order until none is left; the steps."""

    def free(states: States) -> Bool[Array, "S E"]:
        return ~states.inside & (states.counts == 0) & states.valid()[:, None]

    def more(carried: tuple[States, Array]) -> Bool[Array, ""]:
        return free(carried[0]).any()

    def add(carried: tuple[States, Array]) -> tuple[States, Array]:
        states, step = carried
        chosen, _ = draw(jax.random.fold_in(key, step), jnp.zeros(states.inside.shape), allowed=free(states))
        return states.flip(table, chosen), step + 1

    return lax.while_loop(more, add, (states, jnp.zeros((), jnp.int32)))


class _Search(NamedTuple):
    """What a search carries from step to step; `best` has the largest set of each state without conflict."""

    step: Int[Array, ""]
    states: States
    waits: Int[Array, "S E"]
    best: Bool[Array, "S E"]
    score: Float[Array, " S"]


@jax.jit
def searched(
    table: Table,
    states: States,
    sizes: Int[Array, " E"],
    key: PRNGKeyArray,
    temperatures: Float[Array, " S"],
    penalty: Float[Array, ""],
    degree_cost: Float[Array, ""],
    tabu: Int[Array, ""],
    steps: Int[Array, ""],
    enough: Int[Array, ""],
) -> tuple[Bool[Array, "S E"], Int[Array, ""]]:
    """The best sets without conflict that the states were in so many steps, and the steps that were made.

    It ends before, once a state has `enough` elements. Sets that begin with conflicts and never lose them end
    empty. `sizes` are what the elements count.
    """
    weights = weights_of(table, sizes, degree_cost)

    def better(search: _Search) -> _Search:
        score = (search.states.inside * sizes).sum(1)
        gains = search.states.valid() & (score > search.score)
        best = jnp.where(gains[:, None], search.states.inside, search.best)
        return search._replace(best=best, score=jnp.where(gains, score, search.score))

    def more(search: _Search) -> Bool[Array, ""]:
        return (search.step < steps) & (search.score.max() < enough)

    def move(search: _Search) -> _Search:
        worth = values(search.states, weights, penalty) / temperatures[:, None]
        allowed = search.waits <= search.step
        chosen, bits = draw(jax.random.fold_in(key, search.step), worth, allowed)
        until = search.step + 1 + bits * (tabu + 1) // 2**16
        moved = jnp.arange(allowed.shape[1]) == chosen[:, None]
        waits = jnp.where(moved, until[:, None], search.waits)
        states = search.states.flip(table, chosen)
        return better(search._replace(step=search.step + 1, states=states, waits=waits))

    shape = states.inside.shape
    begin = _Search(
        jnp.zeros((), jnp.int32),
        states,
        jnp.zeros(shape, jnp.int32),
        jnp.zeros(shape, bool),
        jnp.zeros(shape[0], sizes.dtype),
    )
    search = lax.while_loop(more, move, better(begin))
    return search.best, search.step
