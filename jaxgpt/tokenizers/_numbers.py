"""What the schemes for numbers share: text is cut into numbers and what stands between them."""

import abc
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

from jaxgpt.tokenizers.tokenizer import (
    OutsideAlphabet,
    Texts,
    Tokenizer,
    changed,
    field,
    look_up,
    whole_number,
)

_DIGIT = re.compile("[0-9]")
_SIGN = r"(?:(?<![\w)\]}])-)?"
#: Runs of the ASCII digits 0-9.
UNSIGNED = re.compile("([0-9]+)")
#: The same with its sign: a `-` right before a digit, at the start of the text or behind anything but a
#: letter, a digit, `_`, `)`, `]` or `}`. Behind one of those it is an operator, as in `5-3`; a `+` always is.
SIGNED = re.compile(f"({_SIGN}[0-9]+)")
#: The same with a point and digits behind it, if there are any.
DECIMAL = re.compile(rf"({_SIGN}[0-9]+(?:\.[0-9]+)?)")


class Unfit(ValueError):
    """A number that a scheme cannot hold; the message is what to do about it."""


def wider(name: str, digits: int, allowed: range) -> str:
    """Which tokenizer takes a number of so many digits, of one that has a largest number of them."""
    return f"{name}:{digits} takes this one" if digits in allowed else "digits takes any number"


class NumberScheme(Tokenizer):
    """Numbers as symbols of a scheme's own, one token each, over a base vocabulary.

    What stands between numbers is encoded piece by piece by the base, which therefore never sees a digit.
    For the same reason a symbol with a digit in it that the base has a token for keeps that token's id; the
    others get new ids behind the base's. The special ids are the base's.

    Symbols that make up no number, which a model may well write, decode to their names with spaces between
    and U+FFFD behind them, so that they never pass for a number.

    Args:
      base: encodes what stands between numbers.
      symbols: all that `spell` gives.
    """

    #: What counts as a number: a pattern with one group.
    number: ClassVar[re.Pattern] = UNSIGNED
    #: What the constructor takes beside `base`, and its type in JSON.
    settings: ClassVar[dict[str, type]] = {}

    def __init__(self, base: Tokenizer, symbols: Iterable[str]):
        self.base = base
        self.pad_id, self.bos_id, self.eos_id = base.pad_id, base.bos_id, base.eos_id
        self._texts = base.token_texts()
        # The last token of that text: SentencePiece's single bytes come before its pieces.
        known = {text: i for i, text in enumerate(self._texts) if _DIGIT.search(text)}
        self._ids: dict[str, int] = {}
        for symbol in symbols:
            if symbol not in known:
                known[symbol] = len(self._texts)
                self._texts.append(symbol)
            self._ids[symbol] = known[symbol]
        self._symbols = {i: symbol for symbol, i in self._ids.items()}
        # Between the numbers of an arithmetic row stand single characters, the same ones in every row.
        self._single: dict[str, list[int]] = {}

    @property
    def symbol_ids(self) -> set[int]:
        """The tokens that numbers are made of."""
        return set(self._symbols)

    @abc.abstractmethod
    def spell(self, number: str) -> Iterable[str]:
        """The symbols of a number that `number` matches.

        Raises:
          Unfit: for one that would not come back the same.
        """

    @abc.abstractmethod
    def parse(self, symbols: Sequence[str], start: int) -> tuple[str, int] | None:
        """The number that begins at `symbols[start]` and the index behind it; None if none does."""

    @classmethod
    def over(cls, arguments: Sequence[str], texts: Texts) -> Tokenizer:
        """The base that the rest of a short name stands for, trained on what stands between numbers."""
        from jaxgpt.tokenizers import build

        def between(texts: Iterable[str]) -> Iterator[str]:
            # A base of characters then has every digit, and a scheme with digits among its symbols their ids.
            yield from "0123456789"
            for text in texts:
                yield from filter(None, cls.number.split(text)[::2])

        return build(":".join(arguments) or "characters", changed(texts, between))

    @classmethod
    def first(cls, arguments: Sequence[str], name: str, allowed: range, default: int | None = None) -> int:
        """The whole number that a short name's first argument gives.

        Raises:
          ValueError: if it is not in `allowed`, or is missing and has no default.
        """
        if not arguments and default is not None:
            return default
        value = whole_number(arguments[0]) if arguments else None
        if value not in allowed:
            given = f"{name}={arguments[0]!r}" if arguments else name
            raise cls.wrong_spec(arguments, f"{given} is not a whole number from {_span(allowed)}")
        return value

    @property
    def vocab_size(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        table, single, spell = self._ids, self._single, self.spell
        pieces = self.number.split(text)  # between, number, between, number, ..., between
        try:
            for i, piece in enumerate(pieces):
                if i % 2:
                    ids += [table[symbol] for symbol in spell(piece)]
                elif piece in single:
                    ids += single[piece]
                elif piece:
                    ids += self._encode_between(piece)
        except Unfit as error:
            raise OutsideAlphabet(piece, sum(map(len, pieces[:i])), str(error)) from None
        except OutsideAlphabet as error:
            start = sum(map(len, pieces[:i]))
            raise OutsideAlphabet(error.character, start + error.index, error.advice) from None
        return ids

    def _encode_between(self, piece: str) -> list[int]:
        ids = self.base.encode(piece)
        if len(piece) == 1 and len(self._single) < 1000:
            self._single[piece] = ids
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self._read(run, is_number) for is_number, run in self._runs(ids))

    def settled(self, ids: Sequence[int]) -> str:
        *before, (is_number, last) = self._runs(ids) or [(False, [])]
        end = self.settled_symbols(self._names(last)) if is_number else self.base.settled(last)
        return "".join(self._read(run, is_number) for is_number, run in before) + end

    def _runs(self, ids: Iterable[int]) -> list[tuple[bool, list[int]]]:
        """Symbols apart from the base's ids: it decodes a whole run, as a character may be cut in several."""
        special = {self.pad_id, self.bos_id, self.eos_id}
        known = [i for i in look_up(range(self.vocab_size), ids) if i not in special]
        return [(key, list(run)) for key, run in itertools.groupby(known, key=self._symbols.__contains__)]

    def _read(self, run: list[int], is_number: bool) -> str:
        return self.read_symbols(self._names(run)) if is_number else self.base.decode(run)

    def _names(self, run: list[int]) -> list[str]:
        return [self._symbols[i] for i in run]

    def read_symbols(self, symbols: Sequence[str]) -> str:
        """The text of a run of symbols."""
        parts: list[str] = []
        broken: list[str] = []
        at = 0
        while at < len(symbols):
            found = self.parse(symbols, at)
            if found is None:
                broken.append(symbols[at])
                at += 1
                continue
            parts += [_shown(broken), found[0]]
            broken, at = [], found[1]
        return "".join([*parts, _shown(broken)])

    def settled_symbols(self, symbols: Sequence[str]) -> str:
        """The text of a run of symbols that symbols behind it can no longer change."""
        return ""

    def token_texts(self) -> list[str]:
        return list(self._texts)

    def to_json(self) -> dict[str, Any]:
        from jaxgpt.tokenizers import to_json

        return {name: getattr(self, name) for name in self.settings} | {"base": to_json(self.base)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        from jaxgpt.tokenizers import from_json

        base = from_json(field(data, "base", dict))
        return cls(base, **{name: field(data, name, kind) for name, kind in cls.settings.items()})


class PlainScheme(NumberScheme):
    """A scheme without settings: its short name is `NAME[:BASE...]`."""

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> Self:
        return cls(cls.over(arguments, texts))


def within(name: str, value: int, allowed: range) -> int:
    """`value`, if it is allowed.

    Raises:
      ValueError: if not.
    """
    if value not in allowed:
        raise ValueError(f"{name}={value} is not in {_span(allowed)}")
    return value


def _span(allowed: range) -> str:
    steps = f" in steps of {allowed.step}" if allowed.step > 1 else ""
    return f"{allowed[0]} to {allowed[-1]}{steps}"


def _shown(broken: list[str]) -> str:
    return " ".join(broken) + "\ufffd" if broken else ""
