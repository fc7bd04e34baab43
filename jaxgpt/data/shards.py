"""One file of tokens, each block of it with a checksum.

A shard holds its tokens as little-endian integers, one behind the other, so that
`numpy.memmap(path, dtype, "r", shape=tokens)` gives them. Behind those stands the CRC-32 of each block of
`BLOCK` bytes, 4 bytes each. The SHA-256 of these checksums is that of the shard, and stands in the corpus's
index: one number covers everything, and any part can be checked when it is read, alone.
"""

import dataclasses
import hashlib
import os
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from jaxgpt.core import foreign
from jaxgpt.core.wording import one_line

#: Bytes that have one checksum.
BLOCK = 2**14
#: Bytes of the checksums that are read at a time.
_PART = 2**20
#: Shards that stay open; of more, each is opened anew whenever it is read.
_MOST_OPEN = 256

_CHECKSUM = np.dtype("<u4")


class DamagedError(ValueError):
    """A file of a corpus is not as it was written; the message names it and the way out."""

    def __init__(self, path: Path, what: str):
        advice = "restore it, or make the directory anew by jaxgpt tokenize"
        super().__init__(one_line(f"{path} {what}; {advice}"))


@dataclasses.dataclass(frozen=True)
class Shard:
    """What the index says of a shard: the file's name, its tokens and documents, its checksum."""

    file: str
    tokens: int
    documents: int
    checksum: str

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class Writer:
    """Writes a shard; it is there once `close` has returned, and not before. A context that removes what is
    left of one that was not closed."""

    def __init__(self, path: Path, dtype: np.dtype):
        self._path, self._dtype = path, dtype
        # A process that outlives the one that started it for a moment writes to a file of its own.
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._file = None
        self._rest, self._checksums = b"", []
        self._tokens = self._documents = 0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *exception) -> None:
        if self._file is not None and not self._file.closed:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

    def append(self, ids: np.ndarray, *, documents: int) -> None:
        """Add tokens, which end so many documents."""
        if self._file is None:
            self._file = open(self._temporary, "wb")  # noqa: SIM115 - until `close`
        self._tokens += len(ids)
        self._documents += documents
        data = self._rest + ids.astype(self._dtype).tobytes()
        whole = len(data) - len(data) % BLOCK
        self._rest = data[whole:]
        self._blocks(data[:whole])

    def _blocks(self, data: bytes) -> None:
        view = memoryview(data)
        self._checksums += [zlib.crc32(view[i : i + BLOCK]) for i in range(0, len(data), BLOCK)]
        self._file.write(data)

    def close(self) -> Shard | None:
        """Put the file in its place; None if nothing was added."""
        if self._file is None:
            return None
        self._blocks(self._rest)
        table = np.asarray(self._checksums, _CHECKSUM).tobytes()
        with self._file as file:
            file.write(table)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._temporary, self._path)
        return Shard(self._path.name, self._tokens, self._documents, hashlib.sha256(table).hexdigest())


class Reader:
    """Reads a shard; what is read has been checked.

    Files are read and not mapped: a thread that waits for a disk lets others work, and a disk that fails is
    an error, where it would end a process that has mapped the file.

    Args:
      ids: of the vocabulary; another one would be read as the last of them.

    Raises:
      DamagedError: if the file is missing, a link, longer or shorter than the index says, or has other
        checksums; where it is read, if a block is not what was written or a token is no id.
    """

    _open_files = threading.Semaphore(_MOST_OPEN)

    def __init__(self, folder: Path, shard: Shard, dtype: np.dtype, ids: int):
        self.path, self.shard, self._dtype, self._ids = folder / shard.file, shard, dtype, ids
        self._size = shard.tokens * dtype.itemsize
        self._blocks = -(-self._size // BLOCK)
        if not os.path.lexists(self.path):
            raise DamagedError(self.path, "is missing")
        size = foreign.inside(self.path).stat().st_size
        expected = self._size + _CHECKSUM.itemsize * self._blocks
        if size != expected:
            raise DamagedError(self.path, f"has {size:,} bytes where {expected:,} were written")
        self._file = os.open(self.path, os.O_RDONLY) if self._open_files.acquire(blocking=False) else None
        table = hashlib.sha256()
        for first in range(self._size, expected, _PART):  # not whole: a file of holes may be of any size
            table.update(self._bytes(first, min(first + _PART, expected)))
        if table.hexdigest() != shard.checksum:
            raise DamagedError(self.path, "is another file than was written (its checksums are others)")

    def __del__(self):
        if getattr(self, "_file", None) is not None:
            os.close(self._file)
            self._open_files.release()

    def read(self, first: int, last: int) -> np.ndarray:
        """Tokens first, ..., last - 1 of the shard."""
        size = self._dtype.itemsize
        begin, end = first * size // BLOCK, -(-last * size // BLOCK)
        start = begin * BLOCK
        data = memoryview(self._bytes(start, min(end * BLOCK, self._size)))
        place = self._size + _CHECKSUM.itemsize * begin
        wanted = np.frombuffer(self._bytes(place, place + _CHECKSUM.itemsize * (end - begin)), _CHECKSUM)
        for index, checksum in enumerate(wanted.tolist()):
            if zlib.crc32(data[index * BLOCK : (index + 1) * BLOCK]) != checksum:
                where = f"bytes {start + index * BLOCK:,} to {start + (index + 1) * BLOCK - 1:,}"
                raise DamagedError(self.path, f"is damaged: {where} are not what was written")
        tokens = np.frombuffer(data[first * size - start : last * size - start], self._dtype)
        if len(tokens) and int(tokens.max()) >= self._ids:
            raise DamagedError(
                self.path, f"has the token {tokens.max()} of a vocabulary of {self._ids:,} ids"
            )
        return tokens

    def check(self) -> None:
        """Read all of it once."""
        step = 256 * BLOCK // self._dtype.itemsize
        for first in range(0, self.shard.tokens, step):
            self.read(first, min(first + step, self.shard.tokens))

    def _bytes(self, first: int, last: int) -> bytes:
        file = os.open(self.path, os.O_RDONLY) if self._file is None else self._file
        try:
            data = os.pread(file, last - first, first)
        finally:
            if self._file is None:
                os.close(file)
        if len(data) != last - first:
            raise DamagedError(self.path, "has become shorter")
        return data
