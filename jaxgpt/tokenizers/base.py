"""What a tokenizer is."""

import abc
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from jaxgpt.fields import Choice

Texts = Callable[[], Iterable[str]]


class Tokenizer(Choice, abc.ABC, package="jaxgpt.tokenizers"):
    """Text to integers and back, without loss on its alphabet.

    Every tokenizer has three special ids, which `encode` never produces and `decode` skips. They may
    coincide where an established vocabulary has it so (GPT-2 has one special token).
    """

    pad_id: int
    bos_id: int
    eos_id: int

    #: What may follow the short name, such as `digits[:SIZE[:SIDE[:BASE]]]`, for help and errors.
    usage: ClassVar[str]

    @classmethod
    @abc.abstractmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Tokenizer":
        """Build from the part of a short name behind the first colon, `bpe:512` -> `["512"]`.

        Args:
          arguments: the colon-separated rest of the short name.
          texts: gives the training text, read only by tokenizers that learn from it.

        Raises:
          ValueError: if the arguments do not fit; one line with `usage`.
        """

    @property
    @abc.abstractmethod
    def vocab_size(self) -> int:
        """The number of ids, special ones included."""

    @abc.abstractmethod
    def encode(self, text: str) -> list[int]:
        """The ids of `text`, without special ids.

        Raises:
          ValueError: for text outside the alphabet; names the character and where it stands.
        """

    @abc.abstractmethod
    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; special ids are skipped.

        Raises:
          ValueError: for an id outside [0, vocab_size).
        """

    @abc.abstractmethod
    def token_texts(self) -> list[str]:
        """The text that each id stands for on its own; the empty string for special ids."""

    @abc.abstractmethod
    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` of the same class restores the tokenizer, without `kind`."""

    @classmethod
    @abc.abstractmethod
    def from_json(cls, data: dict[str, Any]) -> "Tokenizer":
        """The inverse of `to_json`."""

    @property
    def fingerprint(self) -> str:
        """Equal for tokenizers that map every text to the same ids, as far as their JSON tells."""
        data = json.dumps({"kind": type(self).kind()} | self.to_json(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(data.encode()).hexdigest()[:16]
