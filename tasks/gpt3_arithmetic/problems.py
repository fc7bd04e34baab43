"""The ten kinds of problem: how one is drawn, worded, read and worked out."""

import abc
import dataclasses
import itertools
import operator
import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from tasks.arithmetic.notation import expression

_FUNCTIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_WORDS = {"+": "plus", "-": "minus", "*": "times"}


class Problem(NamedTuple):
    """`a op b`, or with a third number `(a op b) op c`."""

    numbers: tuple[int, ...]
    operations: str

    @property
    def text(self) -> str:
        """The problem in words, as it follows `What is`."""
        if len(self.numbers) == 2:
            return f"{self.numbers[0]} {_WORDS[self.operations]} {self.numbers[1]}"
        (a, b, c), (first, second) = self.numbers, self.operations
        return f"({a} {first} {b}) {second} {c}"

    @property
    def answer(self) -> int:
        value = self.numbers[0]
        for operation, number in zip(self.operations, self.numbers[1:], strict=True):
            value = _FUNCTIONS[operation](value, number)
        return value

    @property
    def steps(self) -> list[int]:
        """The numbers that working it out on paper gives, the answer last.

        A product is taken digit by digit of the second number, ones first; three numbers have the value of
        their parenthesis.
        """
        if self.operations == "*":
            a, b = self.numbers
            return [*(a * int(digit) for digit in reversed(str(b))), a * b]
        if len(self.numbers) == 3:
            return [Problem(self.numbers[:2], self.operations[0]).answer, self.answer]
        return [self.answer]

    @property
    def key(self) -> str:
        """The same for both orders of the first two numbers, whichever of the ten it was drawn for."""
        pair = self.operations[0].join(map(str, sorted(self.numbers[:2])))
        return pair if len(self.numbers) == 2 else f"({pair}){self.operations[1]}{self.numbers[2]}"


class Kind(abc.ABC):
    """One of the ten: a set of equally likely problems."""

    @property
    @abc.abstractmethod
    def size(self) -> int:
        """How many problems there are."""

    @abc.abstractmethod
    def has(self, problem: Problem) -> bool:
        """Whether it is one of them."""

    @abc.abstractmethod
    def draw(self, rng: random.Random) -> Problem:
        """A problem, each with the same chance."""

    @abc.abstractmethod
    def all(self) -> Iterator[Problem]:
        """Every problem once."""


@dataclasses.dataclass(frozen=True)
class TwoNumbers(Kind):
    """Two numbers, each uniform among those below 10**digits, and one operation."""

    operation: str
    digits: int

    @property
    def size(self) -> int:
        return 100**self.digits

    def has(self, problem: Problem) -> bool:
        return problem.operations == self.operation and max(problem.numbers) < 10**self.digits

    def draw(self, rng: random.Random) -> Problem:
        return Problem((rng.randrange(10**self.digits), rng.randrange(10**self.digits)), self.operation)

    def all(self) -> Iterator[Problem]:
        for numbers in itertools.product(range(10**self.digits), repeat=2):
            yield Problem(numbers, self.operation)


@dataclasses.dataclass(frozen=True)
class ThreeDigits(Kind):
    """Three numbers below 10 and two operations, all uniform; the first operation stands in parentheses.

    The paper puts the last two numbers in parentheses, `6+(4*8)`, and draws from 0 to 9. The files that it
    released, and with them lm-evaluation-harness, have them around the first two, and numbers from 1 to 9.
    Here they stand as in the files, and the numbers are the paper's.
    """

    @property
    def size(self) -> int:
        return 9 * 10**3

    def has(self, problem: Problem) -> bool:
        return len(problem.numbers) == 3 and max(problem.numbers) < 10

    def draw(self, rng: random.Random) -> Problem:
        numbers = tuple(rng.randrange(10) for _ in range(3))
        return Problem(numbers, rng.choice("+-*") + rng.choice("+-*"))

    def all(self) -> Iterator[Problem]:
        for numbers in itertools.product(range(10), repeat=3):
            for operations in itertools.product("+-*", repeat=2):
                yield Problem(numbers, "".join(operations))


KINDS: dict[str, Kind] = {
    "arithmetic_1dc": ThreeDigits(),
    "arithmetic_2da": TwoNumbers("+", 2),
    "arithmetic_2ds": TwoNumbers("-", 2),
    "arithmetic_2dm": TwoNumbers("*", 2),
    "arithmetic_3da": TwoNumbers("+", 3),
    "arithmetic_3ds": TwoNumbers("-", 3),
    "arithmetic_4da": TwoNumbers("+", 4),
    "arithmetic_4ds": TwoNumbers("-", 4),
    "arithmetic_5da": TwoNumbers("+", 5),
    "arithmetic_5ds": TwoNumbers("-", 5),
}

_PAIR = re.compile(r"([0-9]+)([-+*])([0-9]+)")
_TRIPLE = re.compile(r"\(([0-9]+)([-+*])([0-9]+)\)([-+*])([0-9]+)")


def read_problem(text: str) -> Problem:
    """What a person typed: `48 + 76`, `48 plus 76`, `(9 + 8) * 2`.

    Around it may stand `What is ...?` or `$...=`, as other people's files have it.

    Raises:
      ValueError: for anything else; the message shows a problem that can be read.
    """
    asked = re.sub(r"(?<=[-+*()])\s+|\s+(?=[-+*()])", "", expression(text))
    try:
        if match := _PAIR.fullmatch(asked):
            return Problem((int(match[1]), int(match[3])), match[2])
        if match := _TRIPLE.fullmatch(asked):
            return Problem((int(match[1]), int(match[3]), int(match[5])), match[2] + match[4])
    except ValueError:  # Python converts at most 4,300 digits
        raise ValueError(f"a number in a question of {len(text)} characters is too long to read") from None
    raise ValueError(f"cannot read {text!r} as a question; write one such as 48 plus 76 or (9 + 8) * 2")
