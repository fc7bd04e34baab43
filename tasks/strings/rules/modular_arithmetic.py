"""Sums and products without brackets: the task "modular arithmetic (simple)" of Delétang et al. 2023.

    0*1+4*3-2=0

0 + 12 - 2 is 10, which is 0 modulo 5. Products come before sums.
"""

import dataclasses
import random
import re
from typing import Annotated

from tasks.strings.asking import Asking, check_modulus


@dataclasses.dataclass(frozen=True)
class ModularArithmetic(Asking):
    """Random digits below the modulus, with +, - or * between them; the answer is the value.

    A question has an odd number of symbols: one drawn with an even length has one fewer, as in the paper.
    """

    modulus: Annotated[int, "digits are below it, and values are taken modulo it"] = 5

    separator = "="

    def __post_init__(self):
        super().__post_init__()
        check_modulus(self.modulus)

    def fitting(self, length: int) -> int:
        return length - 1 + length % 2

    def question(self, rng: random.Random, length: int) -> str:
        drawn = [str(rng.randrange(self.modulus))]
        for _ in range((length - 1) // 2):
            drawn += [rng.choice("+-*"), str(rng.randrange(self.modulus))]
        return "".join(drawn)

    def answer(self, question: str) -> str | None:
        digits = f"[0-{self.modulus - 1}]"
        if re.fullmatch(f"{digits}([-+*]{digits})*", question) is None:
            return None
        value = 0
        for sign, term in re.findall(r"([-+]?)([0-9*]+)", question):
            product = 1 if sign != "-" else -1
            for factor in term.split("*"):
                product = product * int(factor) % self.modulus
            value += product
        return str(value % self.modulus)

    def explanation(self) -> str:
        return f"the value of sums and products modulo {self.modulus}"

    def count(self, length: int) -> int:
        return self.modulus ** (length // 2 + 1) * 3 ** (length // 2)

    def guess(self, length: int) -> float:
        return 1 / self.modulus
