"""The description of what makes logits of hidden states."""

import dataclasses
import math
from typing import Annotated, Literal


@dataclasses.dataclass(frozen=True)
class HeadConfig:
    """The head of a model with a vocabulary.

    Raises:
      ValueError: for a value that is out of range.
    """

    weights: Annotated[
        Literal["tied", "separate", "none"], "output matrix: the embedding's, its own, or no logits at all"
    ] = "tied"
    bias: Annotated[bool, "bias on the logits"] = False
    transform: Annotated[bool, "a dense map, the activation and a norm before the output matrix"] = False
    factor: Annotated[float, "factor on the hidden states before the output matrix"] = 1.0
    softcap: Annotated[float | None, "logits are squashed into its range; none: not"] = None

    def __post_init__(self):
        if not math.isfinite(self.factor):
            raise ValueError(f"head.factor={self.factor} must be finite")
        if self.softcap is not None and not 0 < self.softcap < math.inf:
            raise ValueError(f"head.softcap={self.softcap} must be positive and finite")
