"""A stack of blocks with its positions, masks and final norm: an encoder or a decoder."""

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxgpt.models.building import build_block, build_norm, build_tables, build_widening, stack_blocks
from jaxgpt.models.layer_inputs import EVERYTHING, Keys, LayerInputs, Queries, Sight
from jaxgpt.nn.attention import cache as caching
from jaxgpt.nn.attention import masks
from jaxgpt.nn.device_layout import laid
from jaxgpt.nn.document_order import order_of
from jaxgpt.nn.linear import dropout, fold, read
from jaxgpt.nn.position import Position
from jaxgpt.nn.reversible import reversible
from jaxgpt.nn.tap import Tap, below, identity

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig


class Stack(nnx.Module):
    """Blocks in a row. `role` is `encoder` (sees everything) or `decoder` (causal)."""

    def __init__(self, config: "ModelConfig", *, role: str, rngs: nnx.Rngs):
        config = config.of_encoder if role == "encoder" else config
        self.config = config
        self.role = role
        self.num_blocks = config.num_layers if role == "decoder" else config.num_encoder_layers
        self.depth = self.num_blocks * config.loops
        self.position = config.position.in_encoder() if role == "encoder" else config.position
        width = config.resolved_embedding_width
        tables = self.position.tables(d_model=width, num_heads=config.num_heads, max_length=config.max_length)
        self.tables = nnx.Dict(build_tables(config, tables, rngs))
        self.embedding_norm = build_norm(config, width) if config.embedding.norm else None
        self.widen = build_widening(config, rngs) if config.embedding.width is not None else None
        blocks = [
            build_block(config, role, self.depth, self.position, rngs, index)
            for index in range(self.num_blocks)
        ]
        self.blocks = stack_blocks(blocks) if config.layers == "scanned" else nnx.List(blocks)
        self.norm = None if config.wiring == "post" else build_norm(config, config.hidden_width)
        mask = masks.causal() if role == "decoder" else masks.full()
        near = mask
        if config.window is not None:
            near = mask & masks.window(config.window, 0 if role == "decoder" else config.window - 1)
        # What the layers see that have no window, and those that have it.
        self.mask = mask if config.window_layers else near
        self.window_mask = near
        self.window_position = config.window_position or self.position

    def init_cache(self, batch: int, slots: int) -> caching.Cache:
        """An empty cache for this stack."""
        config = self.config
        memory = config.memory or 0
        layers = caching.empty_layers(
            self.depth,
            batch=batch,
            slots=slots + memory,
            groups=config.attention.num_kv_heads or config.num_heads,
            width=config.resolved_head_dim,
            dtype=config.dtype,
            stacked=config.layers == "scanned",
        )
        carry = self.position.start(batch, answering=config.kind == "encoder_decoder")
        return caching.empty(layers, batch=batch, slots=slots + memory, memory=memory, carry=carry)

    def project(self, encoded: Float[Array, "B Z D"]):
        """Keys and values of an encoder's output for every layer's cross-attention."""
        if self.config.layers == "scanned":
            graph, state = nnx.split(self.blocks)
            return jax.lax.map(lambda s: caching.Stored.of(nnx.merge(graph, s).cross.project(encoded)), state)
        return tuple(caching.Stored.of(block.cross.project(encoded)) for block in self.blocks)

    def __call__(
        self,
        x: Float[Array, "B T D"],
        tokens: Int[Array, "B T"],
        *,
        order: Int[Array, "#B T"] | None = None,
        source=None,
        source_order: Int[Array, "#B Z"] | None = None,
        sight: Sight = EVERYTHING,
        documents: Int[Array, "B T"] | None = None,
        cache: caching.Cache | None = None,
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> tuple[Float[Array, "B T D"], caching.Cache | None]:
        """The stack's output after its final norm, and the cache with this call's tokens in it."""
        batch, length = tokens.shape
        wanted = cache is not None
        if cache is None and self.config.memory is not None:
            cache = self.init_cache(batch, length)
        plain = order is None and cache is None and documents is None
        if documents is not None:
            order = order_of(documents)
        if order is None:
            order = jnp.arange(length, dtype=jnp.int32)[None]
        if cache is not None:
            order = jnp.broadcast_to(order, (batch, length))
            order = jnp.where(order >= 0, order + cache.seen[:, None], -1)
        answering = self.role == "decoder" and self.config.kind == "encoder_decoder"
        carry = self.position.start(batch, answering=answering) if cache is None else cache.carry
        # Positions are drawn alike in both stacks; dropout must not be.
        positions, carry = self.position.assign(tokens, order, carry, fold(key, 0))
        key = fold(key, 1 if self.role == "encoder" else 2)
        check_size(self.position, positions)
        at, k_order, k_positions, oldest = None, order, positions, None
        if cache is not None:
            at = cache.used
            if self.config.memory is not None:
                oldest = cache.seen - self.config.memory
            limit, memory = self.config.max_length, self.config.memory or 0
            cache = append(cache, order, positions, carry, limit=limit, memory=memory)
            k_order, k_positions = cache.order, cache.positions
        params = read(self.tables)
        x = self.position.embed(params, x, positions)
        if self.embedding_norm is not None:
            x = self.embedding_norm(x)
        tap = below(tap, self.role)
        x = dropout(tap("embedding", x), self.config.dropout, fold(key, 0))
        if self.widen is not None:
            x = self.widen(x)
        if self.config.wiring == "reversible":
            x = jnp.concatenate([x, x], axis=-1)
        inputs = LayerInputs(
            self,
            Queries(order, positions, documents, sight),
            Keys(k_order, k_positions, at, oldest),
            params,
            batch=batch,
            plain=plain,
            drops=key is not None and self.config.resolved_attention_dropout > 0,
            whole=tap is not identity,
        )
        x, layers = self._run(
            laid(x),
            None if cache is None else cache.layers,
            source,
            fold(key, 1),
            tap,
            inputs=inputs,
            source_mask=None if source is None else masks.full()(order, source_order),
        )
        if cache is not None:
            cache = dataclasses.replace(cache, layers=layers)
        x = laid(x)
        return (x if self.norm is None else tap("norm", self.norm(x))), cache if wanted else None

    def _run(self, x, layers, source, key, tap, **shared):
        """All blocks in turn, as often as they loop; `layers` is their cache, `source` what they look up."""
        embedded, kept, depth = x, [], 0
        size = self.config.loop_blocks or self.num_blocks
        for first in range(0, self.num_blocks, size):
            for loop in range(self.config.loops):
                if loop and self.config.injection:
                    x = x + embedded
                part = slice(first, first + size)
                x, new = self._once(
                    x,
                    _of(layers, slice(depth, depth + size)),
                    _of(source, part),
                    key,
                    tap,
                    part,
                    depth,
                    **shared,
                )
                kept.append(new)
                depth += size
        if layers is None:
            return x, None
        if self.config.layers == "scanned":
            return x, jax.tree.map(lambda *parts: jnp.concatenate(parts), *kept)
        return x, sum(kept, ())

    def _once(self, x, layers, source, key, tap, part, depth, *, inputs, source_mask):
        """The blocks of `part` in turn; they are number `depth` and up of the whole depth."""
        config = self.config

        def apply(graph, own, state, x, cache, source, key, tap):
            return nnx.merge(graph, state)(
                x, own, cache=cache, source=source, source_mask=source_mask, key=key, tap=tap
            )

        scanned = config.layers == "scanned"
        if scanned:
            graph, stacked = nnx.split(self.blocks)
            stacked = jax.tree.map(lambda leaf: leaf[part], stacked)
        count = part.stop - part.start
        if scanned and tap is identity:
            call = partial(apply, graph, inputs[0], tap=identity)

            def body(x, xs):
                state, cache, source, index = xs
                step = jax.checkpoint(call) if config.remat == "block" else call
                return step(state, x, cache, source, fold(key, index))

            return jax.lax.scan(body, x, (stacked, layers, source, depth + jnp.arange(count)))
        if config.wiring == "reversible" and layers is None and tap is identity:
            return self._reversed(x, key, part, depth, inputs), None
        kept = []
        for index in range(count):
            cache, own = layers, source
            if scanned:  # a tap must see each layer by name, so the scan is written out
                state, cache, own = jax.tree.map(lambda leaf, i=index: leaf[i], (stacked, layers, source))
            else:
                graph, state = nnx.split(self.blocks[part.start + index])
                cache = None if layers is None else layers[index]
                own = None if source is None else source[index]
            step = partial(apply, graph, inputs[depth + index], tap=below(tap, str(depth + index)))
            if config.remat == "block" and tap is identity:
                step = jax.checkpoint(step)
            x, new = step(state, x, cache, own, fold(key, depth + index))
            kept.append(new)
        if layers is None:
            return x, None
        return x, jax.tree.map(lambda *leaves: jnp.stack(leaves), *kept) if scanned else tuple(kept)

    def _reversed(self, x, key, part, depth, inputs):
        """The same for two streams, of which nothing is kept for the backward pass."""
        halves, states, keys = [], [], []
        for index in range(part.start, part.stop):
            graph, state = nnx.split(self.blocks[index])

            def first(state, params, key, h, graph=graph, own=inputs[depth + index - part.start]):
                own = dataclasses.replace(own, params=params)
                return nnx.merge(graph, state).first_half(h, own, key=key)

            def second(state, params, key, h, graph=graph):
                return nnx.merge(graph, state).second_half(h, key=key)

            halves.append((first, second))
            states.append(state)
            keys.append(fold(key, depth + index - part.start))
        return reversible(tuple(halves), tuple(states), inputs.params, tuple(keys), x)


def _of(layers, part: slice):
    """Some of the layers' keys and values, whether apart or along a dimension."""
    if isinstance(layers, caching.Stored):
        return jax.tree.map(lambda leaf: leaf[part], layers)
    return None if layers is None else layers[part]


def check_size(position: Position, positions: Int[Array, "#B T"]) -> None:
    """Raises ValueError for positions that the scheme has no vector for (outside of jit)."""
    size = position.size
    if size is None or isinstance(positions, jax.core.Tracer) or not positions.size:
        return
    if (highest := int(np.asarray(positions).max())) >= size:
        name, what = position.size_name, "numbers" if position.reads_tokens else "texts"
        raise ValueError(
            f"position {highest} is beyond position.{name}={size}; make {name} larger or the {what} shorter"
        )


def append(cache: caching.Cache, order, positions, carry, *, limit: int, memory: int = 0) -> caching.Cache:
    """The cache after new tokens, all but what its layers remember of them.

    Args:
      memory: zeros that the cache began with, which are no tokens.

    Raises:
      ValueError: if the slots run out, or a row has more than `limit` tokens (outside of jit, where the
        numbers are known).
    """
    batch, length = order.shape
    slots = cache.capacity - memory
    if not isinstance(cache.used, jax.core.Tracer) and (used := int(cache.used) - memory) + length > slots:
        raise ValueError(
            f"{length} tokens do not fit: {used} of the cache's {slots} slots are used; "
            "make a larger one with init_cache"
        )
    seen = cache.seen + (order >= 0).sum(axis=1).astype(jnp.int32)
    if not isinstance(seen, jax.core.Tracer) and (most := int(np.asarray(seen).max()) - memory) > limit:
        raise ValueError(
            f"{most} tokens exceed model.max_length={limit}; stop earlier or train with a larger max_length"
        )

    def put(old, new):
        new = jnp.broadcast_to(new, (batch, length)).astype(old.dtype)
        return jax.lax.dynamic_update_slice_in_dim(old, new, cache.used, axis=1)

    return dataclasses.replace(
        cache,
        order=put(cache.order, order),
        positions=put(cache.positions, positions),
        used=cache.used + length,
        seen=seen,
        carry=carry,
    )
