"""A corpus as one long row of tokens, read in windows (Radford et al. 2018; nanoGPT's data loader)."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from jaxgpt.data.rows import check_ids, narrowest
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class Stream:
    """Documents joined by the end token; example i is the window that starts at token i.

    Attributes:
      stream: all tokens. [M]
      window: tokens a window predicts.
    """

    stream: np.ndarray
    window: int

    @property
    def num_examples(self) -> int:
        return len(self.stream) - self.window

    def arrays(self) -> dict[str, np.ndarray]:
        """The stream as a dictionary, for the device."""
        return {"stream": self.stream}

    def batch(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """The tokens of some examples. [B, window + 1]"""
        return {"tokens": self.stream[index[:, None] + np.arange(self.window + 1)]}


def build_stream(examples: Iterable[Example], tokenizer: Tokenizer, *, window: int) -> Stream:
    """The stream of some documents, with the end token before, between and after them.

    Raises:
      ValueError: if the documents together are shorter than one window, or numbers are one token each.
    """
    if tokenizer.number_id is not None:
        raise ValueError(
            f"--tokenizer {type(tokenizer).kind()} needs a task of questions and answers; this one is a text "
            "to go on with: use a digits tokenizer"
        )
    texts = [e.prompt + e.target for e in examples]
    pieces = [np.asarray([tokenizer.bos_id])]
    for ids in tokenizer.encode_batch(texts):
        pieces.append(np.asarray([*ids, tokenizer.eos_id]))
    joined = np.concatenate(pieces)
    check_ids(joined, tokenizer.vocab_size)
    stream = joined.astype(narrowest(tokenizer.vocab_size))
    if len(stream) <= window:
        raise ValueError(
            f"the text of this split has {len(stream)} tokens, too few for one window of "
            f"model.max_length + 1 = {window + 1}; lower model.max_length or give more text"
        )
    return Stream(stream, window)


def windows(stream: np.ndarray, window: int) -> np.ndarray:
    """The stream cut into consecutive windows that overlap by the token they predict from. [N, window + 1]

    Every token but the first is predicted once, except up to `window` at the end.
    """
    count = (len(stream) - 1) // window
    index = np.arange(count)[:, None] * window + np.arange(window + 1)
    return stream[index]
