"""One token a byte of UTF-8."""

from collections.abc import Iterable, Sequence
from typing import Any

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers.bpe import BYTE_OF
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer, look_up, utf8

_SPECIAL = 3


class Bytes(Tokenizer):
    """One token a byte of the text's UTF-8 (as in ByT5, Xue et al., arXiv 2105.13626).

    The special ids are pad 0, bos 1 and eos 2; byte b has the id b + 3.
    """

    usage = "bytes"

    def __init__(self):
        self.pad_id, self.bos_id, self.eos_id = 0, 1, 2
        self._bytes = [b""] * _SPECIAL + [bytes([value]) for value in range(256)]

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Bytes":
        if arguments:
            raise cls.wrong_spec(arguments, "takes no arguments")
        return cls()

    @property
    def vocab_size(self) -> int:
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        return [value + _SPECIAL for value in utf8(text)]

    def decode(self, ids: Iterable[int]) -> str:
        return b"".join(look_up(self._bytes, ids)).decode("utf-8", errors="replace")

    def token_texts(self) -> list[str]:
        return [value.decode("utf-8", errors="replace") for value in self._bytes]

    def form(self) -> Form:
        vocab = {stand_in: value + _SPECIAL for stand_in, value in BYTE_OF.items()}
        return _library.byte_pairs(vocab, [], _library.special_names(self), words=False)

    def to_json(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Bytes":
        if data != {}:
            raise ValueError("the tokenizer's JSON of bytes holds values; it has none")
        return cls()
