"""Sums and products in brackets: the task "modular arithmetic" of Delétang et al. 2023.

    ((1+-2)*(3-4))=1

-1 times -1 is 1, here modulo 5.
"""

import dataclasses
import random
from typing import Annotated

from tasks.strings import brackets
from tasks.strings.asking import Asking, check_modulus


@dataclasses.dataclass(frozen=True)
class ModularBrackets(Asking):
    """Random expressions of digits below the modulus, every operation in brackets; the value is asked for."""

    modulus: Annotated[int, "digits are below it, and values are taken modulo it"] = 5
    signs: Annotated[str, "the operations: some of + - *"] = "+-*"

    separator = "="

    def __post_init__(self):
        super().__post_init__()
        check_modulus(self.modulus)
        if not self.signs or not set(self.signs) <= set("+-*") or len(set(self.signs)) < len(self.signs):
            raise ValueError(f"rule.signs={self.signs!r} must be some of + - *, each once, such as +-")

    def question(self, rng: random.Random, length: int) -> str:
        return brackets.draw(rng, length, self.modulus, self.signs)

    def answer(self, question: str) -> str | None:
        value = brackets.value(question, self.modulus, self.signs)
        return None if value is None else str(value)

    def explanation(self) -> str:
        return f"the value of an expression with brackets modulo {self.modulus}"

    def count(self, length: int) -> int:
        return brackets.count(length, self.modulus, len(self.signs))

    def guess(self, length: int) -> float:
        return 1 / self.modulus
