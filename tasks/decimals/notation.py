"""Decimals in ordinary notation and as a sign, digits and an exponent."""

import decimal
from decimal import Decimal
from typing import NamedTuple

from jaxgpt.evaluation.number_measures import read_decimal

#: Significant digits that an answer is given to, as a double holds them.
ANSWER_DIGITS = 15
#: Significant digits that a number may have.
MOST_DIGITS = 100
#: The largest exponent, either way, that a question may have. Rounding may add one, and two digits hold that
#: of its answer, too.
LARGEST_EXPONENT = 48


class Scientific(NamedTuple):
    """The number `digits` * 10**exponent, where the point stands behind the first digit, and its sign.

    `0.000458` to four digits: `Scientific(False, "4580", -4)`.
    """

    negative: bool
    digits: str
    exponent: int

    @classmethod
    def of(cls, number: Decimal, places: int) -> "Scientific":
        """A number other than 0, rounded to so many digits; a tie goes to the even one."""
        kept = rounded(number, places)
        text = "".join(map(str, kept.as_tuple().digits)).lstrip("0")
        return cls(kept.is_signed(), text.ljust(places, "0")[:places], kept.adjusted())

    def __str__(self) -> str:
        return f"{'-' if self.negative else '+'}{self.digits}e{self.exponent:+03d}"


def read(text: str) -> Decimal:
    """The number that a person types.

    Raises:
      ValueError: for 0, for what is no number, and for one with an exponent beyond `LARGEST_EXPONENT` or with
        more digits than `MOST_DIGITS`.
    """
    number = read_decimal(text)
    if number is None:
        raise ValueError(f"{text!r} is no number")
    if not number:
        raise ValueError("a number is 0; write others")
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(f"{text!r} is beyond 10^{LARGEST_EXPONENT} or below 10^-{LARGEST_EXPONENT}")
    if significant(number) > MOST_DIGITS:
        raise ValueError(f"a number has more than {MOST_DIGITS} digits; round it")
    return number


def significant(number: Decimal) -> int:
    """How many digits a number has from its first to its last that is not 0."""
    return len("".join(map(str, number.as_tuple().digits)).strip("0"))


def rounded(number: Decimal, places: int) -> Decimal:
    """To so many significant digits; a tie goes to the even one."""
    return decimal.Context(prec=places, rounding=decimal.ROUND_HALF_EVEN).plus(number)


def written(number: Decimal) -> str:
    """A number without an exponent, without zeros at the end of its places."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def product(a: Decimal, b: Decimal) -> Decimal:
    """Exactly, of numbers of up to `MOST_DIGITS`."""
    return decimal.Context(prec=2 * MOST_DIGITS).multiply(a, b)


def quotient(a: Decimal, b: Decimal) -> Decimal:
    """To `ANSWER_DIGITS` significant digits."""
    return decimal.Context(prec=ANSWER_DIGITS, rounding=decimal.ROUND_HALF_EVEN).divide(a, b)
