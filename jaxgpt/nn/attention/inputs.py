"""What one layer's attention is made of beside queries, keys and values, as one value."""

import dataclasses
from typing import Any

from jaxtyping import Array, Float, Int

from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.position import Params, Position


@dataclasses.dataclass(frozen=True)
class AttentionInputs:
    """All that self-attention needs beside the hidden states and the cache; made by `models.layer_inputs`.

    `dense`, `banded`, `hashed` and `kernels.fused` are functions of it: of queries, keys and values they make
    the weighted values. The type of `sees` says which of them is meant.

    Attributes:
      config: of the layer, resolved.
      position: the scheme of this layer. params: its weights that all layers share, then those of the layer.
      q_positions, k_positions: what the scheme assigned to the queries and to the keys.
      sees: which keys each query sees: a mask [B, T, S], where S is the number of slots if there is a cache;
        a `banded.Band` of neighbours; `hashed.Hashes`; or a `fused.Triangle` of all before it.
      at: the first slot of the cache that this call writes; None without a cache.
    """

    config: AttentionConfig
    position: Position
    params: Params
    q_positions: Int[Array, "#B T"]
    k_positions: Int[Array, "#B S"]
    sees: Any
    at: Int[Array, ""] | None = None

    def bias(self, q: Float[Array, "B T H K"], k: Float[Array, "B S G K"]) -> Array | None:
        """What the position scheme adds to the scores."""
        return self.position.bias(self.params, q, k, self.q_positions, self.k_positions)
