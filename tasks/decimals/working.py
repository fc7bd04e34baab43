"""Products and quotients worked out digit by digit, as on paper.

Every step is a row of digits that each follow from a few others, and a text has the same length whatever its
numbers are: each character has its place. Two numbers of three digits, 1.23 * 45.6:

    +123e+00*+456e+01=

The second number's digits are taken ones first, a row each. A digit of a row is what a digit of the first
number gives times that one, with what was carried and the row before, moved by one place; what is to be
carried stands behind each digit. The last of these is also the row's highest digit. So 123 * 6 = 738 is
`813170`: 8 and 1 to carry, 3 and 1, 7 and 0. The result follows `=`, least significant digit first.

A quotient takes one digit a row, which is written first, then what is left. It is the whole number nearest to
what the leading digits give, and may be negative (`a` is -1, `b` -2): a digit that was one too large is put
right by the next ones. What is left is a number modulo a power of ten, so a negative one begins with nines.
"""

from tasks.decimals.notation import Scientific

_NEGATIVE = "0abcdefghi"
#: Leading digits of what is left and of the divisor that a digit of a quotient follows from.
_LEADING = 3


def signed(value: int) -> str:
    """A value of -9 to 9 as one character."""
    return str(value) if value >= 0 else _NEGATIVE[-value]


def multiplied(a: Scientific, b: Scientific) -> str:
    """How the product of two numbers of as many digits is worked out."""
    first, row, low = _ones_first(a), [0] * len(a.digits), []
    rows = []
    for factor in _ones_first(b):
        carry, digits, text = 0, [], ""
        for digit, before in zip(first, row, strict=True):
            carry, kept = divmod(digit * factor + before + carry, 10)
            digits.append(kept)
            text += f"{kept}{carry}"
        rows.append(text)
        low.append(digits[0])
        row = [*digits[1:], carry]
    return f"{''.join(rows)}={_result(a, b, [*low, *row], a.exponent + b.exponent)}"


def divided(a: Scientific, b: Scientific) -> str:
    """How the quotient of two numbers of as many digits is worked out, to one digit more than they have."""
    places = len(a.digits)
    divisor, left, whole = int(b.digits), int(a.digits), 0
    size = 10 ** (places + 2)
    rows = []
    for _ in range(places + 1):
        factor = nearest(left, divisor, places)
        carry, text = 0, signed(factor)
        # Above the divisor's digits nothing is taken off but what is carried.
        digits = zip(_digits(left % size, places + 2), [*_ones_first(b), 0, 0], strict=True)
        for digit, below in digits:
            carry, kept = divmod(digit - factor * below + carry, 10)
            text += f"{kept}{signed(carry)}"
        rows.append(text)
        whole = 10 * whole + factor
        left = 10 * (left - factor * divisor)
    return f"{''.join(rows)}={_result(a, b, _digits(whole, places + 1), a.exponent - b.exponent)}"


def nearest(left: int, divisor: int, places: int) -> int:
    """The digit of a quotient, from leading digits: the nearest whole number, at most 9 either way."""
    unit = 10 ** max(places - _LEADING, 0)
    over, under = abs(left) // unit, divisor // unit
    found = min((2 * over + under) // (2 * under), 9)
    return found if left >= 0 else -found


def value(completion: str, places: int, operation: str) -> tuple[bool, int, int]:
    """The sign of the result that a completion states, its digits, and the exponent of the last of them.

    Raises:
      ValueError: if the completion does not end in a result.
    """
    count = 2 * places if operation == "multiplication" else places + 1
    stated = completion.rpartition("=")[2]
    sign, digits, marker, exponent = (
        stated[:1],
        stated[1 : count + 1],
        stated[count + 1 : count + 2],
        stated[count + 2 :],
    )
    right = sign in ("+", "-") and len(digits) == count and digits.isdecimal() and digits.isascii()
    power = exponent[1:]
    if not (right and marker == "e" and exponent[:1] in ("+", "-") and len(power) == 2 and power.isdecimal()):
        raise ValueError(f"{completion[-40:]!r} does not end in a result")
    behind = 2 * places - 2 if operation == "multiplication" else places
    return sign == "-", int(digits[::-1]), int(exponent) - behind


def length(places: int, operation: str) -> int:
    """Characters of a question and of how it is worked out."""
    number = len(str(Scientific(False, "0" * places, 0)))
    rows = 2 * places**2 if operation == "multiplication" else (places + 1) * (2 * places + 5)
    result = (2 * places if operation == "multiplication" else places + 1) + 6
    return 2 * number + 2 + rows + result


def _result(a: Scientific, b: Scientific, ones_first: list[int], exponent: int) -> str:
    sign = "-" if a.negative != b.negative else "+"
    return f"{sign}{''.join(map(str, ones_first))}e{exponent:+03d}"


def _ones_first(number: Scientific) -> list[int]:
    return [int(digit) for digit in reversed(number.digits)]


def _digits(number: int, count: int) -> list[int]:
    """So many digits of a natural number, ones first."""
    return [number // 10**place % 10 for place in range(count)]
