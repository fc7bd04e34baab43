"""Blocks whose inputs are found again from their outputs, so that training keeps none of them.

Gomez et al. 2017, arXiv 1707.04585, section 3; Kitaev et al. 2020, section 3.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

#: A half block: weights, what all layers share, key, input; its output, which is added to the other stream.
Half = Callable[[Any, Any, jax.Array | None, Array], Array]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def reversible(
    halves: Sequence[tuple[Half, Half]],
    states: Sequence[Any],
    shared: Any,
    keys: Sequence[jax.Array | None],
    x: Float[Array, "B T D2"],
) -> Float[Array, "B T D2"]:
    """The two streams of `x`, side by side, after all blocks.

    Memory of the backward pass does not grow with the number of blocks.

    Args:
      halves: for each block what the first stream gets from the second, and then the second from the first.
      states: the weights of each block.
      shared: weights that all blocks use, such as those of positions.
      keys: for dropout, one a block.
    """
    first, second = jnp.split(x, 2, axis=-1)
    for (f, g), state, key in zip(halves, states, keys, strict=True):
        first = first + f(state, shared, key, second)
        second = second + g(state, shared, key, first)
    return jnp.concatenate([first, second], axis=-1)


def _forward(halves, states, shared, keys, x):
    y = reversible(halves, states, shared, keys, x)
    return y, (states, shared, keys, y)


def _backward(halves, kept, grad):
    states, shared, keys, y = kept
    (first, second), (d_first, d_second) = jnp.split(y, 2, axis=-1), jnp.split(grad, 2, axis=-1)
    d_states, d_shared = [], jax.tree.map(jnp.zeros_like, shared)
    for (f, g), state, key in reversed(list(zip(halves, states, keys, strict=True))):
        added, back = jax.vjp(lambda s, c, h, g=g, key=key: g(s, c, key, h), state, shared, first)
        second = second - added
        d_state, d_more, d_h = back(d_second)
        d_first = d_first + d_h
        added, back = jax.vjp(lambda s, c, h, f=f, key=key: f(s, c, key, h), state, shared, second)
        first = first - added
        d_state2, d_more2, d_h = back(d_first)
        d_second = d_second + d_h
        d_states.insert(0, jax.tree.map(jnp.add, d_state, d_state2))
        d_shared = jax.tree.map(lambda *parts: sum(parts), d_shared, d_more, d_more2)
    # Nothing flows into keys.
    return type(states)(d_states), d_shared, None, jnp.concatenate([d_first, d_second], axis=-1)


reversible.defvjp(_forward, _backward)
