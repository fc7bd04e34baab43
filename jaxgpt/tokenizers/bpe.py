"""Byte pairs over bytes, with GPT-2's way of cutting text into words."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers.tokenizer import MOST_IDS, Texts, Tokenizer, field, look_up, utf8, whole_number

_SPECIAL = 3


def _alphabet() -> dict[str, int]:
    """GPT-2's printable stand-in for each byte: itself where printable, else the next one from U+0100."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(256) if value not in printable]
    stand_ins = {chr(value): value for value in printable}
    return stand_ins | {chr(256 + i): value for i, value in enumerate(others)}


BYTE_OF = _alphabet()


class BytePairs(Tokenizer):
    """Byte-level byte pairs (Radford et al. 2019, section 2.2; byte pairs: Sennrich et al., 1508.07909).

    Text is cut into words by GPT-2's pattern, each word's UTF-8 bytes are merged in the order of `merges`.
    Every text has ids, and only the special ids stand outside the merges: `<|endoftext|>` in a text is
    encoded like any other characters. Trained here, the special ids are pad 0, bos 1, eos 2, followed by the
    256 bytes and the merges.

    Args:
      vocab: the id of each token, in GPT-2's spelling of bytes. Tokens that no merge gives stand for nothing.
      merges: pairs of tokens, the earliest first.
      pad_id, bos_id, eos_id: ids of no ordinary token.
      mask_id: of the token that hides another, where there is one.

    Raises:
      ValueError: if a byte lacks its token, a merge its parts or its result, or the ids, special ones among
        them, are not 0, 1, 2, ...
    """

    usage = "bpe:SIZE"

    def __init__(
        self,
        vocab: dict[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        pad_id: int,
        bos_id: int,
        eos_id: int,
        mask_id: int | None = None,
    ):
        reachable = check_pairs(vocab, merges)
        special = {pad_id, bos_id, eos_id} | ({mask_id} - {None})
        ordinary = next((token for token in reachable if vocab[token] in special), None)
        if ordinary is not None:
            raise ValueError(f"the special id {vocab[ordinary]} is that of the ordinary token {ordinary!r}")
        ids = sorted(special | set(vocab.values()))
        if ids != list(range(len(ids))):
            raise ValueError("the ids of a byte-pair vocabulary and its special ids are not 0, 1, 2, ...")
        self.vocab = dict(vocab)
        self.merges = [tuple(pair) for pair in merges]
        self.pad_id, self.bos_id, self.eos_id, self.mask_id = pad_id, bos_id, eos_id, mask_id
        self._bytes = [b""] * len(ids)
        for token in reachable:
            self._bytes[vocab[token]] = bytes(BYTE_OF[character] for character in token)
        self._encoder = _encoder(self.vocab, self.merges)

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "BytePairs":
        size = whole_number(arguments[0]) if len(arguments) == 1 else None
        if size is None or not 256 + _SPECIAL <= size <= MOST_IDS:
            raise cls.wrong_spec(arguments, f"SIZE is a whole number from {256 + _SPECIAL} to {MOST_IDS:,}")
        return cls.train(texts(), size)

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> "BytePairs":
        """Learn merges; the same text gives the same merges.

        Args:
          texts: the training text.
          vocab_size: the number of ids, at most: a small text runs out of pairs, `vocab_size` says where.

        Raises:
          OutsideAlphabet: for a lone surrogate in the text.
        """
        import json

        from tokenizers.pre_tokenizers import ByteLevel
        from tokenizers.trainers import BpeTrainer

        # Without special tokens, so that no merge can spell one and take its id.
        trainer = BpeTrainer(
            vocab_size=vocab_size - _SPECIAL, initial_alphabet=ByteLevel.alphabet(), show_progress=False
        )
        learner = _encoder({}, [])
        learner.train_from_iterator((text for text in texts if utf8(text)), trainer)
        merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
        vocab = {token: i + _SPECIAL for token, i in learner.get_vocab().items()}
        return cls(vocab, merges, pad_id=0, bos_id=1, eos_id=2)

    @property
    def vocab_size(self) -> int:
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        utf8(text)
        return self._encoder.encode(text).ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        begun = [byte & 0xC0 != 0x80 for byte in text.encode()]  # a character begins there
        before = [0, *itertools.accumulate(begun)]
        ends = [0, *itertools.accumulate(len(self._bytes[i]) for i in self.encode(text))]
        return [(before[first], before[end]) for first, end in itertools.pairwise(ends)]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        for text in texts:
            utf8(text)
        return [encoding.ids for encoding in self._encoder.encode_batch_fast(list(texts))]

    def decode(self, ids: Iterable[int]) -> str:
        return b"".join(look_up(self._bytes, ids)).decode("utf-8", errors="replace")

    def token_texts(self) -> list[str]:
        return [value.decode("utf-8", errors="replace") for value in self._bytes]

    def form(self) -> Form:
        names = _library.special_names(self, self.vocab)
        return _library.byte_pairs(self.vocab, self.merges, names, words=True)

    def to_json(self) -> dict[str, Any]:
        special = {"pad_id": self.pad_id, "bos_id": self.bos_id, "eos_id": self.eos_id}
        if self.mask_id is not None:
            special["mask_id"] = self.mask_id
        return {"vocab": self.vocab, "merges": [list(pair) for pair in self.merges]} | special

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "BytePairs":
        names = ("pad_id", "bos_id", "eos_id", *(["mask_id"] if "mask_id" in data else []))
        special = {key: field(data, key, int) for key in names}
        return cls(field(data, "vocab", dict), field(data, "merges", list), **special)


def check_ids(vocab: dict[str, int]) -> None:
    """Raises ValueError if a token has no id of its own."""
    if not all(type(i) is int for i in vocab.values()) or len(set(vocab.values())) != len(vocab):
        raise ValueError("a byte-pair vocabulary gives each token a whole number of its own")


def check_pairs(vocab: dict[str, int], merges: Sequence[Sequence[str]]) -> set[str]:
    """The tokens that the merges reach, if the vocabulary and the merges fit each other."""
    check_ids(vocab)
    reachable = set(BYTE_OF)
    if not reachable <= vocab.keys():
        missing = min(reachable - vocab.keys())
        raise ValueError(f"the byte-pair vocabulary lacks the byte {missing!r}; it is not byte-level")
    for pair in merges:
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(type(t) is str for t in pair)):
            raise ValueError(f"the merge {pair!r} is not a pair of tokens")
        if not (reachable.issuperset(pair) and "".join(pair) in vocab):
            raise ValueError(f"the merge {' '.join(pair)!r} uses or gives a token that is not there")
        reachable.add("".join(pair))
    return reachable


def _encoder(vocab: dict[str, int], merges: list[tuple[str, str]]) -> Any:
    from tokenizers import Tokenizer as Encoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    encoder = Encoder(BPE(vocab, merges))
    encoder.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
    return encoder
