"""T5's spans, which the decoder writes (Raffel et al. 2020, arXiv 1910.10683, section 3.1.4)."""

import dataclasses
import math
from itertools import pairwise
from typing import Annotated

from jaxgpt.noise.base import Noise, check_share


@dataclasses.dataclass(frozen=True)
class SpanCorruption(Noise):
    """Spans become a sentinel each, every one another; the decoder writes each sentinel and its span.

    As in google-research/text-to-text-transfer-transformer: so many spans that their mean length is right,
    both they and what stands between them cut at random, beginning with text. No sentinel closes the target.
    """

    share: Annotated[float, "of the tokens"] = 0.15
    mean: Annotated[float, "of the spans' lengths"] = 3.0
    sentinels: Annotated[int, "there are, and so the most spans of a text"] = 100

    def __post_init__(self):
        check_share("share", self.share)
        if not 1 <= self.mean < math.inf:
            raise ValueError(f"noise.mean={self.mean} must be at least 1 and finite")
        if self.sentinels < 1:
            raise ValueError(f"noise.sentinels={self.sentinels} must be at least 1")

    @property
    def count(self):
        return self.sentinels

    def spoil(self, tokens, rng, marks):
        if len(tokens) < 2:
            return tokens, tokens
        hidden = min(max(round(self.share * len(tokens)), 1), len(tokens) - 1)
        spans = max(1, round(hidden / self.mean))
        spans = min(spans, hidden, len(tokens) - hidden, self.sentinels)
        source, target, place = [], [], 0
        cuts = _cut(len(tokens) - hidden, spans, rng), _cut(hidden, spans, rng)
        for mark, kept, gone in zip(marks.hidden, *cuts, strict=False):
            source += [*tokens[place : place + kept], mark]
            target += [mark, *tokens[place + kept : place + kept + gone]]
            place += kept + gone
        return source, target


def _cut(total: int, count: int, rng) -> list[int]:
    """`total` in `count` parts of at least 1, all such cuts equally likely."""
    ends = [0, *sorted(rng.sample(range(1, total), count - 1)), total]
    return [b - a for a, b in pairwise(ends)]
