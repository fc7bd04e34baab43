"""Recurrent layers without gates (Elman 1990; makemore's RNN, karpathy/makemore)."""

import dataclasses
from typing import ClassVar

from jaxgpt.models.mixers._recurrent import Recurrent


@dataclasses.dataclass(frozen=True)
class RNN(Recurrent):
    """RNN layers: h' = tanh(W x + U h + b), in the form of PyTorch."""

    cell: ClassVar[str] = "rnn"
