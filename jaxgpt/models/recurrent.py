"""Recurrent encoders and decoders behind the call of a transformer's stack."""

import dataclasses
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from jaxgpt.models.building import build_norm, build_tables
from jaxgpt.models.stack import append, check_size
from jaxgpt.nn.attention import cache as caching
from jaxgpt.nn.linear import Linear, dropout, fold, read
from jaxgpt.nn.recurrent_cells import Cell, Reader, State
from jaxgpt.nn.tap import Tap, below, identity

if TYPE_CHECKING:
    from jaxgpt.models.config import ModelConfig


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Read:
    """What a recurrent encoder leaves of a source.

    Attributes:
      annotations: one a token, for attention. [B, Z, A]
      starts: what the decoder's layers begin with.
    """

    annotations: Float[Array, "B Z A"]
    starts: tuple[State, ...]


class RecurrentStack(nnx.Module):
    """LSTM, GRU or RNN layers in a row.

    A decoder begins with the last states of the encoder (Sutskever et al. 2014, arXiv 1409.3215), or attends
    to a source that is read from both sides (Bahdanau et al. 2015, arXiv 1409.0473).

    Args:
      cell: `lstm`, `gru` or `rnn`.
      additive: whether the decoder attends.
    """

    def __init__(self, config: "ModelConfig", cell: str, additive: bool, *, role: str, rngs: nnx.Rngs):
        self.config = config
        self.role = role
        self.num_blocks = config.num_layers if role == "decoder" else config.num_encoder_layers
        self.depth = self.num_blocks
        self.position = config.position
        width = config.d_model
        tables = self.position.tables(d_model=width, num_heads=1, max_length=config.max_length)
        self.tables = nnx.Dict(build_tables(config, tables, rngs))
        self.norm = build_norm(config)
        self.both = additive and role == "encoder"  # read from both sides
        shared = {
            "std": config.init_std,
            "dtype": config.dtype,
            "param_dtype": config.param_dtype,
            "rngs": rngs,
        }
        sides = 2 if self.both else 1
        inputs = [width] + [sides * width] * (self.num_blocks - 1)
        blocks: list = [Cell(cell, size, width, **shared) for size in inputs]
        if additive and role == "decoder":
            blocks[0] = Reader(cell, 2 * width, width, **shared)
        self.blocks = nnx.List(blocks)
        backwards = [Cell(cell, size, width, **shared) for size in inputs] if self.both else []
        self.backwards = nnx.List(backwards)
        maps = config.num_layers if self.both else 0
        self.starts = nnx.List(
            [Linear({"embed": width}, {"mlp": width}, bias=True, **shared) for _ in range(maps)]
        )

    def init_cache(self, batch: int, slots: int) -> caching.Cache:
        """An empty cache: a state a layer, however many tokens it has seen."""
        cells = [block.cell if isinstance(block, Reader) else block for block in self.blocks]
        states = tuple(cell.start(batch, self.config.dtype) for cell in cells)
        carry = self.position.start(batch, answering=self.config.kind == "encoder_decoder")
        return caching.empty(states, batch=batch, slots=slots, carry=carry)

    def project(self, encoded: Read) -> Read:
        """What the decoder keeps of its source: all that the encoder left."""
        return encoded

    def __call__(
        self,
        x: Float[Array, "B T D"],
        tokens: Int[Array, "B T"],
        *,
        order: Int[Array, "#B T"] | None = None,
        source: Read | None = None,
        source_order: Int[Array, "#B Z"] | None = None,
        documents: None = None,
        cache: caching.Cache | None = None,
        key: jax.Array | None = None,
        tap: Tap = identity,
    ) -> tuple[Float[Array, "B T D"] | Read, caching.Cache | None]:
        """A decoder's outputs and its cache; what an encoder read, and None."""
        batch, length = tokens.shape
        order = jnp.arange(length, dtype=jnp.int32)[None] if order is None else order
        order = jnp.broadcast_to(order, (batch, length))
        real = order >= 0
        begun = jnp.zeros((batch,), bool)
        if cache is not None:
            order = jnp.where(real, order + cache.seen[:, None], -1)
            begun = cache.seen > 0
        answering = self.role == "decoder" and self.config.kind == "encoder_decoder"
        carry = self.position.start(batch, answering=answering) if cache is None else cache.carry
        positions, carry = self.position.assign(tokens, order, carry, fold(key, 0))
        check_size(self.position, positions)
        key = fold(key, 1 if self.role == "encoder" else 2)
        states = self.init_cache(batch, 0).layers if cache is None else cache.layers
        if source is not None:
            # A row that has not begun takes over what the encoder hands on.
            states = jax.tree.map(
                lambda old, start: jnp.where(begun[:, None], old, start), states, source.starts
            )
        x = self.position.embed(read(self.tables), x, positions)
        tap = below(tap, self.role)
        x = dropout(tap("embedding", x), self.config.dropout, fold(key, 0))
        if self.both:
            return self._read_both(x, real, key, tap), None
        kept = []
        for index, (block, state) in enumerate(zip(self.blocks, states, strict=True)):
            layer = below(tap, str(index))
            if isinstance(block, Reader):
                mask = jnp.broadcast_to(source_order >= 0, source.annotations.shape[:2])
                x, state, weights = block(x, real, state, source.annotations, mask)
                layer("attention.weights", weights[:, None])
            else:
                x, state = block(x, real, state)
            x = dropout(layer("residual", x), self.config.dropout, fold(key, 1 + index))
            kept.append(state)
        if self.role == "encoder":
            return Read(tap("norm", self.norm(x)), tuple(kept)), None
        if cache is not None:
            cache = append(cache, order, positions, carry, limit=self.config.max_length)
            cache = dataclasses.replace(cache, layers=tuple(kept))
        return tap("norm", self.norm(x)), cache

    def _read_both(self, x, real, key, tap) -> Read:
        for index, (forwards, backwards) in enumerate(zip(self.blocks, self.backwards, strict=True)):
            zeros = forwards.start(x.shape[0], self.config.dtype)
            left, _ = forwards(x, real, zeros)
            right, first = backwards(x, real, zeros, backwards=True)
            x = below(tap, str(index))("residual", jnp.concatenate([left, right], axis=-1))
            x = dropout(x, self.config.dropout, fold(key, 1 + index))
        hidden = [jnp.tanh(start(first.hidden)) for start in self.starts]
        cell = zeros.cell  # of an LSTM; its size is that of every layer
        return Read(x, tuple(State(h, cell) for h in hidden))
