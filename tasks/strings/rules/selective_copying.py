"""A word with blanks among its symbols, copied without them: "selective copying" of MAD.

    .a..cb.>acb

MAD is Poli et al. 2024 (arXiv 2403.17844); code: https://github.com/athms/mad-lab.
"""

import dataclasses
import random
from typing import Annotated

from tasks.strings.asking import Asking, check_without
from tasks.strings.rule import check_alphabet

_BLANK = "."


@dataclasses.dataclass(frozen=True)
class SelectiveCopying(Asking):
    """Each place is blank with probability `blanks`, but not all of them; the answer has the others in order.

    Deviation: in MAD every question has as many symbols to copy, 16 of 256, and ends in one of them.
    """

    alphabet: Annotated[str, "the symbols that are copied"] = "abcdefghijklmn"
    blanks: Annotated[float, "probability that a place is blank"] = 0.5

    def __post_init__(self):
        super().__post_init__()
        check_alphabet(self.alphabet)
        check_without(self.alphabet, _BLANK + self.separator)
        if not 0 <= self.blanks < 1:
            raise ValueError(f"rule.blanks={self.blanks} must be at least 0 and below 1")

    def question(self, rng: random.Random, length: int) -> str:
        symbols = rng.choices(self.alphabet, k=length)
        kept = rng.randrange(length)
        return "".join(
            symbol if place == kept or rng.random() >= self.blanks else _BLANK
            for place, symbol in enumerate(symbols)
        )

    def answer(self, question: str) -> str | None:
        word = question.replace(_BLANK, "")
        return word if word and set(word) <= set(self.alphabet) else None

    def explanation(self) -> str:
        return "a word with blanks, and the same without them"

    def count(self, length: int) -> int:
        return (len(self.alphabet) + 1) ** length - 1 if self.blanks else len(self.alphabet) ** length

    def guess(self, length: int) -> float:
        each = 1 / len(self.alphabet)
        return each * (self.blanks + (1 - self.blanks) * each) ** (length - 1)
