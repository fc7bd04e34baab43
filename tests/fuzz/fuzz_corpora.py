"""Directories of tokens: opened, and read as training and evaluation read them."""

import hashlib
import json
import zlib
from pathlib import Path
from random import Random

import numpy as np
from data_building import corpus, lines
from fuzz_mutators import change, mutate, readable
from fuzz_subjects import Subject

from jaxgpt.data.corpus import Corpus
from jaxgpt.data.index import fingerprint
from jaxgpt.data.shards import BLOCK


def read(path: Path, rng: Random) -> None:
    found = Corpus(path)
    limit = found.tokenizer.vocab_size
    for split in ("train", "validation"):
        windows = found.windows(split, 8)
        tokens = windows.batch(np.arange(min(4, windows.num_examples)))["tokens"]
        assert tokens.max() < limit
        for excerpt in found.excerpts(split, 1000):
            found.tokenizer.decode(excerpt.ids.tolist())


def spoil(path: Path, rng: Random) -> str:
    """As `mutate`, or as somebody who makes every checksum fit."""
    index = path / "index.json"
    if rng.random() < 0.3 or not readable(index):
        return mutate(path, rng)
    try:
        root = {"": json.loads(index.read_text())}
        what = _forge(path, root[""], rng) if rng.random() < 0.3 else change(root, rng)
        if isinstance(root[""], dict):
            root[""]["fingerprint"] = fingerprint(root[""])
        index.write_text(json.dumps(root[""]))
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return mutate(path, rng)
    return f"index.json, forged: {what}"


def _forge(path: Path, index: dict, rng: Random) -> str:
    """Put a token in a shard that may be no id, with the checksums of it."""
    shard = rng.choice(index["shards"][rng.choice(("train", "validation"))])
    file = path / shard["file"]
    if not readable(file):
        raise ValueError("an earlier change has spoiled this shard")
    size = np.dtype(index["dtype"]).itemsize
    data = bytearray(file.read_bytes()[: shard["tokens"] * size])
    place = rng.randrange(shard["tokens"]) * size
    data[place : place + size] = rng.randbytes(size)
    checks = [zlib.crc32(data[i : i + BLOCK]) for i in range(0, len(data), BLOCK)]
    table = np.asarray(checks, "<u4").tobytes()
    file.write_bytes(bytes(data) + table)
    shard["checksum"] = hashlib.sha256(table).hexdigest()
    return f"a token of {shard['file']}"


def subject(folder: Path) -> Subject:
    made = []
    for name in ("bytes", "bpe:300", "characters"):
        (folder / name).mkdir()
        made.append(corpus(folder / name, text=lines(120), tokenizer=name).path)
    return Subject(tuple(made), read, spoil)
