"""Position coupling as a bias of attention: a number for each small difference of two digits' weights."""

import dataclasses
from typing import Annotated, Literal

import jax.numpy as jnp

from jaxgpt.core.fields import told
from jaxgpt.nn.position.abacus import digit_ids, require_digits
from jaxgpt.nn.position.base import Position, Table
from jaxgpt.nn.position.coupled import marker_id, weights

#: Added to the score of a digit too far away: its weight in a softmax is 0.
_HIDDEN = -1e9


@dataclasses.dataclass(frozen=True)
class CoupledRelative(Position):
    """A learned bias for each head and each difference of weights up to `reach`; digits beyond are hidden.

    Digits get the weights of position coupling (Cho et al. 2024, arXiv 2405.20671, section 3), everything
    else gets 0. Instead of a vector for each weight there is a bias for each difference, as T5 has one for
    distances (Raffel et al. 2020, section 2.1), and one for every token that is no digit. An addition needs
    digits of its own weight and of the next, at whatever weight it stands: no weight has to be trained on,
    there is no longest number, and a longer one adds nothing that a softmax would have to look past.

    With `marks=below` the tokens that are no digits have no bias of their own: their weight is 0, the one
    below the ones, and counts as any other, as in the paper.

    Attention from a decoder to an encoder has no bias, and tokens do not carry their weights here as they do
    under `coupled`, which is the one to use with `kind=encoder_decoder`.
    """

    reach: Annotated[int, "largest difference of weights that is seen"] = 3
    marker: Annotated[str, "the token after which the answer stands"] = "="
    marks: Annotated[
        Literal["apart", "below"],
        "tokens that are no digits: a bias of their own, or weight 0 below the ones",
    ] = "apart"
    #: Ids of number tokens.
    digit_ids: tuple[int, ...] = told(())
    #: Id of the marker.
    marker_id: int | None = told(None)

    def check(self, *, head_dim, num_heads):
        if self.reach < 1:
            raise ValueError(f"position.reach={self.reach} must be at least 1")

    def resolve(self, token_texts):
        return dataclasses.replace(
            self,
            digit_ids=digit_ids(token_texts, "coupled_relative"),
            marker_id=marker_id(token_texts, self.marker, "coupled_relative"),
        )

    def tables(self, *, d_model, num_heads, max_length):
        require_digits(self.digit_ids, "coupled_relative")
        apart = self.marks == "apart"
        return {"bias": Table((2 * self.reach + 1 + apart, num_heads), (None, "heads"), std=1.0)}

    def start(self, batch, *, answering=False):
        return jnp.full((batch,), -1, jnp.int32), jnp.full((batch,), answering, bool)

    def assign(self, tokens, order, carry, key):
        return weights(tokens, order, self.digit_ids, self.marker_id, carry)

    def bias(self, params, q, k, q_positions, k_positions):
        difference = (k_positions[:, None, :] - q_positions[:, :, None])[:, None]  # [B, 1, T, S]
        learned = params["bias"][..., None, None]  # [2 reach + 1 or 2, H, 1, 1]
        digit, bias = jnp.asarray(True), jnp.float32(_HIDDEN)
        if self.marks == "apart":
            digit = (k_positions > 0)[:, None, None, :]
            bias = jnp.where(digit, _HIDDEN, learned[-1])
        # One choice after another: the gradient of a look-up would be a scatter, which is slow on a CPU.
        for index in range(2 * self.reach + 1):
            bias = jnp.where(digit & (difference == index - self.reach), learned[index], bias)
        return bias
