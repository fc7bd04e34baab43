"""Files of text as documents, read in pieces: memory stays bounded whatever the size of the files."""

import dataclasses
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from jaxgpt.core.lines import join_lines
from jaxgpt.core.paths import expanded
from jaxgpt.core.textfile import CHUNK, is_cuttable, read_pieces
from jaxgpt.core.wording import in_file

#: Characters of a document at most; a longer one is cut into several.
LONGEST = 2**22

#: A part of a file: its path, the first byte and the byte behind the last.
Part = tuple[str, int, int]


@dataclasses.dataclass(frozen=True)
class Documents:
    """What counts as a document of a text.

      blocks[:N]: running text, cut at line ends into pieces of at least N characters (2000).
      lines: every line, without its end; empty ones are left out.
      separated:LINE: what stands between lines that read LINE, such as `separated:<|endoftext|>`, or with
        `separated:` alone between empty lines. White space around a document is left out.

    Attributes:
      longest: characters at most; a longer document is cut into several.
    """

    kind: Literal["blocks", "lines", "separated"] = "blocks"
    least: int = 2000
    separator: str = ""
    longest: int = LONGEST

    @classmethod
    def of(cls, text: str) -> "Documents":
        """From the command line's text, as above.

        Raises:
          ValueError: if it is none of these.
        """
        kind, colon, rest = text.partition(":")
        if kind == "blocks" and (not colon or (rest.isdecimal() and int(rest) > 0)):
            return cls("blocks", least=int(rest) if colon else cls.least)
        if kind == "lines" and not colon:
            return cls("lines")
        if kind == "separated" and colon and "\n" not in rest:
            return cls("separated", separator=rest.strip())
        raise ValueError(f"--documents {text}: blocks, blocks:CHARACTERS, lines or separated:LINE is needed")

    def cut(self, lines: Iterable[str]) -> Iterator[str]:
        """The documents of a text, which comes line by line."""
        if self.kind == "blocks":
            yield from self._short(blocks(_every_line(lines), self.least))
        elif self.kind == "lines":
            yield from self._short(line.removesuffix("\n") for line in lines)
        else:
            yield from self._short(self._separated(lines))

    def _separated(self, lines: Iterable[str]) -> Iterator[str]:
        kept, size = [], 0
        for line in lines:
            ends = line.strip() == self.separator
            if not ends:
                kept.append(line)
                size += len(line)
            if ends or size >= self.longest:
                yield "".join(kept).strip()
                kept, size = [], 0
        yield "".join(kept).strip()

    def _short(self, documents: Iterable[str]) -> Iterator[str]:
        for document in documents:
            for first in range(0, len(document), self.longest):
                yield document[first : first + self.longest]


def blocks(lines: Iterable[str], least: int) -> Iterator[str]:
    """Pieces of whole lines, each at least `least` characters but the last; together they are the text."""
    kept, size = [], 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= least:
            yield "".join(kept)
            kept, size = [], 0
    if kept:
        yield "".join(kept)


def _every_line(lines: Iterable[str]) -> Iterator[str]:
    """Lines cut at every end that Unicode knows, not at `\\n` alone."""
    for line in lines:
        yield from line.splitlines(keepends=True)


def read_lines(part: Part, longest: int = LONGEST) -> Iterator[str]:
    r"""The lines of a part of a file of text, with `\n` at their ends; without a byte-order mark.

    A line of more than `longest` characters comes in pieces.

    Raises:
      ValueError: for what is no text, with the file and the byte.
    """
    path, start, stop = part
    return join_lines(read_pieces(path, start, stop, min(longest, CHUNK)), longest)


def find_files(paths: Iterable[str]) -> list[str]:
    """The files of text that some names stand for, in order: a directory stands for all below it, by name.

    Links in a directory are followed; what several lead to is there once. What begins with a dot is left out.

    Raises:
      ValueError: if there is no such file, one is named twice, or what a directory holds is no file.
    """
    found: dict[str, None] = {}
    for given in paths:
        path = expanded(given)
        if path.is_dir():
            below = _files_below(path)
            if not below:
                raise ValueError(in_file(given, "is a directory without files"))
        elif path.is_file():
            below = [path]
        else:
            raise ValueError(in_file(given, "does not exist; name files of text, or a directory of them"))
        own: set[str] = set()
        for file in below:
            name = str(file.resolve())
            if name in own:  # a link leads to its neighbour
                continue
            if name in found:
                raise ValueError(in_file(file, "is named twice"))
            own.add(name)
            found[name] = None
    return list(found)


def _files_below(folder: Path) -> list[Path]:
    """Every file below a directory, sorted; each folder is entered once, whatever links lead to it."""
    seen: set[str] = set()
    found = []

    def fail(error: OSError):
        raise ValueError(in_file(error.filename, f"cannot be read ({error.strerror})")) from error

    for place, folders, names in os.walk(folder, followlinks=True, onerror=fail):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else sorted(name for name in folders if not name.startswith("."))
        if real in seen:
            continue
        seen.add(real)
        for path in (Path(place, name) for name in names if not name.startswith(".")):
            if not path.is_file():
                what = "a link that leads nowhere" if path.is_symlink() else "a pipe or a device"
                raise ValueError(in_file(path, f"is {what}; take it out of the directory, or name files"))
            found.append(path)
    return sorted(found)


def pieces(sizes: Iterable[tuple[str, int]], most: int, documents: Documents) -> list[list[Part]]:
    """The files' parts in order, about `most` bytes together in each piece; a part begins with a document.

    A file that is packed, or not UTF-8, is one part.

    Args:
      sizes: each file with its bytes.

    Raises:
      ValueError: for a file that is no text, as far as its first bytes tell.
    """
    found: list[list[Part]] = [[]]
    room = most
    for path, size in sizes:
        start, cuttable = 0, is_cuttable(path)
        while start < size:
            if not room:
                found.append([])
                room = most
            whole = size - start <= room or not cuttable
            stop = size if whole else min(size, _next_document(path, start + room, size, documents))
            found[-1].append((path, start, stop))
            room = max(0, room - (stop - start))
            start = stop
    return [piece for piece in found if piece]


def _next_document(path: str, place: int, size: int, documents: Documents) -> int:
    """The first byte at or behind `place` at which a document begins, or may be cut."""
    limit = min(size, place + documents.longest)
    separator = documents.separator.encode()
    with open(path, "rb") as file:
        file.seek(place - 1)
        while file.tell() < limit:
            line = file.readline(limit - file.tell())
            if documents.kind != "separated" and line.endswith(b"\n"):
                return file.tell()
            # The first line is a rest, and a rest may read like the separator.
            if line.strip() == separator and file.tell() - len(line) >= place and line.endswith(b"\n"):
                return file.tell()
        file.seek(limit)
        rest = file.read(4)  # not inside of a character
        return limit + next((i for i, byte in enumerate(rest) if byte & 0xC0 != 0x80), 0)
