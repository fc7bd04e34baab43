"""One token a frequent word, one a character elsewhere.

    lexicon:2000    the king said  ->  the| king| said
                    the qxing 12   ->  the| |q|x|i|n|g| |1|2

A word is a run of letters, with the space before it if there is one. The most frequent ones of the training
text are tokens; a rare one is spelled, so that every text over the alphabet can be written.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from jaxgpt.tokenizers.characters import Characters
from jaxgpt.tokenizers.tokenizer import MOST_IDS, Texts, Tokenizer, field, look_up, whole_number

_WORD = re.compile(r" ?[^\W\d_]+")


class Lexicon(Tokenizer):
    """The most frequent words of the training text as one token each; the rest character by character.

    The ids begin with those of `characters`; the words follow, the most frequent first, and those as
    frequent as each other in the order of the alphabet. What is written in two parts is not always cut as
    the whole would be.

    Args:
      alphabet: the characters.
      words: letters, perhaps behind one space, of at least two characters; none twice.

    Raises:
      ValueError: for another word, or one with a character outside the alphabet.
    """

    usage = "lexicon:SIZE, the number of words"

    def __init__(self, alphabet: str, words: Sequence[str]):
        self._characters = Characters(alphabet)
        for word in words:
            if not (_WORD.fullmatch(word) and len(word) > 1 and set(word) <= set(alphabet)):
                raise ValueError(f"{word!r} is no word of at least two characters of the alphabet")
        self.pad_id, self.bos_id, self.eos_id = 0, 1, 2
        self.words = tuple(words)
        first = self._characters.vocab_size
        self._ids = {word: i for i, word in enumerate(words, start=first)}
        if len(self._ids) < len(words):
            raise ValueError("the lexicon names a word twice")
        self._texts = [*self._characters.token_texts(), *words]

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Lexicon":
        size = whole_number(arguments[0]) if len(arguments) == 1 else None
        if size is None or not 1 <= size <= MOST_IDS:
            raise cls.wrong_spec(arguments, f"SIZE is a whole number from 1 to {MOST_IDS:,}")
        counts = Counter(word for text in texts() for word in _WORD.findall(text) if len(word) > 1)
        words = sorted(counts, key=lambda word: (-counts[word], word))[:size]
        return cls(Characters.from_spec([], texts).alphabet, words)

    @property
    def vocab_size(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> list[int]:
        characters = self._characters.encode(text)  # each has its id, or the error says which has none
        ids, done = [], 0
        for match in _WORD.finditer(text):
            start, end = match.span()
            if match[0] not in self._ids and match[0][0] == " ":
                start += 1
            if (found := self._ids.get(text[start:end])) is not None:
                ids += [*characters[done:start], found]
                done = end
        return [*ids, *characters[done:]]

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(look_up(self._texts, ids))

    def token_texts(self) -> list[str]:
        return list(self._texts)

    def to_json(self) -> dict[str, Any]:
        return {"alphabet": self._characters.alphabet, "words": list(self.words)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Lexicon":
        words = field(data, "words", list)
        if not all(type(word) is str for word in words):
            raise ValueError("the tokenizer's JSON has a word that is no text")
        return cls(field(data, "alphabet", str), words)
