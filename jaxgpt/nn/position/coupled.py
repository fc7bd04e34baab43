"""Position coupling: digits of the same weight share a position (Cho et al. 2024, arXiv 2405.20671).

For `653+49=207` (the sum 702 with its least significant digit first) and offset s:

    token     6   5   3   +   4   9   =   2   0   7
    position  s+3 s+2 s+1 s   s+2 s+1 s   s+1 s+2 s+3
"""

import dataclasses
from typing import Annotated

import jax
import jax.numpy as jnp

from jaxgpt.core.fields import told
from jaxgpt.nn.document_order import draw_each, preceding
from jaxgpt.nn.linear import fold
from jaxgpt.nn.position.abacus import digit_ids, random_offset, require_digits
from jaxgpt.nn.position.base import Position, Table, one_of
from jaxgpt.nn.position.runs import member, runs


@dataclasses.dataclass(frozen=True)
class Coupled(Position):
    """A learned vector for each weight 10^i, the same in both operands and in the answer.

    Before the marker, digits are weighted from the right end of their number, which must lie in the same
    chunk of tokens; after it from the left, because the answer is written with its least significant digit
    first. Everything else gets position s, which is 0 outside of training. In training s is drawn for each
    sequence (section 3.1 of the paper).

    Deviations: operands are padded to equal length by a task's format alone; s starts at 0, and is 0 in
    `zero_offsets` of the sequences: the lowest positions, which answers are given with, are then not the
    least trained ones, and short runs get there sooner. With 0, as in the paper, longer numbers than those
    trained on are read better.
    """

    max_position: Annotated[int, "vectors in the table; must exceed max_offset + digits + 1"] = 32
    max_offset: Annotated[int, "largest random offset in training"] = 12
    zero_offsets: Annotated[float, "share of training sequences whose offset is 0 in any case"] = 0.5
    marker: Annotated[str, "the token after which the answer stands"] = "="
    #: Ids of number tokens.
    digit_ids: tuple[int, ...] = told(())
    #: Id of the marker.
    marker_id: int | None = told(None)

    def check(self, *, head_dim, num_heads):
        if not 0 <= self.max_offset < self.max_position - 1:
            raise ValueError(
                f"position.max_offset={self.max_offset} must be at least 0 and below "
                f"max_position - 1 = {self.max_position - 1}"
            )
        if not 0 <= self.zero_offsets <= 1:
            raise ValueError(f"position.zero_offsets={self.zero_offsets} must be between 0 and 1")

    def resolve(self, token_texts):
        return dataclasses.replace(
            self,
            digit_ids=digit_ids(token_texts, "coupled"),
            marker_id=marker_id(token_texts, self.marker, "coupled"),
        )

    @property
    def size(self):
        return self.max_position

    @property
    def largest_offset(self):
        return self.max_offset

    def tables(self, *, d_model, num_heads, max_length):
        require_digits(self.digit_ids, "coupled")
        # Twice as loud as the tokens: heads that match positions are found sooner.
        return {"table": Table((self.max_position, d_model), (None, "embed"), std=2 * d_model**-0.5)}

    def start(self, batch, *, answering=False):
        return jnp.full((batch,), -1, jnp.int32), jnp.full((batch,), answering, bool)

    def assign(self, tokens, order, carry, key):
        weight, carry = weights(tokens, order, self.digit_ids, self.marker_id, carry)
        if key is None:
            return weight, carry
        return weight + draw_each(lambda k: self._offset(k, tokens.shape[0]), key, order), carry

    def _offset(self, key, batch):
        offset = random_offset(fold(key, 0), batch, self.max_offset)
        return offset * jax.random.bernoulli(fold(key, 1), 1 - self.zero_offsets, (batch,))

    def embed(self, params, x, positions):
        return x + params["table"].astype(x.dtype)[positions]


def marker_id(token_texts, marker: str, scheme: str) -> int:
    """The id of the token after which the answer stands.

    Raises:
      ValueError: if there is none.
    """
    found = one_of(token_texts, marker)
    if found is None:
        raise ValueError(
            f"position={scheme} finds no token {marker!r} in the tokenizer; set position.marker "
            "to the text before the answer, or use position=rotary"
        )
    return found


def weights(tokens, order, digit_ids, marker_id, carry):
    """1 + i for a digit of weight 10^i, 0 for every other token, and the state after the chunk. [B, T]"""
    last_break, answering = carry
    found = runs(tokens, order, digit_ids, last_break)
    marked = member(tokens, [marker_id]) & (order >= 0)
    earlier = preceding(order)
    last_marked = jax.lax.cummax(jnp.where(marked, order + earlier, -1), axis=1)
    after = answering[:, None] | (last_marked >= earlier)
    weight = jnp.where(after, found.from_left, found.from_right) + 1
    return jnp.where(found.digit, weight, 0), (found.last_break, after[:, -1])
