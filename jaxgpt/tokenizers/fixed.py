"""Numbers in slots of one width, a token a digit, over any base vocabulary.

    fixed:4    832   -> (0) 8 3 2
    fixed:4    0832  -> 0 8 3 2
    fixed:4    7+12  -> (0) (0) (0) 7 + (0) (0) 1 2

The paper fills up with zeros, after which 832 and 0832 are the same; here a token of its own does, `(0)`,
which stands for no text. A digit of one weight is always as far from the end of its slot.
"""

from collections.abc import Sequence

from jaxgpt.tokenizers._numbers import NumberScheme, Unfit, wider, within
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer

_FILL = "(0)"
_WIDTHS = range(1, 1001)


class Fixed(NumberScheme):
    """Numbers filled up on the left to `width` tokens, the fixed-character form of arXiv 2102.13019.

    Args:
      base: encodes what stands between numbers.
      width: tokens a number; the length of the longest one.

    Raises:
      ValueError: if `width` is not in 1..1000.
    """

    usage = f"fixed:WIDTH[:BASE...] with WIDTH, the longest number's, 1 to {_WIDTHS[-1]}"
    settings = {"width": int}

    def __init__(self, base: Tokenizer, width: int):
        self.width = within("width", width, _WIDTHS)
        super().__init__(base, [*"0123456789", _FILL])

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Fixed":
        width = cls.first(arguments, "WIDTH", _WIDTHS)
        return cls(cls.over(arguments[1:], texts), width)

    def spell(self, number: str) -> list[str]:
        if len(number) > self.width:
            raise Unfit(f"slots are {self.width} wide; {wider('fixed', len(number), _WIDTHS)}")
        return [_FILL] * (self.width - len(number)) + list(number)

    def parse(self, symbols: Sequence[str], start: int) -> tuple[str, int] | None:
        slot = symbols[start : start + self.width]
        digits = slot[slot.count(_FILL) :]
        if len(slot) < self.width or not digits or _FILL in digits:
            return None
        return "".join(digits), start + self.width
