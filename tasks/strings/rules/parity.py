"""Whether a word has an odd number of ones: the task "parity check" of Delétang et al. 2023.

    1010100>1

Three ones are an odd number: 1. Four, as in 01111, would be 0.
"""

import dataclasses
import random

from tasks.strings.asking import Asking


@dataclasses.dataclass(frozen=True)
class Parity(Asking):
    """Random words of zeros and ones; the answer is the number of ones modulo 2."""

    def question(self, rng: random.Random, length: int) -> str:
        return "".join(rng.choices("01", k=length))

    def answer(self, question: str) -> str | None:
        return str(question.count("1") % 2) if set(question) <= {"0", "1"} else None

    def explanation(self) -> str:
        return "the number of ones modulo 2"

    def count(self, length: int) -> int:
        return 2**length

    def guess(self, length: int) -> float:
        return 1 / 2
