"""A stack of blocks with its positions, masks and final norm: an encoder or a decoder."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxgpt.models.config import ModelConfig
from jaxgpt.nn import cache as caching
from jaxgpt.nn import mask as masks
from jaxgpt.nn.attention import Attention
from jaxgpt.nn.banded import Banded
from jaxgpt.nn.block import Block
from jaxgpt.nn.hashed import Hashed
from jaxgpt.nn.linear import Linear, dropout, fold, normal
from jaxgpt.nn.mlp import MLP
from jaxgpt.nn.norm import Norm
from jaxgpt.nn.position import Position, Table
from jaxgpt.nn.reversible import reversible
from jaxgpt.nn.sparse import Sparse
from jaxgpt.nn.sparse.base import Blocks, Hashing
from jaxgpt.nn.tap import Tap, below, identity


def build_block(
    config: ModelConfig, role: str, depth: int, position: Position, rngs: nnx.Rngs, index: int = 0
) -> Block:
    """Block `index` of a stack that applies `depth` of them in all."""
    shared = {
        "std": config.init_std,
        # Radford et al. 2019, section 2.3: weights into the residual stream shrink with its layers.
        "out_gain": (2 * depth) ** -0.5 if config.residual_init == "scaled" else 1.0,
        "dtype": config.dtype,
        "param_dtype": config.param_dtype,
        "rngs": rngs,
    }

    def attention(tables: dict[str, Table], sparse: Sparse | None) -> Attention:
        width = config.resolved_head_dim
        return Attention(
            config.d_model,
            num_heads=config.num_heads,
            num_kv_heads=config.num_kv_heads or config.num_heads,
            head_dim=width,
            scale=config.attention_scale,
            factor=config.attention_factor,
            softcap=config.attention_softcap,
            head_norms=(build_norm(config, width), build_norm(config, width)) if config.qk_norm else None,
            tables=build_tables(config, tables, rngs),
            shared_keys=sparse is not None and sparse.shares_keys(index),
            sees_all=sparse is not None and sparse.sees_all,
            bias=config.attention_bias,
            out_bias=config.attention_out_bias,
            dropout=config.dropout if config.attention_dropout is None else config.attention_dropout,
            **shared,
        )

    has_cross = config.kind == "encoder_decoder" and role == "decoder"
    num_norms = {"parallel": 1, "sandwich": 2 * (2 + has_cross)}.get(config.wiring, 2 + has_cross)
    own = position.layer_tables(
        d_model=config.d_model, num_heads=config.num_heads, head_dim=config.resolved_head_dim
    )
    return Block(
        attention=attention(own, config.sparse),
        cross=attention({}, None) if has_cross else None,
        mlp=MLP(
            config.d_model,
            config.resolved_d_ff,
            activation=config.activation,
            bias=config.mlp_bias,
            **shared,
        ),
        norms=[build_norm(config) for _ in range(num_norms)],
        wiring=config.wiring,
        rate=config.dropout,
    )


def build_tables(config: ModelConfig, tables: dict[str, Table], rngs: nnx.Rngs) -> dict[str, nnx.Param]:
    """The learned arrays of a position scheme."""
    return {
        name: normal(
            rngs.params(),
            table.shape,
            config.embedding_std if table.std is None else table.std,
            table.axes,
            config.param_dtype,
        )
        for name, table in sorted(tables.items())
    }


def build_widening(config: ModelConfig, rngs: nnx.Rngs) -> Linear:
    """The map from narrow embeddings into the residual stream (Lan et al. 2020, section 3.1)."""
    return Linear(
        {None: config.resolved_embedding_width},
        {"embed": config.d_model},
        std=config.init_std,
        bias=True,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
        rngs=rngs,
    )


def build_norm(config: ModelConfig, width: int | None = None) -> Norm:
    """A norm of the model's kind."""
    return Norm(
        width or config.d_model,
        kind=config.norm,
        epsilon=config.norm_epsilon,
        bias=config.norm_bias,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
    )


def stack_blocks(blocks: list[Block]) -> Block:
    """One block whose arrays have a leading layer dimension."""
    graph, first = nnx.split(blocks[0])
    rest = [nnx.state(block) for block in blocks[1:]]
    return nnx.merge(graph, jax.tree.map(lambda *leaves: jnp.stack(leaves), first, *rest))


class Stack(nnx.Module):
    """Blocks in a row. `role` is `encoder` (sees everything) or `decoder` (causal)."""

    def __init__(self, config: ModelConfig, *, role: str, rngs: nnx.Rngs):
        self.config = config
        self.role = role
        self.num_blocks = config.num_layers if role == "decoder" else config.num_encoder_layers
        self.depth = self.num_blocks * config.loops
        self.position = config.position.in_encoder() if role == "encoder" else config.position
        width = config.resolved_embedding_width
        tables = self.position.tables(d_model=width, num_heads=config.num_heads, max_length=config.max_length)
        self.tables = nnx.Dict(build_tables(config, tables, rngs))
        self.embedding_norm = build_norm(config, width) if config.embedding_norm else None
        self.widen = build_widening(config, rngs) if config.embedding_width is not None else None
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
        return caching.empty(
            batch=batch,
            slots=slots + memory,
            memory=memory,
            num_layers=self.depth,
            num_kv_heads=config.num_kv_heads or config.num_heads,
            head_dim=config.resolved_head_dim,
            dtype=config.dtype,
            carry=self.position.start(batch, answering=config.kind == "encoder_decoder"),
            stacked=config.layers == "scanned",
        )

    def project(self, encoded: Float[Array, "B Z D"]):
        """Keys and values of an encoder's output for every layer's cross-attention."""
        if self.config.layers == "scanned":
            graph, state = nnx.split(self.blocks)
            return jax.lax.map(lambda s: nnx.merge(graph, s).cross.project(encoded), state)
        return tuple(block.cross.project(encoded) for block in self.blocks)

    def __call__(
        self,
        x: Float[Array, "B T D"],
        tokens: Int[Array, "B T"],
        *,
        order: Int[Array, "#B T"] | None = None,
        source=None,
        source_order: Int[Array, "#B Z"] | None = None,
        global_tokens: Int[Array, "B G"] | None = None,
        cache: caching.Cache | None = None,
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> tuple[Float[Array, "B T D"], caching.Cache | None]:
        """The stack's output after its final norm, and the cache with this call's tokens in it."""
        batch, length = tokens.shape
        wanted = cache is not None
        if cache is None and self.config.memory is not None:
            cache = self.init_cache(batch, length)
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
        self._check(positions)
        at, k_order, k_positions, oldest = None, order, positions, None
        if cache is not None:
            at = cache.used
            if self.config.memory is not None:
                oldest = cache.seen - self.config.memory
            limit = self.config.max_length + (self.config.memory or 0)
            cache = append(cache, order, positions, carry, limit=limit)
            k_order, k_positions = cache.order, cache.positions
        params = {name: table[...] for name, table in self.tables.items()}
        x = self.position.embed(params, x, positions)
        if self.embedding_norm is not None:
            x = self.embedding_norm(x)
        tap = below(tap, self.role)
        x = dropout(tap("embedding", x), self.config.dropout, fold(key, 0))
        if self.widen is not None:
            x = self.widen(x)
        if self.config.wiring == "reversible":
            x = jnp.concatenate([x, x], axis=-1)
        views = Views(
            self,
            batch=batch,
            order=order,
            k_order=k_order,
            positions=positions,
            at=at,
            oldest=oldest,
            global_tokens=global_tokens,
            whole=tap is not identity,
        )
        x, layers = self._run(
            x,
            None if cache is None else cache.layers,
            source,
            fold(key, 1),
            tap,
            views=views,
            params=params,
            q_positions=positions,
            k_positions=k_positions,
            at=at,
            source_mask=None if source is None else masks.full()(order, source_order),
        )
        if cache is not None:
            cache = dataclasses.replace(cache, layers=layers)
        return (x if self.norm is None else tap("norm", self.norm(x))), cache if wanted else None

    def _check(self, positions):
        """Raises ValueError for positions that the scheme has no vector for (outside of jit)."""
        size = self.position.size
        if size is None or isinstance(positions, jax.core.Tracer) or not positions.size:
            return
        if (highest := int(np.asarray(positions).max())) >= size:
            raise ValueError(
                f"position {highest} is beyond position.max_position={size}; make max_position larger or "
                "the numbers shorter"
            )

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

    def _once(self, x, layers, source, key, tap, part, depth, *, views, **shared):
        """The blocks of `part` in turn; they are number `depth` and up of the whole depth."""
        config = self.config

        def apply(graph, view, state, x, cache, source, key, tap):
            return nnx.merge(graph, state)(x, cache=cache, source=source, key=key, tap=tap, **view, **shared)

        scanned = config.layers == "scanned"
        if scanned:
            graph, stacked = nnx.split(self.blocks)
            stacked = jax.tree.map(lambda leaf: leaf[part], stacked)
        count = part.stop - part.start
        if scanned and tap is identity:
            call = partial(apply, graph, views[0], tap=identity)

            def body(x, xs):
                state, cache, source, index = xs
                step = jax.checkpoint(call) if config.remat == "block" else call
                return step(state, x, cache, source, fold(key, index))

            return jax.lax.scan(body, x, (stacked, layers, source, depth + jnp.arange(count)))
        if config.wiring == "reversible" and layers is None and tap is identity:
            return self._reversed(x, key, part, depth, views, **shared), None
        kept = []
        for index in range(count):
            cache, own = layers, source
            if scanned:  # a tap must see each layer by name, so the scan is written out
                state, cache, own = jax.tree.map(lambda leaf, i=index: leaf[i], (stacked, layers, source))
            else:
                graph, state = nnx.split(self.blocks[part.start + index])
                cache = None if layers is None else layers[index]
                own = None if source is None else source[index]
            step = partial(apply, graph, views[depth + index], tap=below(tap, str(depth + index)))
            if config.remat == "block" and tap is identity:
                step = jax.checkpoint(step)
            x, new = step(state, x, cache, own, fold(key, depth + index))
            kept.append(new)
        if layers is None:
            return x, None
        return x, jax.tree.map(lambda *leaves: jnp.stack(leaves), *kept) if scanned else tuple(kept)

    def _reversed(self, x, key, part, depth, views, *, params, at, source_mask, **positions):
        """The same for two streams, of which nothing is kept for the backward pass."""
        halves, states, keys = [], [], []
        for index in range(part.start, part.stop):
            graph, state = nnx.split(self.blocks[index])
            view = views[depth + index - part.start]

            def first(state, params, key, h, graph=graph, view=view):
                return nnx.merge(graph, state).first_half(h, params=params, key=key, **view, **positions)

            def second(state, params, key, h, graph=graph):
                return nnx.merge(graph, state).second_half(h, key=key)

            halves.append((first, second))
            states.append(state)
            keys.append(fold(key, depth + index - part.start))
        return reversible(tuple(halves), tuple(states), params, tuple(keys), x)


class Views:
    """What the queries of each layer meet: a mask, or a pattern, and by which position scheme.

    Layers that meet the same share it, and nothing is computed before a layer asks for it.

    Args:
      order, k_order: of the tokens of this call, and of those that can be met.
      at: where the tokens of this call stand among those in the cache; None without one.
      oldest: the lowest order that is seen, by row; None: there is no such limit.
      whole: whether masks are wanted where a pattern would do.
    """

    def __init__(self, stack: Stack, *, batch, order, k_order, positions, at, oldest, global_tokens, whole):
        self._stack, self._config = stack, stack.config
        self._batch, self._order, self._k_order, self._positions = batch, order, k_order, positions
        self._at, self._oldest, self._global, self._whole = at, oldest, global_tokens, whole
        self._found = {}

    def __getitem__(self, layer: int) -> dict[str, Any]:
        """`mask`, `pattern` and `position` of a layer, counted through all loops."""
        stack, config = self._stack, self._config
        if config.sparse is not None:
            return self._sparse(layer)
        pattern = config.window_layers or (config.window is not None,)
        windowed = pattern[layer % len(pattern)]
        position = stack.window_position if windowed and config.window_layers else stack.position
        if windowed and self._at is None and not self._whole and self._oldest is None:
            causal = stack.role == "decoder"
            blocks = Blocks(config.window, 1, 0 if causal else 1, reach=config.window - 1)
            if self._order.shape[1] > (3 if causal else 4) * config.window:
                return {"mask": None, "pattern": self._banded(blocks), "position": position}
        rule = stack.window_mask if windowed else stack.mask
        return {"mask": self._dense(rule), "pattern": None, "position": position}

    def _sparse(self, layer: int) -> dict[str, Any]:
        config, causal = self._config, self._stack.role == "decoder"
        length = config.sparse.padded(self._k_order.shape[1])
        found = config.sparse.layer(layer, length=length, max_length=config.max_length, causal=causal)
        view = {"mask": None, "pattern": None, "position": self._stack.position}
        if isinstance(found, Hashing):
            key = (found, length)
            if key not in self._found:
                order = self._padded(self._k_order, length, -1)
                self._found[key] = Hashed(found, order, self._at, causal)
            return view | {"pattern": self._found[key]}
        if self._at is None:
            return view | {"pattern": self._banded(found, length)}
        near = (
            masks.chunks(found.size, found.before, found.after)
            if found.reach is None
            else masks.window(found.reach + 1, found.reach)
        )
        return view | {"mask": self._dense(self._stack.mask & near)}

    def _dense(self, rule: masks.Mask):
        if rule not in self._found:
            mask = rule(self._order, self._k_order)
            if self._oldest is not None:
                mask = mask & (self._k_order >= self._oldest[:, None])[:, None]
            self._found[rule] = mask
        return self._found[rule]

    def _banded(self, blocks: Blocks, length: int | None = None) -> Banded:
        if blocks not in self._found:
            rule = masks.causal() if self._stack.role == "decoder" else masks.full()
            length = self._order.shape[1] if length is None else length
            order = self._padded(self._order, length, -1)
            positions = self._padded(self._positions, length, 0)
            self._found[blocks] = Banded.of(blocks, rule, order, positions, self._global)
        return self._found[blocks]

    def _padded(self, x, length: int, fill: int):
        x = jnp.broadcast_to(x, (self._batch, x.shape[1]))
        return jnp.pad(x, ((0, 0), (0, length - x.shape[1])), constant_values=fill)


def _of(layers, part: slice):
    """Some of the layers' keys and values, whether apart or along a dimension."""
    if isinstance(layers, caching.KeyValue):
        return jax.tree.map(lambda leaf: leaf[part], layers)
    return None if layers is None else layers[part]


def append(cache: caching.Cache, order, positions, carry, *, limit: int) -> caching.Cache:
    """The cache after new tokens, all but what its layers remember of them.

    Raises:
      ValueError: if the slots run out, or a row has more than `limit` tokens (outside of jit, where the
        numbers are known).
    """
    batch, length = order.shape
    if not isinstance(cache.used, jax.core.Tracer) and int(cache.used) + length > cache.capacity:
        raise ValueError(
            f"{length} tokens do not fit: {int(cache.used)} of the cache's {cache.capacity} slots are used; "
            "make a larger one with init_cache"
        )
    seen = cache.seen + (order >= 0).sum(axis=1).astype(jnp.int32)
    if not isinstance(seen, jax.core.Tracer) and (most := int(np.asarray(seen).max())) > limit:
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
