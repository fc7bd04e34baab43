"""The loss of models on a text: each token from those before it in its window."""

import math
from typing import Literal, NamedTuple

from jaxgpt.evaluation.intervals import Estimate, ratio, scaled
from jaxgpt.lab.subject import Subject
from jaxgpt.lab.windows import nats, over_windows, sizes, windows
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

#: What is done with a character that a tokenizer cannot write.
Unknown = Literal["skip", "refuse"]


class TextLoss(NamedTuple):
    """How well models predict a text.

    Attributes:
      nats: a character, with its interval over seeds; of one seed, over windows.
      bits_a_byte: of the text as UTF-8.
      left_out: the share of its characters that the tokenizer cannot write.
    """

    nats: Estimate
    bits_a_byte: Estimate
    left_out: float


def text_loss(subject: Subject, text: str, unknown: Unknown = "skip") -> TextLoss:
    """The loss of models on a text, in windows of what they read.

    Raises:
      ValueError: for a text that does not fill a window, or, with `refuse`, one with an unknown character.
    """
    kept = text if unknown == "refuse" else known(subject, text)
    rows = windows(subject, kept)
    losses = over_windows(subject, rows, nats)
    characters, encoded = sizes(subject, rows)
    a_byte = scaled(ratio(losses, encoded), 1 / math.log(2))
    return TextLoss(ratio(losses, characters), a_byte, 1 - len(kept) / max(len(text), 1))


def known(subject: Subject, text: str) -> str:
    """A text without the characters that a tokenizer cannot write."""

    def is_known(character: str) -> bool:
        try:
            subject.tokenizer.encode_exactly(character)
        except OutsideAlphabet:
            return False
        return True

    lost = {character for character in set(text) if not is_known(character)}
    return "".join(character for character in text if character not in lost) if lost else text
