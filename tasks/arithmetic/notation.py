"""Questions in ordinary notation, and the names of decimal places."""

import functools
import operator
import re
from collections.abc import Iterator
from typing import NamedTuple

from tasks.numbers import spelled

SYMBOLS = {"addition": "+", "subtraction": "-", "multiplication": "*"}
_FUNCTIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
#: Words for them, and a letter.
_WORDS = {"plus": "+", "minus": "-", "times": "*", "x": "*"}
#: What others write around a question: `Q: What is 9 plus 5? A:` (GPT-3's files), `$9+5=` (arXiv 2307.03381).
_AROUND = re.compile(r"(?:\$|(?:Q(?:uestion)?:)?\s*(?:What is)?)(.*?)[=?]?\s*(?:A(?:nswer)?:)?", re.DOTALL)


class Question(NamedTuple):
    """Two or more numbers and the symbol between them, or one number and no symbol."""

    symbol: str
    operands: tuple[int, ...]

    @property
    def text(self) -> str:
        return self.symbol.join(map(str, self.operands))

    @property
    def answer(self) -> int:
        """The result, from the left; a lone number is its own."""
        return functools.reduce(_FUNCTIONS.get(self.symbol), self.operands)


def expression(text: str) -> str:
    """What a person typed, with signs for words, and without what others write around it.

    `9 plus 5`, `Q: What is 9 plus 5? A:` and `$9 + 5=` are all `9 + 5`.
    """
    asked = _AROUND.fullmatch(text.strip())[1].strip()
    for word, sign in _WORDS.items():
        asked = asked.replace(word, sign)
    return spelled(asked)


def read_question(text: str, symbol: str, operands: int) -> Question:
    """The question a person typed: `9+71421`, ` 9 + 71421 `, `9+71421=` or, without a symbol, `65`.

    So are `9 plus 71421`, and both as other people's files have them, with `What is ...?` or `$...=` around.

    Raises:
      ValueError: for anything else; the message shows a question that can be read.
    """
    asked = expression(text)
    numbers = re.split(rf"\s*{re.escape(symbol)}\s*", asked) if symbol else [asked]
    if len(numbers) != operands or not all(re.fullmatch("[0-9]+", number) for number in numbers):
        example = symbol.join(["9", "71421", *["65"] * operands][:operands]) if symbol else "65"
        raise ValueError(f"cannot read {text!r} as a question; write one such as {example}")
    try:
        return Question(symbol, tuple(map(int, numbers)))
    except ValueError:  # Python converts at most 4,300 digits
        raise ValueError(f"a number of {len(asked)} characters is too long to read") from None


def read_number(text: str) -> int:
    """The integer that `text` writes canonically.

    Raises:
      ValueError: for a leading zero, `-0`, spaces, or anything that is not a number.
    """
    if not re.fullmatch(r"0|-?[1-9][0-9]*", text):
        raise ValueError(f"{text!r} is not a number in ordinary notation")
    return int(text)


_GROUPS = ("thousands", "millions", "billions", "trillions", "quadrillions", "quintillions", "sextillions")


@functools.cache
def place_name(place: int) -> str:
    """The name of the digit of weight 10**place; powers of ten once English runs out of common names."""
    if place < 3:
        return ("ones", "tens", "hundreds")[place]
    group = place // 3 - 1
    if group >= len(_GROUPS):
        return f"10^{place}"
    return ("", "ten ", "hundred ")[place % 3] + _GROUPS[group]


def places(number: int) -> Iterator[tuple[str, str]]:
    """(place name, digit) of a natural number, ones first."""
    for place, digit in enumerate(reversed(str(number))):
        yield place_name(place), digit
