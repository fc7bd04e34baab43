"""What the queries of one layer may see, as one value."""

import dataclasses

from jaxtyping import Array, Bool, Int

from jaxgpt.nn.attention.banded import Banded
from jaxgpt.nn.attention.hashed import Hashed
from jaxgpt.nn.kernels.fused import Fused
from jaxgpt.nn.position import Params, Position


@dataclasses.dataclass(frozen=True)
class AttentionInputs:
    """All that self-attention needs beside the hidden states and the cache; made by `models.views`.

    Either `mask` or `pattern` says which keys the queries see.

    Attributes:
      position: the scheme of this layer. params: its weights that all layers share.
      q_positions, k_positions: what the scheme assigned to the queries and to the keys.
      mask: which keys each query sees; S is the number of slots where there is a cache.
      pattern: a way to compute attention that does not meet all keys.
      at: the first slot of the cache that this call writes; None without a cache.
    """

    position: Position
    params: Params
    q_positions: Int[Array, "#B T"]
    k_positions: Int[Array, "#B S"]
    mask: Bool[Array, "#B T S"] | None = None
    pattern: Banded | Fused | Hashed | None = None
    at: Int[Array, ""] | None = None
