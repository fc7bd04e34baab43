"""Files of text however they are packed and encoded, for every reader; and what is no text."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import struct
import sys
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from jaxgpt.cli import generate as command
from jaxgpt.core import textfile, unpacking
from jaxgpt.core.textfile import read_text
from jaxgpt.data.documents import Documents, pieces, read_lines
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.task import SPLITS
from tasks.pairs import Pairs
from tasks.sentence_pairs import SentencePairs
from tasks.synopses import Synopses
from tasks.text import Text

#: Lines that are a pair, a paragraph of two sentences, a document and a prompt at once.
LINES = [f"Déjà vu {n}. It is №{n}, 七.\tanswer {n}" for n in range(80)]
TEXT = "\n".join(LINES) + "\n"


def zipped(data: bytes, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("text.txt",):
            archive.writestr(name, data)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        zstd = pytest.importorskip("backports.zstd", reason="needs the extra zstd")
    return zstd.compress(data)


PACKINGS = {
    "plain": lambda data: data,
    "gz": gzip.compress,
    "gz of two": lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:]),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda data: zipped(data, "folder/text.txt"),
    "zip of a Macintosh": lambda data: zipped(data, "text.txt", "__MACOSX/._text.txt"),
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


def examples(task):
    return [(e.prompt, e.target) for split in SPLITS for e in task.examples(split)]


READERS = {
    "text": lambda path: read_text(path),
    "pieces": lambda path: "".join(
        line
        for job in pieces([(path, os.path.getsize(path))], 500, Documents.of("lines"))
        for part in job
        for line in read_lines(part, longest=64)
    ),
    "prompts": command._lines,
    "task text": lambda path: examples(Text(path=path, split_by="tail")),
    "task pairs": lambda path: examples(Pairs(path=path, held_out=0.3)),
    "task synopses": lambda path: Synopses(path=path, rules=()).documents(),
    "task sentence_pairs": lambda path: examples(SentencePairs(path=path, held_out=0.3)),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What each reader makes of the file as plain UTF-8."""
    path = tmp_path_factory.mktemp("plain") / "text.txt"
    path.write_bytes(TEXT.encode())
    return {name: reader(str(path)) for name, reader in READERS.items()}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_reads_it_however_it_is_packed_encoded_and_ended(tmp_path, reader, plain):
    path = tmp_path / "text.txt"
    assert plain[reader]
    for packing in PACKINGS:
        for encoding in ENCODINGS if packing in ("plain", "gz") else ["utf-8"]:
            for end in ("\n", "\r\n", "\r\r\n", "\r"):
                data = TEXT.replace("\n", end).encode(encoding)
                path.write_bytes(PACKINGS[packing](data))
                os.utime(path, ns=(time.time_ns(), time.time_ns()))
                assert READERS[reader](str(path)) == plain[reader], (packing, encoding, end)


def test_zstd_is_read_or_said_to_need_a_package(tmp_path, monkeypatch):
    path = tmp_path / "text.zst"
    path.write_bytes(zstd(TEXT.encode()))
    assert read_text(str(path)) == TEXT
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        ValueError, match=r"is packed by zstd.*pip install backports.zstd, or unpack it: zstd -d"
    ):
        read_text(str(path))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8"])
@pytest.mark.parametrize(
    "text",
    [
        "a",
        "1+1=2\n" * 2000,
        "Быть или не быть, 1\n",
        "道可道非常道\n名可名\n",
        "日本\t一\n" * 1500,
        "\U0001f600 x\n",
    ],
)
def test_scripts_of_all_kinds_are_told_apart(tmp_path, text, encoding, mark):
    path = tmp_path / "text.txt"
    path.write_bytes((mark + text).encode(encoding))
    assert read_text(str(path)) == text


def test_a_packed_text_becomes_the_same_tokens(tmp_path):
    """Beside a plain file, in several pieces."""
    found = {}
    for name, data in {
        "plain": TEXT.encode(),
        "gz": gzip.compress(TEXT.encode()),
        "wide": TEXT.encode("utf-16"),
        "mac": TEXT.replace("\n", "\r").encode(),
    }.items():
        (tmp_path / f"{name}.txt").write_bytes(data)
        options = {"documents": "lines", "held_out": 0.1, "piece_bytes": 1000, "say": lambda line: None}
        corpus = tokenize([str(tmp_path / f"{name}.txt")], tmp_path / name, **options)
        found[name] = {split: corpus.tokens(split)[:] for split in SPLITS}
    for split in SPLITS:
        for name in found:
            np.testing.assert_array_equal(found[name][split], found["plain"][split])


def tar(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("a.txt")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def locked(data: bytes) -> bytes:
    """A zip that says that it has a password."""
    packed = bytearray(zipped(data))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


GOOD = TEXT.encode()
WORKBOOK = ("[Content_Types].xml", "xl/workbook.xml")
NO_TEXT = {
    "xlsx": (lambda: zipped(b"<x/>", *WORKBOOK), "is an Excel workbook, whatever its name; save it as CSV"),
    "docx": (lambda: zipped(b"<x/>", "[Content_Types].xml", "word/document.xml"), "is an Office document"),
    "ods": (lambda: zipped(b"x", "mimetype", "content.xml"), "is an Office document"),
    "xls": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Office document"),
    "two in a zip": (
        lambda: zipped(GOOD, "a.txt", "b.txt"),
        r"is a zip of 2 files \('a.txt', 'b.txt'\); unpack",
    ),
    "nothing in a zip": (lambda: b"PK\x05\x06" + bytes(18), "is a zip of 0 files"),
    "zip with a password": (lambda: locked(GOOD), "is a zip with a password"),
    "broken zip": (lambda: zipped(GOOD)[:-30], "packed by zip and cannot be unpacked"),
    "broken gzip": (lambda: gzip.compress(GOOD)[:-30], "packed by gzip and cannot be unpacked"),
    "broken bzip2": (lambda: bz2.compress(GOOD)[:-30], "packed by bzip2 and cannot be unpacked"),
    "broken xz": (lambda: lzma.compress(GOOD)[:-30], "packed by xz and cannot be unpacked"),
    "flipped gzip": (lambda: gzip.compress(GOOD)[:-8] + bytes(8), "packed by gzip and cannot be unpacked"),
    "twice": (lambda: gzip.compress(bz2.compress(GOOD)), "is gzip of bzip2; unpack it once"),
    "tar": (lambda: tar(GOOD), "is a tar archive"),
    "tar.gz": (lambda: gzip.compress(tar(GOOD)), "holds a tar archive, not text; unpack it"),
    "pickle": (lambda: pickle.dumps([1]), "is a pickle, which is never opened"),
    "pdf": (lambda: b"%PDF-1.7\n" + GOOD, "is a PDF, not text"),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + GOOD, "is a picture"),
    "safetensors": (lambda: struct.pack("<Q", 40) + b'{"a": 1}', "has a null byte at byte 1"),
    "null bytes": (lambda: b"text\0more text" * 9, "has a null byte at byte 4: it is no text"),
    "zeros": (lambda: bytes(5000), "has a null byte at byte 0"),
    "half of a letter in UTF-16": (lambda: "text".encode("utf-16")[:-1], "is UTF-16 with a fault at byte 8"),
    "latin": (lambda: "déjà".encode("latin-1"), "byte 0xe9 is not UTF-8|byte 1 is 0xe9.* not UTF-8"),
    "nothing": (lambda: b"", "empty|no text"),
    "wide spaces": (lambda: "\u3000\n\u2003".encode(), "empty|none is in"),
    "packed nothing": (lambda: gzip.compress(b""), "empty|none is in"),
}


def tokenized(path):
    tokenize([path], Path(path).with_name("tokens"), say=lambda line: None)


@pytest.mark.parametrize("reader", [*READERS, "tokenize"])
@pytest.mark.parametrize("kind", NO_TEXT)
def test_what_is_no_text_is_refused_by_what_it_is(tmp_path, kind, reader):
    make, message = NO_TEXT[kind]
    if reader == "pieces" and "empty" in message:
        pytest.skip("a file without text has no lines")
    path = tmp_path / "text.csv"
    path.write_bytes(make())
    read = tokenized if reader == "tokenize" else READERS[reader]
    with pytest.raises(ValueError, match=message) as error:
        read(str(path))
    said = str(error.value).removeprefix("--prompts ")
    assert said.startswith(str(tmp_path)) and len(said) <= 300 and said.isprintable()
    if reader == "tokenize" and "null byte" in message:
        assert not (tmp_path / "tokens").exists()


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "_ALWAYS", 2**21)
    bomb = b"0" * 2**23
    for name, data in {"gz": gzip.compress(bomb), "xz": lzma.compress(bomb), "zip": zipped(bomb)}.items():
        path = tmp_path / name
        path.write_bytes(data)
        for reader in ("text", "pieces"):
            with pytest.raises(ValueError, match="holds more than 2 MiB, at least 50 times its size"):
                READERS[reader](str(path))
    # A bomb may say that it is none.
    packed = bytearray(zipped(bomb))
    for place in (22, packed.index(b"PK\x01\x02") + 24):
        packed[place : place + 4] = struct.pack("<I", 1000)
    path.write_bytes(packed)
    with pytest.raises(ValueError, match=r"cannot be unpacked|holds more than"):
        READERS["text"](str(path))


def test_a_window_of_gigabytes_is_refused(tmp_path):
    packer = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 2**20}])
    data = bytearray(packer.compress(GOOD) + packer.flush())
    # The size of the window is one byte of the first block's header, which a checksum follows.
    size = (data[12] + 1) * 4
    header = bytearray(data[12 : 12 + size - 4])
    header[4] = 36  # 1 GiB
    data[12 : 12 + size] = header + struct.pack("<I", zlib.crc32(header))
    path = tmp_path / "text.xz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"packed by xz and cannot be unpacked \('Memory usage limit"):
        read_text(str(path))


def test_the_size_is_looked_at_before_memory_is_taken(tmp_path):
    path = tmp_path / "large.txt"
    with open(path, "wb") as file:
        file.write(b"text\n" * 1000)
        file.truncate(textfile.MOST + 1)  # a file with a hole takes no disk
    began = time.monotonic()
    for reader in ("text", "prompts", "task text", "task pairs", "task synopses", "task sentence_pairs"):
        with pytest.raises(ValueError, match=r"large.txt holds more than 2048 MiB.*jaxgpt tokenize"):
            READERS[reader](str(path))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("reader", READERS)
def test_names_that_are_no_file(tmp_path, reader, monkeypatch):
    read = READERS[reader] if reader != "pieces" else lambda path: list(read_lines((path, 0, 9)))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "round").symlink_to("round")
    names = ["", "none.txt", "pipe", "nowhere", "round", "a\0b", "x" * 5000, "two\nlines", "\udce9.txt"]
    for name in names:
        if name == "pipe" and reader == "prompts":
            continue
        with pytest.raises(ValueError, match=r"cannot be read|is a directory|is a pipe or a device") as error:
            read(f"{tmp_path}/{name}")
        said = str(error.value).removeprefix("--prompts ")
        assert said.startswith(str(tmp_path)[:70]) and len(said) <= 300 and said.isprintable()
    for name in ("~nosuchuser/text.txt", "/dev/zero"):
        with pytest.raises(ValueError, match=r"cannot be read|is a pipe or a device"):
            read(name)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ValueError, match=r"text.txt cannot be read \(No such file or directory\)"):
        read("text.txt")


@pytest.mark.parametrize("reader", READERS)
def test_a_link_leads_to_what_it_names(tmp_path, reader, plain):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "1f3a").write_bytes(GOOD)
    (tmp_path / "text.txt").symlink_to("blobs/1f3a")
    assert READERS[reader](str(tmp_path / "text.txt")) == plain[reader]


def test_prompts_may_come_through_a_pipe(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b"1+1\r\n2+2\n")
    os.close(writing)
    assert command._lines(f"/dev/fd/{reading}") == ["1+1", "2+2"]
    os.close(reading)
