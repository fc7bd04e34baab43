"""The description of an attention layer."""

import dataclasses
import math
from typing import Annotated, Literal


@dataclasses.dataclass(frozen=True)
class AttentionConfig:
    """One attention layer, but for its width and its number of query heads, which are the model's.

    Raises:
      ValueError: for a value that is out of range.
    """

    num_kv_heads: Annotated[int | None, "key and value heads (grouped queries); none: num_heads"] = None
    head_dim: Annotated[int | None, "width of a head; none: d_model / num_heads"] = None
    maps: Annotated[
        Literal["learned", "none"], "none: queries, keys and values are the tokens' vectors themselves"
    ] = "learned"
    bias: Annotated[bool, "biases on queries, keys and values"] = True
    out_bias: Annotated[bool, "bias on the output"] = True
    scale: Annotated[float | None, "factor on q k^T; none: head_dim^-1/2"] = None
    softcap: Annotated[float | None, "scores are squashed into its range; none: not"] = None
    qk_norm: Annotated[bool, "queries and keys are normalized"] = False
    qk_norm_over: Annotated[Literal["head", "all"], "each head's for itself, or all heads' as one"] = "head"
    factor: Annotated[float, "factor on all of the scores; above 1 attention is sharper"] = 1.0
    kernel: Annotated[
        Literal["fused", "explicit"],
        "fused: one kernel wherever the device has it for such a layer; explicit: never",
    ] = "fused"
    dropout: Annotated[float | None, "on the weights; none: the model's"] = None

    @property
    def resolved_scale(self) -> float:
        """The factor on q k^T, of a config that has a `head_dim`."""
        return self.head_dim**-0.5 if self.scale is None else self.scale

    def __post_init__(self):
        for name in ("num_kv_heads", "head_dim"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"attention.{name}={getattr(self, name)} must be at least 1, or none")
        if not math.isfinite(self.scale or 0.0):
            raise ValueError(f"attention.scale={self.scale} must be finite")
        for name in ("factor", "softcap"):
            if getattr(self, name) is not None and not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"attention.{name}={getattr(self, name)} must be positive and finite")
        if not 0 <= (self.dropout or 0) < 1:
            raise ValueError(f"attention.dropout={self.dropout} must be at least 0 and below 1")
        if self.qk_norm_over != "head" and not self.qk_norm:
            raise ValueError(f"attention.qk_norm_over={self.qk_norm_over} needs qk_norm=true")
