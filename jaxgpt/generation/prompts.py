"""Prompts as the decode loop takes them: checked, padded on the left, in a few sizes."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Array, Int, Num

from jaxgpt.data.numbers import feature_array
from jaxgpt.generation.sampling import MOST
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.number import NumberEncoding
from jaxgpt.tokenizers.number_token import NumberToken

#: Token ids: rows of any length, or a rectangular array.
Ids = Sequence[Sequence[int]] | Int[Array, "B T"] | Int[np.ndarray, "B T"]

#: What happens at the end of the model's context: an error, the row ends, or the window moves on.
Overflow = Literal["error", "stop", "slide"]


class Padded(NamedTuple):
    """Rows of ids padded on the left, so that the last column holds every row's last token.

    Attributes:
      tokens: 0 on padding. [B, T]
      order: the index of a token among the real ones of its row, -1 on padding. [B, T]
      numbers: features of the number tokens, for a model that reads such. [B, T, F]
    """

    tokens: Int[np.ndarray, "B T"]
    order: Int[np.ndarray, "B T"]
    numbers: Num[np.ndarray, "B T F"] | None = None


def bucket(count: int, least: int = 16) -> int:
    """The smallest power of two that holds `count`: few sizes, so that few programs are compiled."""
    return max(least, 1 << (count - 1).bit_length())


def pad(rows: Sequence[np.ndarray], most: int, number: NumberEncoding | None = None) -> Padded:
    """The rows side by side, as wide as the bucket of the longest one, or `most` if that is less.

    Args:
      number: the model's encoding of number tokens, whose features the rows hold.
    """
    width = min(bucket(max(len(row) for row in rows)), most)
    tokens = np.zeros((len(rows), width), np.int32)
    order = np.full((len(rows), width), -1, np.int32)
    for index, row in enumerate(rows):
        tokens[index, width - len(row) :] = row
        order[index, width - len(row) :] = np.arange(len(row))
    if number is None:
        return Padded(tokens, order)
    numbers = np.zeros((*tokens.shape, number.size), number.dtype)
    ids = (token for row in rows for token in row)
    numbers[(tokens == number.token_id) & (order >= 0)] = feature_array(ids, number.size, number.dtype)
    return Padded(tokens, order, numbers)


def checked(ids: Ids, config: ModelConfig, name: str) -> list[np.ndarray]:
    """The rows as arrays; of objects, `NumberToken`s among them, for a model with a number encoding.

    Raises:
      ValueError: for an empty row, for what is no integer, for ids outside the vocabulary, and for numbers
        without features.
    """
    rows = []
    vocab_size = config.vocab_size
    for index, given in enumerate(np.asarray(ids) if hasattr(ids, "ndim") else ids):
        row = np.asarray(given)
        if row.dtype == object and config.number is not None:  # as `generate` gives them
            row = row.astype(np.int32)
        if row.ndim != 1:
            raise ValueError(
                f"{name}[{index}] must be a sequence of ids, not of shape {list(row.shape)}; "
                "pass one prompt as [ids]"
            )
        if not row.size:
            raise ValueError(f"{name}[{index}] is empty; begin it with the tokenizer's bos_id")
        if not np.issubdtype(row.dtype, np.integer):
            raise ValueError(f"{name}[{index}] holds {row.dtype}, not integers; encode the text first")
        low, high = row.min(), row.max()
        if low < 0 or high >= vocab_size:
            raise ValueError(
                f"{name}[{index}] holds id {low if low < 0 else high}, outside the vocabulary of "
                f"{vocab_size}; was another tokenizer used?"
            )
        rows.append(
            row.astype(np.int32) if config.number is None else _with_numbers(given, row, config, name)
        )
    return rows


def _with_numbers(given, row: np.ndarray, config: ModelConfig, name: str) -> np.ndarray:
    """The row as an array of objects that keeps the features of its numbers."""
    kept = np.empty(len(row), object)
    kept[:] = [token if isinstance(token, NumberToken) else int(token) for token in given]
    number_id = config.number.token_id
    if any(token == number_id and not isinstance(token, NumberToken) for token in kept):
        raise ValueError(
            f"{name} hold the number id {number_id} without the number's features; pass the list that "
            "tokenizer.encode gives"
        )
    return kept


def check_request(config: ModelConfig, source: Ids | None, max_new_tokens: int) -> None:
    """Raises ValueError if a model of this kind cannot generate from such arguments."""
    if config.kind == "encoder":
        raise ValueError("kind=encoder generates nothing; use a decoder or an encoder_decoder")
    if config.head.weights == "none":
        raise ValueError("head.weights=none has no logits to generate from")
    if config.kind == "encoder_decoder" and source is None:
        raise ValueError("kind=encoder_decoder needs source=, the tokens of its encoder")
    if config.kind == "decoder" and source is not None:
        raise ValueError("kind=decoder takes no source; put its tokens into the prompt")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens={max_new_tokens} must be at least 1")
    if max_new_tokens > MOST:
        raise ValueError(f"max_new_tokens={max_new_tokens} must be at most {MOST:,}")


def checked_row_ids(row_ids: Sequence[int] | None, count: int) -> Int[np.ndarray, "B"]:
    """What the randomness of each of `count` prompts follows from, its index where nothing else is given.

    Raises:
      ValueError: for another number of ids, and for what is no whole number of 32 bits.
    """
    if row_ids is None:
        return np.arange(count, dtype=np.uint32)
    if len(row_ids) != count:
        raise ValueError(f"{len(row_ids)} row_ids for {count} prompts; give one a prompt")
    for index, found in enumerate(np.asarray(row_ids)):
        if not isinstance(found, int | np.integer) or not 0 <= int(found) < 2**32:
            raise ValueError(f"row_ids[{index}]={found} must be a whole number, at least 0 and below 2**32")
    return np.asarray(row_ids, np.uint32)


def check_batch_size(batch_size: int) -> None:
    """Raises ValueError if no prompt fits into a batch."""
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be at least 1")


def checked_source(source: Ids, count: int, config: ModelConfig) -> list[np.ndarray]:
    """The rows of an encoder's tokens as arrays, one a prompt.

    Raises:
      ValueError: as `checked`, for another number of rows than `count`, and for rows that are too long.
    """
    rows = checked(source, config, "source")
    if len(rows) != count:
        raise ValueError(f"{len(rows)} rows of source for {count} prompts; give one a prompt")
    for index, row in enumerate(rows):
        if len(row) > config.max_length:
            raise ValueError(
                f"source[{index}] of {len(row)} tokens exceeds model.max_length={config.max_length}; "
                "shorten it or train with a larger max_length"
            )
    return rows


def room(index: int, length: int, max_new_tokens: int, max_length: int, overflow: Overflow) -> int:
    """How many tokens prompt `index`, of `length` tokens, may get.

    Raises:
      ValueError: if they are too many and `overflow` allows no way out.
    """
    if overflow == "slide":
        return max_new_tokens
    if overflow == "error" and length + max_new_tokens > max_length:
        raise ValueError(
            f"prompts[{index}] of {length} tokens and max_new_tokens={max_new_tokens} exceed "
            f"model.max_length={max_length}; shorten them, or use overflow=stop or overflow=slide"
        )
    if length > max_length:
        raise ValueError(
            f"prompts[{index}] of {length} tokens exceeds model.max_length={max_length}; shorten it, "
            "or use overflow=slide"
        )
    return min(max_new_tokens, max_length - length + 1)  # the last token need not be read


def check_positions(config: ModelConfig, largest: Sequence[Int[Array, "R"]]) -> None:
    """Raises ValueError if the position scheme has no place for what a prompt or its source holds.

    Args:
      largest: the largest position of each row, part by part.
    """
    position, size = config.position, config.position.size
    if size is None:
        return
    found = np.concatenate(largest)
    if found.size and int(found.max()) >= size:
        row = int(found.argmax())
        raise ValueError(
            f"the prompt or source of row {row} reaches position {int(found[row])}, which "
            f"position.{position.size_name}={size} does not hold; shorten "
            f"{'its numbers' if position.reads_tokens else 'it'} or raise {position.size_name}"
        )
