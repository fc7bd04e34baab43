"""Decoders without attention or recurrence: bag of words, the last few words, the last word alone."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from jaxgpt.models.building import build_norm, build_tables
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.stack import append
from jaxgpt.nn.attention import cache as caching
from jaxgpt.nn.linear import Linear, dropout, fold, normal, read
from jaxgpt.nn.mlp import MLP
from jaxgpt.nn.norm import Norm
from jaxgpt.nn.tap import Tap, below, identity


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Sum:
    """The sum of what a layer has seen, and of how much."""

    total: Float[Array, "B D"]
    count: Float[Array, "B 1"]


class Bag(nnx.Module):
    """x + the mean of x so far, and then x + mlp(x): makemore's bag of words (karpathy/makemore)."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        self.norms = nnx.List([build_norm(config), build_norm(config)])
        self.mlp = MLP(
            config.d_model,
            config.resolved_d_ff,
            activation=config.activation,
            bias=config.mlp_bias,
            std=config.init_std,
            dtype=config.dtype,
            param_dtype=config.param_dtype,
            rngs=rngs,
        )

    def __call__(
        self, x: Float[Array, "B T D"], real: Bool[Array, "B T"], state: Sum, tap: Tap
    ) -> tuple[Float[Array, "B T D"], Sum]:
        h = jnp.where(real[..., None], self.norms[0](x), 0)
        total = state.total[:, None] + jnp.cumsum(h, axis=1)
        count = state.count[:, None] + jnp.cumsum(real[..., None].astype(h.dtype), axis=1)
        x = x + tap("mean", total / jnp.maximum(count, 1))
        x = x + self.mlp(self.norms[1](x), below(tap, "mlp"))
        return tap("residual", x), Sum(total[:, -1], count[:, -1])


class SimpleStack(nnx.Module):
    """A decoder that neither attends nor recurs.

    What `mixer` names: `mean`, blocks of `Bag`; `concat`, one layer over the last `window` embeddings (Bengio
    et al. 2003; makemore's MLP); `none`, the embeddings alone, so that the head makes a bigram model of them.
    """

    def __init__(self, config: ModelConfig, *, role: str, rngs: nnx.Rngs):
        self.config = config
        self.role = role
        self.num_blocks = self.depth = config.num_layers if config.mixer == "mean" else 1
        self.position = config.position
        width = config.d_model
        tables = self.position.tables(d_model=width, num_heads=1, max_length=config.max_length)
        self.tables = nnx.Dict(build_tables(config, tables, rngs))
        self.norm: Norm = build_norm(config)
        blocks = []
        if config.mixer == "mean":
            blocks = [Bag(config, rngs) for _ in range(self.num_blocks)]
        elif config.mixer == "concat":
            types = {"dtype": config.dtype, "param_dtype": config.param_dtype, "rngs": rngs}
            sides = {None: config.window, "embed": width}, {"mlp": width}
            blocks = [Linear(*sides, std=config.init_std, bias=True, **types)]
        self.blocks = nnx.List(blocks)
        # What stands before the text.
        shape, axes = (width,), ("embed",)
        first = config.mixer == "concat"
        self.blank = (
            normal(rngs.params(), shape, config.embedding_std, axes, config.param_dtype) if first else None
        )

    def init_cache(self, batch: int, slots: int) -> caching.Cache:
        """An empty cache, whose size does not grow with the tokens it has seen."""
        config, width = self.config, self.config.d_model
        empty = caching.empty(
            batch=batch,
            slots=slots,
            num_layers=0,
            num_kv_heads=1,
            head_dim=1,
            dtype=config.dtype,
            carry=self.position.start(batch),
            stacked=False,
        )
        zeros = jnp.zeros((batch, width), config.dtype)
        layers = {
            "mean": tuple(Sum(zeros, zeros[:, :1]) for _ in self.blocks),
            "concat": (self._blanks(batch, (config.window or 1) - 1),),
            "none": (),
        }[config.mixer]
        return dataclasses.replace(empty, layers=layers)

    def _blanks(self, batch: int, count: int) -> Array:
        """What stands before the text: at first nothing has been read."""
        if self.blank is None:
            return jnp.zeros((batch, 0, self.config.d_model), self.config.dtype)
        blank = self.blank[...].astype(self.config.dtype)
        return jnp.broadcast_to(blank, (batch, count, self.config.d_model))

    def __call__(
        self,
        x: Float[Array, "B T D"],
        tokens: Int[Array, "B T"],
        *,
        order: Int[Array, "#B T"] | None = None,
        source: None = None,
        source_order: None = None,
        global_tokens: None = None,
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
        layers = self.init_cache(batch, 0).layers if cache is None else cache.layers
        if cache is not None:
            order = jnp.where(real, order + cache.seen[:, None], -1)
        carry = self.position.start(batch) if cache is None else cache.carry
        positions, carry = self.position.assign(tokens, order, carry, fold(key, 0))
        x = self.position.embed(read(self.tables), x, positions)
        tap = below(tap, self.role)
        x = dropout(tap("embedding", x), self.config.dropout, fold(key, 1))
        kept = []
        if self.config.mixer == "mean":
            for index, (block, state) in enumerate(zip(self.blocks, layers, strict=True)):
                x, state = block(x, real, state, below(tap, str(index)))
                x = dropout(x, self.config.dropout, fold(key, 2 + index))
                kept.append(state)
        elif self.config.mixer == "concat":
            x, before = self._concatenated(x, real, layers[0], below(tap, "0"))
            kept.append(before)
        if cache is not None:
            cache = append(cache, order, positions, carry, limit=self.config.max_length)
            cache = dataclasses.replace(cache, layers=tuple(kept))
        return tap("norm", self.norm(x)), cache

    def _concatenated(self, x, real, before, tap):
        """tanh of one map of the last real embeddings, the newest first, and what is kept of them."""

        def step(before, xs):
            new, real = xs
            window = jnp.concatenate([before, new[:, None]], axis=1)
            return jnp.where(real[:, None, None], window[:, 1:], before), window[:, ::-1]

        before, windows = jax.lax.scan(step, before, (jnp.moveaxis(x, 1, 0), jnp.moveaxis(real, 1, 0)))
        windows = jnp.moveaxis(windows, 0, 1)  # [B, T, window, D]
        return tap("residual", jnp.tanh(self.blocks[0](windows))), before
