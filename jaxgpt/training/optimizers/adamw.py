"""AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101)."""

import dataclasses
import math
from typing import Annotated, ClassVar

import optax

from jaxgpt.training.optimizers.base import Optimizer


@dataclasses.dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with weight decay apart from the gradient (arXiv 1711.05101, algorithm 2)."""

    beta1: Annotated[float, "decay of the first moment"] = 0.9
    beta2: Annotated[float, "decay of the second moment"] = 0.99
    epsilon: Annotated[float, "added to the root of the second moment"] = 1e-8

    keeps: ClassVar[tuple[str, ...]] = (*Optimizer.keeps, "beta1", "beta2", "epsilon")

    def __post_init__(self):
        super().__post_init__()
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 0 and below 1")
        if not 0 < self.epsilon < math.inf:
            raise ValueError(f"epsilon={self.epsilon} must be positive and finite")

    def rule(self, rate, axes):
        return optax.adamw(
            rate,
            b1=self.beta1,
            b2=self.beta2,
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            mask=self.decays,
        )
