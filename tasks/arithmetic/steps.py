"""Addition written out step by step, in the layout of the prime-square document (its section on sums).

The prompt ends with `STEP 1`. STEP 1 decomposes both operands; then comes a step for every place that
adds its digits, and the carry where there is one, and decomposes the sum; the last step gathers the ones
of those sums; RESULT states the addition:

    8292+29039          STEP 2                   STEP 6                      STEP 7
                        ones->2+9=11             ten thousands->2+1=3        ones->1
    STEP 1                                                                   ...
                        Number: 11               Number: 3                   ten thousands->3
    Number: 8292        ones->1                  ones->3                     Number: 37331
    ones->2             tens->1
    ...                                                                      RESULT
                                                                             8292+29039=37331

A place that only one operand has adds that digit alone; a carry into a place that neither has is a step of
its own, `hundred thousands->1=1`.
"""

import itertools
import re

from tasks.arithmetic.formats import Format, decompose
from tasks.arithmetic.notation import Question, place_name

_HEADING = "\n\nSTEP 1"


class Steps(Format):
    """The step-by-step addition of the module's docstring."""

    def render(self, question: Question) -> tuple[str, str]:
        a, b = question.operands
        blocks = [f"\n\nNumber: {a}\n{decompose(a)}\n\nNumber: {b}\n{decompose(b)}"]
        carry, gathered = 0, []
        for place, digits in enumerate(itertools.zip_longest(reversed(str(a)), reversed(str(b)))):
            terms = [int(digit) for digit in digits if digit is not None]
            carry = _add_step(blocks, gathered, place, [*terms, carry] if carry else terms)
        if carry:
            _add_step(blocks, gathered, len(gathered), [carry])
        total = a + b
        last = "\n".join(f"{place_name(place)}->{digit}" for place, digit in enumerate(gathered))
        blocks.append(f"STEP {len(blocks) + 1}\n{last}\nNumber: {total}")
        blocks.append(f"RESULT\n{question.text}={total}")
        return question.text + _HEADING, "\n\n".join(blocks)

    def written(self, completion: str) -> str:
        match = re.search(r"(?:\A|\n)RESULT\n[0-9]+\+[0-9]+=([0-9]+)\Z", completion)
        if match is None:
            raise ValueError("the completion does not end with RESULT and a sum")
        return match[1]

    def score(self, target: str, completion: str) -> dict[str, float]:
        """Right to the last word, or where it first went wrong.

        `exact_match`: the RESULT at the end is right. `whole_match`: so is every character before it.
        `steps_right`: share of the target's blocks (STEP 1 ... RESULT) that stand in their place.
        `first_wrong_step`: the number of the first block that is not right, counting RESULT as one after
        the last step; 0 when none is wrong.
        """
        wanted, written = _blocks(target), _blocks(completion)
        right = [index < len(written) and written[index] == block for index, block in enumerate(wanted)]
        right.append(len(written) <= len(wanted))  # nothing may follow RESULT
        return {
            "exact_match": float(written[-1] == wanted[-1]),
            "whole_match": float(completion == target),
            "steps_right": sum(right[:-1]) / len(wanted),
            "first_wrong_step": float(0 if all(right) else right.index(False) + 1),
        }

    def summary(self, scores: list[dict[str, float]]) -> dict[str, float]:
        """`first_wrong_step_N`: the share of questions that first go wrong in block N."""
        first = [int(score["first_wrong_step"]) for score in scores]
        return {f"first_wrong_step_{step}": first.count(step) / len(first) for step in sorted({*first} - {0})}


def _add_step(blocks: list[str], gathered: list[int], place: int, terms: list[int]) -> int:
    """Append the step of one place and its digit; the carry out of it."""
    total = sum(terms)
    sum_line = f"{place_name(place)}->{'+'.join(map(str, terms))}={total}"
    blocks.append(f"STEP {len(blocks) + 1}\n{sum_line}\n\nNumber: {total}\n{decompose(total)}")
    gathered.append(total % 10)
    return total // 10


def _blocks(text: str) -> list[str]:
    """The text cut in front of every STEP and RESULT."""
    return re.split(r"\n\n(?=STEP |RESULT)", text)
