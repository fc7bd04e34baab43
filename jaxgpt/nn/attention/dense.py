"""Attention that meets all keys: what every other way to compute it is held equal to."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.attention.cache import KeyValue, Stored
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.linear import dropout
from jaxgpt.nn.tap import Tap, identity

#: Finite, so that a row without any key gives a mean instead of NaN.
HIDDEN = -1e30


def dense(
    q: Float[Array, "B T H K"],
    kv: KeyValue | Stored,
    inputs: AttentionInputs,
    *,
    key: jax.Array | None = None,
    tap: Tap = identity,
) -> Float[Array, "B T H K"]:
    """The weighted values, where `inputs.sees` is a mask."""
    keys = kv.view().key if isinstance(kv, Stored) else kv.key
    return weighted(q, kv, inputs.sees, inputs.bias(q, keys), config=inputs.config, key=key, tap=tap)


def weighted(
    q: Float[Array, "B T H K"],
    kv: KeyValue | Stored,
    mask: Bool[Array, "#B T S"],
    bias: Float[Array, "#B H T S"] | None = None,
    *,
    config: AttentionConfig,
    key: jax.Array | None = None,
    tap: Tap = identity,
) -> Float[Array, "B T H K"]:
    """softmax(factor * cap(scale * q k^T + bias)) v, with the mask's keys."""
    if tap is not identity:
        kv = kv.view() if isinstance(kv, Stored) else kv
        q, kv = tap("query", q), KeyValue(tap("key", kv.key), tap("value", kv.value))
    scores = kv.scores(q) * config.resolved_scale
    if bias is not None:
        scores = scores + bias.astype(scores.dtype)
    if config.softcap is not None:
        scores = config.softcap * jnp.tanh(scores / config.softcap)
    if config.factor != 1:
        scores = scores * config.factor
    scores = tap("scores", jnp.where(mask[:, None], scores, HIDDEN))
    weights = tap("weights", jax.nn.softmax(scores, axis=-1))
    return kv.mix(dropout(weights, config.dropout, key).astype(q.dtype))
