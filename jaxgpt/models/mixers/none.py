"""No mixing: every token is read alone."""

import dataclasses
from typing import ClassVar

from jaxgpt.models.mixers.base import Mixer
from jaxgpt.models.state_stack import StateStack


@dataclasses.dataclass(frozen=True)
class NoMixer(Mixer):
    """The embeddings alone, so that the head makes a bigram model of them (makemore's bigram)."""

    layered: ClassVar[bool] = False

    def build(self, config, role, rngs):
        return StateStack(config, list, rngs=rngs)
