"""A large vocabulary cut down to the tokens that a task's characters can make.

Of the 50,257 tokens of GPT-2 a row of digits, `+` and `=` can meet 1,012: the others cost
memory and time in every step and change nothing. A text over the alphabet is cut exactly as the whole
vocabulary cuts it, since no token of it holds any other character.
"""

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers._numbers import NumberScheme
from jaxgpt.tokenizers.spaced import Spaced
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Texts, Tokenizer, all_text, field, look_up

#: What stands for a part of a character among the texts of tokens.
_PART = "\ufffd"


def _spelled(texts: Sequence[str], alphabet: str) -> set[int]:
    """The tokens that consist of these characters."""
    allowed = set(alphabet)
    return {i for i, text in enumerate(texts) if text and allowed.issuperset(text)}


def _alone(base: Tokenizer, alphabet: str) -> set[int]:
    """The tokens of each character alone, of those that the vocabulary has."""
    found: set[int] = set()
    for character in alphabet:
        with contextlib.suppress(OutsideAlphabet):
            found.update(base.encode(character))
    return found


def _separators(base: Tokenizer) -> str:
    """The characters that a vocabulary puts between digits, whether or not a text has them."""
    found = ""
    while isinstance(base, Spaced | Subset):
        found += base.separator if isinstance(base, Spaced) else ""
        base = base.base
    return found


def _symbols(base: Tokenizer) -> set[int]:
    """The tokens that a vocabulary makes numbers of, also where it puts separators between digits."""
    while isinstance(base, Spaced):  # whose ids are those of its own base
        base = base.base
    return base.symbol_ids if isinstance(base, NumberScheme) else set()


class Subset(Tokenizer):
    """The tokens of a vocabulary that consist of the training text's characters, with ids of their own.

    Args:
      base: the whole vocabulary.
      alphabet: the characters that a text may have, and those that the base puts between digits.
    """

    usage = "subset:BASE... with BASE a tokenizer or a directory that holds one"

    def __init__(self, base: Tokenizer, alphabet: Iterable[str]):
        self.base, self.alphabet = base, "".join(sorted(set(alphabet)))
        texts = base.token_texts()
        special = {base.pad_id, base.bos_id, base.eos_id, *base.begin_ids, *base.end_ids}
        self._kept = sorted(special | _spelled(texts, self.alphabet))
        if not _alone(base, self.alphabet).issubset(self._kept):
            # Some characters take tokens that are parts of one, or symbols of numbers.
            self._kept = sorted(special | _symbols(base) | _spelled(texts, self.alphabet + _PART))
        self._ids = {kept: i for i, kept in enumerate(self._kept)}
        self._texts = [texts[i] for i in self._kept]
        self.pad_id, self.bos_id, self.eos_id = (
            self._ids[i] for i in (base.pad_id, base.bos_id, base.eos_id)
        )

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Subset":
        from jaxgpt.tokenizers import build

        if not arguments:
            raise cls.wrong_spec(arguments, "the vocabulary to cut down is missing")
        base = build(":".join(arguments), texts)
        if base.number_id is not None:
            raise cls.wrong_spec(arguments, "its numbers are one token, so there is nothing to cut down")
        return cls(base, {*_separators(base), *(c for text in all_text(texts) for c in text)})

    @property
    def begin_ids(self) -> tuple[int, ...]:
        return self._own(self._begin_ids, self.base.begin_ids)

    @property
    def end_ids(self) -> tuple[int, ...]:
        return self._own(self._end_ids, self.base.end_ids)

    def _own(self, told: tuple[int, ...] | None, others: tuple[int, ...]) -> tuple[int, ...]:
        """The ids that were told to it, or those of its base, by its own numbers."""
        return tuple(self._ids[i] for i in others) if told is None else told

    @property
    def vocab_size(self) -> int:
        return len(self._kept)

    def encode(self, text: str) -> list[int]:
        return self._renumbered(text, self.base.encode(text))

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._renumbered(*pair) for pair in zip(texts, self.base.encode_batch(texts), strict=True)]

    def _renumbered(self, text: str, ids: list[int]) -> list[int]:
        try:
            return [self._ids[i] for i in ids]
        except KeyError:
            index = next((i for i, c in enumerate(text) if c not in self.alphabet), 0)
            advice = "the subset was made from text without it; use the whole vocabulary"
            raise OutsideAlphabet(text[index], index, advice) from None

    def decode(self, ids: Iterable[int]) -> str:
        return self.base.decode(look_up(self._kept, ids))

    def settled(self, ids: Sequence[int]) -> str:
        return self.base.settled(look_up(self._kept, ids))

    def token_texts(self) -> list[str]:
        return list(self._texts)

    def form(self) -> Form | None:
        base = self.base.form()
        if base is None:
            return None
        names = {self._ids[i]: name for i, name in base.names.items() if i in self._ids}
        return _library.cut_down(base, self._ids, names)

    def to_json(self) -> dict[str, Any]:
        from jaxgpt.tokenizers import to_json

        return {"alphabet": self.alphabet, "base": to_json(self.base)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Subset":
        from jaxgpt.tokenizers import from_json

        return cls(from_json(field(data, "base", dict)), field(data, "alphabet", str))
