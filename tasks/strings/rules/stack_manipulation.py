"""What a stack holds in the end: the task "stack manipulation" of Delétang et al. 2023.

    abbaB..>bba

The stack a b b a, its top last, gets one more b (`B`), and loses its top twice (`.`). It is answered from the
top down. The stack may be empty in the end, and so is the answer then.
"""

import dataclasses
import random

from tasks.strings.asking import Asking


@dataclasses.dataclass(frozen=True)
class StackManipulation(Asking):
    """A random stack of a and b, then random instructions: A and B push a and b, a dot pops.

    Every share of stack and instructions is as likely; each has at least one symbol, but for a question of
    length 1, which is a stack. A pop of the empty stack does nothing.
    """

    def question(self, rng: random.Random, length: int) -> str:
        height = rng.randint(1, max(length - 1, 1))
        return "".join(rng.choices("ab", k=height) + rng.choices("AB.", k=length - height))

    def answer(self, question: str) -> str | None:
        first = question.lstrip("ab")
        stack, known = list(question[: len(question) - len(first)]), set(first) <= set("AB.")
        if not (stack and known and (first or len(question) == 1)):
            return None
        for instruction in first:
            if instruction != ".":
                stack.append(instruction.lower())
            elif stack:
                stack.pop()
        return "".join(reversed(stack))

    def explanation(self) -> str:
        return "a stack after pushes and pops, from the top down"

    def count(self, length: int) -> int:
        return sum(2**height * 3 ** (length - height) for height in range(1, length)) if length > 1 else 2
