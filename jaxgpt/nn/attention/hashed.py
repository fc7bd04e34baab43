"""Attention among tokens that hash alike (Kitaev et al. 2020, arXiv 2001.04451, section 2)."""

import dataclasses
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgpt.nn.attention.cache import KeyValue
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.linear import dropout, fold
from jaxgpt.nn.sparse.base import Hashing, ring_shifts
from jaxgpt.nn.tap import Tap, identity

#: Scores of keys that are not seen, and of a token's own key, which is seen where there is no other.
_HIDDEN, _OWN = -1e9, -1e5


@dataclasses.dataclass(frozen=True)
class Hashes:
    """What layers that hash share.

    Attributes:
      order: of all tokens, -1 on padding, which may go on behind the last of them. [B, S]
      at: where among them the queries stand; None: they are all.
      causal: whether a token sees only itself and what comes before.
    """

    hashing: Hashing
    order: Int[Array, "B S"]
    at: Int[Array, ""] | None
    causal: bool


def hashed(
    q: Float[Array, "B T H K"],
    kv: KeyValue,
    inputs: AttentionInputs,
    *,
    key: jax.Array | None = None,
    tap: Tap = identity,
) -> Float[Array, "B T H K"]:
    """The weighted values, where `inputs.sees` is `Hashes`; `kv.key` are queries and keys at once."""
    hashes = inputs.sees
    wide = jnp.promote_types(q.dtype, jnp.float32)
    missing = [(0, 0), (0, hashes.order.shape[1] - kv.key.shape[1]), (0, 0), (0, 0)]
    mixed = hashed_attention(
        jnp.pad(tap("query", kv.key).astype(wide), missing),
        jnp.pad(tap("value", kv.value).astype(wide), missing),
        hashes.order,
        hashes.hashing,
        causal=hashes.causal,
        rate=inputs.config.dropout,
        key=key,
    ).astype(q.dtype)
    return jax.lax.dynamic_slice_in_dim(mixed, 0 if hashes.at is None else hashes.at, q.shape[1], axis=1)


def rotations(shape: tuple[int, ...], dtype, seed: int, key: jax.Array | None) -> Array:
    """The random rotations that hash: drawn anew in training, else always the same."""
    return jax.random.normal(jax.random.key(seed) if key is None else fold(key, 1), shape, dtype)


def hashed_attention(
    shared: Float[Array, "B S H K"],
    value: Float[Array, "B S H K"],
    order: Int[Array, "B S"],
    hashing: Hashing,
    *,
    causal: bool,
    rate: float = 0.0,
    key: jax.Array | None = None,
) -> Float[Array, "B S H K"]:
    """The weighted values of every token. S is at most one chunk, or a multiple of it.

    Queries are `shared` as it is, keys are `shared` scaled to length 1.
    """
    shared, value = jnp.moveaxis(shared, 2, 1), jnp.moveaxis(value, 2, 1)  # [B, H, S, K]
    batch, heads, length, width = shared.shape
    square = jnp.mean(shared**2, axis=-1, keepdims=True)
    keys = shared * jax.lax.rsqrt(square + 1e-6) / math.sqrt(width)
    if length <= hashing.size:
        place = jnp.arange(length)[None, None]
        mixed, _ = _weighted(shared, keys, value, place, place, order, order, causal, rate, key)
        return jnp.moveaxis(mixed, 1, 2)
    found = hash_buckets(shared, hashing, key)  # [B, H, R, S]
    found = jnp.where((order >= 0)[:, None, None], found, math.prod(hashing.buckets))
    sorted_ = jnp.argsort(found, axis=-1, stable=True)
    chunked = sorted_.reshape(batch, heads, -1, hashing.size)  # [B, H, N, C]

    def gather(x):
        flat = jnp.take_along_axis(x, sorted_.reshape(batch, heads, -1, 1), axis=2)
        return flat.reshape(*chunked.shape, width)

    def around(x):
        shifts = ring_shifts(hashing.before, hashing.after, x.shape[2])
        return jnp.concatenate([jnp.roll(x, -shift, axis=2) for shift in shifts], axis=3)

    orders = jnp.take_along_axis(order[:, None], chunked.reshape(batch, heads, -1), axis=2)
    orders = orders.reshape(chunked.shape)
    mixed, mass = _weighted(
        gather(shared),
        around(gather(keys)),
        around(gather(value)),
        chunked,
        around(chunked),
        orders,
        around(orders),
        causal,
        rate,
        key,
    )
    # Back to the order of the text, each round for itself; then the rounds together by their mass.
    back = jnp.argsort(sorted_, axis=-1)
    mixed = jnp.take_along_axis(mixed.reshape(*sorted_.shape, width), back[..., None], axis=3)
    mass = jnp.take_along_axis(mass.reshape(sorted_.shape), back, axis=3)
    share = jax.nn.softmax(mass, axis=2)
    return jnp.moveaxis((mixed * share[..., None]).sum(axis=2), 1, 2)


def hash_buckets(shared, hashing: Hashing, key) -> Int[Array, "B H R S"]:
    """The bucket of every token in every round: its largest coordinate, rotated, or negative one."""
    heads, width = shared.shape[1], shared.shape[-1]
    shape = (heads, width, hashing.rounds, sum(hashing.buckets) // 2)
    turned = jnp.einsum(
        "bhsk,hknr->bhnsr", jax.lax.stop_gradient(shared), rotations(shape, shared.dtype, hashing.seed, key)
    )
    bucket, first, factor = 0, 0, 1
    for count in hashing.buckets:
        part = turned[..., first : first + count // 2]
        bucket = bucket + factor * jnp.argmax(jnp.concatenate([part, -part], axis=-1), axis=-1)
        first, factor = first + count // 2, factor * count
    return bucket


def _weighted(q, k, v, q_place, k_place, q_order, k_order, causal, rate, key):
    """Weighted values, and the logarithm of what the weights sum to before they are divided by it."""
    scores = jnp.einsum("...qk,...ck->...qc", q, k)
    if q_order.ndim == 2:
        q_order, k_order = q_order[:, None], k_order[:, None]
    seen = k_order[..., None, :] >= 0
    if causal:
        seen = seen & (q_order[..., :, None] >= k_order[..., None, :])
    scores = jnp.where(seen, scores, _HIDDEN)
    scores = jnp.where(q_place[..., :, None] == k_place[..., None, :], _OWN, scores)
    weights = dropout(jax.nn.softmax(scores, axis=-1), rate, key)
    return jnp.einsum("...qc,...ck->...qk", weights, v), jax.nn.logsumexp(scores, axis=-1)
