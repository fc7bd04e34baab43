"""Attention among neighbouring blocks: time and memory grow as length times block size."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.nn.attention import masks
from jaxgpt.nn.attention.cache import KeyValue
from jaxgpt.nn.attention.dense import dense
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.document_order import same
from jaxgpt.nn.sparse.base import Blocks, ring_shifts
from jaxgpt.nn.tap import Tap, identity


@dataclasses.dataclass(frozen=True)
class Band:
    """Queries by blocks, each with the keys that it may see: what all layers with the same blocks share.

    Shapes: N blocks of all rows, W tokens a block, C keys a block, G tokens that see all.

    Attributes:
      order: of the keys, -1 on padding, which may go on behind the last of them. [B, T]
      global_tokens: where the tokens stand that see all and are seen by all, -1 for none. [B, G]
    """

    blocks: Blocks
    mask: Bool[Array, "N W C"]
    q_positions: Int[Array, "N W"]
    k_positions: Int[Array, "N C"]
    order: Int[Array, "B T"]
    global_tokens: Int[Array, "B G"] | None

    @classmethod
    def of(
        cls,
        blocks: Blocks,
        rule: masks.Mask,
        order: Int[Array, "B T"],
        positions: Int[Array, "B T"],
        global_tokens: Int[Array, "B G"] | None = None,
        documents: Int[Array, "B T"] | None = None,
    ) -> "Band":
        """For `order` and `positions` of the tokens; `rule` is what they may see at all.

        Of `documents` none sees another; there are no global tokens then, and `blocks` have a reach, since
        blocks begin at any place of a document.
        """
        near = rule
        if blocks.reach is not None:
            near = rule & masks.window(blocks.reach + 1, blocks.reach)
        near_order = order
        if global_tokens is not None:
            # They are met as global tokens alone, so that none counts twice.
            rows = jnp.arange(order.shape[0])[:, None]
            at = jnp.where(global_tokens >= 0, global_tokens, order.shape[1])
            near_order = order.at[rows, at].set(-1, mode="drop")
        q_order = _flat(_cut(order, blocks.size, -1))
        k_order = _flat(_neighbours(_cut(near_order, blocks.size, -1), blocks, -1))
        mask = near(q_order, k_order)
        if documents is not None:
            cut = _cut(documents, blocks.size, 0)
            mask = mask & same(_flat(cut), _flat(_neighbours(cut, blocks, 0)))
        q_positions = _flat(_cut(positions, blocks.size, 0))
        k_positions = _flat(_neighbours(_cut(positions, blocks.size, 0), blocks, 0))
        if global_tokens is not None:
            count = mask.shape[0] // order.shape[0]
            there = jnp.where(global_tokens >= 0, at_places(order, global_tokens), -1)
            mask = jnp.concatenate([mask, rule(q_order, jnp.repeat(there, count, axis=0))], axis=2)
            theirs = jnp.repeat(at_places(positions, global_tokens), count, axis=0)
            k_positions = jnp.concatenate([k_positions, theirs], axis=1)
        return cls(blocks, mask, q_positions, k_positions, order, global_tokens)

    def of_queries(self, x: Array) -> Array:
        """[B, T, ...] by blocks: [N, W, ...]."""
        return _flat(_cut(x, self.blocks.size, 0, self.order.shape[1]))

    def of_keys(self, x: Array) -> Array:
        """[B, T, ...] as each block meets them: [N, C, ...]."""
        cut = _cut(x, self.blocks.size, 0, self.order.shape[1])
        near = _flat(_neighbours(cut, self.blocks, 0))
        if self.global_tokens is None:
            return near
        far = jnp.repeat(at_places(x, self.global_tokens), near.shape[0] // x.shape[0], axis=0)
        return jnp.concatenate([near, far], axis=1)


def banded(
    q: Float[Array, "B T H K"],
    kv: KeyValue,
    inputs: AttentionInputs,
    *,
    key: jax.Array | None = None,
    tap: Tap = identity,
) -> Float[Array, "B T H K"]:
    """The weighted values, where `inputs.sees` is a `Band`; queries and keys have one length.

    What tokens see that see all is not in it; they are seen.
    """
    band = inputs.sees
    near = KeyValue(band.of_keys(kv.key), band.of_keys(kv.value))
    own = dataclasses.replace(
        inputs, sees=band.mask, q_positions=band.q_positions, k_positions=band.k_positions
    )
    mixed = dense(band.of_queries(q), near, own, key=key, tap=tap)
    return mixed.reshape(q.shape[0], -1, *mixed.shape[2:])[:, : q.shape[1]]


def _cut(x: Array, size: int, fill: int, length: int | None = None) -> Array:
    """[B, T, ...] as blocks [B, T / size, size, ...], filled up to whole ones, or first to `length`."""
    length = x.shape[1] if length is None else length
    missing = length - x.shape[1] + (-length % size)
    x = jnp.pad(x, [(0, 0), (0, missing)] + [(0, 0)] * (x.ndim - 2), constant_values=fill)
    return x.reshape(x.shape[0], -1, size, *x.shape[2:])


def _neighbours(x: Array, blocks: Blocks, fill: int) -> Array:
    """Blocks [B, N, W, ...] each with those around it: [B, N, (before + 1 + after) W, ...].

    Of a ring of few blocks it is less, since each is met once.
    """
    parts, count = [], x.shape[1]
    shifts = range(-blocks.before, blocks.after + 1)
    for shift in ring_shifts(blocks.before, blocks.after, count) if blocks.wrap else shifts:
        part = jnp.roll(x, -shift, axis=1)
        if shift and not blocks.wrap:
            there = jnp.arange(count) + shift
            inside = (there >= 0) & (there < count)
            part = jnp.where(inside.reshape(1, -1, *[1] * (x.ndim - 2)), part, jnp.asarray(fill, x.dtype))
        parts.append(part)
    return jnp.concatenate(parts, axis=2)


def _flat(x: Array) -> Array:
    return x.reshape(-1, *x.shape[2:])


def at_places(x: Array, places: Int[Array, "B G"]) -> Array:
    """x [B, T, ...] at some places of each row; at the first for those below 0."""
    index = jnp.maximum(places, 0).reshape(*places.shape, *[1] * (x.ndim - 2))
    return jnp.take_along_axis(x, index, axis=1)
