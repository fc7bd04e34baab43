"""The description of the feed-forward part of a block."""

import dataclasses
from typing import Annotated, Literal

Activation = Literal["relu", "gelu", "gelu_tanh", "silu", "tanh", "reglu", "geglu", "geglu_tanh", "swiglu"]


@dataclasses.dataclass(frozen=True)
class MLPConfig:
    """One MLP, but for its widths, which are the model's."""

    activation: Annotated[Activation, "those that end in glu are gated"] = "gelu_tanh"
    bias: Annotated[bool, "whether its maps have biases"] = True
