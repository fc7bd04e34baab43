"""A file as text: its encoding is told by its first bytes.

UTF-8, UTF-16 and UTF-32 are read, with a byte-order mark or without; UTF-16 and UTF-32 without one are known
by where their null bytes stand. Any other encoding is refused, with the place and a way to convert it.
"""

import codecs
import shlex
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from jaxgpt.core.lines import unify_ends
from jaxgpt.core.unpacking import Unpacked, too_large, unpacked
from jaxgpt.core.wording import in_file

#: Bytes of a text that are held in memory; for more there is `jaxgpt tokenize`.
MOST = 2**31
CHUNK = 2**18
#: Control and format characters that a text may have; and how many others, since Unicode grows.
_CONTROLS = "\t\n\v\f\r\x85\u200b\u200c\u200d\u200e\u200f\ufeff"
_STRANGE = 0.05
# UTF-32 stands before UTF-16, whose mark its own begins with.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: str, *, pipes: bool = False) -> str:
    r"""The text of a file, with `\n` at the end of every line.

    Raises:
      ValueError: as `read_raw_text`.
    """
    return unify_ends(read_raw_text(path, pipes=pipes)[0])


def read_raw_text(path: str, *, pipes: bool = False) -> tuple[str, str]:
    """The text of a file with its line ends as they stand, and the file's name without its packing.

    Args:
      path: the file; a link leads to what it names.
      pipes: a pipe is read, too.

    Raises:
      ValueError: if there is no such file, it holds nothing but white space or more than `MOST` bytes, or it
        is no text; one line of at most 300 characters, which begins with the file.
    """
    with unpacked(path, pipes=pipes, most=MOST) as file:
        encoding, mark = _encoding(file)
        pieces, size = [], 0
        while piece := file.read(CHUNK):
            pieces.append(piece)
            size += len(piece)
            if size > MOST:
                raise too_large(path, MOST)
    data = b"".join(pieces)
    del pieces
    try:
        text = data[mark:].decode(encoding) if mark else data.decode(encoding)
    except UnicodeDecodeError as error:
        place = mark + error.start
        line = data.count(b"\n", 0, place) + 1 if encoding == "utf-8" else None
        raise _fault(path, encoding, place, data[place], line) from error
    if not text or text.isspace():
        raise ValueError(in_file(path, "is empty"))
    return text, file.name


def is_cuttable(path: str) -> bool:
    """Whether a part of the file's bytes, between two line feeds, is a text on its own.

    Raises:
      ValueError: as `read_pieces`.
    """
    with unpacked(path) as file:
        encoding, _ = _encoding(file)
        macintosh = b"\r" in file.head and b"\n" not in file.head
        return not file.packing and encoding == "utf-8" and not macintosh


def read_pieces(path: str, start: int, stop: int, most: int = CHUNK) -> Iterator[str]:
    """The text of a part of a file, a piece of at most `most` bytes at a time; without a byte-order mark.

    Args:
      path: the file.
      start: first byte of the part; of a file that is not cuttable all of it is read.
      stop: the byte behind the last.

    Raises:
      ValueError: for what is no text, with the file and the byte.
    """
    with unpacked(path) as file:
        encoding, mark = _encoding(file)
        decoder = codecs.getincrementaldecoder(encoding)()
        place = mark if file.packing else max(start, mark)
        if file.packing:
            file.read(mark)
        else:
            file.seek(place)
        final = False
        while not final:
            room = most if file.packing else min(most, max(0, stop - place))
            data = file.read(room)
            final = not data if file.packing else place + len(data) >= stop
            if not data and not final:
                raise ValueError(in_file(path, "has become shorter while it was read; restore it"))
            begin = place - len(decoder.getstate()[0])
            place += len(data)
            try:
                text = decoder.decode(data, final)
            except UnicodeDecodeError as error:
                raise _fault(path, encoding, begin + error.start, error.object[error.start]) from error
            if text:
                yield text


def _fault(path: str, encoding: str, place: int, byte: int, line: int | None = None) -> ValueError:
    """What to tell of bytes that do not stand for text."""
    if encoding != "utf-8":
        return ValueError(
            in_file(path, f"is {encoding[:6].upper()} with a fault at byte {place}; save it as UTF-8")
        )
    where = f"line {line}: byte 0x{byte:02x} is" if line else f": byte {place} is 0x{byte:02x}, which is"
    convert = f"iconv -f LATIN1 -t UTF-8 {shlex.quote(Path(path).name)} > utf8.txt"
    return ValueError(in_file(path, f"{where} not UTF-8; convert the file, for example: {convert}"))


def _encoding(file: Unpacked) -> tuple[str, int]:
    """The encoding of a file, and the bytes of its mark."""
    head = file.head
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    if b"\0" not in head:
        return "utf-8", 0
    guesses = {name: _strange(head, name) for name in _without_mark(head)}
    if guesses and min(guesses.values()) < _STRANGE:
        return min(guesses, key=guesses.get), 0
    place = head.index(b"\0")
    raise ValueError(in_file(file.path, f"has a null byte at byte {place}: it is no text; save it as UTF-8"))


def _without_mark(head: bytes) -> Iterator[str]:
    """Encodings whose null bytes stand where those of a text do, the likeliest first."""
    zeros = [head[place::4].count(0) for place in range(4)]
    quarter = len(head) // 4
    if quarter and zeros[3] >= quarter and max(head[2::4]) <= 0x10:
        yield "utf-32-le"
    if quarter and zeros[0] >= quarter and max(head[1::4]) <= 0x10:
        yield "utf-32-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
        # A null byte or two in UTF-8 are damage; UTF-16 of Latin letters is full of them.
        least = len(head) // 6 + 1
    except UnicodeDecodeError:
        least = 1
    big, little = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if max(big, little) >= least:
        yield from ("utf-16-be", "utf-16-le") if big > little else ("utf-16-le", "utf-16-be")


def _strange(head: bytes, encoding: str) -> float:
    """The share of characters that no text has: control characters, and what Unicode leaves unassigned.

    With its bytes in the wrong order, a line feed is one of these.
    """
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    strange = sum((unicodedata.category(c)[0] == "C" and c not in _CONTROLS) or c == "\ufffd" for c in text)
    return 1.0 if "\0" in text else strange / max(len(text), 1)
