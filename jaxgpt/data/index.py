"""`index.json` of a directory of tokens: read, and checked before anything is made of what it says."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from jaxgpt.core import foreign
from jaxgpt.core.wording import quoted
from jaxgpt.data.shards import DamagedError
from jaxgpt.task import SPLITS

FORMAT = "jaxgpt tokens 1"
INDEX, PLAN = "index.json", "plan.json"

#: Tokens that a shard may have: more than any disk holds.
_MOST_TOKENS = 2**45


def fingerprint(index: dict[str, Any]) -> str:
    """The checksum of an index, its own field left out."""
    rest = {name: value for name, value in index.items() if name != "fingerprint"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_index(path: Path) -> dict[str, Any]:
    """What the index of a directory says.

    Raises:
      ValueError: if there is none, or the directory is not finished; a DamagedError if it was changed or
        says what no index says. One line that begins with the file.
    """
    file = path / INDEX
    if not file.is_file():
        if not path.exists():
            raise ValueError(f"{path} does not exist; it should be a directory made by jaxgpt tokenize")
        if (path / PLAN).is_file():
            raise ValueError(f"{path} is not finished: give the same jaxgpt tokenize command again")
        raise ValueError(f"{path} holds no tokens: there is no {INDEX} in it; make it by jaxgpt tokenize")
    try:
        index = foreign.read_json(file)
    except ValueError as error:
        raise DamagedError(file, f"cannot be read ({str(error).removeprefix(f'{file} ')})") from error
    kind = str(index.get("format")) if isinstance(index, dict) else ""
    if kind.rpartition(" ")[0] != FORMAT.rpartition(" ")[0]:
        raise ValueError(f"{file} is no index of tokens; name a directory made by jaxgpt tokenize")
    if index["format"] != FORMAT:
        raise ValueError(f"{file} is of the format {quoted(kind)}, not {FORMAT!r}; tokenize the text again")
    if index.get("fingerprint") != fingerprint(index):
        raise DamagedError(file, "was changed")
    wrong = _wrong(index)
    if wrong:
        raise DamagedError(file, wrong)
    return index


def _wrong(index: dict[str, Any]) -> str:
    """What an index says that none can say; "" if it is sound."""
    if not re.fullmatch(r"[0-9a-f]{16}", _text(index.get("tokenizer"))):
        return "has no tokenizer's fingerprint"
    if index.get("dtype") not in ("|u1", "<u1", "<u2", "<u4"):
        return f"has tokens of the type {quoted(_text(index.get('dtype')))}"
    held_out = index.get("held_out")
    if type(held_out) not in (int, float) or not 0 < held_out < 0.5:
        return "does not say which share was held out"
    shards = index.get("shards")
    if not isinstance(shards, dict) or set(shards) != set(SPLITS):
        return f"has no shards of {', '.join(SPLITS)}"
    seen: set[str] = set()
    for split in SPLITS:
        if not isinstance(shards[split], list):
            return f"has no list of shards of {split}"
        for number, shard in enumerate(shards[split]):
            try:
                name = check_shard(shard)
            except ValueError as error:
                return f"has a shard, number {number} of {split}, {error}"
            if name in seen:
                return f"has the shard {quoted(name)} twice"
            seen.add(name)
    return ""


def check_shard(shard: Any) -> str:
    """The name of a shard's file.

    Raises:
      ValueError: if these are not the JSON values of a `Shard` that can be.
    """
    if not isinstance(shard, dict) or set(shard) != {"file", "tokens", "documents", "checksum"}:
        raise ValueError("without file, tokens, documents and checksum, or with more")
    name, tokens, documents = _text(shard["file"]), shard["tokens"], shard["documents"]
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*\.tokens", name, re.ASCII):
        raise ValueError(f"whose file {quoted(name)} is no name of a file in it")
    if type(tokens) is not int or not 1 <= tokens <= _MOST_TOKENS:
        raise ValueError("whose number of tokens is none")
    if type(documents) is not int or not 0 <= documents <= tokens:
        raise ValueError("whose number of documents is none")
    if not re.fullmatch(r"[0-9a-f]{64}", _text(shard["checksum"])):
        raise ValueError("whose checksum is none")
    return name


def _text(value: Any) -> str:
    """A value as text; of no text, none."""
    return value if isinstance(value, str) else ""
