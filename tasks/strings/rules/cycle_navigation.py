"""Where a walk on a circle ends: the task "cycle navigation" of Delétang et al. 2023.

    rlsll>3

One step to the right, one to the left, none, and two to the left end at -2, which is 3 of the places 0 to 4.
"""

import dataclasses
import random
from typing import Annotated

from tasks.strings.asking import Asking, check_modulus


@dataclasses.dataclass(frozen=True)
class CycleNavigation(Asking):
    """Random steps from place 0: r to the right, l to the left, s stays; the answer is the last place."""

    modulus: Annotated[int, "places on the circle"] = 5

    def __post_init__(self):
        super().__post_init__()
        check_modulus(self.modulus)

    def question(self, rng: random.Random, length: int) -> str:
        return "".join(rng.choices("lrs", k=length))

    def answer(self, question: str) -> str | None:
        if not set(question) <= set("lrs"):
            return None
        return str((question.count("r") - question.count("l")) % self.modulus)

    def explanation(self) -> str:
        return f"the end of a walk on a circle of {self.modulus} places"

    def count(self, length: int) -> int:
        return 3**length

    def guess(self, length: int) -> float:
        return 1 / self.modulus
