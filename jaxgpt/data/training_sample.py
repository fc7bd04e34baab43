"""A sample of the training documents in files of text, which a tokenizer learns from."""

import heapq
import random
from collections.abc import Iterable
from typing import NamedTuple

from jaxgpt.data.documents import Documents, Part, read_lines
from jaxgpt.data.workers import Tell, spread
from jaxgpt.task import Example, Task


class _Given(NamedTuple):
    """What every worker process is given."""

    documents: Documents
    held_out: float


def training_sample(
    pieces: list[list[Part]], documents: Documents, held_out: float, most: int, *, workers: int
) -> list[str]:
    """Training documents from all over some files, at most `most` bytes of UTF-8, in their order.

    Each piece gives its share of `most` by its bytes in the files. All of it is read, and which of its
    documents are taken is drawn by its number: the text and the settings alone decide, not the number of
    processes. No more is held in memory than is taken.

    Raises:
      ValueError: for what is no text, with the file and the byte.
    """
    sizes = [sum(stop - start for _, start, stop in piece) for piece in pieces]
    total = sum(sizes)
    jobs = [(number, most * sizes[number] // total, piece) for number, piece in enumerate(pieces)]
    given = _Given(documents, held_out)
    found = dict(spread(_of_piece, given, jobs, workers=min(workers, len(jobs)), tell=lambda count: None))
    return [text for number in range(len(jobs)) for text in found[number]]


def _of_piece(given: _Given, job: tuple[int, int, list[Part]], tell: Tell) -> tuple[int, list[str]]:
    """The number of a piece, and its part of the sample."""
    number, room, parts = job
    task = Task(held_out=given.held_out)
    texts = (text for part in parts for text in given.documents.cut(read_lines(part)))
    training = (text for text in texts if task.split_of(Example("", text)) == "train")
    return number, drawn(training, room, random.Random(number))


def drawn(texts: Iterable[str], room: int, rng: random.Random) -> list[str]:
    """Texts of at most `room` bytes of UTF-8 together, drawn from all of them, in their order.

    If all of them fit, it is all. One that is longer than `room` alone is cut.
    """
    if room < 1:
        return []
    kept: list[tuple[float, int, bytes]] = []
    size = 0
    for number, text in enumerate(texts):
        data = text.encode()[:room]
        heapq.heappush(kept, (rng.random(), number, data))
        size += len(data)
        while size > room:
            size -= len(heapq.heappop(kept)[2])
    return [data.decode(errors="ignore") for _, _, data in sorted(kept, key=lambda entry: entry[1])]
