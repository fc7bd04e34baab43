"""One piece of a text made into a shard of each split: what a worker process does."""

import contextlib
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxgpt import tokenizers
from jaxgpt.core import foreign, trust
from jaxgpt.core.writing import write_atomically
from jaxgpt.data.documents import Documents, Part, read_lines
from jaxgpt.data.index import check_shard
from jaxgpt.data.rows import check_ids, narrowest
from jaxgpt.data.shards import Reader, Shard, Writer
from jaxgpt.data.workers import Tell
from jaxgpt.task import SPLITS, Example, Task
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Tokenizer

#: Where the records of finished pieces lie.
RECORDS = "pieces"
#: Characters that are encoded together.
_TOGETHER = 2**19


class Given(NamedTuple):
    """What every worker process is given: the tokenizer as JSON, the settings, where shards go."""

    tokenizer: dict[str, Any]
    documents: Documents
    held_out: float
    folder: str


def record(folder: Path, number: int) -> Path:
    """The file that says that a piece is finished, and what its shards are."""
    return folder / RECORDS / f"{number:05}.json"


def finished(folder: Path, number: int, tokenizer: Tokenizer) -> bool:
    """Whether a piece's record is there, and its shards are as they were written, as far as their sizes and
    the checksums behind their tokens tell."""
    try:
        found = foreign.read_json(record(folder, number))
        for shard in found.values():
            check_shard(shard)
            Reader(folder, Shard(**shard), _dtype(tokenizer), tokenizer.vocab_size)
    except (AttributeError, ValueError):
        return False
    return True


def _dtype(tokenizer: Tokenizer) -> np.dtype:
    return narrowest(tokenizer.vocab_size).newbyteorder("<")


def make_piece(given: Given, job: tuple[int, list[Part]], tell: Tell) -> int:
    """Write the shards of one piece of the text, and its record; the piece's number.

    Raises:
      ValueError: for what is no text, or outside the tokenizer's alphabet, with the file.
    """
    number, parts = job
    tokenizer, folder = _restored(given), Path(given.folder)
    with contextlib.ExitStack() as stack:
        paths = {split: folder / f"{split}-{number:05}.tokens" for split in SPLITS}
        writers = {
            split: stack.enter_context(Writer(path, _dtype(tokenizer))) for split, path in paths.items()
        }
        if number == 0:  # what a text begins with stands in front of a split, whatever comes first in it
            for writer in writers.values():
                writer.append(np.asarray([tokenizer.bos_id]), documents=0)
        for part in parts:
            _write(part, writers, tokenizer, given, tell)
        shards = {split: writer.close() for split, writer in writers.items()}
    found = {split: shard.to_json() for split, shard in shards.items() if shard is not None}
    write_atomically(record(folder, number), json.dumps(found))
    return number


def _write(part: Part, writers: dict[str, Writer], tokenizer: Tokenizer, given: Given, tell: Tell) -> None:
    """Each document of a part of a file, with the end token behind it, to the writer of its split."""
    task, end = Task(held_out=given.held_out), (tokenizer.eos_id,)
    left = part[2] - part[1]
    for texts in _together(given.documents.cut(read_lines(part))):
        try:
            encoded = tokenizer.encode_batch(texts)
        except OutsideAlphabet as error:
            raise ValueError(
                f"{part[0]}: {error}; --tokenizer bytes reads any text, into another --output"
            ) from error
        ended = itertools.chain.from_iterable(itertools.chain(ids, end) for ids in encoded)
        tokens = np.fromiter(ended, np.int64)
        check_ids(tokens, tokenizer.vocab_size)
        belongs = np.asarray([SPLITS.index(task.split_of(Example("", text))) for text in texts])
        each = np.repeat(belongs, [len(ids) + 1 for ids in encoded])
        for index, split in enumerate(SPLITS):
            if count := int((belongs == index).sum()):
                writers[split].append(tokens[each == index], documents=count)
        size = min(sum(len(text.encode()) for text in texts), left)
        left -= size
        tell(size)
    tell(left)  # what is no document: line ends, white space


_last: tuple[str, Tokenizer] | None = None


def _restored(given: Given) -> Tokenizer:
    """The tokenizer of this process, which is built once."""
    global _last
    if _last is None or _last[0] != given.tokenizer["fingerprint"]:
        with trust.allowing(True):  # the process that started this one has imported it
            _last = (given.tokenizer["fingerprint"], tokenizers.from_json(given.tokenizer))
    return _last[1]


def _together(texts: Iterable[str]) -> Iterator[list[str]]:
    """Some texts at a time, about as many characters each time."""
    kept, size = [], 0
    for text in texts:
        kept.append(text)
        size += len(text)
        if size >= _TOGETHER:
            yield kept
            kept, size = [], 0
    if kept:
        yield kept
