"""Sums of binary numbers from the lowest digit on: the task "binary addition" of Delétang et al. 2023.

    001+01101=01011

4 + 22 = 26. Numbers may end in zeros, which are high digits; sums do not.
"""

import dataclasses
import random

from tasks.strings.asking import Asking, Shortest
from tasks.strings.binary import count_pairs, digits, draw_pair, read_pair


@dataclasses.dataclass(frozen=True)
class BinaryAddition(Asking):
    """Two numbers above 0, the first of any width that leaves room for the other; their sum is asked for.

    The length counts the plus. Deviation: none is below 3; in the paper questions of 1 or 2 symbols are one
    number.
    """

    shortest: Shortest = 3

    separator = "="
    least = 3

    def question(self, rng: random.Random, length: int) -> str:
        return "+".join(draw_pair(rng, length))

    def answer(self, question: str) -> str | None:
        numbers = read_pair(question, "+")
        return None if numbers is None else digits(sum(numbers))

    def explanation(self) -> str:
        return "the sum of two binary numbers, from the lowest digit on"

    def count(self, length: int) -> int:
        return count_pairs(length)
