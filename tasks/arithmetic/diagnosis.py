"""Where an answer of arithmetic is wrong, and how.

The sum 9 + 71421 is 71430. A model that adds the ones and drops their carry answers 71420:

    >>> found = diagnose(Question("+", (9, 71421)), "71430", "71420", right=False)
    >>> found.wrong
    'off by one carry'
    >>> [name for name, right in found.places.items() if not right]
    ['tens']
    >>> found.facets
    {'longest carry chain': '1', 'length of the longest operand': '5'}

Digits are compared by their weight: an answer that lacks its highest digit has the others right, and one that
lacks its ones has them all moved.
"""

import functools
import re

from jaxgpt.task import Diagnosis
from tasks.arithmetic.notation import Question, place_name

NOT_A_NUMBER = "not a number"
WRONG_LENGTH = "wrong length"
WRONG_SIGN = "wrong sign"
ONE_CARRY = "off by one carry"
OTHER_DIGITS = "other digits"
#: The first that holds is the kind of a wrong answer; see `kind`.
WRONG_KINDS = (NOT_A_NUMBER, WRONG_LENGTH, WRONG_SIGN, ONE_CARRY, OTHER_DIGITS)

_NUMBER = re.compile("-?[0-9]+")


def diagnose(question: Question, target: str, answer: str, *, right: bool) -> Diagnosis:
    """The diagnosis of an answer.

    Args:
      question: the operands of a difference may stand in either order.
      target: the right answer, a sign and digits, the ones last; the zeros of a padded one may lead.
      answer: what was written in its place, in the same order; "" where nothing was found there.
      right: whether it is an exact match.
    """
    wrong = "" if right else kind(target, answer)
    places = _places(question, target, "" if wrong == NOT_A_NUMBER else answer)
    return Diagnosis(places, dict(_facets(question)), wrong)


def kind(target: str, answer: str) -> str:
    """The kind of a wrong answer, the first of these that holds.

    `not a number`: no sign and digits stand where the answer should. So is the right number where the format
    does not accept it: `-0`, or in `steps` the result of another sum that happens to be the same.

    `wrong length`: it has more or fewer digits than the right answer, leading zeros counted as they are
    written. Such an answer counts here even where it is off by one carry, too, as 10 for 60 + 50 = 110: the
    length is seen without any arithmetic, and so this share is that of all answers of a wrong length.

    `wrong sign`: the digits are right and the sign is not.

    `off by one carry`: as long as the right answer, and larger or smaller by 10, 100 or another such power:
    what results where one carry (or borrow) is dropped or made up, and every other one is passed on. No
    carry goes into the ones, so an answer that is wrong by 1 does not count here. Nor does a digit that is
    wrong by 9 while the carry out of it is right.

    `other digits`: anything else.
    """
    if not _NUMBER.fullmatch(answer) or answer == target:
        return NOT_A_NUMBER
    digits, wanted = answer.removeprefix("-"), target.removeprefix("-")
    if len(digits) != len(wanted):
        return WRONG_LENGTH
    if digits == wanted:
        return WRONG_SIGN if int(digits) else NOT_A_NUMBER
    return ONE_CARRY if re.fullmatch("10+", str(abs(int(answer) - int(target)))) else OTHER_DIGITS


def longest_chain(question: Question) -> int:
    """The most neighbouring places of a sum that each pass a carry on; of a difference, a borrow.

    `95+17`: the ones and the tens pass one on, so 2. A difference is that of the larger and the smaller
    number, as on paper.
    """
    texts = list(map(str, sorted(question.operands, reverse=True)))
    # Of many operands the carry out of the highest place has several digits.
    width = len(texts[0]) + len(str(len(texts)))
    longest = chain = carry = 0
    for column in zip(*(text.zfill(width)[::-1] for text in texts), strict=True):
        first, *others = map(int, column)
        if question.symbol == "-":
            carry = int(first < sum(others) + carry)
        else:
            carry = (first + sum(others) + carry) // 10
        chain = chain + 1 if carry else 0
        longest = max(longest, chain)
    return longest


@functools.lru_cache(maxsize=1)  # the answers of all seeds to one question come in turn
def _facets(question: Question) -> dict[str, str]:
    length = {"length of the longest operand": str(max(len(str(n)) for n in question.operands))}
    if question.symbol == "*":
        return length
    return {"longest carry chain": str(longest_chain(question))} | length


def _places(question: Question, target: str, answer: str) -> dict[str, bool]:
    """Which digits of the answer are right, without the zeros of a padded one; of a difference its sign."""
    wanted = target.removeprefix("-").lstrip("0") or "0"
    digits = answer.removeprefix("-")[::-1]
    found = {
        place_name(place): digits[place : place + 1] == digit for place, digit in enumerate(wanted[::-1])
    }
    if question.symbol == "-":
        found["sign"] = bool(digits) and answer.startswith("-") == target.startswith("-")
    return found
