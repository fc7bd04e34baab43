"""Abacus embeddings: a digit's place in its number (McLeish et al. 2024, arXiv 2405.17399, section 3)."""

import dataclasses
from typing import Annotated

import jax
import jax.numpy as jnp

from jaxgpt.core.fields import told
from jaxgpt.nn.document_order import draw_each
from jaxgpt.nn.position.base import Position, Table, digit_flags
from jaxgpt.nn.position.runs import runs


@dataclasses.dataclass(frozen=True)
class Abacus(Position):
    """The k-th digit of a number, counted from its left, gets the learned vector offset + k.

    The paper writes numbers with the least significant digit first, so that k is the digit's weight.
    Tokens that are no digits get vector 0. In training the offset is drawn for each sequence, so that
    vectors of long numbers are trained on short ones; otherwise it is 0.
    """

    max_position: Annotated[int, "vectors in the table"] = 128
    max_offset: Annotated[int, "largest random offset in training; the paper's k"] = 100
    #: Ids of number tokens.
    digit_ids: tuple[int, ...] = told(())

    def check(self, *, head_dim, num_heads):
        if not 0 <= self.max_offset < self.max_position - 1:
            raise ValueError(
                f"position.max_offset={self.max_offset} must be at least 0 and below "
                f"max_position - 1 = {self.max_position - 1}"
            )

    def resolve(self, token_texts):
        return dataclasses.replace(self, digit_ids=digit_ids(token_texts, "abacus"))

    @property
    def size(self):
        return self.max_position

    @property
    def largest_offset(self):
        return self.max_offset

    def tables(self, *, d_model, num_heads, max_length):
        require_digits(self.digit_ids, "abacus")
        # Twice as loud as the tokens: heads that match positions are found sooner.
        return {"table": Table((self.max_position, d_model), (None, "embed"), std=2 * d_model**-0.5)}

    def start(self, batch, *, answering=False):
        return (jnp.full((batch,), -1, jnp.int32),)

    def assign(self, tokens, order, carry, key):
        found = runs(tokens, order, self.digit_ids, carry[0])
        offset = 0
        if key is not None:
            offset = draw_each(lambda k: random_offset(k, tokens.shape[0], self.max_offset), key, order)
        return jnp.where(found.digit, found.from_left + 1 + offset, 0), (found.last_break,)

    def embed(self, params, x, positions):
        return x + params["table"].astype(x.dtype)[positions]


def digit_ids(token_texts, scheme: str) -> tuple[int, ...]:
    """The ids of tokens made of digits alone.

    Raises:
      ValueError: if some digit has no token of its own.
    """
    missing = [d for d in "0123456789" if d not in token_texts]
    if missing:
        raise ValueError(
            f"position={scheme} needs tokens for single digits and the tokenizer has none for "
            f"{', '.join(missing)}; use a digits tokenizer, or position=rotary"
        )
    return tuple(i for i, is_digit in enumerate(digit_flags(token_texts)) if is_digit)


def require_digits(ids: tuple[int, ...], scheme: str) -> None:
    """Raises ValueError if the scheme was never told the vocabulary, and would see no digits at all."""
    if not ids:
        raise ValueError(
            f"position={scheme} does not know the tokenizer's digits; use config.for_vocabulary(...)"
        )


def random_offset(key: jax.Array, batch: int, largest: int) -> jax.Array:
    """One offset a row, uniform from 0 to `largest`. [B]"""
    return jax.random.randint(key, (batch,), 0, largest + 1)
