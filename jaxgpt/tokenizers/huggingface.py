"""Any `tokenizer.json` of the Hugging Face `tokenizers` library."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jaxgpt.tokenizers._special import mask_id, special_ids
from jaxgpt.tokenizers.tokenizer import Texts, Tokenizer, check_same, field, look_up, utf8


class HuggingFace(Tokenizer):
    """A tokenizer of the `tokenizers` library, as its `tokenizer.json` describes it.

    The special tokens that the file declares are never produced from text, nor is anything that it puts
    around a text. A file that normalizes text (lower case, other spaces), or has a token for what it does not
    know, is `lossy` and reads any text as transformers does. Special ids: see `_special.special_ids`.

    Args:
      definition: the contents of `tokenizer.json`.

    Raises:
      ValueError: if the library does not take it.
    """

    usage = "huggingface:PATH of a tokenizer.json"

    def __init__(self, definition: dict[str, Any]):
        self.definition = definition
        self._library = _library(definition)
        self._encoder = _library(_without_special_tokens(definition))
        added = definition.get("added_tokens", [])
        named = {token["content"]: token["id"] for token in added if token["special"]}
        size = 1 + max(self._library.get_vocab(with_added_tokens=True).values(), default=-1)
        special = special_ids(named, spare=size)
        self.pad_id, self.bos_id, self.eos_id = (special[k] for k in ("pad_id", "bos_id", "eos_id"))
        self.mask_id = mask_id(named)
        whole = definition.get("normalizer") is None and (definition.get("decoder") or {}).get("type")
        self._lossy = whole != "ByteLevel"
        self._special = {*named.values(), *special.values()}
        self._size = max(size, 1 + max(self._special))

    @classmethod
    def from_spec(cls, arguments: Sequence[str], texts: Texts) -> "HuggingFace":
        from jaxgpt.tokenizers.directory import load

        if not arguments:
            raise cls.wrong_spec(arguments, "takes a path")
        tokenizer = load(Path(":".join(arguments)))
        if not isinstance(tokenizer, cls):
            raise cls.wrong_spec(arguments, f"holds the tokenizer {type(tokenizer).kind()}")
        return tokenizer

    @property
    def lossy(self) -> bool:
        return self._lossy

    @property
    def vocab_size(self) -> int:
        return self._size

    def encode(self, text: str) -> list[int]:
        utf8(text)
        ids = self._encoder.encode(text, add_special_tokens=False).ids
        if not self._lossy:
            # Special ids decode to nothing, so a text that one was made from differs, too.
            check_same(text, self.decode(ids), "this tokenizer.json drops or changes it; use bytes")
        return ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        return self._encoder.encode(text, add_special_tokens=False).offsets

    def decode(self, ids: Iterable[int]) -> str:
        ids = [i for i in look_up(range(self._size), ids) if i not in self._special]
        return self._encoder.decode(ids, skip_special_tokens=False)

    def token_texts(self) -> list[str]:
        # Behind another token, because a decoder may take off the space at the start of a text.
        anchors = [i for i in range(self._size) if self.decode([i]) in ("a", "e", "1")]
        anchor = ([i for i in anchors if self.decode([i, i]) == 2 * self.decode([i])] or anchors)[:1]
        start = len(self.decode(anchor))
        return ["" if i in self._special else self.decode([*anchor, i])[start:] for i in range(self._size)]

    def to_json(self) -> dict[str, Any]:
        return {"definition": self.definition}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "HuggingFace":
        return cls(field(data, "definition", dict))


def _library(definition: dict[str, Any]) -> Any:
    from tokenizers import Tokenizer as Library

    try:
        return Library.from_str(json.dumps(definition))
    except Exception as error:  # the library raises nothing narrower
        reason = " ".join(str(error).split())
        raise ValueError(f"the tokenizers library does not take this tokenizer.json: {reason}") from error


def _without_special_tokens(definition: dict[str, Any]) -> dict[str, Any]:
    ordinary = [token for token in definition.get("added_tokens", []) if not token["special"]]
    return definition | {
        "added_tokens": ordinary,
        "truncation": None,
        "padding": None,
    }
