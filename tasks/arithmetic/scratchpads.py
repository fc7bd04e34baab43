"""The scratchpads of Lee et al. 2023 (arXiv 2307.03381, section 3), in the layout of their data files.

For 497+97 both prompts are `Input:`, `497+97`, `Target:`, each on a line; the targets are

    simplified            detailed
    A->4 , C->1           <scratch>
    A->9 , C->1           [4,9,7] has 3 digits.
    A->5 , C->0.          [9,7] has 2 digits.
    594                   [4,9,7] + [9,7] , A=[] , C=0 , 7+7+0=14 , A->4 , C->1
                          [4,9] + [9] , A=[4] , C=1 , 9+9+1=19 , A->9 , C->1
                          [4] + [] , A=[9,4] , C=1 , 4+0+1=5 , A->5 , C->0
                          [] + [] , A=[5,9,4] C=0 , END
                          </scratch>
                          5 9 4

A is a digit of the answer, C the carry out of its place.
"""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from tasks.arithmetic.formats import Format, stated
from tasks.arithmetic.notation import Question


class Place(NamedTuple):
    """One place of an addition: both digits and the carry into it, 0 beyond a number's own digits."""

    first: int
    second: int
    carry: int

    @property
    def total(self) -> int:
        return sum(self)


def _places(question: Question) -> Iterator[Place]:
    """The places that either operand has, ones first."""
    carry = 0
    for digits in itertools.zip_longest(*(reversed(str(n)) for n in question.operands), fillvalue="0"):
        place = Place(*map(int, digits), carry)
        yield place
        carry = place.total // 10


class SimplifiedScratchpad(Format):
    """Digit and carry of every place, then the answer."""

    def render(self, question: Question) -> tuple[str, str]:
        lines = [f"A->{place.total % 10} , C->{place.total // 10}" for place in _places(question)]
        return _prompt(question), "\n".join(lines) + f".\n{question.answer}"

    def written(self, completion: str) -> str:
        match = re.search(r"A->[0-9] , C->[01]\.\n([0-9]+)\Z", completion)
        if match is None:
            raise ValueError("the completion does not end with the last carry, a full stop and a number")
        return match[1]

    def score(self, target: str, completion: str) -> dict[str, float]:
        return stated(self, target, completion)


class Scratchpad(Format):
    """Every step with what is left of both numbers, what stands of the answer, and the sum."""

    def render(self, question: Question) -> tuple[str, str]:
        texts = [str(operand) for operand in question.operands]
        lines = ["<scratch>", *(f"{_listed(text)} has {len(text)} digits." for text in texts)]
        answer = ""
        for index, place in enumerate(_places(question)):
            left = " + ".join(_listed(text[: max(len(text) - index, 0)]) for text in texts)
            written = f"A={_listed(answer)} , C={place.carry}"
            digit, carry = place.total % 10, place.total // 10
            addition = f"{'+'.join(map(str, place))}={place.total}"
            lines.append(f"{left} , {written} , {addition} , A->{digit} , C->{carry}")
            answer = f"{digit}{answer}"
        # The last line has no comma before C in their files either.
        lines += [f"[] + [] , A={_listed(answer)} C={carry} , END", "</scratch>"]
        return _prompt(question), "\n".join([*lines, " ".join(str(question.answer))])

    def written(self, completion: str) -> str:
        match = re.search(r"\n</scratch>\n([0-9](?: [0-9])*)\Z", completion)
        if match is None:
            raise ValueError("the completion does not end with </scratch> and spaced digits")
        return match[1].replace(" ", "")

    def score(self, target: str, completion: str) -> dict[str, float]:
        return stated(self, target, completion)


def _prompt(question: Question) -> str:
    return f"Input:\n{question.text}\nTarget:\n"


def _listed(digits: str) -> str:
    return f"[{','.join(digits)}]"
