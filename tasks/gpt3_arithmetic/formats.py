"""How an answer is written: one object a format."""

import abc
import re

from tasks.gpt3_arithmetic.problems import Problem


class Format(abc.ABC):
    """A way of writing answers, and of reading them back."""

    @abc.abstractmethod
    def render(self, problem: Problem) -> str:
        """The target of a problem."""

    @abc.abstractmethod
    def read(self, completion: str) -> str:
        """The answer that a completion states, in ordinary notation.

        Raises:
          ValueError: if the completion does not have the form of this format.
        """


class Plain(Format):
    """` 124`: the answer behind a space, as lm-evaluation-harness scores it."""

    def render(self, problem: Problem) -> str:
        return f" {problem.answer}"

    def read(self, completion: str) -> str:
        return _number(completion, " ")


class Worked(Format):
    """` 84,69,8001`: the numbers on the way, and the answer as the last of them.

    They are `Problem.steps`: the two partial products and the product for 24 times 42, the parenthesis and
    the result for two operations, and the answer alone for sums and differences. Each has its sign in front
    and then its least significant digit first, the order in which carries are known.
    """

    def render(self, problem: Problem) -> str:
        return " " + ",".join(("-" if step < 0 else "") + str(abs(step))[::-1] for step in problem.steps)

    def read(self, completion: str) -> str:
        match = re.fullmatch(r" (?:-?[0-9]+,)*(-?)([0-9]+)", completion)
        if match is None:
            raise ValueError(f"{completion!r} is not a space and numbers with commas between")
        return _number(" " + match[1] + match[2][::-1], " ")


def _number(text: str, before: str) -> str:
    """The number behind `before`, which must be all of `text` and written canonically."""
    match = re.fullmatch(f"{before}(0|-?[1-9][0-9]*)", text)
    if match is None:
        raise ValueError(f"{text!r} is not {before!r} and a number")
    return match[1]
