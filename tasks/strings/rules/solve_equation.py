"""Equations with one unknown, modulo a small number: the task "solve equation" of Delétang et al. 2023.

    ((x-2)+(3))=4>3

3 - 2 + 3 is 4. The value on the right is below the modulus, 5 here.
"""

import dataclasses
import random
from typing import Annotated

from tasks.strings import brackets
from tasks.strings.asking import Asking, Shortest, check_modulus, places


@dataclasses.dataclass(frozen=True)
class SolveEquation(Asking):
    """Random expressions of + and - in which x stands for one digit, and their value; the answer is x.

    Deviations: every digit is as likely to become x, where the paper takes the first one at or after a random
    symbol; and questions have at least 3 symbols, where shorter ones are fixed in the paper.
    """

    shortest: Shortest = 3
    modulus: Annotated[int, "digits are below it, and values are taken modulo it"] = 5

    least = 3

    def __post_init__(self):
        super().__post_init__()
        check_modulus(self.modulus)

    def question(self, rng: random.Random, length: int) -> str:
        drawn = brackets.draw(rng, length - 2, self.modulus, "+-")
        at = rng.choice(places(drawn, "0123456789"))
        return f"{drawn[:at]}x{drawn[at + 1 :]}={brackets.value(drawn, self.modulus, '+-')}"

    def answer(self, question: str) -> str | None:
        left, _, right = question.partition("=")
        if left.count("x") != 1:
            return None
        # x is added or subtracted once, so that exactly one digit fits.
        fits = (str(x) for x in range(self.modulus) if self._value(left, x) == right)
        return next(fits, None)

    def _value(self, left: str, x: int) -> str:
        return str(brackets.value(left.replace("x", str(x)), self.modulus, "+-"))

    def explanation(self) -> str:
        return f"the unknown of an equation modulo {self.modulus}"

    def guess(self, length: int) -> float:
        return 1 / self.modulus
