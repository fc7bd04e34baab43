"""SentencePiece: unigram and byte-pair models over text with its spaces.

Trained here, nothing is lost: no normalization, no space added or removed, and a character outside the
vocabulary becomes its UTF-8 bytes. SentencePiece itself writes a space as U+2581 and reads both back as a
space; here a U+2581 of the text becomes its three bytes.

A model trained elsewhere may normalize its text, or lack the byte tokens. Its alphabet is then the text
that comes back the same, which `encode` checks.
"""

import base64
import binascii
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jaxgpt.core.wording import quoted, shown
from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers._library import Form
from jaxgpt.tokenizers._special import MOST_BEYOND, check_told, mask_id, special_ids
from jaxgpt.tokenizers.declared import Declared, ending
from jaxgpt.tokenizers.tokenizer import (
    MOST_IDS,
    Texts,
    Tokenizer,
    check_same,
    field,
    look_up,
    utf8,
    whole_number,
)

_SPACE = "\u2581"
_PROBE = "a  \u2161e\u0301 \n"  # what a model with its own spelling of text changes
_RESERVED = re.compile("[\u2581\u2585\x00]+")  # the trainer drops a whole text that holds one
_MODELS = ("unigram", "bpe")
_DIGITS = {"keep_digits": False, "split_digits": True}


class SentencePiece(Tokenizer):
    """A SentencePiece model (Kudo and Richardson, EMNLP 2018; unigram: Kudo, arXiv 1804.10959).

    The special ids are the model's own, in one trained here pad 0, bos 1, eos 2 (and unk 3, which is never
    produced). Where a model lacks one, bos and eos stand in for each other and eos for pad; a model with
    neither has them by their usual names (ALBERT's `[CLS]` and `[SEP]`), or gets one id behind its
    vocabulary that serves as all three. A model that normalizes text, or has no pieces for bytes, is `lossy`.

    Args:
      model: the contents of a `.model` file.
      special: ids that other files give, by pad_id, bos_id, eos_id and mask_id.
      added: special tokens behind the model's pieces.

    Raises:
      ValueError: if it is no SentencePiece model.
    """

    usage = "sentencepiece:SIZE[:unigram|bpe[:split_digits|keep_digits]]"

    def __init__(self, model: bytes, special: dict[str, int] | None = None, added: int = 0):
        from sentencepiece import SentencePieceProcessor

        if not 0 <= added <= MOST_BEYOND:
            raise ValueError(f"{shown(added)} tokens behind a SentencePiece model are not read")
        self.model, self.special, self.added = model, dict(special or {}), added
        self._processor = processor = SentencePieceProcessor()
        try:
            processor.LoadFromSerializedProto(model)
        except (RuntimeError, OSError) as error:
            raise ValueError(f"not a SentencePiece model ({len(model)} bytes)") from error
        size = processor.vocab_size() + added
        self._bytes = [_piece_bytes(processor, i) for i in range(processor.vocab_size())] + [b""] * added
        bos, eos, pad = processor.bos_id(), processor.eos_id(), processor.pad_id()
        control = _control(processor)
        self.mask_id = mask_id(control)
        if bos < 0 and eos < 0:
            named = special_ids(control, spare=size)
            bos, eos, pad = named["bos_id"], named["eos_id"], named["pad_id"] if pad < 0 else pad
            self._bytes += [b""] * (eos == size and not self.special)
        self.bos_id = bos if bos >= 0 else eos
        self.eos_id = eos if eos >= 0 else bos
        self.pad_id = pad if pad >= 0 else self.eos_id
        check_told(self.special, len(self._bytes))
        for name, index in self.special.items():
            if self._bytes[index]:
                raise ValueError(f"{name}={index!r} is no special token of this SentencePiece model")
            setattr(self, name, index)
        # A model may put a space before every text, which is no part of the text.
        self._prefix = " " if processor.normalize("x").startswith(_SPACE) else ""
        self._lossy = processor.normalize(_PROBE).removeprefix(_SPACE) != _PROBE.replace(" ", _SPACE) or any(
            processor.piece_to_id(f"<0x{value:02X}>") == processor.unk_id() for value in range(256)
        )
        self._space_ids = [processor.piece_to_id(f"<0x{value:02X}>") for value in _SPACE.encode()]

    @classmethod
    def declared(cls, model: bytes, files: Declared) -> "SentencePiece":
        """With what other files of the directory say of its tokens.

        Raises:
          ValueError: as for the tokenizer itself, and for added tokens that text is to be cut at.
        """
        usual = cls(model)
        size = usual._processor.vocab_size()
        known = {usual._processor.id_to_piece(i): i for i in range(size)}
        beyond = [token for token in files.added if known.get(token["content"]) != token["id"]]
        ordinary = next((token for token in files.added if not token["special"]), None)
        if ordinary is not None or [token["id"] for token in beyond] != [*range(size, size + len(beyond))]:
            what = quoted((ordinary or beyond[0])["content"])
            raise ValueError(
                f"the added token {what} is not read beside a SentencePiece model; write a tokenizer.json: "
                "AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)"
            )
        more = {token["content"]: token["id"] for token in beyond}
        named = _control(usual._processor) | more
        told, ends = files.special(named, known | more)
        told = {key: i for key, i in told.items() if getattr(usual, key) != i}
        return ending(cls(model, told, len(beyond)) if told or beyond else usual, ends)

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "SentencePiece":
        size = whole_number(arguments[0]) if arguments else None
        if size is None or size > MOST_IDS or len(arguments) > 3:
            most = f"SIZE is a whole number of at most {MOST_IDS:,}"
            raise cls.wrong_spec(arguments, f"{most}, then at most two arguments")
        model = arguments[1] if len(arguments) > 1 else "unigram"
        if model not in _MODELS:
            raise cls.wrong_spec(arguments, f"{model!r} is neither unigram nor bpe")
        digits = arguments[2] if len(arguments) > 2 else "split_digits"
        if digits not in _DIGITS:
            raise cls.wrong_spec(arguments, f"{digits!r} is neither split_digits nor keep_digits")
        try:
            return cls.train(texts(), size, model, _DIGITS[digits])
        except ValueError as error:
            raise cls.wrong_spec(arguments, str(error)) from error

    @classmethod
    def train(
        cls, texts: Iterable[str], vocab_size: int, model: str = "unigram", split_digits: bool = True
    ) -> "SentencePiece":
        """Learn a model; the same text gives the same model.

        Args:
          texts: the training text; its parts are taken apart, newlines inside them are learnt.
          vocab_size: the number of ids, at most: a small text gives fewer pieces, `vocab_size` says how many.
          model: `unigram` or `bpe`.
          split_digits: whether every digit is a piece of its own.

        Raises:
          ValueError: if the text is empty, or the size too small for the bytes and characters.
        """
        from sentencepiece import SentencePieceTrainer

        proto = io.BytesIO()
        try:
            SentencePieceTrainer.train(
                sentence_iterator=_sentences(texts),
                model_writer=proto,
                vocab_size=vocab_size,
                model_type=model,
                split_digits=split_digits,
                byte_fallback=True,
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                add_dummy_prefix=False,
                required_chars=_SPACE + "\n0123456789",
                hard_vocab_limit=False,
                max_sentence_length=2**30,
                pad_id=0,
                bos_id=1,
                eos_id=2,
                unk_id=3,
                num_threads=1,  # sums in a fixed order: the same model every time
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(_reason(str(error), vocab_size)) from error
        return cls(proto.getvalue())

    @property
    def has_bos(self) -> bool:
        """Whether the model has a token that begins texts."""
        return self._processor.bos_id() >= 0

    @property
    def pieces(self) -> list[tuple[str, float]]:
        """The model's pieces in the order of their ids, with their scores."""
        processor = self._processor
        return [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.vocab_size())]

    @property
    def control(self) -> dict[str, int]:
        """The ids of pieces that stand for no text."""
        return _control(self._processor)

    @property
    def unknown(self) -> int:
        """The id of what is in no piece."""
        return self._processor.unk_id()

    @property
    def unigram(self) -> bool:
        """Whether the scores are log probabilities; those of byte pairs count down from 0."""
        ranks = [score for piece, score in self.pieces if len(piece) > 1 and score]
        return any(score != int(score) for score in ranks)

    def merges(self) -> list[tuple[str, str]]:
        """Of a model of byte pairs, in the order in which they are made."""
        ids = {piece: i for i, (piece, _) in enumerate(self.pieces) if self._bytes[i]}
        return _merges(ids, [score for _, score in self.pieces])

    @property
    def lossy(self) -> bool:
        return self._lossy

    @property
    def vocab_size(self) -> int:
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        utf8(text)
        ids: list[int] = []
        for i, part in enumerate(text.split(_SPACE)):
            if i:
                ids += self._space_ids
            ids += self._processor.encode(part)
        if self._lossy:
            return ids
        advice = "this SentencePiece model drops or changes it; train one with sentencepiece:SIZE"
        check_same(text, self.decode(ids), advice)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        text = b"".join(look_up(self._bytes, ids)).decode("utf-8", errors="replace")
        return text.removeprefix(self._prefix)

    def token_texts(self) -> list[str]:
        return [value.decode("utf-8", errors="replace") for value in self._bytes]

    def form(self) -> Form | None:
        if self._lossy or self.added:
            return None
        processor = self._processor
        ids = range(processor.vocab_size())
        # With spaces in their names, so that a text needs no other form, and U+2581 is three bytes.
        named = [processor.id_to_piece(i).replace(_SPACE, " ") for i in ids]
        names = {i: named[i] for i in ids if not self._bytes[i]}
        if len(set(named)) < len(named) or len(self._bytes) > len(named):
            return None
        scores = [processor.get_score(i) for i in ids]
        options, cuts = {"byte_fallback": True}, ()
        if self.unigram:
            # A text that spells a special token or a byte is made of its characters, which are far likelier,
            # unless one of them is no piece: there the text is cut.
            least = min(scores) - 1000.0
            spelled = {i: named[i] for i in ids if i in names or processor.is_byte(i)}
            pieces = [[piece, least if i in spelled else scores[i]] for i, piece in enumerate(named)]
            model = {"type": "Unigram", "unk_id": processor.unk_id(), "vocab": pieces} | options
            cuts = _library.cut_names(spelled.values(), set(named))
        else:
            vocab = {piece: i for i, piece in enumerate(named)}
            text = {p: i for p, i in vocab.items() if i not in names and not processor.is_byte(i)}
            model = _library.bpe_model(vocab, _merges(text, scores), **options)
        first = {"type": "Prepend", "prepend": self._prefix} if self._prefix else None
        last = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] * bool(self._prefix)
        decoders = ({"type": "ByteFallback"}, {"type": "Fuse"}, *last)
        return Form(model, cuts, decoders, names, first)

    def to_json(self) -> dict[str, Any]:
        more = {"special": self.special, "added": self.added}
        model = base64.b64encode(self.model).decode("ascii")
        return {"model": model} | {name: value for name, value in more.items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "SentencePiece":
        try:
            model = base64.b64decode(field(data, "model", str), validate=True)
        except binascii.Error as error:
            raise ValueError("the tokenizer's JSON has a 'model' that is not base64") from error
        special = field(data, "special", dict) if "special" in data else None
        return cls(model, special, field(data, "added", int) if "added" in data else 0)


def _merges(vocab: dict[str, int], scores: list[float]) -> list[tuple[str, str]]:
    """The merges of a model of byte pairs, in the order in which they are made."""
    found = []
    for piece, i in vocab.items():
        cuts = [(piece[:k], piece[k:]) for k in range(1, len(piece))]
        known = [pair for pair in cuts if pair[0] in vocab and pair[1] in vocab]
        found += [(-scores[i], i, vocab[a], vocab[b], (a, b)) for a, b in known]
    return [pair for *_, pair in sorted(found)]


def _control(processor: Any) -> dict[str, int]:
    """The ids of the pieces that stand for no text."""
    ids = range(processor.vocab_size())
    return {processor.id_to_piece(i): i for i in ids if processor.is_control(i)}


def _piece_bytes(processor: Any, i: int) -> bytes:
    if processor.is_control(i) or processor.is_unknown(i) or processor.is_unused(i):
        return b""
    piece = processor.id_to_piece(i)
    if processor.is_byte(i):
        return bytes([int(piece[1:-1], 16)])
    return piece.replace(_SPACE, " ").encode()


def _sentences(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        utf8(text)
        yield from filter(None, _RESERVED.split(text))


def _reason(message: str, vocab_size: int) -> str:
    """The trainer's complaint, in the caller's terms."""
    needed = re.search(r"(\d+) vs (\d+)", message)
    if needed and "required_chars" in message:
        return (
            f"SIZE={vocab_size} is too small: bytes, special ids and characters of this text need {needed[2]}"
        )
    if "sentences_.empty()" in message:
        return "the training text is empty"
    return " ".join(message.split())
