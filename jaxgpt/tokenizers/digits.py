"""Numbers as digits or groups of digits, over any base vocabulary.

A text is cut into numbers (runs of the ASCII digits 0-9) and what stands between them. A number is cut
into groups of SIZE digits, counted from one side, and each group is one token; the first or the last
group holds what is left over:

    digits:1          1234567 -> 1 2 3 4 5 6 7
    digits:3:right    1234567 -> 1 234 567
    digits:3:left     1234567 -> 123 456 7

What stands between numbers is encoded piece by piece by BASE, which therefore never sees a digit: a
byte-pair base cannot merge digits with one another or with their neighbours. The space before a number
belongs to the piece on its left, so GPT-2's base reads ` 65` as `Ġ`, `6`, `5`.

Every string of 1 to SIZE digits, leading zeros included, is a group: 10 + 100 + 1000 of them at SIZE 3. A
group that the base has a token for keeps that token's id; the others get new ids behind the base's. At
SIZE 1 nothing is added to GPT-2's 50257 ids, and weights trained for them still fit.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers._numbers import NumberScheme, within
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer

Side = Literal["right", "left"]

_SIZES = range(1, 6)  # 111,110 groups at 5


class Digits(NumberScheme):
    """One token a digit, or a group of up to `size` digits counted from `side`, over a base vocabulary.

    Singh and Strouse (arXiv 2402.14903) compare groups of three from both sides. The special ids are the
    base's; with the default base, `characters`, pad 0, bos 1, eos 2.

    Args:
      base: encodes what stands between numbers.
      size: the number of digits in a group.
      side: where the counting starts.

    Raises:
      ValueError: if `size` is not in 1..5, or `side` is neither `right` nor `left`.
    """

    usage = (
        f"digits[:SIZE[:SIDE[:BASE...]]] with SIZE 1 to {_SIZES[-1]}, SIDE right or left, BASE a tokenizer"
    )
    settings = {"size": int, "side": str}

    def __init__(self, base: Tokenizer, size: int = 1, side: Side = "right"):
        within("size", size, _SIZES)
        if side not in get_args(Side):
            raise ValueError(f"side={side!r} of digit groups is neither right nor left")
        self.size, self.side = size, side
        lengths = range(1, size + 1)
        groups = (itertools.product("0123456789", repeat=length) for length in lengths)
        super().__init__(base, map("".join, itertools.chain.from_iterable(groups)))

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Digits":
        size = cls.first(arguments, "SIZE", _SIZES, 1)
        side = arguments[1] if len(arguments) > 1 else "right"
        if side not in get_args(Side):
            raise cls.wrong_spec(arguments, f"SIDE={side!r} is neither right nor left")
        return cls(cls.over(arguments[2:], texts), size, side)

    def form(self) -> Form | None:
        base = self.base.form()
        last = "" if self.side == "left" else f"(?=(?:[0-9]{{{self.size}}})*(?![0-9]))"
        return base and _library.with_groups(base, self._ids, f"[0-9]{{1,{self.size}}}{last}")

    def spell(self, number: str) -> Iterable[str]:
        size = self.size
        if size == 1:
            return number
        head = len(number) % size if self.side == "right" else 0
        groups = [number[i : i + size] for i in range(head, len(number), size)]
        return [number[:head], *groups] if head else groups

    def parse(self, symbols: Sequence[str], start: int) -> tuple[str, int]:
        return symbols[start], start + 1

    def settled_symbols(self, symbols: Sequence[str]) -> str:
        return "".join(symbols)
