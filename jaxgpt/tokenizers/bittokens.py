"""Every number as one token that carries the bits of its double (Kreitner et al. 2025, arXiv 2510.06824)."""

import math
import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from jaxgpt.tokenizers._numbers import Unfit
from jaxgpt.tokenizers._one_token import DIGIT_VALUES, VALUE_DIGITS, NumberTokenizer
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer

#: From here on double precision skips whole numbers.
_EXACT = 2**53
#: Decimals below it, and numbers above its inverse, are written with an exponent.
_SMALLEST = 1e-20


class BitTokens(NumberTokenizer):
    """One token a number, with the 64 bits of its IEEE 754 double as features, the sign first.

    Whole numbers up to 2^53 and decimals in their shortest form (0.1, not 0.10) come back the same. What a
    model writes may be any double, negative ones and nan among them.
    """

    usage = "bittokens[:BASE...] with BASE a tokenizer"
    number_features = 64

    def __init__(self, base: Tokenizer):
        super().__init__(base, decimals=True)

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "BitTokens":
        return cls(cls._build_base(arguments, texts, decimals=True))

    def features(self, number: str) -> Sequence[float]:
        value = float(number)
        if value > _EXACT:
            raise Unfit("double precision ends at 2^53; use a digits tokenizer")
        (bits,) = struct.unpack(">Q", struct.pack(">d", value))
        return f"{bits:064b}".encode().translate(DIGIT_VALUES)

    def text(self, features: Sequence[float]) -> str:
        bits = int(bytes(features).translate(VALUE_DIGITS), 2)
        (value,) = struct.unpack(">d", struct.pack(">Q", bits))
        whole = math.isfinite(value) and value == int(value) and abs(value) <= _EXACT
        if whole:
            return str(int(value))
        # The shortest form, without an exponent while that stays readable.
        plain = math.isfinite(value) and _SMALLEST <= abs(value) < 1 / _SMALLEST
        return f"{Decimal(repr(value)):f}" if plain else repr(value)

    def number_encoding(self) -> dict[str, Any]:
        return {"kind": "bittokens", "token_id": self.number_id}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "BitTokens":
        return cls(cls._base_of(data))
