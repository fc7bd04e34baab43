"""One span is hidden, and the decoder writes that alone (Song et al. 2019, MASS, arXiv 1905.02450)."""

import dataclasses
import math
from typing import Annotated

from jaxgpt.noise.base import Noise, check_share


@dataclasses.dataclass(frozen=True)
class MaskedSpan(Noise):
    """Every token of one span becomes a mask; what the decoder writes is the span.

    Section 3.2, as Lewis et al. 2020, arXiv 1910.13461, section 4.1, take it over. The decoder counts its
    positions from the beginning of the span, not, as there, from that of the text.
    """

    share: Annotated[float, "of the tokens that the span covers"] = 0.5

    def __post_init__(self):
        check_share("share", self.share)

    @property
    def count(self):
        return 1

    def spoil(self, tokens, rng, marks):
        size = math.ceil(self.share * len(tokens))
        first = rng.randrange(len(tokens) - size + 1)
        hidden = [marks.hidden[0]] * size
        return tokens[:first] + hidden + tokens[first + size :], tokens[first : first + size]
