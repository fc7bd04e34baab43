"""Several documents in one row, one behind the other, of which none sees another.

Documents are numbered from 1 in the order in which they stand; 0 is padding. The order of their tokens (see
`jaxgpt.nn.attention.masks`) begins again at 0 with each, and that is all that a position scheme is told: a
row that holds one document is the case of a single 0.

    tokens     a b c d e f .
    documents  1 1 1 2 2 3 0
    order      0 1 2 0 1 0 -1
    preceding  0 0 0 3 3 5 5
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int


def order_of(documents: Int[Array, "B T"]) -> Int[Array, "B T"]:
    """The index of each token in its document, -1 on padding."""
    place = jnp.arange(documents.shape[1], dtype=jnp.int32)[None]
    first = jnp.diff(documents, axis=1, prepend=-1) != 0
    begin = jax.lax.cummax(jnp.where(first, place, 0), axis=1)
    return jnp.where(documents > 0, place - begin, -1)


def same(q_documents: Int[Array, "B T"], k_documents: Int[Array, "B S"]) -> Bool[Array, "B T S"]:
    """Whether a query and a key are of one document."""
    return q_documents[:, :, None] == k_documents[:, None, :]


def preceding(order: Int[Array, "#B T"]) -> Int[Array, "#B T"]:
    """The real tokens that stand in the row before the document of each token.

    With `order` they sum to an index that rises over the whole row. Of a document that began in an earlier
    chunk of tokens it is 0.
    """
    index = jnp.cumsum(order >= 0, axis=1, dtype=jnp.int32) - 1
    return jax.lax.cummax(jnp.where(order == 0, index, 0), axis=1)


def draw_each(
    draw: Callable[[jax.Array], Int[Array, "B"]], key: jax.Array, order: Int[Array, "#B T"]
) -> Int[Array, "B T"]:
    """What `draw` gives for each document of each row; the first one's is `draw(key)`."""
    number = jnp.maximum(jnp.cumsum(order == 0, axis=1) - 1, 0)
    others = jax.vmap(lambda n: jax.random.fold_in(key, n))(jnp.arange(1, order.shape[1]))
    draws = jnp.concatenate([draw(key)[None], jax.vmap(draw)(others)])  # [T, B]
    return jnp.take_along_axis(draws.T, jnp.broadcast_to(number, draws.T.shape), axis=1)
