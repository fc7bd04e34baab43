"""`AttentionInputs` of each layer: which keys its queries see, by a mask, blocks or hashes."""

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from jaxgpt.models.attention_pairs import window_blocks
from jaxgpt.nn.attention import masks
from jaxgpt.nn.attention.banded import Band
from jaxgpt.nn.attention.hashed import Hashes
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.document_order import same
from jaxgpt.nn.kernels import fused
from jaxgpt.nn.position import Params, Position
from jaxgpt.nn.sparse.base import Blocks, Hashing

if TYPE_CHECKING:
    from jaxgpt.models.stack import Stack


class Sight(NamedTuple):
    """What the tokens of an encoder see that no rule of order says.

    Attributes:
      global_tokens: where those stand that see all, -1 for none.
      visible: which of them each may see besides; None: what the masks show. Not with a cache.
    """

    global_tokens: Int[Array, "B G"] | None = None
    visible: Bool[Array, "B T T"] | None = None


#: What the masks show.
EVERYTHING = Sight()


@dataclasses.dataclass(frozen=True)
class Queries:
    """The tokens of a call.

    Attributes:
      positions: what the position scheme made of them.
      documents: which one each token is in, where rows hold several (`jaxgpt.nn.document_order`); not with a
        cache.
    """

    order: Int[Array, "#B T"]
    positions: Int[Array, "#B T"]
    documents: Int[Array, "B T"] | None = None
    sight: Sight = EVERYTHING


@dataclasses.dataclass(frozen=True)
class Keys:
    """The tokens that can be met.

    Attributes:
      positions: what the position scheme made of them.
      at: where the tokens of this call stand among those in the cache; None without one.
      oldest: the lowest order that is seen, by row; None: there is no such limit.
    """

    order: Int[Array, "#B S"]
    positions: Int[Array, "#B S"]
    at: Int[Array, ""] | None = None
    oldest: Int[Array, "B"] | None = None


class LayerInputs:
    """The `AttentionInputs` of each layer of a stack.

    Layers that see the same share it, and nothing is computed before a layer asks for it.

    Args:
      params: weights of the position scheme that all layers share.
      batch: rows.
      plain: whether the tokens of this call are all there is, in order and without padding.
      drops: whether attention weights are dropped.
      whole: whether masks are wanted where blocks would do.
    """

    def __init__(
        self,
        stack: "Stack",
        queries: Queries,
        keys: Keys,
        params: Params,
        *,
        batch: int,
        plain: bool,
        drops: bool,
        whole: bool,
    ):
        self._stack, self._config, self._queries, self._keys = stack, stack.config, queries, keys
        self.params, self._batch, self._whole = params, batch, whole
        self._attention = stack.config.resolved_attention
        self._fusible = plain and not drops and not whole and self._has_kernel()
        self._found = {}

    def __getitem__(self, layer: int) -> AttentionInputs:
        """Those of a layer, counted through all loops."""
        stack, config = self._stack, self._config
        if config.sparse is not None:
            return self._sparse(layer)
        pattern = config.window_layers or (config.window is not None,)
        windowed = pattern[layer % len(pattern)]
        position = stack.window_position if windowed and config.window_layers else stack.position
        if self._fusible and not position.biased:
            return self._inputs(position, fused.Triangle(config.window if windowed else None))
        whole = self._whole or self._queries.sight.visible is not None
        if windowed and self._keys.at is None and not whole and self._keys.oldest is None:
            length = self._queries.order.shape[1]
            blocks = window_blocks(config.window, length, causal=stack.role == "decoder")
            if blocks is not None:
                return self._inputs(position, self._banded(blocks))
        rule = stack.window_mask if windowed else stack.mask
        return self._inputs(position, self._mask(rule))

    def _inputs(self, position: Position, sees) -> AttentionInputs:
        q, k, attention = self._queries.positions, self._keys.positions, self._attention
        return AttentionInputs(attention, position, self.params, q, k, sees, self._keys.at)

    def _has_kernel(self) -> bool:
        config = self._config
        plain = self._attention.softcap is None and self._attention.factor == 1
        causal = self._stack.role == "decoder" and self._attention.kernel == "fused"
        return plain and causal and fused.available(jnp.dtype(config.dtype), self._attention.head_dim)

    def _sparse(self, layer: int) -> AttentionInputs:
        config, causal = self._config, self._stack.role == "decoder"
        length = config.sparse.padded(self._keys.order.shape[1])
        found = config.sparse.layer(layer, length=length, max_length=config.max_length, causal=causal)
        position = self._stack.position
        if isinstance(found, Hashing):
            key = (found, length)
            if key not in self._found:
                order = self._padded(self._keys.order, length, -1)
                self._found[key] = Hashes(found, order, self._keys.at, causal)
            return self._inputs(position, self._found[key])
        if self._keys.at is None:
            return self._inputs(position, self._banded(found, length))
        near = (
            masks.chunks(found.size, found.before, found.after)
            if found.reach is None
            else masks.window(found.reach + 1, found.reach)
        )
        return self._inputs(position, self._mask(self._stack.mask & near))

    def _mask(self, rule: masks.Mask):
        queries, keys = self._queries, self._keys
        if rule not in self._found:
            mask = rule(queries.order, keys.order)
            if keys.oldest is not None:
                mask = mask & (keys.order >= keys.oldest[:, None])[:, None]
            if queries.documents is not None:
                mask = mask & same(queries.documents, queries.documents)
            if queries.sight.visible is not None:
                mask = mask & queries.sight.visible
            self._found[rule] = mask
        return self._found[rule]

    def _banded(self, blocks: Blocks, length: int | None = None) -> Band:
        queries = self._queries
        if blocks not in self._found:
            if blocks.reach is not None and queries.documents is None:
                self._check_padding(queries.order)
            rule = masks.causal() if self._stack.role == "decoder" else masks.full()
            length = queries.order.shape[1] if length is None else length
            order = self._padded(queries.order, length, -1)
            positions = self._padded(queries.positions, length, 0)
            documents = None if queries.documents is None else self._padded(queries.documents, length, 0)
            self._found[blocks] = Band.of(
                blocks, rule, order, positions, queries.sight.global_tokens, documents
            )
        return self._found[blocks]

    def _check_padding(self, order):
        """Raises ValueError for padding between tokens, which blocks count as tokens (outside of jit)."""
        if isinstance(order, jax.core.Tracer):
            return
        real = np.asarray(order) >= 0
        begins = real & ~np.pad(real, ((0, 0), (1, 0)))[:, :-1]
        if (begins.sum(axis=1) > 1).any():
            window, sparse = self._config.window, self._config.sparse
            named = f"window={window}" if sparse is None else f"sparse={type(sparse).kind()}"
            raise ValueError(
                f"order has padding between the tokens of a row, but {named} finds keys by their distance "
                "in the row; put padding at the ends"
            )

    def _padded(self, x, length: int, fill: int):
        x = jnp.broadcast_to(x, (self._batch, x.shape[1]))
        return jnp.pad(x, ((0, 0), (0, length - x.shape[1])), constant_values=fill)
