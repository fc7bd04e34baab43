"""Some tokens become the mask (Lewis et al. 2020, arXiv 1910.13461, section 2.2)."""

import dataclasses
import math
from typing import Annotated

from jaxgpt.noise.base import Noise, check_share


@dataclasses.dataclass(frozen=True)
class TokenMasking(Noise):
    """A share of the tokens, rounded up, each becomes the mask."""

    share: Annotated[float, "of the tokens"] = 0.15

    def __post_init__(self):
        check_share("share", self.share)

    @property
    def count(self):
        return 1

    def spoil(self, tokens, rng, marks):
        chosen = set(rng.sample(range(len(tokens)), math.ceil(self.share * len(tokens))))
        return [marks.hidden[0] if i in chosen else t for i, t in enumerate(tokens)], tokens
