"""Digits, each followed by its power of ten as `10e` notation, over any base vocabulary.

    32     -> 3 10e1 2 10e0
    907    -> 9 10e2 0 10e1 7 10e0
    007    -> 0 10e2 0 10e1 7 10e0
    3-17   -> 3 10e0 - 1 10e1 7 10e0

The powers say how a number ends before it does: its first power is its length.
"""

import itertools
from collections.abc import Sequence
from typing import ClassVar

from jaxgpt.tokenizers._numbers import NumberScheme, Unfit, wider, within
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer

_DIGITS = range(1, 1001)
_DEFAULT = 64  # the paper's longest numbers have 60


class TenE(NumberScheme):
    """Digits, each followed by its power of ten: 32 is `3 10e1 2 10e0` (Nogueira et al., arXiv 2102.13019).

    Args:
      base: encodes what stands between numbers.
      digits: the length of the longest number.

    Raises:
      ValueError: if `digits` is not in 1..1000.
    """

    usage = f"10e[:DIGITS[:BASE...]] with DIGITS, the longest number's, 1 to {_DIGITS[-1]} ({_DEFAULT})"
    settings = {"digits": int}
    #: The lowest place whose power is written.
    lowest: ClassVar[int] = 0

    def __init__(self, base: Tokenizer, digits: int = _DEFAULT):
        self.digits = within("digits", digits, _DIGITS)
        self._powers = [self.power(place) for place in reversed(range(digits))]
        self._places = {self.power(place): place for place in range(self.lowest, digits)}
        super().__init__(base, [*"0123456789", *self._places])

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "TenE":
        digits = cls.first(arguments, "DIGITS", _DIGITS, _DEFAULT)
        return cls(cls.over(arguments[1:], texts), digits)

    @staticmethod
    def power(place: int) -> str:
        """The symbol behind the digit of weight 10**place."""
        return f"10e{place}"

    def spell(self, number: str) -> list[str]:
        if len(number) > self.digits:
            most = f"numbers have at most {self.digits} digits"
            raise Unfit(f"{most}; {wider(self.kind(), len(number), _DIGITS)}")
        pairs = zip(number, self._powers[self.digits - len(number) :], strict=True)
        return list(itertools.chain.from_iterable(pairs))[: 2 * len(number) - self.lowest]

    def parse(self, symbols: Sequence[str], start: int) -> tuple[str, int] | None:
        digits, expected = "", None
        while start < len(symbols) and symbols[start] not in self._places:
            digits += symbols[start]
            place = self._places.get(symbols[start + 1]) if start + 1 < len(symbols) else None
            start += 1 if place is None else 2
            if place is None and self.lowest:
                place = 0  # the ones have no power
            if place is None or expected not in (None, place):
                return None
            if place == 0:
                return digits, start
            expected = place - 1
        return None
