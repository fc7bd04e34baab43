"""Numbers in answers: what number a text is, and how far one is from another."""

import math
import re
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(
    r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+|(?<=[0-9])\.)?(?:[eE][-+]?[0-9]{1,3})?"
)


def read_decimal(text: str) -> Decimal | None:
    """The number that a text is, to its last digit, separators of thousands allowed; None if it is none."""
    text = text.strip().replace("−", "-")  # U+2212, the minus of typesetters
    if not any(c.isdecimal() for c in text) or _NUMBER.fullmatch(text) is None:
        return None
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:  # an exponent alone
        return None


def read_number(text: str) -> float | None:
    """The same as a finite float."""
    number = read_decimal(text)
    return None if number is None or not math.isfinite(float(number)) else float(number)


def log_smape(answer: float, found: float | None) -> float:
    """How close a number is to the right one: 1 if to 15 digits, 0 if not at all, or if there is none.

    min(1, log10(|P - A| / (|A| + |P| + 1e-100) + 1e-100) / -15), the measure of BitTokens (arXiv 2510.06824):
    half of the digits right give about 0.5.
    """
    if found is None:
        return 0.0
    # Halves, because the sum of two of the largest floats is not finite.
    difference, size = abs(found / 2 - answer / 2), abs(answer / 2) + abs(found / 2)
    return min(1.0, math.log10(difference / (size + 0.5e-100) + 1e-100) / -15)
