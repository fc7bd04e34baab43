"""Square roots of binary numbers, rounded down: the task "compute sqrt" of Delétang et al. 2023.

    100101>110

The root of 37 is 6.08, and 6 is 110. The highest digit comes first.
"""

import dataclasses
import math
import random

from tasks.strings.asking import Asking


@dataclasses.dataclass(frozen=True)
class SquareRoot(Asking):
    """Random numbers above 0, with zeros before them up to the length; the root is asked for.

    It has half as many digits as the number, rounded up, and may begin with zeros, too.
    """

    def question(self, rng: random.Random, length: int) -> str:
        return f"{rng.randrange(1, 2**length):0{length}b}"

    def answer(self, question: str) -> str | None:
        if not set(question) <= {"0", "1"} or "1" not in question:
            return None
        return f"{math.isqrt(int(question, 2)):0{_width(len(question))}b}"

    def explanation(self) -> str:
        return "the square root of a binary number, rounded down"

    def count(self, length: int) -> int:
        return 2**length - 1

    def guess(self, length: int) -> float:
        return 2.0 ** -_width(length)


def _width(length: int) -> int:
    return (length + 1) // 2
