"""Whether neighbours differ an odd number of times: the task "even pairs" of Delétang et al. 2023.

    0101001>1

There are three 01 and two 10, together an odd number: 1. So the answer says whether the first symbol and the
last differ.
"""

import dataclasses
import itertools
import random

from tasks.strings.asking import Asking


@dataclasses.dataclass(frozen=True)
class EvenPairs(Asking):
    """Random words of zeros and ones; the answer is the number of 01 and 10 in them, modulo 2."""

    def question(self, rng: random.Random, length: int) -> str:
        return "".join(rng.choices("01", k=length))

    def answer(self, question: str) -> str | None:
        if not set(question) <= {"0", "1"}:
            return None
        return str(sum(one != other for one, other in itertools.pairwise(question)) % 2)

    def explanation(self) -> str:
        return "the number of 01 and 10 modulo 2"

    def count(self, length: int) -> int:
        return 2**length

    def guess(self, length: int) -> float:
        return 1 / 2
