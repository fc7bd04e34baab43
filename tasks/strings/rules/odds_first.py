"""Every second symbol first: the task "odds first" of Delétang et al. 2023.

    00110101>01000111

The first, third, fifth and seventh symbols are 0100, the others 0111.
"""

import dataclasses

from tasks.strings.asking import AskingOfWord


@dataclasses.dataclass(frozen=True)
class OddsFirst(AskingOfWord):
    """Random words; the answer has the 1st, 3rd, 5th ... symbol, then the 2nd, 4th, 6th ...

    As the paper says. Its code counts from 0, and puts the 2nd, 4th, 6th ... first.
    """

    def of_word(self, word: str) -> str:
        return word[::2] + word[1::2]

    def explanation(self) -> str:
        return "a word, and its symbols with those at odd places first"

    def guess(self, length: int) -> float:
        return len(self.alphabet) ** -length
