"""Longformer: a window around each token, and a few tokens that see all (Beltagy et al. 2020).

arXiv 2004.05150, section 3.1.
"""

import dataclasses
from typing import Annotated

from jaxgpt.nn.sparse.base import LONGEST, Blocks, Sparse


@dataclasses.dataclass(frozen=True)
class Longformer(Sparse):
    """Token i sees token j where |i - j| <= window / 2, or where j sees all.

    A token that sees all does so by queries, keys and values of its own (section 3.1, "Linear Projections for
    Global Attention"). Which ones do is an argument of the call: `global_tokens`.
    """

    windows: Annotated[tuple[int, ...], "tokens in a window, even; one a layer, repeated over the depth"] = (
        512,
    )

    def __post_init__(self):
        if not self.windows or any(not 2 <= w <= LONGEST or w % 2 for w in self.windows):
            raise ValueError(
                f"sparse.windows={self.windows} must be even, at least 2 and at most {LONGEST}, one or more"
            )

    def layer(self, index, *, length, max_length, causal):
        half = self.windows[index % len(self.windows)] // 2
        return Blocks(half, 1, 0 if causal else 1, reach=half)

    @property
    def sees_all(self):
        return True
