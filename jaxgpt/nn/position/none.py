"""No position information; a causal mask alone tells the order (Haviv et al. 2022, arXiv 2203.16634)."""

import dataclasses

from jaxgpt.nn.position.base import Position


@dataclasses.dataclass(frozen=True)
class NoPosition(Position):
    """Nothing is added, rotated or biased."""
