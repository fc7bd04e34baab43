"""A file's bytes, unpacked: what packed it is told by its first bytes, not by its name.

gzip, bzip2, xz, zstd and a zip of one file are read, as a stream in bounded memory. Whatever else is no text
is refused by what it is. What unpacks to far more than text can is refused, too (a decompression bomb).
"""

import bz2
import contextlib
import gzip
import importlib
import io
import lzma
import os
import re
import shlex
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from jaxgpt.core.paths import expanded
from jaxgpt.core.wording import in_file, quoted

#: Bytes by which a file is known.
HEAD = 4096
#: Text packs to a tenth or a twentieth, and a bomb to a thousandth; what holds little is read at any rate.
_TIMES, _ALWAYS = 50, 2**26
#: xz may ask for 4 GiB; `xz -9` needs 65 MiB.
_XZ_MEMORY = 2**28

_PACKINGS = {
    "gzip": re.compile(rb"\x1f\x8b\x08"),
    "bzip2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd"),
    "zip": re.compile(rb"PK(\x03\x04|\x05\x06)"),
}
_NO_TEXT = (
    (rb"%PDF-\d", "a PDF", "save its text"),
    (rb"\xd0\xcf\x11\xe0", "an old Office document (.xls or .doc)", "save it as CSV or as plain text"),
    (rb"\{\\rtf", "rich text (.rtf)", "save it as plain text"),
    (rb"PAR1\x15", "a Parquet table", "write it as JSON lines"),
    (rb"ARROW1\0|\xff\xff\xff\xff.{2}\0\0", "an Arrow table", "write it as JSON lines"),
    (rb"SQLite format 3\0", "an SQLite database", "write a table of it as CSV"),
    (rb"\x89HDF", "an HDF5 file", "write it as CSV or as JSON lines"),
    (rb"\x93NUMPY", "an array of NumPy", "write it as text"),
    (rb"\x80[\x02-\x05]", "a pickle, which is never opened", "write it as CSV or as JSON lines"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a", "a picture", "name a file of text"),
    (rb"\x7fELF|MZ\x90\0", "a program", "name a file of text"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (rb"Rar!\x1a\x07", "a RAR archive", "unpack it"),
    (rb"\x04\x22\x4d\x18", "packed by lz4", "unpack it"),
    (rb"\x1f\x9d", "packed by compress (.Z)", "unpack it"),
    (rb".{257}ustar[\0 ]", "a tar archive", "unpack it, and name a file of it"),
)
#: What the standard library raises for a damaged file.
_FAULTS = (OSError, EOFError, RuntimeError, ValueError, struct.error, zlib.error, lzma.LZMAError)
_FAULTS += (zipfile.BadZipFile,)


class Unpacked:
    """The bytes of a file as a stream.

    Attributes:
      packing: `gzip`, `bzip2`, `xz`, `zstd`, `zip`, or nothing.
      name: the file's without the ending that its packing gave it; of a zip, that of the file in it.
      head: the first bytes, at most `HEAD`, which `read` gives again.
    """

    def __init__(self, path: str, file: BinaryIO):
        self.path, self.packing, self.name = path, "", Path(path).name
        self._file = self._source = file
        self._faults: tuple[type[Exception], ...] = _FAULTS
        self._count = 0
        self._most = max(_ALWAYS, _TIMES * file.seek(0, os.SEEK_END))
        self.head = self._start()
        self.packing = _packing(self.head)
        if self.packing:
            self.name = Path(path).stem
            self._source = self._open()
            self.head = self.read(HEAD)
            if inner := _packing(self.head):
                raise self._refused(f"is {self.packing} of {inner}; unpack it once")
            self._start()
            self._source, self._count = self._open(), 0
        for pattern, what, way in _NO_TEXT:
            if re.match(pattern, self.head, re.DOTALL):
                raise self._refused(f"{'holds' if self.packing else 'is'} {what}, not text; {way}")

    def read(self, most: int) -> bytes:
        """The next bytes, nothing at the end.

        Raises:
          ValueError: for what is damaged, or unpacks to more than text can.
        """
        try:
            data = self._source.read(most)
        except self._faults as error:
            raise self._damaged(error) from error
        self._count += len(data)
        if self.packing and self._count > self._most:
            raise self._too_much()
        return data

    def seek(self, place: int) -> None:
        """Go on from there; in a file without packing."""
        self._file.seek(place)

    def _start(self) -> bytes:
        """The first bytes of the file as it is; the next that are read are the first again."""
        self._file.seek(0)
        head = self._file.read(HEAD)
        self._file.seek(0)
        return head

    def _open(self) -> BinaryIO:
        try:
            if self.packing == "gzip":
                return gzip.GzipFile(fileobj=self._file)
            if self.packing == "bzip2":
                return bz2.BZ2File(self._file)
            if self.packing == "xz":
                lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(self._start(), max_length=1)
                return lzma.LZMAFile(self._file)
            return self._zstd() if self.packing == "zstd" else self._member()
        except _FAULTS as error:
            raise (error if isinstance(error, _Refused) else self._damaged(error)) from error

    def _zstd(self) -> BinaryIO:
        for name in ("compression.zstd", "backports.zstd"):
            with contextlib.suppress(ImportError):
                module = importlib.import_module(name)
                self._faults = (*_FAULTS, module.ZstdError)
                return module.ZstdFile(self._file)
        raise self._refused(
            "is packed by zstd, which Python reads from 3.14 on; before that: pip install backports.zstd, or "
            f"unpack it: zstd -d {shlex.quote(Path(self.path).name)}"
        )

    def _member(self) -> BinaryIO:
        """The one file of a zip."""
        archive = zipfile.ZipFile(self._file)
        names = archive.namelist()
        if "[Content_Types].xml" in names or "mimetype" in names:
            what = "an Excel workbook" if "xl/workbook.xml" in names else "an Office document"
            raise self._refused(f"is {what}, whatever its name; save it as CSV (UTF-8) or as plain text")
        found = [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if len(found) != 1:
            shown = ", ".join(quoted(name, 30) for name in found[:3]) + (", ..." if len(found) > 3 else "")
            raise self._refused(f"is a zip of {len(found)} files ({shown}); unpack it, and name one of them")
        entry = archive.getinfo(found[0])
        if entry.flag_bits & 1:
            raise self._refused("is a zip with a password; unpack it")
        if entry.file_size > self._most:
            raise self._too_much()
        self.name = Path(entry.filename).name
        return archive.open(entry)

    def _refused(self, what: str) -> "_Refused":
        return _Refused(in_file(self.path, what))

    def _damaged(self, error: Exception) -> ValueError:
        if not self.packing:
            return self._refused(f"cannot be read ({getattr(error, 'strerror', None) or error})")
        return self._refused(
            f"is packed by {self.packing} and cannot be unpacked "
            f"({quoted(str(error) or type(error).__name__)}); restore it, or unpack it yourself"
        )

    def _too_much(self) -> ValueError:
        return self._refused(
            f"is packed by {self.packing} and holds more than {self._most >> 20} MiB, at least {_TIMES} "
            "times its size; if it is text all the same, unpack it"
        )


class _Refused(ValueError):
    """A message that is complete."""


def _packing(head: bytes) -> str:
    return next((name for name, pattern in _PACKINGS.items() if pattern.match(head)), "")


@contextlib.contextmanager
def unpacked(path: str, *, pipes: bool = False, most: int | None = None) -> Iterator[Unpacked]:
    """A file's bytes as a stream. A link leads to what it names.

    Args:
      pipes: a pipe is read, too; all of it at once.
      most: bytes that a pipe, or a file without packing, may hold.

    Raises:
      ValueError: if it cannot be opened or is no file of text, in one line that begins with its name.
    """
    try:
        file = expanded(path)
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _Refused(in_file(path, "is a directory; name a file in it"))
        if not stat.S_ISREG(mode) and not (pipes and stat.S_ISFIFO(mode)):
            raise _Refused(in_file(path, "is a pipe or a device, which cannot be read again; name a file"))
        opened = open(file, "rb")  # noqa: SIM115 - closed below
        if stat.S_ISFIFO(mode):
            with opened as pipe:
                opened = io.BytesIO(pipe.read() if most is None else pipe.read(most + 1))
    except _Refused:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueError(in_file(path, f"cannot be read ({reason}){_from_here(path)}")) from error
    with opened:
        size = opened.seek(0, os.SEEK_END)
        stream = Unpacked(path, opened)
        if most is not None and size > most and not stream.packing:
            raise too_large(path, most)
        yield stream


def too_large(path: str, most: int) -> ValueError:
    """What to tell of a file that is larger than memory should hold."""
    return ValueError(
        in_file(
            path,
            f"holds more than {most >> 20} MiB, too much to hold in memory; give a part of it, or make a "
            "directory of tokens by jaxgpt tokenize",
        )
    )


def _from_here(path: str) -> str:
    """Where a relative path begins."""
    with contextlib.suppress(OSError):
        return "" if Path(path).is_absolute() else f"; it is relative to {Path.cwd()}"
    return "; it is relative to a directory that is no longer there"
