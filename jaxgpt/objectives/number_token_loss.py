"""The number token loss: a digit that is nearly right costs less than one that is far off."""

import dataclasses
from collections.abc import Sequence
from typing import Literal, Self

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


@dataclasses.dataclass(frozen=True)
class NumberTokenLoss:
    """`weight` times the number token loss (Zausinger et al. 2024, arXiv 2411.02083, section 3).

    With p the softmax over the number tokens alone, whose values are v, a target of value y costs

        mse           (y - sum_i p_i v_i)^2
        wasserstein   sum_i p_i |y - v_i|

    and a target that is no number costs nothing.

    Attributes:
      ids, values: of the tokens that are numbers.
    """

    kind: Literal["mse", "wasserstein"]
    weight: float
    ids: tuple[int, ...]
    values: tuple[float, ...]

    @classmethod
    def of(cls, kind: Literal["mse", "wasserstein"], weight: float, token_texts: Sequence[str]) -> Self:
        """For a tokenizer, by the texts of its ids; a run of ASCII digits is a number.

        Raises:
          ValueError: if fewer than two tokens are numbers.
        """
        found = [(i, float(t)) for i, t in enumerate(token_texts) if t.isascii() and t.isdigit()]
        if len(found) < 2:
            raise ValueError(
                f"objective.number_loss={kind} needs tokens that are digits or groups of them, and the "
                "tokenizer has none; use --tokenizer digits, or objective.number_loss=none"
            )
        ids, values = zip(*found, strict=True)
        return cls(kind, weight, ids, values)

    def __call__(self, logits: Float[Array, "*B V"], targets: Int[Array, "*B"]) -> Float[Array, "*B"]:
        """What each target adds to its loss."""
        wide = jnp.promote_types(logits.dtype, jnp.float32)
        values = jnp.asarray(self.values, wide)
        p = jax.nn.softmax(logits[..., jnp.asarray(self.ids)].astype(wide), axis=-1)
        table = jnp.zeros(logits.shape[-1], wide).at[jnp.asarray(self.ids)].set(values)
        y = table[targets]
        if self.kind == "mse":
            loss = jnp.square(y - p @ values)
        else:
            loss = (p * jnp.abs(y[..., None] - values)).sum(axis=-1)
        is_number = jnp.isin(targets, jnp.asarray(self.ids))
        return jnp.where(is_number, self.weight * loss, 0.0)
