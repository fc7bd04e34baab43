"""No mixing: every token is read alone."""

import dataclasses

from jaxgpt.models.mixers.base import Mixer
from jaxgpt.models.state_stack import StateStack


@dataclasses.dataclass(frozen=True)
class NoMixer(Mixer):
    """The embeddings alone, so that the head makes a bigram model of them (makemore's bigram)."""

    def build(self, config, role, rngs):
        return StateStack(config, list, rngs=rngs)
