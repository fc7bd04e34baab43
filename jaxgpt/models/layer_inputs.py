"""`AttentionInputs` of each layer: which keys its queries see, by a mask, blocks or hashes."""

from typing import TYPE_CHECKING

import jax.numpy as jnp

from jaxgpt.nn.attention import masks
from jaxgpt.nn.attention.banded import Banded
from jaxgpt.nn.attention.hashed import Hashed
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.document_order import same
from jaxgpt.nn.kernels import fused
from jaxgpt.nn.position import Position
from jaxgpt.nn.sparse.base import Blocks, Hashing

if TYPE_CHECKING:
    from jaxgpt.models.stack import Stack


class Views:
    """The `AttentionInputs` of each layer of a stack.

    Layers that see the same share it, and nothing is computed before a layer asks for it.

    Args:
      order, k_order: of the tokens of this call, and of those that can be met.
      documents: which one each token is in, where rows hold several (`jaxgpt.nn.document_order`); not with
        a cache.
      at: where the tokens of this call stand among those in the cache; None without one.
      oldest: the lowest order that is seen, by row; None: there is no such limit.
      plain: whether the tokens of this call are all there is, in order and without padding.
      drops: whether attention weights are dropped.
      whole: whether masks are wanted where a pattern would do.
    """

    def __init__(
        self,
        stack: "Stack",
        *,
        batch,
        order,
        k_order,
        documents,
        params,
        positions,
        k_positions,
        at,
        oldest,
        global_tokens,
        plain,
        drops,
        whole,
    ):
        self._stack, self._config, self._documents = stack, stack.config, documents
        self._batch, self._order, self._k_order, self._positions = batch, order, k_order, positions
        self.params, self._k_positions = params, k_positions
        self._at, self._oldest, self._global, self._whole = at, oldest, global_tokens, whole
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
            pattern = fused.Fused(config.window if windowed else None)
            return self._inputs(position, pattern=pattern)
        if windowed and self._at is None and not self._whole and self._oldest is None:
            causal = stack.role == "decoder"
            blocks = Blocks(config.window, 1, 0 if causal else 1, reach=config.window - 1)
            if self._order.shape[1] > (3 if causal else 4) * config.window:
                return self._inputs(position, pattern=self._banded(blocks))
        rule = stack.window_mask if windowed else stack.mask
        return self._inputs(position, mask=self._dense(rule))

    def _inputs(self, position: Position, **seen) -> AttentionInputs:
        return AttentionInputs(position, self.params, self._positions, self._k_positions, at=self._at, **seen)

    def _has_kernel(self) -> bool:
        config = self._config
        plain = config.attention.softcap is None and config.attention.factor == 1
        causal = self._stack.role == "decoder" and config.attention.kernel == "fused"
        return plain and causal and fused.available(jnp.dtype(config.dtype), config.resolved_head_dim)

    def _sparse(self, layer: int) -> AttentionInputs:
        config, causal = self._config, self._stack.role == "decoder"
        length = config.sparse.padded(self._k_order.shape[1])
        found = config.sparse.layer(layer, length=length, max_length=config.max_length, causal=causal)
        position = self._stack.position
        if isinstance(found, Hashing):
            key = (found, length)
            if key not in self._found:
                order = self._padded(self._k_order, length, -1)
                self._found[key] = Hashed(found, order, self._at, causal)
            return self._inputs(position, pattern=self._found[key])
        if self._at is None:
            return self._inputs(position, pattern=self._banded(found, length))
        near = (
            masks.chunks(found.size, found.before, found.after)
            if found.reach is None
            else masks.window(found.reach + 1, found.reach)
        )
        return self._inputs(position, mask=self._dense(self._stack.mask & near))

    def _dense(self, rule: masks.Mask):
        if rule not in self._found:
            mask = rule(self._order, self._k_order)
            if self._oldest is not None:
                mask = mask & (self._k_order >= self._oldest[:, None])[:, None]
            if self._documents is not None:
                mask = mask & same(self._documents, self._documents)
            self._found[rule] = mask
        return self._found[rule]

    def _banded(self, blocks: Blocks, length: int | None = None) -> Banded:
        if blocks not in self._found:
            rule = masks.causal() if self._stack.role == "decoder" else masks.full()
            length = self._order.shape[1] if length is None else length
            order = self._padded(self._order, length, -1)
            positions = self._padded(self._positions, length, 0)
            documents = None if self._documents is None else self._padded(self._documents, length, 0)
            self._found[blocks] = Banded.of(blocks, rule, order, positions, self._global, documents)
        return self._found[blocks]

    def _padded(self, x, length: int, fill: int):
        x = jnp.broadcast_to(x, (self._batch, x.shape[1]))
        return jnp.pad(x, ((0, 0), (0, length - x.shape[1])), constant_values=fill)
