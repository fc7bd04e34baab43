"""Repair: the elements in the most conflicts are dropped until none is left."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int, PRNGKeyArray

from jaxgpt.search.conflict_tables import Table
from jaxgpt.search.moves import States, draw


@jax.jit
def repaired(table: Table, states: States, key: PRNGKeyArray) -> tuple[States, Int[Array, ""]]:
    """States without conflict, and the steps: in each one state drops one element.

    Of those in the most conflicts chance takes one (PatternBoost, section 2: the worst are removed).
    """

    def more(carried: tuple[States, Array]) -> Array:
        return ~carried[0].valid().all()

    def drop(carried: tuple[States, Array]) -> tuple[States, Array]:
        states, step = carried
        conflicts = jnp.where(states.inside, states.counts, 0)
        most = conflicts.max(1, keepdims=True)
        worst = (conflicts == most) & (most > 0)
        chosen, _ = draw(jax.random.fold_in(key, step), jnp.zeros(worst.shape), allowed=worst)
        return states.flip(table, chosen), step + 1

    return lax.while_loop(more, drop, (states, jnp.zeros((), jnp.int32)))
