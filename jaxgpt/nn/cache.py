"""The key/value cache: what decoding remembers of the tokens it has seen."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgpt.nn.position import Carry


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class KeyValue:
    """Keys (rotated, where the scheme rotates) and values of one attention layer."""

    key: Float[Array, "B S G K"]
    value: Float[Array, "B S G K"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Stored:
    """The same as they are kept: heads before slots, so that what a head reads at every step is in a row."""

    key: Float[Array, "*L B G S K"]
    value: Float[Array, "*L B G S K"]

    @classmethod
    def of(cls, kv: KeyValue) -> "Stored":
        """To be kept."""
        return cls(jnp.swapaxes(kv.key, 1, 2), jnp.swapaxes(kv.value, 1, 2))

    def view(self) -> KeyValue:
        """To be attended to."""
        return KeyValue(jnp.swapaxes(self.key, 1, 2), jnp.swapaxes(self.value, 1, 2))

    def write(self, new: KeyValue, at: Int[Array, ""]) -> "Stored":
        """With T new entries in slots at, at + 1, ..."""

        def put(old, new):
            return jax.lax.dynamic_update_slice_in_dim(old, new.astype(old.dtype), at, axis=2)

        new = Stored.of(new)
        return Stored(put(self.key, new.key), put(self.value, new.value))


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


def empty(
    *,
    batch: int,
    slots: int,
    memory: int = 0,
    num_layers: int,
    num_kv_heads: int,
    head_dim: int,
    dtype,
    carry: Carry,
    stacked: bool,
) -> Cache:
    """A cache of `slots` slots; `stacked` for scanned layers.

    The first `memory` of them hold zeros as if they had been seen (Dai et al. 2019, arXiv 1901.02860).
    """
    place = jnp.arange(slots, dtype=jnp.int32)
    shape = (batch, num_kv_heads, slots, head_dim)
    if stacked:
        layers = Stored(jnp.zeros((num_layers, *shape), dtype), jnp.zeros((num_layers, *shape), dtype))
    else:
        layers = tuple(Stored(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype)) for _ in range(num_layers))
    return Cache(
        layers=layers,
        order=jnp.broadcast_to(jnp.where(place < memory, place, -1), (batch, slots)),
        positions=jnp.broadcast_to(jnp.where(place < memory, place, 0), (batch, slots)),
        used=jnp.full((), memory, jnp.int32),
        seen=jnp.full((batch,), memory, jnp.int32),
        carry=carry,
    )
