"""Learned absolute positions and a relative bias together."""

import dataclasses
from typing import Annotated

from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.relative import Relative


@dataclasses.dataclass(frozen=True)
class LearnedRelative(Relative):
    """The vectors of `Learned` (Radford et al. 2018) and the bias of `Relative` (Raffel et al. 2020).

    The vectors find a place that is counted from the start, such as the 18th symbol; the bias finds one that
    is counted from where the model is, such as 20 symbols back. Alone, either must learn the other's kind of
    place for each length anew. Of twice T5's buckets half are single distances, up to 31.
    """

    num_buckets: Annotated[int, "distances told apart"] = 64

    def tables(self, *, d_model, num_heads, max_length):
        sizes = {"d_model": d_model, "num_heads": num_heads, "max_length": max_length}
        return super().tables(**sizes) | Learned().tables(**sizes)

    def embed(self, params, x, positions):
        return Learned().embed(params, x, positions)
