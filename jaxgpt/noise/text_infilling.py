"""Spans become one mask each (Lewis et al. 2020, arXiv 1910.13461, section 2.2)."""

import dataclasses
import math
from typing import Annotated

from jaxgpt.noise.base import ROOM, Noise, check_mean, check_share, poisson


@dataclasses.dataclass(frozen=True)
class TextInfilling(Noise):
    """Spans of Poisson length, until a share of the tokens is covered, each become one mask.

    A span of length 0 puts a mask between two tokens. Settings with which the sources would on average be
    longer than there is room for are refused: they would be cut.
    """

    share: Annotated[float, "of the tokens"] = 0.3
    mean: Annotated[float, "of the spans' lengths"] = 3.0

    def __post_init__(self):
        check_share("share", self.share)
        check_mean(self.mean)
        length = 1 - self.share + self.share / self.mean
        if length > ROOM:
            least = math.ceil(100 * self.share / (ROOM - 1 + self.share)) / 100
            raise ValueError(
                f"noise.mean={self.mean} with noise.share={self.share} makes sources {length:.1f} times as "
                f"long as their texts, and {ROOM} times fit; raise noise.mean to {least} or more, or lower "
                "noise.share"
            )

    @property
    def count(self):
        return 1

    def spoil(self, tokens, rng, marks):
        left, spans = math.ceil(self.share * len(tokens)), []
        while left > 0:
            spans.append(min(poisson(rng, self.mean), left))
            left -= spans[-1]
        # Spans and tokens that stay, in any order.
        parts = [None] * (len(tokens) - sum(spans)) + spans
        rng.shuffle(parts)
        source, place = [], 0
        for part in parts:
            if part is None:
                source.append(tokens[place])
                place += 1
            else:
                source.append(marks.hidden[0])
                place += part
        return source, tokens
