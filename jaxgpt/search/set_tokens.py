"""Sets as rows of tokens, and back: how a model reads a construction."""

import dataclasses
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from jaxgpt.data.rows import Rows

#: Ids that stand for no element: behind the end, the first token, the end.
PAD, BEGIN, END = range(3)
_SPECIAL = 3


@dataclasses.dataclass(frozen=True)
class SetTokens:
    """Rows of tokens for sets of E elements.

    Attributes:
      size: E.
      written: `elements`: the elements in ascending order, a token each; `bits`: 0 or 1 for every element.
      most: elements that a set may have where its elements are written.
    """

    size: int
    written: Literal["elements", "bits"]
    most: int

    @property
    def vocab_size(self) -> int:
        return _SPECIAL + (self.size if self.written == "elements" else 2)

    @property
    def longest(self) -> int:
        """Tokens between the first and the end, at most."""
        return min(self.most, self.size) if self.written == "elements" else self.size

    def fits(self, sets: Bool[np.ndarray, "S E"]) -> Bool[np.ndarray, " S"]:
        """Which sets are short enough to be written."""
        return sets.sum(1) <= self.longest if self.written == "elements" else np.ones(len(sets), bool)

    def rows(self, sets: Bool[np.ndarray, "S E"]) -> Rows:
        """`BEGIN ... END` for each set, padded to one length whatever the sets are. [S, longest + 2]

        Raises:
          ValueError: if a set has more elements than `most`.
        """
        tokens = np.full((len(sets), self.longest + 2), PAD, np.int32)
        tokens[:, 0] = BEGIN
        if self.written == "bits":
            tokens[:, 1:-1], tokens[:, -1] = _SPECIAL + sets, END
            length = np.full(len(sets), self.longest + 2, np.int32)
        else:
            count = sets.sum(1)
            if len(sets) and count.max() > self.longest:
                raise ValueError(f"a set has {count.max()} elements; rows have room for {self.longest}")
            row, element = np.nonzero(sets)
            place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
            tokens[row, 1 + place] = _SPECIAL + element
            tokens[np.arange(len(sets)), 1 + count] = END
            length = (count + 2).astype(np.int32)
        return Rows(tokens, np.ones(len(sets), np.int32), length)

    def read(self, tokens: Int[np.ndarray, "S N"]) -> tuple[Bool[np.ndarray, "S E"], Bool[np.ndarray, " S"]]:
        """The sets that rows stand for, and which rows stand for one; the others are empty.

        A row begins behind `BEGIN` and is read up to its end. It stands for a set if it has an end, no other
        special token before it and, written in bits, a token for every element. An element that comes twice
        counts once.
        """
        count = len(tokens)
        ends = tokens == END
        end = np.where(ends.any(1), ends.argmax(1), tokens.shape[1])
        inside = np.arange(tokens.shape[1]) < end[:, None]
        readable = ends.any(1) & ~(inside & (tokens < _SPECIAL)).any(1)
        value = np.maximum(tokens - _SPECIAL, 0)
        sets = np.zeros((count, self.size), bool)
        if self.written == "bits":
            readable &= end == self.size
            width = min(self.size, tokens.shape[1])
            sets[:, :width] = value[:, :width] == 1
        else:
            row, place = np.nonzero(inside & (tokens >= _SPECIAL))
            sets[row, value[row, place]] = True
        return sets & readable[:, None], readable
