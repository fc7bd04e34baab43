"""A word once more.

    0110>0110

The word is 0110.
"""

import dataclasses

from tasks.strings.asking import AskingOfWord


@dataclasses.dataclass(frozen=True)
class Copying(AskingOfWord):
    """Random words; the answer is the word. `duplication` asks for it twice."""

    def of_word(self, word: str) -> str:
        return word

    def explanation(self) -> str:
        return "a word, and the same again"

    def guess(self, length: int) -> float:
        return len(self.alphabet) ** -length
