"""A directory of tokens that `jaxgpt tokenize` has made: opened, checked, read.

    DIR/index.json           what there is, with a checksum of each file
    DIR/tokenizer.json       what the tokens are of
    DIR/plan.json            the files of text and the settings that it was made of
    DIR/train-00000.tokens   shards: see `jaxgpt.data.shards`

Before a token of a shard reaches anyone, the block that it lies in is compared with its checksum, every time:
nothing is remembered that could be out of date, and nothing need be read that is not trained on. A corpus of
at most `CHECKED_WHOLE` bytes is, beyond that, read whole when it is opened, so that damage is told at once.
"""

import bisect
import functools
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxgpt import tokenizers
from jaxgpt.core import settings
from jaxgpt.core.paths import expanded
from jaxgpt.data.index import INDEX, read_index
from jaxgpt.data.shards import DamagedError, Reader, Shard
from jaxgpt.data.stream import Stream
from jaxgpt.task import SPLITS, Split
from jaxgpt.tokenizers.tokenizer import Tokenizer

TOKENIZER = "tokenizer.json"
#: Bytes that are read whole when they are opened.
CHECKED_WHOLE = 2**31
#: Places of a split that excerpts are taken from.
_PLACES = 64


class Excerpt(NamedTuple):
    """A document or a part of one.

    Attributes:
      ids: without special ids.
      cut: whether the document goes on behind them.
    """

    ids: np.ndarray
    cut: bool


class Tokens:
    """The tokens of a split, one behind the other over all of its shards. `len` and slices are all it has."""

    def __init__(self, readers: list[Reader], dtype: np.dtype):
        self.readers, self.dtype = readers, dtype
        self._ends = list(itertools.accumulate(reader.shard.tokens for reader in readers))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, places: slice) -> np.ndarray:
        first, last, _ = places.indices(len(self))
        found = []
        which = bisect.bisect_right(self._ends, first)
        while first < last:
            reader = self.readers[which]
            begin = self._ends[which] - reader.shard.tokens
            end = min(last, self._ends[which])
            found.append(reader.read(first - begin, end - begin))
            first, which = end, which + 1
        return found[0] if len(found) == 1 else np.concatenate([np.empty(0, self.dtype), *found])


class Windows(Stream):
    """The tokens of a split as a stream that stays in its files.

    Example i is the window that starts at token i * `window`: windows overlap by the one token that the next
    is predicted from, and an epoch sees every token once, up to a window's length at the end.
    """

    @property
    def num_examples(self) -> int:
        return (len(self.stream) - 1) // self.window

    def arrays(self) -> dict[str, np.ndarray]:
        """None: nothing of it is kept in memory."""
        return {}

    def batch(self, index: np.ndarray) -> dict[str, np.ndarray]:
        """The tokens of some examples. [B, window + 1]"""
        rows = [self.stream[i * self.window : (i + 1) * self.window + 1] for i in index.tolist()]
        return {"tokens": np.stack(rows) if rows else np.empty((0, self.window + 1), self.stream.dtype)}


class Corpus:
    """A directory of tokens.

    Attributes:
      index: what `index.json` says.
      fingerprint: equal for directories of the same tokens.

    Raises:
      ValueError: if it is none, or not finished; a DamagedError if a file is not as it was written.
    """

    def __init__(self, path: Path, *, whole: bool = False):
        self.path = path
        self.index = read_index(path)
        self.fingerprint: str = self.index["fingerprint"]
        self.dtype = np.dtype(self.index["dtype"])
        self.held_out: float = self.index["held_out"]
        ids = self.tokenizer.vocab_size
        self._tokens = {
            split: Tokens(
                [Reader(path, Shard(**shard), self.dtype, ids) for shard in self.index["shards"][split]],
                self.dtype,
            )
            for split in SPLITS
        }
        readers = [reader for tokens in self._tokens.values() for reader in tokens.readers]
        size = sum(reader.shard.tokens for reader in readers) * self.dtype.itemsize
        if whole or size <= CHECKED_WHOLE:
            with ThreadPoolExecutor(settings.cores()) as pool:
                list(pool.map(Reader.check, readers))

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """What the tokens are of."""
        path = self.path / TOKENIZER
        try:
            found = tokenizers.load(path)
        except ValueError as error:
            what = str(error).removeprefix(str(path)).lstrip(": ")
            raise DamagedError(path, f"cannot be read ({what})") from error
        if found.fingerprint != self.index["tokenizer"]:
            raise DamagedError(path, "is another tokenizer than the tokens are of")
        return found

    def tokens(self, split: Split) -> Tokens:
        """The tokens of a split: `bos`, and each document followed by the end token."""
        return self._tokens[split]

    def windows(self, split: Split, window: int) -> Windows:
        """A split as examples.

        Raises:
          ValueError: if it is shorter than one window.
        """
        found = Windows(self.tokens(split), window)
        if found.num_examples < 1:
            raise ValueError(
                f"{self.path} has {len(found.stream):,} tokens of {split}, too few for one window of "
                f"model.max_length + 1 = {window + 1}; lower model.max_length, or tokenize more text, "
                "or with a larger --held-out, into another directory"
            )
        return found

    def excerpts(self, split: Split, most: int) -> Iterator[Excerpt]:
        """Documents of about `most` tokens together, without special ids, from all over a split.

        A split that is no larger comes whole, in its order. Of a larger one come the whole documents at
        some places, or of a document that is too long there, a part.
        """
        tokens, end = self.tokens(split), self.tokenizer.eos_id
        whole = len(tokens) <= most
        places, size = (1, len(tokens)) if whole else (_PLACES, most // _PLACES)
        for place in range(places):
            first = place * (len(tokens) - size) // max(places - 1, 1)
            ids = tokens[first : first + size]
            ids = ids[1:] if first == 0 else ids  # the token that every split begins with
            ends = np.flatnonzero(ids == end)
            cut = False
            if whole or (first == 0 and len(ends)):
                ids = ids[: ends[-1]] if len(ends) else ids
            elif len(ends) > 1:
                ids = ids[ends[0] + 1 : ends[-1]]
            else:  # the excerpt may end inside of its last document
                cut = first + size < len(tokens) and ids[-1] != end
            documents = np.split(ids, np.flatnonzero(ids == end))
            for number, document in enumerate(documents, 1):
                document = document[document != end]
                if len(document):
                    yield Excerpt(document, cut and number == len(documents))


def open_corpus(path: str | Path) -> Corpus:
    """The corpus in a directory; one that this process has opened is not opened again unless it changed."""
    folder = expanded(path)
    index = folder / INDEX
    status = index.stat() if index.is_file() else None
    stamp = None if status is None else (status.st_mtime_ns, status.st_size, status.st_ino)
    return _opened(folder.resolve(), stamp)


@functools.lru_cache(maxsize=4)
def _opened(path: Path, stamp: tuple[int, int, int] | None) -> Corpus:
    return Corpus(path)
