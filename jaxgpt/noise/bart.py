"""BART's own mixture (Lewis et al. 2020, arXiv 1910.13461, section 5)."""

import dataclasses
from typing import Annotated

from jaxgpt.noise.base import Noise
from jaxgpt.noise.sentence_permutation import SentencePermutation
from jaxgpt.noise.text_infilling import TextInfilling


@dataclasses.dataclass(frozen=True)
class Bart(Noise):
    """Sentences are shuffled, then spans become masks."""

    share: Annotated[float, "of the tokens that spans cover"] = 0.3
    mean: Annotated[float, "of the spans' lengths"] = 3.0

    def __post_init__(self):
        TextInfilling(self.share, self.mean)  # raises where they do not fit

    @property
    def count(self):
        return 1

    def spoil(self, tokens, rng, marks):
        shuffled, _ = SentencePermutation().spoil(tokens, rng, marks)
        return TextInfilling(self.share, self.mean).spoil(shuffled, rng, marks)[0], tokens
