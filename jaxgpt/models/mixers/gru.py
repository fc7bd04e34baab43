"""Gated recurrent units (Cho et al. 2014, arXiv 1406.1078)."""

import dataclasses
from typing import ClassVar

from jaxgpt.models.mixers._recurrent import Recurrent


@dataclasses.dataclass(frozen=True)
class GRU(Recurrent):
    """GRU layers, in the form of PyTorch and cuDNN."""

    cell: ClassVar[str] = "gru"
