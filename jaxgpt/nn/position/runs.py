"""Runs of digits in a sequence of tokens, the ground that digit positions stand on.

All of this works on the order of the real tokens, so padding inside a row does not cut a number in two,
and a number may go on where the last chunk ended. Where another document begins it does not go on.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from jaxgpt.nn.document_order import preceding

_FAR = 2**30


class Runs(NamedTuple):
    """For each token: whether it is a digit, and its index in its run from either end. [B, T]"""

    digit: Bool[Array, "B T"]
    from_left: Int[Array, "B T"]
    from_right: Int[Array, "B T"]
    last_break: Int[Array, "B"]


def member(tokens: Int[Array, "B T"], ids: Sequence[int]) -> Bool[Array, "B T"]:
    """Whether each token is one of `ids`."""
    table = np.zeros(max(ids, default=0) + 2, bool)
    table[list(ids)] = True
    return jnp.asarray(table)[jnp.minimum(tokens, len(table) - 1)]


def runs(
    tokens: Int[Array, "B T"],
    order: Int[Array, "#B T"],
    digit_ids: Sequence[int],
    last_break: Int[Array, "B"],
) -> Runs:
    """Runs of digits; `last_break` is the order of the last token before this chunk that was none.

    A run that reaches the end of the chunk counts as finished there.
    """
    real = order >= 0
    digit = member(tokens, digit_ids) & real
    earlier = preceding(order)
    index = order + earlier  # rises over all documents of a row
    breaks = jnp.where(real & ~digit, index, -_FAR)
    before = jnp.maximum(jax.lax.cummax(breaks, axis=1), last_break[:, None])
    before = jnp.maximum(before, earlier - 1)
    end = jnp.max(jnp.where(real, index, -1), axis=1, keepdims=True) + 1
    ahead = jax.lax.cummin(jnp.where(real & ~digit, index, _FAR), axis=1, reverse=True)
    begins = jax.lax.cummin(jnp.where(order == 0, index, _FAR), axis=1, reverse=True)
    following = jnp.pad(begins[:, 1:], ((0, 0), (0, 1)), constant_values=_FAR)
    after = jnp.minimum(jnp.minimum(ahead, following), end)
    return Runs(
        digit,
        jnp.where(digit, index - before - 1, 0),
        jnp.where(digit, after - index - 1, 0),
        (before - earlier)[:, -1],
    )
