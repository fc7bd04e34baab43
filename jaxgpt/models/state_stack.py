"""A decoder whose layers hand a state from token to token, in place of keys and values."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.models.building import build_norm, build_tables
from jaxgpt.models.stack import append, check_size
from jaxgpt.nn.attention import cache as caching
from jaxgpt.nn.linear import dropout, fold, read
from jaxgpt.nn.tap import Tap, below, identity

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig


class StateStack(nnx.Module):
    """Positions, layers and the final norm, behind the call of a transformer's stack.

    A layer's `start(batch)` is its state before the first token, of arrays with the batch first. Called with
    `(x, real, state, tap)`, x [B, T, D] and real [B, T], it returns the new x and the state after the last
    token; tokens that are not real, which are padding, must not change the state.

    Args:
      blocks: makes the layers.
    """

    def __init__(self, config: "ModelConfig", blocks: Callable[[], list[nnx.Module]], *, rngs: nnx.Rngs):
        self.config = config
        self.position = config.position
        tables = self.position.tables(d_model=config.d_model, num_heads=1, max_length=config.max_length)
        self.tables = nnx.Dict(build_tables(config, tables, rngs))
        self.norm = build_norm(config)
        self.blocks = nnx.List(blocks())

    def start(self, batch: int) -> tuple[Any, ...]:
        """The layers' states before the first token."""
        return tuple(block.start(batch) for block in self.blocks)

    def mix(
        self,
        x: Float[Array, "B T D"],
        real: Bool[Array, "B T"],
        states: tuple[Any, ...],
        key: jax.Array | None,
        tap: Tap,
    ) -> tuple[Float[Array, "B T D"], tuple[Any, ...]]:
        """All layers in turn, and their new states."""
        kept = []
        for index, (block, state) in enumerate(zip(self.blocks, states, strict=True)):
            x, state = block(x, real, state, below(tap, str(index)))
            x = dropout(x, self.config.dropout, fold(key, 2 + index))
            kept.append(state)
        return x, tuple(kept)

    def init_cache(self, batch: int, slots: int) -> caching.Cache:
        """An empty cache, whose states do not grow with the tokens they have seen."""
        carry = self.position.start(batch)
        return caching.empty(self.start(batch), batch=batch, slots=slots, carry=carry)

    def __call__(
        self,
        x: Float[Array, "B T D"],
        tokens: Int[Array, "B T"],
        *,
        order: Int[Array, "#B T"] | None = None,
        source: None = None,
        source_order: None = None,
        documents: None = None,
        cache: caching.Cache | None = None,
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> tuple[Float[Array, "B T D"], caching.Cache | None]:
        """The outputs, and the cache with this call's tokens in it."""
        batch, length = tokens.shape
        order = jnp.arange(length, dtype=jnp.int32)[None] if order is None else order
        order = jnp.broadcast_to(order, (batch, length))
        real = order >= 0
        states = self.start(batch) if cache is None else cache.layers
        if cache is not None:
            order = jnp.where(real, order + cache.seen[:, None], -1)
        carry = self.position.start(batch) if cache is None else cache.carry
        positions, carry = self.position.assign(tokens, order, carry, fold(key, 0))
        check_size(self.position, positions)
        x = self.position.embed(read(self.tables), x, positions)
        tap = below(tap, "decoder")
        x = dropout(tap("embedding", x), self.config.dropout, fold(key, 1))
        x, states = self.mix(x, real, states, key, tap)
        if cache is not None:
            cache = append(cache, order, positions, carry, limit=self.config.max_length)
            cache = dataclasses.replace(cache, layers=states)
        return tap("norm", self.norm(x)), cache
