"""Texts that something is told of, as rows: `bos text eos`, or `bos one eos other eos`."""

from collections.abc import Sequence

import numpy as np

from jaxgpt.tokenizers.tokenizer import Tokenizer

#: The two labels of an answer that is a part of its text, and the one score of each of several choices.
SPAN, CHOICE = ("start", "end"), ("choice",)


def encoded(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text, or of several, which tabs separate, with the end token between them."""
    first, *others = text.split("\t")
    ids = tokenizer.encode(first)
    for other in others:
        ids += [tokenizer.eos_id, *tokenizer.encode(other)]
    return ids


def reading(tokenizer: Tokenizer, pieces: Sequence[str]) -> tuple[list[int], list[int]]:
    """The row of a text that is encoded piece by piece, and the place of each piece's first token."""
    ids, places = [tokenizer.bos_id], []
    for piece in pieces:
        places.append(len(ids))
        ids += encoded(tokenizer, piece)
    return [*ids, tokenizer.eos_id], places


def spaced(words: Sequence[str]) -> list[str]:
    """Words as pieces of one text: a space before each but the first."""
    return [word if i == 0 else f" {word}" for i, word in enumerate(words)]


def second_segments(rows: Sequence[list[int]], width: int, tokenizer: Tokenizer) -> np.ndarray:
    """1 from the second text of each row to its end, 0 elsewhere. [N, width]"""
    found = np.zeros((len(rows), width), np.int32)
    for row, ids in enumerate(rows):
        first = ids.index(tokenizer.eos_id, 1) + 1
        found[row, first : len(ids)] = 1
    return found
