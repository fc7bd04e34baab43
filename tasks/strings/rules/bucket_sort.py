"""The symbols of a word in order: the task "bucket sort" of Delétang et al. 2023.

    10204112>00111224

One 0 comes first, then the other, the three 1s, and so on.
"""

import dataclasses
from typing import Annotated

from tasks.strings.asking import AskingOfWord


@dataclasses.dataclass(frozen=True)
class BucketSort(AskingOfWord):
    """Random words; the answer has their symbols in the order of the alphabet."""

    alphabet: Annotated[str, "the symbols, in the order in which they are sorted"] = "01234"

    def of_word(self, word: str) -> str:
        return "".join(symbol * word.count(symbol) for symbol in self.alphabet)

    def explanation(self) -> str:
        return f"a word, and its symbols in the order of {self.alphabet}"

    def guess(self, length: int) -> float:
        return len(self.alphabet) ** -length
