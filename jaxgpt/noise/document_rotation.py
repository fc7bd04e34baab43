"""The text begins somewhere in its middle (Lewis et al. 2020, arXiv 1910.13461, section 2.2)."""

import dataclasses

from jaxgpt.noise.base import Noise


@dataclasses.dataclass(frozen=True)
class DocumentRotation(Noise):
    """A token is drawn, and what stands before it is put behind the end."""

    def spoil(self, tokens, rng, marks):
        first = rng.randrange(len(tokens))
        return tokens[first:] + tokens[:first], tokens
