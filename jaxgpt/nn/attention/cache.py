"""The key/value cache: what decoding remembers of the tokens it has seen."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgpt.nn.kernels.product import product
from jaxgpt.nn.position import Carry


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class KeyValue:
    """Keys (rotated, where the scheme rotates) and values of one attention layer."""

    key: Float[Array, "B S G K"]
    value: Float[Array, "B S G K"]

    def scores(self, q: Float[Array, "B T H K"]) -> Float[Array, "B H T S"]:
        """Products of queries and keys, in float32 or wider."""
        turned = jnp.moveaxis(grouped(q, self.key.shape[2]), 1, 3)
        key = jnp.transpose(self.key.astype(q.dtype), (0, 2, 3, 1))
        found = product(turned, key, shared=2, wide=True)
        return found.reshape(q.shape[0], q.shape[2], q.shape[1], -1)

    def mix(self, weights: Float[Array, "B H T S"]) -> Float[Array, "B T H K"]:
        """The weighted values."""
        batch, heads, length, slots = weights.shape
        apart = weights.reshape(batch, self.key.shape[2], -1, length, slots)
        value = jnp.transpose(self.value.astype(weights.dtype), (0, 2, 1, 3))
        found = product(apart, value, shared=2)
        return jnp.moveaxis(found, 3, 1).reshape(batch, length, heads, -1)


@partial(jax.tree_util.register_dataclass, data_fields=("key", "value"), meta_fields=("groups",))
@dataclasses.dataclass(frozen=True)
class Stored:
    """The same as they are kept: in the shapes that products are made of, so that none is turned or copied.

    With rows and heads in two dimensions XLA for CPUs copies the whole cache several times a token.

    Attributes:
      key: [*L, B * G, K, S]
      value: [*L, B * G, S, K]
      groups: G, heads of a row.
    """

    key: Float[Array, "*L N K S"]
    value: Float[Array, "*L N S K"]
    groups: int

    @classmethod
    def of(cls, kv: KeyValue) -> "Stored":
        """To be kept."""
        batch, slots, groups, width = kv.key.shape
        key = jnp.transpose(kv.key, (0, 2, 3, 1)).reshape(batch * groups, width, slots)
        value = jnp.transpose(kv.value, (0, 2, 1, 3)).reshape(batch * groups, slots, width)
        return cls(key, value, groups)

    def view(self) -> KeyValue:
        """As attention made them."""
        count, width, slots = self.key.shape
        key = self.key.reshape(count // self.groups, self.groups, width, slots)
        value = self.value.reshape(count // self.groups, self.groups, slots, width)
        return KeyValue(jnp.transpose(key, (0, 3, 1, 2)), jnp.transpose(value, (0, 2, 1, 3)))

    def write(self, new: KeyValue, at: Int[Array, ""]) -> "Stored":
        """With T new entries in slots at, at + 1, ..."""

        def put(old, new, axis):
            return jax.lax.dynamic_update_slice_in_dim(old, new.astype(old.dtype), at, axis=axis)

        new = Stored.of(new)
        return Stored(put(self.key, new.key, 2), put(self.value, new.value, 1), self.groups)

    def scores(self, q: Float[Array, "B T H K"]) -> Float[Array, "B H T S"]:
        """As of `KeyValue`."""
        batch, length, heads, width = q.shape
        turned = jnp.moveaxis(grouped(q, self.groups), 1, 3).reshape(batch * self.groups, -1, width)
        found = product(turned, self.key.astype(q.dtype), shared=1, wide=True)
        return found.reshape(batch, heads, length, -1)

    def mix(self, weights: Float[Array, "B H T S"]) -> Float[Array, "B T H K"]:
        """As of `KeyValue`."""
        batch, heads, length, slots = weights.shape
        apart = weights.reshape(batch * self.groups, -1, slots)
        found = product(apart, self.value.astype(weights.dtype), shared=1)
        return jnp.moveaxis(found.reshape(batch, heads, length, -1), 1, 2)

    def take(self, rows: Int[Array, "R"]) -> "Stored":
        """With row i that was row `rows[i]`."""

        def gather(leaf):
            *layers, count, first, second = leaf.shape
            apart = leaf.reshape(*layers, count // self.groups, self.groups, first, second)
            return jnp.take(apart, rows, axis=len(layers)).reshape(*layers, -1, first, second)

        return Stored(gather(self.key), gather(self.value), self.groups)

    def grow(self, more: int) -> "Stored":
        """With so many empty slots added."""

        def widen(leaf, axis):
            return jnp.pad(leaf, [(0, more if i == leaf.ndim + axis else 0) for i in range(leaf.ndim)])

        return Stored(widen(self.key, -1), widen(self.value, -2), self.groups)


def grouped(q: Float[Array, "B T H K"], groups: int) -> Float[Array, "B T G R K"]:
    """Queries by the key and value head that serves them."""
    return q.reshape(*q.shape[:2], groups, -1, q.shape[3])


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Cache:
    """The state of decoding a batch.

    Attributes:
      layers: one `Stored` a layer, or a single one with a leading layer dimension (scanned layers); without
        attention one state a layer, whose arrays have the batch first.
      order: of the token in each slot, -1 in empty and padded ones. [B, S]
      positions: what the position scheme made of each token. [B, S]
      used: slots written so far, the same for every row. []
      seen: real tokens so far, by row. [B]
      carry: the position scheme's state.
      source: what decoder layers look up in the encoder's output (encoder-decoder), as `layers`.
      source_order: of the encoder's tokens. [B, S]
    """

    layers: tuple[Any, ...] | Stored
    order: Int[Array, "B S"]
    positions: Int[Array, "B S"]
    used: Int[Array, ""]
    seen: Int[Array, "B"]
    carry: Carry
    source: Any = None
    source_order: Int[Array, "B Z"] | None = None

    @property
    def capacity(self) -> int:
        """Slots in all."""
        return self.order.shape[1]


def empty(layers: Any, *, batch: int, slots: int, memory: int = 0, carry: Carry) -> Cache:
    """A cache of `slots` slots, given what its layers remember before the first token.

    The first `memory` of them hold zeros as if they had been seen (Dai et al. 2019, arXiv 1901.02860).
    """
    place = jnp.arange(slots, dtype=jnp.int32)
    return Cache(
        layers=layers,
        order=jnp.broadcast_to(jnp.where(place < memory, place, -1), (batch, slots)),
        positions=jnp.broadcast_to(jnp.where(place < memory, place, 0), (batch, slots)),
        used=jnp.full((), memory, jnp.int32),
        seen=jnp.full((batch,), memory, jnp.int32),
        carry=carry,
    )


def empty_layers(
    count: int, *, batch: int, slots: int, groups: int, width: int, dtype, stacked: bool
) -> tuple[Stored, ...] | Stored:
    """Zeros for so many layers of `groups` key and value heads of a width; `stacked` for scanned layers."""

    def layer(*leading: int) -> Stored:
        key = jnp.zeros((*leading, batch * groups, width, slots), dtype)
        return Stored(key, jnp.swapaxes(key, -1, -2), groups)

    return layer(count) if stacked else tuple(layer() for _ in range(count))
