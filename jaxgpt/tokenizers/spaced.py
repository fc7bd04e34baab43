"""Numbers with a space between their digits, over any base vocabulary.

The base reads `6 5` where the text says `65`: a subword vocabulary then has no choice but to see single
digits, and its ids stay what they were. To come back the same, spaces that the text itself has between two
digits are told apart by their number: between two digits, k spaces become k + 1.

    65     -> 6 5     -> 65
    6 5    -> 6  5    -> 6 5
    6  5   -> 6   5   -> 6  5
    x 65   -> x 6 5   -> x 65

Decoding takes one space out again. Both look only at a digit, spaces, and a digit, so a text that is
encoded in two parts comes back the same unless the cut falls between a digit and a space before a digit.
Only the ASCII digits 0-9 count as digits.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Texts, Tokenizer, changed, field


class Spaced(Tokenizer):
    """A space between the digits of each number (Nogueira et al., arXiv 2102.13019), then a base vocabulary.

    The special ids, the vocabulary and its size are the base's.

    Args:
      base: encodes the text with its spaces; it must have a token for the space.

    Raises:
      ValueError: if the base cannot represent a space.
    """

    usage = "spaced[:BASE...] with BASE a tokenizer"
    #: The one character that stands between digits.
    separator: ClassVar[str] = " "

    def __init__(self, base: Tokenizer):
        try:
            base.encode(self.separator)
        except OutsideAlphabet as error:
            raise ValueError(
                f"{self.kind()}: the base has no token for {self.separator!r}; train it on text with one"
            ) from error
        self.base = base
        self._gap = self._gaps()
        self._added = re.compile(f"(?<=[0-9]){self.separator}(?={self.separator}*[0-9])")
        self._open = re.compile(
            rf"[0-9]{self.separator}+\Z"
        )  # what comes next decides whether one is taken out
        self.pad_id, self.bos_id, self.eos_id = base.pad_id, base.bos_id, base.eos_id

    @classmethod
    def _gaps(cls) -> re.Pattern:
        """Where a separator is put in."""
        return re.compile(f"(?<=[0-9])(?={cls.separator}*[0-9])")

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Spaced":
        from jaxgpt.tokenizers import build

        def spaced_texts(texts: Iterable[str]):
            # Numbers to come may need digits, and the space between them, that the training text lacks.
            yield cls.separator.join("0123456789")
            yield from (cls._gaps().sub(cls.separator, text) for text in texts)

        return cls(build(":".join(arguments) or "characters", changed(texts, spaced_texts)))

    @property
    def vocab_size(self) -> int:
        return self.base.vocab_size

    def encode(self, text: str) -> list[int]:
        try:
            return self.base.encode(self._gap.sub(self.separator, text))
        except OutsideAlphabet as error:
            gaps = (gap.start() + i for i, gap in enumerate(self._gap.finditer(text)))
            index = error.index - sum(gap < error.index for gap in gaps)
            raise OutsideAlphabet(error.character, index, error.advice) from None

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        try:
            return self.base.encode_batch([self._gap.sub(self.separator, text) for text in texts])
        except OutsideAlphabet:
            return super().encode_batch(texts)  # says where, in the text as it was given

    def decode(self, ids: Iterable[int]) -> str:
        return self._added.sub("", self.base.decode(ids))

    def settled(self, ids: Sequence[int]) -> str:
        text = self._added.sub("", self.base.settled(ids))
        return text[:-1] if self._open.search(text) else text

    def token_texts(self) -> list[str]:
        return self.base.token_texts()

    def form(self) -> Form | None:
        base = self.base.form()
        return base and _library.with_separator(base, self._gap.pattern, self.separator, self._added.pattern)

    def to_json(self) -> dict[str, Any]:
        from jaxgpt.tokenizers import to_json

        return {"base": to_json(self.base)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Spaced":
        from jaxgpt.tokenizers import from_json

        return cls(from_json(field(data, "base", dict)))
