"""Every number as one token that carries its decimal digits (FoNE: Zhou et al. 2025, arXiv 2502.09741)."""

from collections.abc import Sequence
from typing import Any

from jaxgpt.tokenizers._numbers import Unfit
from jaxgpt.tokenizers._one_token import DIGIT_VALUES, VALUE_DIGITS, NumberTokenizer, without_zeros
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer, field

_MAX_DIGITS = 64
_MAX_DECIMALS = 16


class FoNE(NumberTokenizer):
    """One token a number of up to `digits` digits, each a feature, the lowest place first.

    Args:
      base: encodes what stands between numbers.
      digits: places before the point.
      decimals: places behind it.

    Raises:
      ValueError: if `digits` is not in 1..64 or `decimals` not in 0..16.
    """

    usage = (
        f"fone[:DIGITS[:DECIMALS[:BASE...]]] with DIGITS 1 to {_MAX_DIGITS}, DECIMALS 0 to {_MAX_DECIMALS}, "
        "BASE a tokenizer"
    )

    def __init__(self, base: Tokenizer, digits: int = 12, decimals: int = 0):
        if not 1 <= digits <= _MAX_DIGITS:
            raise ValueError(f"digits={digits} of fone is not in 1 to {_MAX_DIGITS}")
        if not 0 <= decimals <= _MAX_DECIMALS:
            raise ValueError(f"decimals={decimals} of fone is not in 0 to {_MAX_DECIMALS}")
        super().__init__(base, decimals=decimals > 0)
        self.digits, self.decimals = digits, decimals

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "FoNE":
        digits = cls._whole(arguments, 0, "DIGITS", 12, range(1, _MAX_DIGITS + 1))
        decimals = cls._whole(arguments, 1, "DECIMALS", 0, range(_MAX_DECIMALS + 1))
        return cls(cls._build_base(arguments[2:], texts, decimals=decimals > 0), digits, decimals)

    @property
    def number_features(self) -> int:
        return self.digits + self.decimals

    def features(self, number: str) -> Sequence[float]:
        whole, _, part = number.partition(".")
        if len(whole) > self.digits or len(part) > self.decimals:
            more = f"{self.digits} digits" + f" and {self.decimals} decimals" * (self.decimals > 0)
            fits = len(whole) <= _MAX_DIGITS and len(part) <= _MAX_DECIMALS
            instead = "fone:DIGITS[:DECIMALS] with more" if fits else "a digits tokenizer"
            raise Unfit(f"there is no room beyond {more}; use {instead}")
        places = whole.rjust(self.digits, "0") + part.ljust(self.decimals, "0")
        return places[::-1].encode().translate(DIGIT_VALUES)

    def text(self, features: Sequence[float]) -> str:
        places = bytes(features)[::-1].translate(VALUE_DIGITS).decode()
        whole = places[: self.digits].lstrip("0") or "0"
        return without_zeros(f"{whole}.{places[self.digits :]}")

    def number_encoding(self) -> dict[str, Any]:
        return {"kind": "fone", "token_id": self.number_id, "places": self.digits + self.decimals}

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"digits": self.digits, "decimals": self.decimals}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FoNE":
        return cls(cls._base_of(data), field(data, "digits", int), field(data, "decimals", int))
