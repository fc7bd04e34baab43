"""What the tokenizers have in common that write every number as one token.

    9+71421=71430     ->  [9] + [71421] = [71430]

A number is a run of the ASCII digits 0-9, with decimal places behind a point where the tokenizer has them.
It becomes the one id that all numbers share, with features that say which it is. What stands between
numbers, signs included, is encoded piece by piece by a base vocabulary, which never sees a number.

Features hold the value and no notation: a number that would come back in another form, such as 007, lies
outside the alphabet.
"""

import abc
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from jaxgpt.tokenizers._numbers import UNSIGNED, Unfit
from jaxgpt.tokenizers.number_token import FeatureType, NumberToken
from jaxgpt.tokenizers.tokenizer import (
    OutsideAlphabet,
    Texts,
    Tokenizer,
    changed,
    field,
    look_up,
    shortened,
    whole_number,
)

#: Of the number token, among the texts of all ids.
NAME = "[NUM]"
_DECIMAL = re.compile(r"([0-9]+(?:\.[0-9]+)?)")

#: `bytes.translate` tables between the characters 0-9 and the values 0-9.
DIGIT_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
VALUE_DIGITS = bytes.maketrans(bytes(range(10)), b"0123456789")


class NumberTokenizer(Tokenizer):
    """One token a number, over a base vocabulary whose special ids it shares.

    Args:
      base: encodes what stands between numbers.
      decimals: whether a number may have decimal places.
    """

    feature_type: ClassVar[FeatureType] = "uint8"

    def __init__(self, base: Tokenizer, *, decimals: bool):
        self.base = base
        self.pad_id, self.bos_id, self.eos_id = base.pad_id, base.bos_id, base.eos_id
        self.number_id = base.vocab_size
        self._pattern = _DECIMAL if decimals else UNSIGNED

    @abc.abstractmethod
    def features(self, number: str) -> Sequence[float]:
        """The features of a number.

        Raises:
          Unfit: if it has none.
        """

    @abc.abstractmethod
    def text(self, features: Sequence[float]) -> str:
        """The number with these features, as one writes it."""

    @abc.abstractmethod
    def number_encoding(self) -> dict[str, Any]:
        """See `Tokenizer.number_encoding`."""

    @property
    def vocab_size(self) -> int:
        return self.number_id + 1

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        start = 0
        for i, piece in enumerate(self._pattern.split(text)):  # between, number, between, ..., between
            if i % 2:
                ids.append(self._encode_number(piece, start))
            elif piece:
                ids += self._encode_between(piece, start)
            start += len(piece)
        return ids

    def _encode_number(self, number: str, start: int) -> NumberToken:
        try:
            features = self.features(number)
        except Unfit as error:
            raise OutsideAlphabet(number, start, str(error)) from None
        if (back := self.text(features)) != number:
            advice = (
                f"it would come back as {shortened(back)}, since {type(self).kind()} keeps values alone; "
            )
            pairs = "; for a file of pairs set task.numbers=plain"
            if number[0] == "0" and number[1:2] not in ("", "."):
                advice += (
                    "write it without leading zeros (task.format=plain), or use a digits tokenizer" + pairs
                )
            elif "." in number and self._pattern.fullmatch(back):
                advice += "write it so, or use a digits tokenizer" + pairs
            else:
                advice += "ask for shorter numbers, or use a digits tokenizer" + pairs * ("." in number)
            raise OutsideAlphabet(number, start, advice)
        return NumberToken(self.number_id, features)

    def _encode_between(self, piece: str, start: int) -> list[int]:
        try:
            return self.base.encode(piece)
        except OutsideAlphabet as error:
            raise OutsideAlphabet(error.character, start + error.index, error.advice) from None

    def decode(self, ids: Iterable[int]) -> str:
        parts: list[str] = []
        between: list[int] = []  # the base decodes a whole run: a character may be cut into several tokens
        ids = list(ids)
        look_up(range(self.vocab_size), ids)
        for token in ids:
            if token != self.number_id:
                between.append(token)
                continue
            if not isinstance(token, NumberToken):
                raise ValueError(f"the id {token} is a number without features; decode what encode gave")
            parts += [self.base.decode(between), self.text(token.features)]
            between = []
        return "".join([*parts, self.base.decode(between)])

    def settled(self, ids: Sequence[int]) -> str:
        numbers = [place for place, token in enumerate(ids) if token == self.number_id]
        end = numbers[-1] + 1 if numbers else 0
        return self.decode(ids[:end]) + self.base.settled(ids[end:])

    def token_texts(self) -> list[str]:
        return [*self.base.token_texts(), NAME]

    def to_json(self) -> dict[str, Any]:
        from jaxgpt.tokenizers import to_json

        return {"base": to_json(self.base)}

    @classmethod
    def _base_of(cls, data: dict[str, Any]) -> Tokenizer:
        from jaxgpt.tokenizers import from_json

        return from_json(field(data, "base", dict))

    @classmethod
    def _build_base(cls, arguments: Sequence[str], texts: Texts, *, decimals: bool) -> Tokenizer:
        from jaxgpt.tokenizers import build

        pattern = _DECIMAL if decimals else UNSIGNED
        return build(
            ":".join(arguments) or "characters", changed(texts, lambda given: _between(given, pattern))
        )

    @classmethod
    def _whole(cls, arguments: Sequence[str], index: int, name: str, default: int, range_: range) -> int:
        """Argument number `index`, a whole number in a range."""
        if len(arguments) <= index:
            return default
        value = whole_number(arguments[index])
        if value is None or value not in range_:
            raise cls.wrong_spec(
                arguments,
                f"{name}={arguments[index]!r} is not a whole number from {range_[0]} to {range_[-1]}",
            )
        return value


def numbers_in(texts: Iterable[str], *, decimals: bool) -> Iterator[str]:
    """Every number in the texts."""
    pattern = _DECIMAL if decimals else UNSIGNED
    for text in texts:
        yield from pattern.split(text)[1::2]


def without_zeros(number: str) -> str:
    """A number with a decimal point as one writes it, without zeros at its end."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def _between(texts: Iterable[str], pattern: re.Pattern[str]) -> Iterator[str]:
    """What the base learns from."""
    for text in texts:
        yield from filter(None, pattern.split(text)[::2])
