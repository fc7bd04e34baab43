"""The task of multiplying and dividing decimals."""

import dataclasses
import functools
import itertools
import math
import random
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal

from jaxgpt.evaluation.number_measures import log_smape
from jaxgpt.task import Example, Split, Task
from tasks.decimals import working
from tasks.decimals.notation import (
    ANSWER_DIGITS,
    MOST_DIGITS,
    Scientific,
    product,
    quotient,
    read,
    rounded,
    significant,
    written,
)
from tasks.numbers import FEW, cannot_read, check_range, squeezed

_SYMBOLS = {"multiplication": "*", "division": "/"}
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
#: What people write for the symbol as well, and the symbol.
_ALSO = {"multiplication": ("x", "*"), "division": (":", "/")}


@dataclasses.dataclass(frozen=True)
class Decimals(Task):
    """Products and quotients of two decimals other than 0, answered to 15 significant digits.

    The number of significant digits of each operand is uniform, and so is the exponent of its first digit;
    half of the operands are negative. Both orders of a product's operands are in one split.
    """

    operation: Annotated[Literal["multiplication", "division"], "what is asked"] = "multiplication"
    format: Annotated[
        Literal["plain", "worked"], "the answer as one writes it, or worked out digit by digit"
    ] = "plain"
    min_digits: Annotated[int, "fewest significant digits of an operand"] = 1
    max_digits: Annotated[int, "most significant digits of an operand"] = 17
    min_exponent: Annotated[int, "smallest exponent of a first digit; -2: hundredths"] = -13
    max_exponent: Annotated[int, "largest exponent of a first digit; 2: hundreds"] = 14
    digits: Annotated[
        int, "of format=worked: digits of each operand that are worked with; others are rounded"
    ] = 8

    def __post_init__(self):
        check_range("digits", self.min_digits, self.max_digits, least=1)
        if not -24 <= self.min_exponent <= self.max_exponent <= 24:
            raise ValueError(
                f"min_exponent={self.min_exponent} and max_exponent={self.max_exponent} must be in this "
                "order, from -24 to 24"
            )
        if self.max_digits > MOST_DIGITS:
            raise ValueError(f"max_digits={self.max_digits} must be at most {MOST_DIGITS}")
        if not 2 <= self.digits <= MOST_DIGITS:
            raise ValueError(f"digits={self.digits} must be at least 2 and at most {MOST_DIGITS}")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return tuple(f"{a}{self._symbol}{b}" for a, b in (("7.5", "0.2"), ("6741.74", "-0.085784")))

    def example(self, rng: random.Random) -> Example:
        return self._example(self._draw(rng), self._draw(rng))

    def split_of(self, example: Example) -> Split:
        """The split of the operands; where few digits of them are worked with, that of the rounded ones.

        Else a prompt of training would be one of test, of other operands. So what is rounded to the prompt
        of a question that is kept out is kept out as well, however many digits are worked with.
        """
        if self._split_by_rounded:
            key = self._rounded_key(example.canonical)
            if key in self._rounded_kept_out:
                return "test"
            if self._few:
                example = dataclasses.replace(example, key=key)
        return super().split_of(example)

    @property
    def split_fields(self) -> tuple[str, ...]:
        """Of rounded operands also what says how far they are rounded, and whether few digits are left."""
        more = ("format", "digits", "min_exponent", "max_exponent") if self._split_by_rounded else ()
        return (*super().split_fields, *more)

    @functools.cached_property
    def _rounded_kept_out(self) -> frozenset[str]:
        return frozenset(map(self._rounded_key, self.kept_out))

    def _rounded_key(self, key: str) -> str:
        """The operands of a key as they are worked with; a product's in order."""
        texts = [str(Scientific.of(Decimal(text), self.digits)) for text in key.split(self._symbol)]
        return self._symbol.join(sorted(texts) if self.operation == "multiplication" else texts)

    def forms(self) -> Iterable[str] | None:
        if (2 * 9 * 10 ** (self.max_digits - 1) * self._exponents) ** 2 > FEW:
            return None
        numbers = [
            Decimal((sign, tuple(map(int, str(whole))), exponent - len(str(whole)) + 1))
            for whole in range(10 ** (self.min_digits - 1), 10**self.max_digits)
            if whole % 10
            for exponent in range(self.min_exponent, self.max_exponent + 1)
            for sign in (0, 1)
        ]
        return (self._key(a, b) for a, b in itertools.product(numbers, repeat=2))

    def typed(self, text: str) -> Example:
        asked = squeezed(text.replace(*_ALSO[self.operation]))
        match = re.fullmatch(f"({_NUMBER}){re.escape(self._symbol)}({_NUMBER})", asked)
        if match is None:
            raise cannot_read(text, self.sample_prompts[1])
        return self._example(*map(read, match.groups()))

    def score(self, example: Example, completion: str) -> dict[str, float]:
        """`exact_match`: the result is right to 15 digits; `log_smape`: how close it is; and two more.

        `as_written`: every character is that of the target, the steps among them. Of numbers that are rounded
        to `digits` before they are worked with, the right result is not the exact one. `right_sign`: the
        result is a number with the sign of the right one.
        """
        answer = self.answer(example.prompt, completion)
        right, number = self._right(example), _finite(answer) if self._has_result(completion) else None
        return {
            "exact_match": float(answer == right),
            "log_smape": log_smape(float(right), number),
            "as_written": float(completion == example.target),
            "right_sign": float(number is not None and number * float(right) > 0),
        }

    def answer(self, prompt: str, completion: str) -> str:
        if self.format == "plain":
            return completion
        if not self._has_result(completion):
            return completion[-40:]
        negative, digits, exponent = working.value(completion, self.digits, self.operation)
        number = Decimal(digits).scaleb(exponent)
        return written(rounded(-number if negative else number, ANSWER_DIGITS))

    def _has_result(self, completion: str) -> bool:
        """Whether a completion ends with a result, as the format has it."""
        if self.format == "plain":
            return True
        try:
            working.value(completion, self.digits, self.operation)
        except ValueError:
            return False
        return True

    @property
    def _symbol(self) -> str:
        return _SYMBOLS[self.operation]

    @property
    def _exponents(self) -> int:
        return self.max_exponent - self.min_exponent + 1

    @property
    def _split_by_rounded(self) -> bool:
        """Whether the operands as they are worked with decide, of some questions at least."""
        return self.format == "worked" and (self._few or bool(self.hold_out))

    @property
    def _few(self) -> bool:
        """Whether there are so few different prompts of rounded operands that two splits would share some."""
        return (2 * 9 * 10 ** (self.digits - 1) * self._exponents) ** 2 <= FEW**2

    def _draw(self, rng: random.Random) -> Decimal:
        count = rng.randint(self.min_digits, self.max_digits)
        digits = [rng.randint(1, 9), *(rng.randint(0, 9) for _ in range(count - 1))]
        digits[-1] = digits[-1] or rng.randint(1, 9)
        exponent = rng.randint(self.min_exponent, self.max_exponent)
        return Decimal((rng.randrange(2), tuple(digits), exponent - count + 1))

    def _example(self, a: Decimal, b: Decimal) -> Example:
        longest = max(map(significant, (a, b)))
        group = f"{longest:02} digits"
        if self.format == "worked":
            first, second = (Scientific.of(number, self.digits) for number in (a, b))
            work = working.multiplied if self.operation == "multiplication" else working.divided
            prompt, target = f"{first}{self._symbol}{second}=", work(first, second)
        else:
            prompt, target = f"{written(a)}{self._symbol}{written(b)}=", self._result(a, b)
        return Example(prompt, target, group, self._key(a, b))

    def _key(self, a: Decimal, b: Decimal) -> str:
        texts = [written(a), written(b)]
        return self._symbol.join(sorted(texts) if self.operation == "multiplication" else texts)

    def _result(self, a: Decimal, b: Decimal) -> str:
        exact = product(a, b) if self.operation == "multiplication" else quotient(a, b)
        return written(rounded(exact, ANSWER_DIGITS))

    def _right(self, example: Example) -> str:
        """The right result of a question, whose key holds its operands; a product's in any order."""
        return self._result(*map(Decimal, example.key.split(self._symbol)))


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
