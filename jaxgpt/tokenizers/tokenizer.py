"""What a tokenizer is."""

import abc
import copy
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

from jaxgpt.core.choice import Choice
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers.number_token import FeatureType
from jaxgpt.tokenizers.vocabulary import Vocabulary

#: Gives the training text, as often as it is called.
Texts = Callable[[], Iterable[str]]


class CorpusTexts:
    """The training text of a fixed corpus, when called; and all of its text.

    What is learned (merges, pieces) comes from training text alone. What a tokenizer can read at all is
    decided once and for all, so an alphabet is that of the whole corpus.
    """

    def __init__(self, train: Texts, whole: Texts):
        self._train, self.whole = train, whole

    def __call__(self) -> Iterable[str]:
        return self._train()


def all_text(texts: Texts) -> Iterable[str]:
    """All text of a fixed corpus, for an alphabet; of any other, the training text."""
    return texts.whole() if isinstance(texts, CorpusTexts) else texts()


def changed(texts: Texts, change: Callable[[Iterable[str]], Iterable[str]]) -> Texts:
    """The texts that a base tokenizer is built from: `change` of the given ones."""
    if isinstance(texts, CorpusTexts):
        return CorpusTexts(lambda: change(texts()), lambda: change(texts.whole()))
    return lambda: change(texts())


class OutsideAlphabet(ValueError):
    """A character or a whole number that a tokenizer cannot represent: which, where, and what to do."""

    def __init__(self, character: str, index: int, advice: str):
        self.character, self.index, self.advice = character, index, advice
        if len(character) == 1:
            what = f"character {character!r} (U+{ord(character):04X})"
        else:
            what = f"number {shortened(character)}"
        super().__init__(f"the {what} at index {index} is outside the alphabet; {advice}")

    def __reduce__(self):  # a worker process hands its error on by its arguments, not its message
        return type(self), (self.character, self.index, self.advice)


class Tokenizer(Choice, abc.ABC, package="jaxgpt.tokenizers"):
    """Text to integers and back, without loss on its alphabet.

    Every tokenizer has three special ids, which `encode` never produces and `decode` skips. They may
    coincide where an established vocabulary has it so (GPT-2 has one special token). A tokenizer does
    not change once it is built.
    """

    pad_id: int
    bos_id: int
    eos_id: int

    #: The id that hides a token from an encoder, where the vocabulary has one.
    mask_id: int | None = None

    #: Ids that a directory names in front of a text that a model goes on with, and that end what it writes;
    #: None: bos and eos.
    _begin_ids: tuple[int, ...] | None = None
    _end_ids: tuple[int, ...] | None = None

    #: Where every number is one token: its id, and how many features of which type say which number it is.
    #: `encode` gives it as a `NumberToken`.
    number_id: int | None = None
    number_features: int = 0
    feature_type: ClassVar[FeatureType] = "float32"

    #: What may follow the short name, such as `digits[:SIZE[:SIDE[:BASE]]]`, for help and errors.
    usage: ClassVar[str]

    #: Whether it lies in a directory or file, which the argument of its short name is.
    is_held: ClassVar[bool] = False

    @property
    def lossy(self) -> bool:
        """Whether `decode(encode(text))` may be another text, as from a vocabulary of lower-case words."""
        base = getattr(self, "base", None)
        return base is not None and base.lossy

    @property
    def begin_ids(self) -> tuple[int, ...]:
        """Ids before a text that a decoder reads: bos, or what the tokenizer's directory says, also none."""
        if self._begin_ids is not None:
            return self._begin_ids
        base = getattr(self, "base", None)
        return (self.bos_id,) if base is None else base.begin_ids

    @property
    def end_ids(self) -> tuple[int, ...]:
        """Ids that each end a text that a model writes: eos, and others that its directory names."""
        if self._end_ids is not None:
            return self._end_ids
        base = getattr(self, "base", None)
        return (self.eos_id,) if base is None else base.end_ids

    def vocabulary(self) -> Vocabulary:
        """What a model may know of this tokenizer."""
        return Vocabulary(self.token_texts(), self.number_encoding(), self.mask_id)

    def begun(self, ids: Sequence[int]) -> list[int]:
        """A text's ids behind `begin_ids`; where that leaves nothing, bos."""
        return [*self.begin_ids, *ids] or [self.bos_id]

    def used_with(
        self, *, begin_ids: Sequence[int] | None = None, end_ids: Sequence[int] | None = None
    ) -> Self:
        """The same tokenizer with other `begin_ids` and `end_ids`; None leaves them.

        Raises:
          ValueError: for an id outside of the vocabulary.
        """
        found = copy.copy(self)
        for name, ids in (("_begin_ids", begin_ids), ("_end_ids", end_ids)):
            if ids is None:
                continue
            if not all(type(i) is int and 0 <= i < self.vocab_size for i in ids):
                raise ValueError(f"{name[1:]}={list(ids)} are not ids below {self.vocab_size}")
            setattr(found, name, tuple(ids))
        return found

    @classmethod
    @abc.abstractmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "Tokenizer":
        """Build from the part of a short name behind the first colon, `bpe:512` -> `["512"]`.

        Args:
          arguments: the colon-separated rest of the short name.
          texts: gives the training text, read only by tokenizers that learn from it; an alphabet is of
            `all_text(texts)`.

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
          OutsideAlphabet: a ValueError for text outside the alphabet; names the character and its index. A
            `lossy` tokenizer reads any text in its own way.
        """

    def encode_exactly(self, text: str) -> list[int]:
        """`encode` of a text that a model is to write, and that is compared with what it wrote.

        Raises:
          OutsideAlphabet: also for text that a lossy tokenizer changes.
        """
        ids = self.encode(text)
        if self.lossy and (back := self.decode(ids)) != text:
            check_same(text, back, f"the tokenizer would write {shortened(back)!r}; write the answers so")
        return ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` of each text."""
        return [self.encode(text) for text in texts]

    @abc.abstractmethod
    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; special ids are skipped.

        Where ids stand for bytes, those that are not UTF-8 (a character cut in two while ids stream in)
        become U+FFFD.

        Raises:
          ValueError: for an id outside [0, vocab_size).
        """

    def spans(self, text: str) -> list[tuple[int, int]] | None:
        """Where in a text each of its tokens stands, [start, end); None if the tokenizer does not tell."""
        return None

    def settled(self, ids: Sequence[int]) -> str:
        """The beginning of `decode(ids)` that no further ids can change, for text that streams out."""
        return self.decode(ids).removesuffix("\ufffd")

    @abc.abstractmethod
    def token_texts(self) -> list[str]:
        """The text that each id stands for on its own; the empty string for special ids.

        An id that is only part of how a number is written has a name, such as `10e2` or `E-2`.
        """

    def number_encoding(self) -> dict[str, Any] | None:
        """The `jaxgpt.nn.number` encoding that reads these number tokens, as JSON; None without any."""
        return None

    @abc.abstractmethod
    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` of the same class restores the tokenizer, without `kind`."""

    @classmethod
    @abc.abstractmethod
    def from_json(cls, data: dict[str, Any]) -> "Tokenizer":
        """The inverse of `to_json`.

        Raises:
          ValueError: if the values are not what `to_json` writes.
        """

    def form(self) -> Form | None:
        """The same tokenizer as the `tokenizers` library computes it; None where it cannot."""
        return None

    @functools.cached_property
    def fingerprint(self) -> str:
        """Equal for tokenizers that map every text to the same ids, as far as their JSON tells."""
        data = json.dumps({"kind": type(self).kind()} | self.to_json(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(data.encode()).hexdigest()[:16]

    @classmethod
    def wrong_spec(cls, arguments: Sequence[str], reason: str) -> ValueError:
        """The error for a short name whose arguments do not fit."""
        return ValueError(f"{':'.join([cls.kind(), *arguments])}: {reason}; usage: {cls.usage}")


def utf8(text: str, start: int = 0) -> bytes:
    """`text` in UTF-8.

    Raises:
      OutsideAlphabet: for a lone surrogate, which no UTF-8 text contains.
    """
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        advice = "a lone surrogate is not UTF-8 text; read the file with errors='replace'"
        raise OutsideAlphabet(text[error.start], start + error.start, advice) from None


def check_same(text: str, back: str, advice: str) -> None:
    """That a text came back the same from its ids.

    Raises:
      OutsideAlphabet: if not, for the first character that differs.
    """
    if back != text:
        pairs = enumerate(zip(text, back, strict=False))
        index = next((i for i, (a, b) in pairs if a != b), min(len(text) - 1, len(back)))
        raise OutsideAlphabet(text[index], index, advice)


def look_up(table: Sequence[Any], ids: Iterable[int]) -> list[Any]:
    """The entries of `table`, one an id of the vocabulary.

    Raises:
      ValueError: for an id outside the table.
    """
    size = len(table)
    entries = []
    for i in ids:
        if not 0 <= i < size:  # a negative one would count from the end
            raise ValueError(f"the id {i} is outside the vocabulary [0, {size})")
        entries.append(table[i])
    return entries


def shortened(number: str) -> str:
    """A number as an error shows it, on one line of bearable length."""
    return number if len(number) <= 40 else f"{number[:30]}... of {len(number)} characters"


#: Ids that a tokenizer which is learned has at most.
MOST_IDS = 1_000_000


def whole_number(text: str) -> int | None:
    """The whole number that the ASCII digits of `text` spell, up to 20 of them, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def field(data: Any, key: str, kind: type) -> Any:
    """`data[key]`, checked, from a tokenizer's JSON.

    Raises:
      ValueError: if `data` is no object, has no `key`, or the value is not of type `kind`.
    """
    if not isinstance(data, dict) or type(data.get(key)) is not kind:
        raise ValueError(f"the tokenizer's JSON has no {key!r} of type {kind.__name__}")
    return data[key]
