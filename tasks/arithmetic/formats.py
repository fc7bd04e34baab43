"""How a question and its answer are written for the model: one object a format."""

import abc
import re

from tasks.arithmetic.notation import Question, place_name, places, read_number


class Format(abc.ABC):
    """A way of writing questions and answers, and of reading the answers back."""

    @abc.abstractmethod
    def render(self, question: Question) -> tuple[str, str]:
        """The prompt and the target of a question."""

    @abc.abstractmethod
    def read(self, completion: str) -> int:
        """The number that a completion states.

        Raises:
          ValueError: if the completion does not have the form of this format.
        """

    def show(self, completion: str) -> str:
        """A completion as a person reads it.

        Raises:
          ValueError: as `read`.
        """
        return str(self.read(completion))

    def score(self, target: str, completion: str) -> dict[str, float]:
        """Named scores of a completion, `exact_match` among them."""
        return {"exact_match": float(completion == target)}

    def summary(self, scores: list[dict[str, float]]) -> dict[str, float]:
        """Measures of a whole set of scores beyond their means."""
        return {}


class Plain(Format):
    """`9+71421=` -> `71430`."""

    def render(self, question: Question) -> tuple[str, str]:
        return question.text + "=", str(question.answer)

    def read(self, completion: str) -> int:
        return read_number(completion)


class Reversed(Format):
    """`9+71421=` -> `03417`: the digits of the answer least significant first.

    A sign stands in front, `5-17=` -> `-21`: every digit of a difference depends on which operand is the
    larger, so the model decides that first.
    """

    def render(self, question: Question) -> tuple[str, str]:
        answer = question.answer
        sign = "-" if answer < 0 else ""
        return question.text + "=", sign + str(abs(answer))[::-1]

    def read(self, completion: str) -> int:
        digits = completion.removeprefix("-")
        return read_number(completion[: len(completion) - len(digits)] + digits[::-1])


class Decomposition(Format):
    """`65` -> `ones->5`, `tens->6`, a line a digit; spaced, the number is written `6 5`."""

    def __init__(self, separator: str):
        self.separator = separator

    def render(self, question: Question) -> tuple[str, str]:
        (number,) = question.operands
        return self.separator.join(str(number)) + "\n", decompose(number)

    def read(self, completion: str) -> int:
        digits = []
        for place, line in enumerate(completion.split("\n")):
            name, _, digit = line.partition("->")
            if name != place_name(place) or not re.fullmatch(r"[0-9]", digit):
                raise ValueError(f"{line!r} is not {place_name(place)}-> and a digit")
            digits.append(digit)
        return read_number("".join(reversed(digits)))

    def show(self, completion: str) -> str:
        return ", ".join(f"{name} {digit}" for name, digit in places(self.read(completion)))


def decompose(number: int) -> str:
    """`ones->5` and so on, a line a digit."""
    return "\n".join(f"{name}->{digit}" for name, digit in places(number))
