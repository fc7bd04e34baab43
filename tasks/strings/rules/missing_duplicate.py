"""A word twice, with one symbol missing: the task "missing duplicate" of Delétang et al. 2023.

    01100?10>1

The word is 0110, so the missing symbol is 1. A question of odd length ends in one _ that means nothing, as in
1011?1_>0.
"""

import dataclasses
import random

from tasks.strings.asking import Asking, Shortest


@dataclasses.dataclass(frozen=True)
class MissingDuplicate(Asking):
    """A random word of zeros and ones two times, with a ? in place of one symbol, which is the answer.

    Deviation: no question has one symbol alone; in the paper one does, with a fixed answer.
    """

    shortest: Shortest = 2

    least = 2

    def question(self, rng: random.Random, length: int) -> str:
        symbols = 2 * rng.choices("01", k=length // 2)
        symbols[rng.randrange(len(symbols))] = "?"
        return "".join(symbols) + "_" * (length % 2)

    def answer(self, question: str) -> str | None:
        half, odd = divmod(len(question), 2)
        at = question.find("?")
        if at < 0 or question[2 * half :] != "_" * odd:
            return None
        missing = question[(at + half) % (2 * half)]
        word = question[: 2 * half].replace("?", missing, 1)
        return missing if set(word) <= {"0", "1"} and word[:half] == word[half:] else None

    def explanation(self) -> str:
        return "the symbol that is missing in a word written twice"

    def count(self, length: int) -> int:
        half = length // 2
        return 2**half * 2 * half

    def guess(self, length: int) -> float:
        return 1 / 2
