"""The tokenizer beside a model's weights."""

import json
from pathlib import Path

from jaxgpt import tokenizers
from jaxgpt.tokenizers import directory
from jaxgpt.tokenizers.bpe import BytePairs
from jaxgpt.tokenizers.huggingface import HuggingFace
from jaxgpt.tokenizers.sentencepiece import SentencePiece
from jaxgpt.tokenizers.tokenizer import Tokenizer


def read(path: Path) -> Tokenizer | None:
    """The tokenizer of a directory: one that `write` left, or one of transformers; None without any.

    Raises:
      ValueError: if there is one and it cannot be read.
    """
    names = (directory.EXPORTED, "tokenizer.json", "vocab.txt")
    whole = any((path / name).exists() for name in names) or (
        (path / "vocab.json").exists() and (path / "merges.txt").exists()
    )
    return directory.load(path) if whole or any(path.glob("*.model")) else None


def begun_as(path: Path, tokenizer: Tokenizer, kind: str) -> Tokenizer:
    """The tokenizer of a directory, or one over its ids, with prompts as transformers begins them there.

    What a `tokenizer.json` puts before a text begins a prompt; beside other files `add_bos_token` says
    whether bos does: GPT-1's and GPT-2's do not have it, SentencePiece's models with a bos do.

    Args:
      kind: of the model; what an encoder reads always begins with bos.
    """
    own = read(path)
    if kind != "decoder" or own is None or (path / directory.EXPORTED).is_file():
        return tokenizer
    if isinstance(own, HuggingFace) and (path / "tokenizer.json").is_file():
        begin = own.template
    else:
        usual = isinstance(own, SentencePiece) and own.has_bos
        begin = (own.bos_id,) if directory.declared(path).begins_or(usual) else ()
    return tokenizer if begin == tokenizer.begin_ids else tokenizer.used_with(begin_ids=begin)


def write(tokenizer: Tokenizer, path: Path) -> None:
    """The tokenizer as it is here, and beside it as transformers reads it, where that has a form for it."""
    tokenizers.save(tokenizer, path / directory.EXPORTED)
    if isinstance(tokenizer, BytePairs):
        named = {"<|pad|>": tokenizer.pad_id, "<|bos|>": tokenizer.bos_id, "<|eos|>": tokenizer.eos_id}
        taken = set(tokenizer.vocab.values())
        vocab = tokenizer.vocab | {name: i for name, i in named.items() if i not in taken}
        (path / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
        lines = ["#version: 0.2", *(" ".join(pair) for pair in tokenizer.merges)]
        (path / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif isinstance(tokenizer, HuggingFace):
        (path / "tokenizer.json").write_text(json.dumps(tokenizer.definition), encoding="utf-8")
    elif isinstance(tokenizer, SentencePiece):
        (path / "tokenizer.model").write_bytes(tokenizer.model)
