"""Published SentencePiece models without a `tokenizer.json`, read as transformers' classes read them.

Such a class changes the text first, moves ids, or adds tokens of which the SentencePiece file knows nothing.
Where versions of transformers differ, a text is read as by the code that the models were published with:
spaces count once, and ALBERT takes no comma into a piece of digits.
"""

import base64
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from jaxgpt.tokenizers import _library
from jaxgpt.tokenizers.declared import Declared
from jaxgpt.tokenizers.huggingface import HuggingFace

#: Classes by their names in `tokenizer_config.json`, and by the `model_type` of a `config.json` without one.
_CLASSES = {
    "AlbertTokenizer": "albert",
    "T5Tokenizer": "t5",
    "MT5Tokenizer": "t5",
    "XLMRobertaTokenizer": "xlm-roberta",
    "ReformerTokenizer": "reformer",
}
_TYPES = {"albert": "albert", "t5": "t5", "mt5": "t5", "xlm-roberta": "xlm-roberta", "reformer": "reformer"}
#: Their special tokens, where no file names others, and those around a text.
_NAMES = {
    "albert": {
        **{"bos_token": "[CLS]", "eos_token": "[SEP]", "unk_token": "<unk>", "sep_token": "[SEP]"},
        **{"pad_token": "<pad>", "cls_token": "[CLS]", "mask_token": "[MASK]"},
    },
    "t5": {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
    "xlm-roberta": {
        **{"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>"},
        **{"pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>"},
    },
    "reformer": {"eos_token": "</s>", "unk_token": "<unk>"},
}
_AROUND = {
    "albert": ("cls_token", "sep_token"),
    "t5": (None, "eos_token"),
    "xlm-roberta": ("bos_token", "eos_token"),
    "reformer": (None, None),
}
#: T5's tokens that stand for hidden spans: how many there are at most, and how their names begin.
_MOST = 10_000
_SPAN = "<extra_id_"


def class_of(settings: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """Whose class reads a directory by `tokenizer_config.json` and `config.json`; None: none of these."""
    named = settings.get("tokenizer_class") or config.get("tokenizer_class")
    if isinstance(named, str):
        return _CLASSES.get(named.removesuffix("Fast"))
    kind = config.get("model_type")
    return _TYPES.get(kind) if isinstance(kind, str) else None


def sentence_pieces(model: bytes, kind: str, settings: Mapping[str, Any], files: Declared) -> HuggingFace:
    """The tokenizer of a `.model` file.

    Args:
      kind: what `class_of` found.
      settings: the contents of `tokenizer_config.json`, of which `do_lower_case`, `keep_accents`,
        `add_prefix_space` and `extra_ids` are read.
      files: what the directory says of its tokens.

    Raises:
      ValueError: if it is no SentencePiece model, lacks a token that stands around texts, or a setting has
        another type.
    """
    from jaxgpt.tokenizers.sentencepiece import SentencePiece

    own = SentencePiece(model)  # which refuses what is none
    names = _NAMES[kind] | {name: text for name, text in files.names.items() if name in _NAMES[kind]}
    vocab, unknown = _vocabulary(own, kind, names, _count(settings))
    ids = {piece: i for i, (piece, _) in reversed([*enumerate(vocab)])}
    spans = [piece for piece, _ in vocab[len(own.pieces) :] if piece.startswith(_SPAN)]
    named = [text for text in dict.fromkeys([*names.values(), *own.control, *spans]) if text in ids]
    around = [ids.get(names.get(name, "")) for name in _AROUND[kind]]
    for name, found in zip(_AROUND[kind], around, strict=True):
        if name and found is None:
            raise ValueError(f"it has no piece {names[name]}, which stands around every text as {name}")
    before, behind = ([i] if i is not None else [] for i in around)
    # A text that spells a special token is cut there, since these are pieces like others to the library.
    spelled = _library.cut_names([*(text for text in named if text not in spans), _SPAN], ())
    form = _library.Form(
        _model(own, vocab, unknown, names["unk_token"]),
        ({"type": "WhitespaceSplit"}, _metaspace(settings), *spelled),
        (_metaspace(settings),),
        {ids[text]: text for text in named},
        _normalizer(own, kind, settings),
    )
    definition = form.definition(before, behind)
    return HuggingFace.declared(definition, dataclasses.replace(files, names={**names, **files.names}))


def _vocabulary(own: Any, kind: str, names: Mapping[str, str], extra: int) -> tuple[list[list[Any]], int]:
    """Pieces with their scores in the order of their ids, and the id of what is unknown."""
    pieces = [list(piece) for piece in own.pieces]
    if kind == "xlm-roberta":  # as fairseq has them
        first = [names[name] for name in ("bos_token", "pad_token", "eos_token", "unk_token")]
        return [*([name, 0.0] for name in first), *pieces[3:], [names["mask_token"], 0.0]], 3
    if kind == "t5":
        pieces += [[f"{_SPAN}{i}>", 0.0] for i in reversed(range(extra))]
    if kind == "albert":
        for piece in pieces:
            if len(piece[0]) > 1 and piece[0][-1] == "," and piece[0][-2].isdigit():
                piece[1] -= 100.0
    return pieces, own.unknown


def _model(own: Any, vocab: list[list[Any]], unknown: int, name: str) -> dict[str, Any]:
    if own.unigram:
        return {"type": "Unigram", "unk_id": unknown, "vocab": vocab, "byte_fallback": False}
    more = {"unk_token": name, "fuse_unk": True}
    return _library.bpe_model({piece: i for i, (piece, _) in enumerate(vocab)}, own.merges(), **more)


def _normalizer(own: Any, kind: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    steps: list[dict[str, Any]] = []
    if kind == "albert":
        steps += [{"type": "Replace", "pattern": {"String": quote}, "content": '"'} for quote in ("``", "''")]
        if not _flag(settings, "keep_accents", False):
            steps += [{"type": "NFKD"}, {"type": "StripAccents"}]
        if _flag(settings, "do_lower_case", True):
            steps.append({"type": "Lowercase"})
    if rules := _precompiled(own.model):
        text = base64.b64encode(rules).decode("ascii")
        steps.append({"type": "Precompiled", "precompiled_charsmap": text})
    return {"type": "Sequence", "normalizers": steps} if steps else None


def _metaspace(settings: Mapping[str, Any]) -> dict[str, Any]:
    scheme = "always" if _flag(settings, "add_prefix_space", True) else "never"
    return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": True}


def _flag(settings: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = settings.get(name, usual)
    if type(value) is not bool:
        raise ValueError(f"{name}={value!r} is neither true nor false")
    return value


def _count(settings: Mapping[str, Any]) -> int:
    """How many tokens T5 has for hidden spans."""
    value = settings.get("extra_ids", 100)
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(f"extra_ids={value!r} is no number of tokens")
    return value


def _precompiled(model: bytes) -> bytes:
    """The rules of normalization in a SentencePiece file, a message of protocol buffers."""
    spec = next((value for number, value in _fields(model) if number == 3), b"")
    return next((value for number, value in _fields(spec) if number == 2), b"")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that are bytes, each with its number; the library has checked the message."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            varint()
        elif key & 7 == 2:
            size = varint()
            yield key >> 3, data[at : at + size]
            at += size
        else:
            at += 8 if key & 7 == 1 else 4
