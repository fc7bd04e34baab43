"""What Charton's encodings of real numbers share: three significant digits and a power of ten."""

import abc
from collections.abc import Sequence

from jaxgpt.tokenizers._numbers import DECIMAL, NumberScheme, Unfit
from jaxgpt.tokenizers.tokenizer import shortened

#: The powers of ten that have a symbol of their own.
EXPONENTS = {f"E{exponent}": exponent for exponent in range(-100, 101)}


class Scientific(NumberScheme):
    """Numbers as sign, significant digits and a power of ten (Charton, arXiv 2112.01898, section 2).

    A number is `-17`, `3.14` or `0`, as ordinary notation has it. The encoding keeps its value, so a number
    is in the alphabet if it has few enough significant digits and no zeros that a value does not have:
    `3.10`, `007` and `17.0` are not. Nothing is rounded. 602 E21 is 602 with 21 zeros; `6e23` is read as two
    numbers and a letter. A `-` is a sign where `_numbers.DECIMAL` says so.
    """

    number = DECIMAL
    digits: int = 3

    @abc.abstractmethod
    def write(self, negative: bool, digits: str, exponent: int) -> Sequence[str] | None:
        """The symbols of a number; None if there are none for it.

        Args:
          digits: as many as `self.digits`, the first one not 0 unless all are.
          exponent: of the last digit.
        """

    def spell(self, number: str) -> Sequence[str]:
        negative = number[0] == "-"
        whole, _, fraction = number[negative:].partition(".")
        significant = (whole + fraction).lstrip("0")
        exponent = len(significant) - len(fraction) - self.digits if significant else 0
        digits = significant[: self.digits].ljust(self.digits, "0")
        back = decimal(negative, digits, exponent)
        symbols = self.write(negative, digits, exponent) if back == number else None
        if symbols is None:
            raise Unfit(self._advice(number, back, negative, significant, fraction))
        return symbols

    def _advice(self, number: str, back: str, negative: bool, significant: str, fraction: str) -> str:
        if back == number:
            return f"{self.kind()} has no symbol for it; use digits, which takes any number"
        needed = len(significant.rstrip("0"))
        places = len(significant) - needed - len(fraction)
        enough = self.digits < needed <= 999 and f"E{places}" in EXPONENTS
        enough = enough and decimal(negative, significant, -len(fraction)) == number
        return (
            f"{self.kind()} would give {shortened(back)} back; use {f'p10:{needed}' if enough else 'digits'}"
        )


def decimal(negative: bool, digits: str, exponent: int) -> str:
    """A number in ordinary notation, without zeros that its value does not have."""
    digits = digits.lstrip("0")
    if not digits:
        text = "0"
    elif exponent >= 0:
        text = digits + "0" * exponent
    else:
        digits = digits.rjust(1 - exponent, "0")
        text = f"{digits[:exponent]}.{digits[exponent:]}".rstrip("0").removesuffix(".")
    return f"-{text}" if negative else text
