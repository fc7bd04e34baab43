"""The description of the vectors of tokens."""

import dataclasses
import math
from typing import Annotated, Literal


@dataclasses.dataclass(frozen=True)
class EmbeddingConfig:
    """The embedding of a vocabulary.

    Raises:
      ValueError: for values that are out of range or do not fit together.
    """

    kind: Annotated[
        Literal["free", "value", "parabola", "adaptive"],
        "a vector for each token; for numbers one function of their value, or three weights in all; narrower "
        "ones behind cutoffs",
    ] = "free"
    cutoffs: Annotated[tuple[int, ...], "first ids of the clusters of an adaptive embedding"] = ()
    cutoff_factor: Annotated[int, "each cluster's vectors are narrower than the last one's by it"] = 1
    scale: Annotated[float, "factor on the token embeddings"] = 1.0
    width: Annotated[int | None, "of the vectors, which a map widens; none: d_model"] = None
    std: Annotated[float | None, "initial standard deviation, of positions too; none: as init_std"] = None
    norm: Annotated[bool, "a norm after the embeddings and positions"] = False

    def __post_init__(self):
        if not math.isfinite(self.scale):
            raise ValueError(f"embedding.scale={self.scale} must be finite")
        if self.std is not None and not 0 <= self.std < math.inf:
            raise ValueError(f"embedding.std={self.std} must be at least 0 and finite, or none")
        if self.width is not None and self.width < 1:
            raise ValueError(f"embedding.width={self.width} must be at least 1, or none")
        if self.kind != "adaptive":
            if self.cutoffs or self.cutoff_factor != 1:
                raise ValueError(
                    "embedding.cutoffs and cutoff_factor are of embedding.kind=adaptive; set it, or leave "
                    "them out"
                )
            return
        if list(self.cutoffs) != sorted(set(self.cutoffs)) or min(self.cutoffs, default=1) < 1:
            raise ValueError(f"embedding.cutoffs={self.cutoffs} must rise, from 1 on")
        if self.cutoff_factor < 1:
            raise ValueError(f"embedding.cutoff_factor={self.cutoff_factor} must be at least 1")
