"""Long short-term memory (Hochreiter & Schmidhuber 1997)."""

import dataclasses
from typing import ClassVar

from jaxgpt.models.mixers._recurrent import Recurrent


@dataclasses.dataclass(frozen=True)
class LSTM(Recurrent):
    """LSTM layers, with a forget gate (Gers et al. 2000)."""

    cell: ClassVar[str] = "lstm"
