"""Randomized positions (Ruoss et al. 2023, arXiv 2305.16843, section 3), read by any scheme of the order."""

import dataclasses
from typing import Annotated

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgpt.core.fields import renamed
from jaxgpt.nn.position.base import Position
from jaxgpt.nn.position.fire import FIRE


@dataclasses.dataclass(frozen=True)
class Randomized(Position):
    """In training the T tokens of a row get T different positions below `max_position`, in order.

    Of a row with several documents T is the longest one's number of tokens, and the others get the first of
    its positions.

    Positions of texts longer than any in training are thereby trained on short ones. `base` makes of a
    position what it makes of the order otherwise; its tables have `max_position` entries.

    Deviation: outside of training neighbours lie `spacing` apart, where the paper draws then, too: a token's
    position must not depend on how much will be written after it.
    """

    base: Annotated[Position, "reads the drawn positions"] = dataclasses.field(default_factory=FIRE)
    max_position: Annotated[int, "positions are drawn below it; the paper's L"] = 512
    spacing: Annotated[int, "distance of neighbours outside of training"] = 4

    def check(self, *, head_dim, num_heads):
        if type(self.base).assign is not Position.assign:
            raise ValueError(
                f"position.base={type(self.base).kind()} counts digits: its positions cannot be drawn; use "
                "a base that reads the order, such as fire, rotary or learned"
            )
        if not self.base.takes_gaps:
            raise ValueError(
                f"position.base={type(self.base).kind()} cannot read positions that lie apart, as drawn do; "
                "use another base, such as fire, rotary or learned"
            )
        if self.base.size is not None and self.base.size < self.max_position:
            raise ValueError(
                f"position.max_position={self.max_position} is more than position.base="
                f"{type(self.base).kind()} has, {self.base.size}; lower it, or enlarge the base"
            )
        if not 1 <= self.spacing < self.max_position:
            raise ValueError(
                f"position.spacing={self.spacing} must be at least 1 and below "
                f"max_position={self.max_position}"
            )
        with renamed("position", "position.base"):
            self.base.check(head_dim=head_dim, num_heads=num_heads)

    def resolve(self, token_texts):
        return dataclasses.replace(self, base=self.base.resolve(token_texts))

    def in_encoder(self):
        return dataclasses.replace(self, base=self.base.in_encoder())

    @property
    def biased(self):
        return self.base.biased

    @property
    def in_attention(self):
        return self.base.in_attention

    @property
    def reads_tokens(self):
        return False

    @property
    def size(self):
        return self.max_position

    def tables(self, *, d_model, num_heads, max_length):
        return self.base.tables(d_model=d_model, num_heads=num_heads, max_length=self.max_position)

    def layer_tables(self, *, d_model, num_heads, head_dim):
        return self.base.layer_tables(d_model=d_model, num_heads=num_heads, head_dim=head_dim)

    def assign(self, tokens, order, carry, key):
        if key is None:
            return jnp.where(order >= 0, order * self.spacing, 0), carry
        batch, length = tokens.shape
        if (most := _most(order, batch)) > self.max_position:
            raise ValueError(
                f"position.max_position={self.max_position} is too small for {most} different positions; "
                "raise it"
            )
        draws = jax.random.uniform(key, (batch, self.max_position))
        order = jnp.broadcast_to(order, (batch, length))
        # The places of the smallest draws are a uniform choice of as many, without repetition.
        count = min(length, self.max_position)
        chosen = jnp.argsort(draws, axis=1)[:, :count]
        wanted = order.max(axis=1, keepdims=True) + 1
        chosen = jnp.sort(jnp.where(jnp.arange(count) < wanted, chosen, self.max_position), axis=1)
        return jnp.take_along_axis(chosen, jnp.clip(order, 0, count - 1), axis=1), carry

    def embed(self, params, x, positions):
        return self.base.embed(params, x, positions)

    def rotate(self, params, q, k, q_positions, k_positions):
        return self.base.rotate(params, q, k, q_positions, k_positions)

    def bias(self, params, q, k, q_positions, k_positions):
        return self.base.bias(params, q, k, q_positions, k_positions)


def _most(order: Int[Array, "#B T"], batch: int) -> int:
    """Tokens of the longest document, as far as they are known: 0 where they are not.

    Inside of jit an order of each row may be one of several documents; one for all rows is of one.
    """
    if not isinstance(order, jax.core.Tracer):
        return int(order.max()) + 1
    return order.shape[1] if order.shape[0] < batch else 0
