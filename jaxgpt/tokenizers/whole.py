"""One token a number, whatever its length, and one a character between numbers.

    57+99=43    ->  57 + 99 = 43
    057         ->  057         another token than 57

The vocabulary is closed: the characters and the numbers of the training text. It is for tasks whose numbers
are a small set, such as the residues of modular arithmetic, and is how these are read where grokking is
studied (Power et al. 2022, arXiv 2201.02177, section 2: each element is a token of its own).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Texts, Tokenizer, all_text, field, look_up

_PIECE = re.compile("[0-9]+|(?s:.)")
_MOST = 100_000


class Whole(Tokenizer):
    """One token a number or other character of the training text.

    The special ids are pad 0, bos 1 and eos 2; the other characters follow, sorted, then the numbers by
    length and value. Two numbers that were encoded apart and stand together when decoded are read as one.

    Args:
      pieces: the texts of the tokens, each a run of digits or one other character.

    Raises:
      ValueError: if there are none, more than 100,000, one twice, or one that is neither.
    """

    usage = "whole"

    def __init__(self, pieces: Sequence[str]):
        if not pieces:
            raise ValueError("the vocabulary of whole numbers is empty: the training text holds nothing")
        if len(pieces) > _MOST:
            raise ValueError(
                f"the training text holds {len(pieces):,} different numbers and characters, more than "
                f"{_MOST:,}; read its numbers by their digits, such as with digits:3"
            )
        for piece in pieces:
            if not _PIECE.fullmatch(piece) or "\ud800" <= piece <= "\udfff":
                raise ValueError(f"{piece!r} is neither a number nor one character")
        self.pad_id, self.bos_id, self.eos_id = 0, 1, 2
        self._texts = ["", "", "", *pieces]
        self._ids = {piece: i for i, piece in enumerate(pieces, start=3)}
        if len(self._ids) < len(pieces):
            raise ValueError("the vocabulary of whole numbers names one twice")

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Whole":
        if arguments:
            raise cls.wrong_spec(arguments, "takes no arguments")
        found = {piece for text in all_text(texts) for piece in _PIECE.findall(text)}
        return cls(sorted(found, key=lambda piece: (piece[0] in "0123456789", len(piece), piece)))

    @property
    def vocab_size(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> list[int]:
        ids = []
        for match in _PIECE.finditer(text):
            if match[0] not in self._ids:
                advice = "no training text holds it; digits:3 reads every number"
                raise OutsideAlphabet(match[0], match.start(), advice)
            ids.append(self._ids[match[0]])
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(look_up(self._texts, ids))

    def token_texts(self) -> list[str]:
        return list(self._texts)

    def form(self) -> Form:
        return _library.word_level(self._ids, _library.special_names(self), f"[0-9]+|{_library.ANY}")

    def to_json(self) -> dict[str, Any]:
        return {"pieces": self._texts[3:]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Whole":
        pieces = field(data, "pieces", list)
        if not all(type(piece) is str for piece in pieces):
            raise ValueError("the tokenizer's JSON has a piece that is no text")
        return cls(pieces)
