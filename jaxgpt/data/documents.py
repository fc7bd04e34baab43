"""Files of text as documents, read in pieces: memory stays bounded whatever the size of the files."""

import codecs
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Literal

from jaxgpt.paths import expanded

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
    """The lines of a part of a UTF-8 file, with `\\n` at their ends; without a byte-order mark.

    A line of more than `longest` bytes comes in pieces.

    Raises:
      ValueError: for what is not UTF-8, with the file and the byte.
    """
    path, start, stop = part
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        file.seek(start)
        left = stop - start
        if start == 0 and (head := file.read(3)[: min(3, left)]) != b"\xef\xbb\xbf":
            if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise ValueError(f"{path} is UTF-16; convert it: iconv -f UTF-16 -t UTF-8 {path} > utf8.txt")
            file.seek(0)
        elif start == 0:
            left -= 3
        while left > 0:
            data = file.readline(min(left, longest))
            if not data:
                raise ValueError(f"{path} has become shorter while it was read; restore it")
            waiting, _ = decoder.getstate()
            try:
                line = decoder.decode(data, final=len(data) == left)
            except UnicodeDecodeError as error:
                place = stop - left - len(waiting) + error.start
                raise ValueError(
                    f"{path}: byte {place} is 0x{error.object[error.start]:02x}, which is not UTF-8; convert "
                    f"the file, for example: iconv -f LATIN1 -t UTF-8 {path} > utf8.txt"
                ) from error
            left -= len(data)
            if line:
                yield line.replace("\r\n", "\n")


def find_files(paths: Iterable[str]) -> list[str]:
    """The files of text that some names stand for, in order: a directory stands for all below it, by name.

    What begins with a dot is left out of a directory.

    Raises:
      ValueError: if there is no such file, or one is named twice.
    """
    found: dict[str, None] = {}
    for given in paths:
        path = expanded(given)
        if path.is_dir():
            below = sorted(p for p in path.rglob("*") if p.is_file())
            below = [p for p in below if not any(n.startswith(".") for n in p.relative_to(path).parts)]
            if not below:
                raise ValueError(f"{given} is a directory without files")
        elif path.is_file():
            below = [path]
        else:
            raise ValueError(f"{given} does not exist; name files of text, or a directory of them")
        for file in below:
            name = str(file.resolve())
            if name in found:
                raise ValueError(f"{file} is named twice")
            found[name] = None
    return list(found)


def pieces(sizes: Iterable[tuple[str, int]], most: int, documents: Documents) -> list[list[Part]]:
    """The files' parts in order, about `most` bytes together in each piece; a part begins with a document.

    Args:
      sizes: each file with its bytes.
    """
    found: list[list[Part]] = [[]]
    room = most
    for path, size in sizes:
        start = 0
        while start < size:
            if not room:
                found.append([])
                room = most
            stop = size if size - start <= room else _next_document(path, start + room, size, documents)
            stop = min(stop, size)
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
