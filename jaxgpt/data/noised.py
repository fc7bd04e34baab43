"""Texts as rows of an encoder-decoder that restores them."""

import random
from collections.abc import Iterable

import numpy as np

from jaxgpt.data.rows import Rows, pad
from jaxgpt.noise import Marks, Noise
from jaxgpt.noise.base import ROOM
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import Tokenizer


def build_noised(
    examples: Iterable[Example],
    tokenizer: Tokenizer,
    noise: Noise,
    *,
    max_length: int,
    copies: int,
    seed: int,
) -> Rows:
    """The table of some documents, cut into pieces that fit, each spoiled `copies` times in different ways.

    The encoder reads what is left and eos, the decoder writes bos, what is to be restored, and eos.

    Raises:
      ValueError: if there is no text, or numbers are one token each.
    """
    if tokenizer.number_id is not None:
        raise ValueError(
            f"--tokenizer {type(tokenizer).kind()} writes numbers as one token, which noise cannot cut; use "
            "a digits tokenizer"
        )
    texts = tokenizer.token_texts()
    stops = frozenset(i for i, text in enumerate(texts) if text.strip().endswith((".", "!", "?")))
    first = tokenizer.vocab_size
    marks = Marks(tuple(range(first, first + noise.count)), stops)
    size = max(int((max_length - 2) / ROOM), 2)
    sources, targets = [], []
    for ids in tokenizer.encode_batch([e.prompt + e.target for e in examples]):
        for start in range(0, len(ids), size):
            for _ in range(copies):
                rng = random.Random((seed << 40) ^ len(sources))
                source, target = noise.spoil(ids[start : start + size], rng, marks)
                sources.append([*source[: max_length - 1], tokenizer.eos_id])
                targets.append([tokenizer.bos_id, *target[: max_length - 1], tokenizer.eos_id])
    if not sources:
        raise ValueError("the documents of this split hold no text")
    table, length = pad(targets, tokenizer, more=noise.count)
    source, source_length = pad(sources, tokenizer, more=noise.count)
    return Rows(table, np.ones(len(table), np.int32), length, source, source_length)
