"""What a position scheme is: a frozen description whose hooks default to doing nothing."""

import dataclasses
import math
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import jax
from jaxtyping import Array, Float, Int

from jaxgpt.core.choice import Choice


class Table(NamedTuple):
    """One learned array of a position scheme: its shape, logical axes and initial standard deviation.

    A deviation of None means that of the token embeddings.
    """

    shape: tuple[int, ...]
    axes: tuple[str | None, ...]
    std: float | None = None


#: What a scheme must remember between two chunks of one sequence; a tuple of arrays with batch first.
Carry = tuple[Array, ...]
Params = dict[str, Array]


def check_theta(theta: float) -> None:
    """Raises ValueError for a base of wavelengths that would give none, or a shorter one at each feature."""
    if not 1 <= theta < math.inf:
        raise ValueError(f"position.theta={theta} must be at least 1 and finite; most models have 10000")


@dataclasses.dataclass(frozen=True)
class Position(Choice, package="jaxgpt.nn.position"):
    """Where a token stands, as a transformer is told it.

    `order` is the index of a token among the real tokens of its sequence, -1 on padding; masks and caches
    follow it. A *position* is what the scheme makes of it: the order itself, a digit's weight in its
    number, a random increasing draw. A scheme overrides the hooks it needs, in its own file.

    A row may hold several documents (`jaxgpt.nn.document_order`). The order is 0 at the first token of each,
    and a scheme must make of each what it would make of it alone.
    """

    #: Whether neighbours may have positions that lie apart, as drawn ones do.
    takes_gaps: ClassVar[bool] = True
    #: The field, or the product of fields, that `size` comes of.
    size_name: ClassVar[str] = "max_position"

    def resolve(self, token_texts: Sequence[str]) -> "Position":
        """The same scheme once the vocabulary is known; `token_texts[i]` is the text of id i.

        Raises:
          ValueError: if the scheme cannot work with this vocabulary.
        """
        return self

    def tables(self, *, d_model: int, num_heads: int, max_length: int) -> dict[str, Table]:
        """The learned arrays of the scheme, one set a stack."""
        return {}

    def layer_tables(self, *, d_model: int, num_heads: int, head_dim: int) -> dict[str, Table]:
        """The learned arrays of each layer for itself; `rotate` and `bias` get them, too."""
        return {}

    def in_encoder(self) -> "Position":
        """The scheme as a stack that sees both sides uses it."""
        return self

    def check(self, *, head_dim: int, num_heads: int) -> None:
        """Raises ValueError if the scheme cannot work with heads of this shape."""

    @property
    def biased(self) -> bool:
        """Whether the scheme adds to the scores."""
        return type(self).bias is not Position.bias

    @property
    def in_attention(self) -> bool:
        """Whether the scheme changes queries, keys or scores, which attention alone has."""
        return self.biased or type(self).rotate is not Position.rotate

    @property
    def reads_tokens(self) -> bool:
        """Whether positions outside of training depend on the tokens, not on their order alone."""
        return type(self).assign is not Position.assign

    @property
    def size(self) -> int | None:
        """Positions must be below this number; None where the model's `max_length` is limit enough."""
        return None

    @property
    def largest_offset(self) -> int:
        """By how much positions in training may exceed those without a key."""
        return 0

    def start(self, batch: int, *, answering: bool = False) -> Carry:
        """The state before the first token; `answering` in the decoder of an encoder-decoder."""
        return ()

    def assign(
        self, tokens: Int[Array, "B T"], order: Int[Array, "#B T"], carry: Carry, key: jax.Array | None
    ) -> tuple[Int[Array, "#B T"], Carry]:
        """The positions of a chunk of tokens, and the state after it. `key` is given only in training.

        An order that is the same for all rows may come as a single one.
        """
        return order, carry

    def embed(
        self, params: Params, x: Float[Array, "B T D"], positions: Int[Array, "#B T"]
    ) -> Float[Array, "B T D"]:
        """The token embeddings with what the scheme adds to them."""
        return x

    def rotate(
        self,
        params: Params,
        q: Float[Array, "B T H K"],
        k: Float[Array, "B S G K"],
        q_positions: Int[Array, "#B T"],
        k_positions: Int[Array, "#B S"],
    ) -> tuple[Float[Array, "B T H K"], Float[Array, "B S G K"]]:
        """Queries and new keys as they enter the product; rotated keys are what the cache holds."""
        return q, k

    def bias(
        self,
        params: Params,
        q: Float[Array, "B T H K"],
        k: Float[Array, "B S G K"],
        q_positions: Int[Array, "#B T"],
        k_positions: Int[Array, "#B S"],
    ) -> Float[Array, "#B H T S"] | None:
        """What is added to the scaled scores; keys may come from the cache."""
        return None


def digit_flags(token_texts: Sequence[str]) -> tuple[bool, ...]:
    """For each id, whether its text is one or more ASCII digits and nothing else."""
    return tuple(bool(text) and text.isascii() and text.isdigit() for text in token_texts)


def one_of(token_texts: Sequence[str], text: str) -> int | None:
    """The id whose text is exactly `text`, if there is one.

    The last of several: SentencePiece's single bytes, which text falls back on, come before its pieces.
    """
    return next((i for i, t in reversed(list(enumerate(token_texts))) if t == text), None)
