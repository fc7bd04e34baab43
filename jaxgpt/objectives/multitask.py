"""Multitask masked language modelling: some rows are read from one side (UniLM, arXiv 1905.03197)."""

import dataclasses
import math
from typing import Annotated

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgpt.objectives import masking
from jaxgpt.objectives.ordered import Ordered


@dataclasses.dataclass(frozen=True)
class Multitask(Ordered):
    """Hidden tokens, as of `masked`, in rows that are read from the left, the right, both sides or half each.

    Dong et al. 2019, section 2.3, with the shares of Lewis et al. 2020, arXiv 1910.13461, section 4.1. In the
    last of four ways the first half of a row is read from both sides and the rest from the left. Which rows
    are read how is drawn anew each time, in the proportions of the four settings.
    """

    share: Annotated[float, "of a row's tokens that are hidden"] = masking.SHARE
    left_to_right: Annotated[float, "rows whose tokens see what stands before them"] = 1.0
    right_to_left: Annotated[float, "rows whose tokens see what stands behind them"] = 1.0
    both_sides: Annotated[float, "rows whose tokens see all"] = 2.0
    half: Annotated[float, "rows whose first half is seen by all, the rest from left to right"] = 2.0

    def __post_init__(self):
        masking.check_share(self.share)
        for name, value in self.proportions.items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}={value} must be at least 0 and finite")
        if not sum(self.proportions.values()):
            raise ValueError(f"{'='.join(self.proportions)}=0 reads no row; make one of them positive")

    @property
    def loss_note(self):
        return f" {masking.hidden_note(self.share)}"

    @property
    def proportions(self) -> dict[str, float]:
        """How often rows are read in which way, in the order of `ranks`."""
        names = ("left_to_right", "right_to_left", "both_sides", "half")
        return {name: getattr(self, name) for name in names}

    def draw(self, batch, model, key):
        hiding, choosing = jax.random.split(jax.random.key(0) if key is None else key)
        batch = masking.hide_some(model, batch, hiding, share=self.share)
        odds = jnp.log(jnp.asarray(list(self.proportions.values()), jnp.float32))
        rows, length = batch["tokens"].shape
        rank = ranks(length)[jax.random.categorical(choosing, odds, shape=(rows,))]
        return batch | {"sees": rank, "seen": rank}


def ranks(length: int) -> Int[Array, "4 T"]:
    """When each token of a row comes: from the left, from the right, all at once, the first half at once."""
    place = jnp.arange(length)
    return jnp.stack([place, place[::-1], jnp.zeros_like(place), jnp.maximum(place - length // 2 + 1, 0)])
