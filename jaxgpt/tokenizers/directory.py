"""Tokenizers that lie in files: told apart by what the files hold."""

import os
from pathlib import Path
from typing import Any

from jaxgpt.core import foreign
from jaxgpt.core.paths import expanded
from jaxgpt.tokenizers.declared import NOTHING, Declared
from jaxgpt.tokenizers.tokenizer import Tokenizer

#: A tokenizer of ours beside a model that was written for transformers, which does not look at it.
EXPORTED = "jaxgpt_tokenizer.json"


def load(path: Path) -> Tokenizer:
    """The tokenizer in a directory or a file.

    A directory is searched for `jaxgpt_tokenizer.json` (of an exported model), then for `tokenizer.json`
    (jaxgpt's, as in a run directory, or Hugging Face's), then for `vocab.json` with `merges.txt` (byte pairs
    of GPT-2 or GPT-1), then for `vocab.txt` (BERT's word pieces), then for one SentencePiece `.model`, which
    ALBERT, T5, XLM-RoBERTa and Reformer read in their own ways; what other files of a directory say of its
    tokens counts, see `Declared`. A file is a `.json` or a `.model`.

    Raises:
      ValueError: if there is no tokenizer, or it is malformed; one line with the path.
    """
    path = expanded(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist; it should be a tokenizer's directory or file")
    with foreign.naming(path):
        return _directory(path) if path.is_dir() else _file(path)


def declared(path: Path) -> Declared:
    """What the files of a directory say of its tokens; errors as of `Declared.of`."""
    return Declared.of(path, _json)


def _directory(path: Path) -> Tokenizer:
    for name in (EXPORTED, "tokenizer.json"):
        if os.path.lexists(path / name):
            return _file(foreign.inside(path / name), declared(path))
    if (path / "vocab.txt").is_file() or all((path / n).is_file() for n in ("vocab.json", "merges.txt")):
        return _vocabulary(path, declared(path))
    models = sorted(path.glob("*.model"))
    if len(models) == 1:
        return _pieces(path, foreign.inside(models[0]))
    if models:
        raise ValueError(f"{path} holds {', '.join(m.name for m in models)}; name one of them")
    raise ValueError(
        f"{path} holds no tokenizer; looked for tokenizer.json, vocab.json with merges.txt, vocab.txt "
        "and *.model"
    )


def _file(path: Path, files: Declared = NOTHING) -> Tokenizer:
    if path.suffix == ".model":
        from jaxgpt.tokenizers.sentencepiece import SentencePiece

        foreign.check_size(path, foreign.MOST)
        return _named(path, lambda: SentencePiece.declared(path.read_bytes(), files))
    if path.suffix != ".json":
        raise ValueError(f"{path} is neither a .json nor a SentencePiece .model file")
    data = _json(path)
    if {"kind", "fingerprint", "tokenizer"} <= data.keys():
        from jaxgpt.tokenizers.saved import from_json

        return _named(path, lambda: from_json(data))
    if isinstance(data.get("model"), dict):
        from jaxgpt.tokenizers.huggingface import HuggingFace

        return _named(path, lambda: HuggingFace.declared(data, files))
    raise ValueError(
        f"{path} is neither jaxgpt's tokenizer (kind, fingerprint, tokenizer) nor Hugging Face's (model)"
    )


def _pieces(path: Path, model: Path) -> Tokenizer:
    """The tokenizer of a directory that holds a SentencePiece model alone."""
    from jaxgpt.tokenizers import _pieces

    settings, config = (_there(path / name) for name in ("tokenizer_config.json", "config.json"))
    kind = _pieces.class_of(settings, config)
    if kind is None:
        return _file(model, declared(path))
    foreign.check_size(model, foreign.MOST)
    data = model.read_bytes()
    return _named(model, lambda: _pieces.sentence_pieces(data, kind, settings, declared(path)))


def _there(path: Path) -> dict[str, Any]:
    """The object in a JSON file; an empty one without the file."""
    return _json(path) if path.is_file() else {}


def _vocabulary(path: Path, files: Declared) -> Tokenizer:
    from jaxgpt.tokenizers import _published

    words = path / "vocab.txt"
    if words.is_file():
        given = _there(path / "tokenizer_config.json")
        lines = foreign.read_text(words)
        return _named(words, lambda: _published.word_pieces(lines, given, files))
    vocab = _json(path / "vocab.json")
    lines = foreign.read_text(path / "merges.txt").split("\n")
    if lines[0].startswith("#version"):
        lines = lines[1:]
    # A file with CRLF: no token has a carriage return, which is written as another character.
    merges = [tuple(line.removesuffix("\r").split(" ")) for line in lines if line.strip()]
    settings = path / "tokenizer_config.json"
    if _there(settings).get("add_prefix_space") is True:
        raise ValueError(
            f"{settings}: add_prefix_space puts a space before each text, which would not come back; remove "
            "the field and write that space into the texts"
        )
    return _named(path, lambda: _published.byte_pairs(vocab, merges, files))


def _json(path: Path) -> dict[str, Any]:
    data = foreign.read_json(path)
    if not isinstance(data, dict):
        raise ValueError(f"{path} does not hold a JSON object")
    return data


def _named(path: Path, make: Any) -> Tokenizer:
    """What `make` returns; an error names the file."""
    with foreign.naming(path):
        return make()
