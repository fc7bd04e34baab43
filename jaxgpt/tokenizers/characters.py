"""One token a character."""

from collections.abc import Iterable, Sequence
from typing import Any

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Texts, Tokenizer, all_text, field, look_up


class Characters(Tokenizer):
    """One token a character of a fixed alphabet, the sorted characters of the text.

    Of a fixed corpus these are all characters, of generated text those of the training text.

    The special ids are pad 0, bos 1 and eos 2; the alphabet follows.

    Raises:
      ValueError: if the alphabet is empty, repeats a character, or holds a surrogate.
    """

    usage = "characters"

    def __init__(self, alphabet: str):
        if not alphabet:
            raise ValueError("the alphabet of characters is empty: the training text holds none")
        if len(set(alphabet)) != len(alphabet):
            raise ValueError("the alphabet of characters names a character twice")
        surrogate = next((c for c in alphabet if "\ud800" <= c <= "\udfff"), None)
        if surrogate is not None:
            raise ValueError(f"the alphabet holds the lone surrogate {surrogate!r}, which is not text")
        self.alphabet = alphabet
        self.pad_id, self.bos_id, self.eos_id = 0, 1, 2
        self._texts = ["", "", "", *alphabet]
        self._ids = {character: i for i, character in enumerate(alphabet, start=3)}

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Characters":
        if arguments:
            raise cls.wrong_spec(arguments, "takes no arguments")
        alphabet: set[str] = set()
        for text in all_text(texts):
            alphabet.update(text)
        return cls("".join(sorted(alphabet)))

    @property
    def vocab_size(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> list[int]:
        ids = self._ids
        try:
            return [ids[character] for character in text]
        except KeyError:
            index = next(i for i, character in enumerate(text) if character not in ids)
            advice = "train the tokenizer on text that holds it, or use one over bytes"
            raise OutsideAlphabet(text[index], index, advice) from None

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(look_up(self._texts, ids))

    def token_texts(self) -> list[str]:
        return list(self._texts)

    def form(self) -> Form:
        return _library.word_level(self._ids, _library.special_names(self), _library.ANY)

    def to_json(self) -> dict[str, Any]:
        return {"alphabet": self.alphabet}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Characters":
        return cls(field(data, "alphabet", str))
