"""Attention among neighbouring blocks: time and memory grow as length times block size."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.nn.attention import masks
from jaxgpt.nn.attention.cache import KeyValue
from jaxgpt.nn.document_order import same
from jaxgpt.nn.sparse.base import Blocks
from jaxgpt.nn.tap import Tap

if TYPE_CHECKING:
    from jaxgpt.nn.attention.layer import Attention

Bias = Callable[..., Array | None]


@dataclasses.dataclass(frozen=True)
class Banded:
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
    ) -> "Banded":
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
            there = jnp.where(global_tokens >= 0, _at(order, global_tokens), -1)
            mask = jnp.concatenate([mask, rule(q_order, jnp.repeat(there, count, axis=0))], axis=2)
            theirs = jnp.repeat(_at(positions, global_tokens), count, axis=0)
            k_positions = jnp.concatenate([k_positions, theirs], axis=1)
        return cls(blocks, mask, q_positions, k_positions, order, global_tokens)

    def attend(
        self,
        attention: "Attention",
        x: Float[Array, "B T D"],
        q: Float[Array, "B T H K"],
        kv: KeyValue,
        bias: Bias,
        key: jax.Array | None,
        tap: Tap,
    ) -> Float[Array, "B T D"]:
        """The attention's output for queries and keys of one length."""
        q_blocks = _flat(self._blocks(q))
        near = KeyValue(self._keys(kv.key), self._keys(kv.value))
        added = bias(q_blocks, near.key, self.q_positions, self.k_positions)
        y = attention.attend(q_blocks, kv=near, mask=self.mask, bias=added, key=key, tap=tap)
        y = y.reshape(x.shape[0], -1, y.shape[-1])[:, : x.shape[1]]
        if self.global_tokens is None:
            return y
        mask = (self.global_tokens >= 0)[:, :, None] & (self.order[:, : x.shape[1]] >= 0)[:, None, :]
        chosen = _at(x, self.global_tokens)
        seen = attention.attend_globally(chosen, x=x, mask=mask, key=key, tap=tap)
        at = jnp.where(self.global_tokens >= 0, self.global_tokens, y.shape[1])
        return y.at[jnp.arange(y.shape[0])[:, None], at].set(seen, mode="drop")

    def _blocks(self, x: Array) -> Array:
        return _cut(x, self.blocks.size, 0, self.order.shape[1])

    def _keys(self, x: Array) -> Array:
        near = _flat(_neighbours(self._blocks(x), self.blocks, 0))
        if self.global_tokens is None:
            return near
        far = jnp.repeat(_at(x, self.global_tokens), near.shape[0] // x.shape[0], axis=0)
        return jnp.concatenate([near, far], axis=1)


def _cut(x: Array, size: int, fill: int, length: int | None = None) -> Array:
    """[B, T, ...] as blocks [B, T / size, size, ...], filled up to whole ones, or first to `length`."""
    length = x.shape[1] if length is None else length
    missing = length - x.shape[1] + (-length % size)
    x = jnp.pad(x, [(0, 0), (0, missing)] + [(0, 0)] * (x.ndim - 2), constant_values=fill)
    return x.reshape(x.shape[0], -1, size, *x.shape[2:])


def _neighbours(x: Array, blocks: Blocks, fill: int) -> Array:
    """Blocks [B, N, W, ...] each with those around it: [B, N, (before + 1 + after) W, ...]."""
    parts = []
    for shift in range(-blocks.before, blocks.after + 1):
        part = jnp.roll(x, -shift, axis=1)
        if shift and not blocks.wrap:
            there = jnp.arange(x.shape[1]) + shift
            inside = (there >= 0) & (there < x.shape[1])
            part = jnp.where(inside.reshape(1, -1, *[1] * (x.ndim - 2)), part, jnp.asarray(fill, x.dtype))
        # Of few blocks the same one may stand on both sides; it counts once.
        parts.append(part if blocks.wrap is False or abs(shift) < x.shape[1] else None)
    return jnp.concatenate([part for part in parts if part is not None], axis=2)


def _flat(x: Array) -> Array:
    return x.reshape(-1, *x.shape[2:])


def _at(x: Array, places: Int[Array, "B G"]) -> Array:
    """x [B, T, ...] at some places of each row; at the first for those below 0."""
    index = jnp.maximum(places, 0).reshape(*places.shape, *[1] * (x.ndim - 2))
    return jnp.take_along_axis(x, index, axis=1)
