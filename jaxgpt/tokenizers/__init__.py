"""Tokenizers: one file each, found by its name."""

import sys
from importlib.util import find_spec
from pathlib import Path

from jaxgpt.tokenizers import directory
from jaxgpt.tokenizers.saved import from_json as from_json
from jaxgpt.tokenizers.saved import load as load
from jaxgpt.tokenizers.saved import save as save
from jaxgpt.tokenizers.saved import to_json as to_json
from jaxgpt.tokenizers.tokenizer import Texts as Texts
from jaxgpt.tokenizers.tokenizer import Tokenizer as Tokenizer


def build(spec: str, texts: Texts) -> Tokenizer:
    """The tokenizer that a short name stands for.

    Args:
      spec: `NAME[:ARGUMENT...]` such as `digits`, `digits:3:right`, `bytes`, `bpe:512`,
        `sentencepiece:1000`; or a directory or file that holds a trained one.
      texts: gives the training text, read only by tokenizers that learn from it. `CorpusTexts` gives all
        text of a fixed corpus, too, whose symbols are the alphabet.

    A short name comes before a file of that name in the working directory; `./digits` is the file. A
    tokenizer that lives elsewhere is named `my_package.my_module:MyTokenizer[:ARGUMENT...]`.

    Raises:
      ValueError: if nothing has that name (with the nearest ones) or the arguments do not fit.
    """
    name, *arguments = spec.split(":")
    is_module = name in sys.modules or (name.isidentifier() and find_spec(name))
    elsewhere = "." in name or (name not in Tokenizer.names() and is_module)
    if elsewhere and "/" not in name and arguments:
        name = f"{name}:{arguments.pop(0)}"
    if "/" in name or (spec and name not in Tokenizer.names() and Path(spec).exists()):
        return directory.load(Path(spec))
    kind = Tokenizer.named(name)
    tokenizer = _held(kind, arguments) if kind.is_held else kind.from_spec(arguments, texts)
    base = getattr(tokenizer, "base", None)
    if base is not None and base.number_id is not None:
        raise ValueError(
            f"{spec}: {type(base).kind()} writes every number as one token and cannot be the base of another"
        )
    return tokenizer


def _held(kind: type[Tokenizer], arguments: list[str]) -> Tokenizer:
    """The tokenizer of this kind in the directory or file that the arguments name."""
    if not arguments:
        raise kind.wrong_spec(arguments, "takes a path")
    tokenizer = directory.load(Path(":".join(arguments)))
    if not isinstance(tokenizer, kind):
        raise kind.wrong_spec(arguments, f"holds the tokenizer {type(tokenizer).kind()}")
    return tokenizer
