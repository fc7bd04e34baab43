"""Some tokens are gone (Lewis et al. 2020, arXiv 1910.13461, section 2.2)."""

import dataclasses
import math
from typing import Annotated

from jaxgpt.noise.base import Noise, check_share


@dataclasses.dataclass(frozen=True)
class TokenDeletion(Noise):
    """A share of the tokens, rounded up, is left out, and nothing tells where."""

    share: Annotated[float, "of the tokens"] = 0.15

    def __post_init__(self):
        check_share("share", self.share)

    def spoil(self, tokens, rng, marks):
        chosen = set(rng.sample(range(len(tokens)), math.ceil(self.share * len(tokens))))
        return [t for i, t in enumerate(tokens) if i not in chosen], tokens
