"""A word twice: the task "duplicate string" of Delétang et al. 2023.

    101>101101

The word is 101.
"""

import dataclasses

from tasks.strings.asking import AskingOfWord


@dataclasses.dataclass(frozen=True)
class Duplication(AskingOfWord):
    """Random words; the answer is the word two times, with nothing between them."""

    def of_word(self, word: str) -> str:
        return 2 * word

    def explanation(self) -> str:
        return "a word, and the same twice"

    def guess(self, length: int) -> float:
        return len(self.alphabet) ** (-2 * length)
