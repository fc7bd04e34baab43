"""A tokenizer as JSON, with a fingerprint that tells whether it was changed."""

import json
from pathlib import Path
from typing import Any

from jaxgpt.core import foreign, trust
from jaxgpt.core.wording import quoted, shown
from jaxgpt.tokenizers.tokenizer import Tokenizer, field


def to_json(tokenizer: Tokenizer) -> dict[str, Any]:
    """A tokenizer as JSON values, its kind and fingerprint among them."""
    told = {"begin_ids": tokenizer._begin_ids, "end_ids": tokenizer._end_ids}
    return {
        "kind": type(tokenizer).kind(),
        "fingerprint": tokenizer.fingerprint,
        "tokenizer": tokenizer.to_json(),
        **{name: list(ids) for name, ids in told.items() if ids is not None},
    }


def from_json(data: dict[str, Any]) -> Tokenizer:
    """The inverse of `to_json`.

    Raises:
      ValueError: if the kind is unknown, or the contents do not give the recorded fingerprint.
    """
    for key in ("kind", "fingerprint", "tokenizer"):
        if not isinstance(data, dict) or key not in data:
            raise ValueError(f"the tokenizer's JSON has no {key!r}; it needs kind, fingerprint and tokenizer")
    if not isinstance(data["kind"], str):
        raise ValueError(f"the tokenizer's kind is {shown(data['kind'])}, not a name")
    values = field(data, "tokenizer", dict)
    with trust.from_file():
        kind = Tokenizer.named(data["kind"])
    tokenizer = kind.from_json(values)
    if tokenizer.fingerprint != data["fingerprint"]:
        raise ValueError(
            f"the tokenizer's fingerprint is {tokenizer.fingerprint}, its file records "
            f"{quoted(str(data['fingerprint']))}: the file was changed by hand; restore it"
        )
    told = {name: data[name] for name in ("begin_ids", "end_ids") if name in data}
    if wrong := next((name for name, ids in told.items() if not isinstance(ids, list)), None):
        raise ValueError(f"the tokenizer's JSON has a {wrong!r} that is no list")
    return tokenizer.used_with(**told) if told else tokenizer


def save(tokenizer: Tokenizer, path: Path) -> None:
    """Write a tokenizer to a JSON file."""
    path.write_text(json.dumps(to_json(tokenizer), ensure_ascii=True, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Tokenizer:
    """Read a tokenizer written by `save`.

    Raises:
      ValueError: if the file is no tokenizer's, was changed, or is a link; one line that begins with it.
    """
    with foreign.naming(path):
        try:
            data = foreign.parse_json(foreign.read_text(path))
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{path} is not a tokenizer's JSON: {error}") from error
        return from_json(data)
