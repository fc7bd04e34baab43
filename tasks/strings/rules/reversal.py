"""A word backwards: the task "reverse string" of Delétang et al. 2023.

    011010>010110

The last symbol of the word, 0, comes first.
"""

import dataclasses

from tasks.strings.asking import AskingOfWord


@dataclasses.dataclass(frozen=True)
class Reversal(AskingOfWord):
    """Random words; the answer is the word from its last symbol to its first."""

    def of_word(self, word: str) -> str:
        return word[::-1]

    def explanation(self) -> str:
        return "a word, and the same backwards"

    def guess(self, length: int) -> float:
        return len(self.alphabet) ** -length
