"""Prompts as the decode loop takes them: checked, padded on the left, in a few sizes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Int

#: Token ids: rows of any length, or a rectangular array.
Ids = Sequence[Sequence[int]] | Int[Array, "B T"] | Int[np.ndarray, "B T"]


class Padded(NamedTuple):
    """Rows of ids padded on the left, so that the last column holds every row's last token.

    Attributes:
      tokens: 0 on padding. [B, T]
      order: the index of a token among the real ones of its row, -1 on padding. [B, T]
    """

    tokens: Int[np.ndarray, "B T"]
    order: Int[np.ndarray, "B T"]


def bucket(count: int, least: int = 16) -> int:
    """The smallest power of two that holds `count`: few sizes, so that few programs are compiled."""
    return max(least, 1 << (count - 1).bit_length())


def pad(rows: Sequence[Int[np.ndarray, "_"]]) -> Padded:
    """The rows side by side, as wide as the bucket of the longest one."""
    width = bucket(max(len(row) for row in rows))
    tokens = np.zeros((len(rows), width), np.int32)
    order = np.full((len(rows), width), -1, np.int32)
    for index, row in enumerate(rows):
        tokens[index, width - len(row) :] = row
        order[index, width - len(row) :] = np.arange(len(row))
    return Padded(tokens, order)


def checked(ids: Ids, vocab_size: int, name: str) -> list[Int[np.ndarray, "_"]]:
    """The rows as arrays.

    Raises:
      ValueError: for an empty row, for what is no integer, and for ids outside the vocabulary.
    """
    rows = []
    for index, row in enumerate(np.asarray(ids) if hasattr(ids, "ndim") else ids):
        row = np.asarray(row)
        if row.ndim != 1:
            raise ValueError(
                f"{name}[{index}] must be a sequence of ids, not of shape {list(row.shape)}; "
                f"pass one prompt as [ids]"
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
        rows.append(row.astype(np.int32))
    return rows
