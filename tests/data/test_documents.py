"""Text cut into documents, read in pieces."""

import os

import pytest
from data_building import lines
from hypothesis import given
from hypothesis import strategies as st

from jaxgpt.data import documents
from jaxgpt.data.documents import Documents, blocks, find_files, pieces, read_lines

TEXT = lines(200)
SEPARATED = "".join(f"Story {n}\n\n  told {n} times\n<|end|>\n" for n in range(100))


def write(folder, text, name="text.txt") -> tuple[str, int]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path), path.stat().st_size


def read(file, most, kind) -> list[list[str]]:
    """The documents of each piece of a file."""
    jobs = pieces([file], most, kind)
    return [list(kind.cut(line for part in job for line in read_lines(part))) for job in jobs]


@pytest.mark.parametrize("most", [1, 100, 999, 10**6])
@pytest.mark.parametrize(
    ("what", "text", "expected"),
    [
        ("lines", TEXT, [line for line in TEXT.split("\n") if line]),
        ("separated:<|end|>", SEPARATED, [f"Story {n}\n\n  told {n} times" for n in range(100)]),
        ("separated:", "a\nb\n\n\n c \n \nd", ["a\nb", "c", "d"]),
        ("separated:x", "x\nx\n", []),
    ],
)
def test_documents_do_not_depend_on_the_pieces(tmp_path, most, what, text, expected):
    file = write(tmp_path, text)
    found = read(file, most, Documents.of(what))
    assert [document for piece in found for document in piece] == expected
    if most == 100 and expected[3:]:
        assert len(found) > 20


@pytest.mark.parametrize("most", [100, 999, 10**6])
def test_blocks_are_all_of_the_text(tmp_path, most):
    text = TEXT.replace("\n", "\r\n", 50) + "no end"
    found = read(write(tmp_path, "\ufeff" + text), most, Documents.of("blocks:60"))
    assert "".join(block for piece in found for block in piece) == text.replace("\r\n", "\n")
    assert all(len(block) >= 60 and block.endswith("\n") for piece in found for block in piece[:-1])


@given(st.text(st.sampled_from("ab\n\r\x0b\u2028é\U0001f600 "), max_size=60), st.integers(1, 9))
def test_blocks_of_a_stream_of_lines_are_those_of_the_whole(text, least):
    whole = list(blocks(text.splitlines(keepends=True), least))
    assert "".join(whole) == text
    assert list(Documents.of(f"blocks:{least}").cut(text.splitlines(keepends=True))) == whole


def test_files_are_gathered_and_cut(tmp_path):
    """Small files share a piece, a large one has several, and no byte is left out or there twice."""
    sizes = [write(tmp_path, TEXT[:n], f"{n}.txt") for n in (10, 20, 30, 5000, 0, 40)]
    found = pieces(sizes, 1000, Documents.of("lines"))
    assert [part[0] for part in found[0]][:3] == [path for path, _ in sizes[:3]] and len(found) > 4
    parts = [part for piece in found for part in piece]
    for path, size in sizes:
        places = [(start, stop) for p, start, stop in parts if p == path]
        assert [start for start, _ in places] + [size] == [0, *(stop for _, stop in places)] or size == 0
    assert all(sum(stop - start for _, start, stop in piece) < 1000 + 60 for piece in found)


@pytest.mark.parametrize("what", ["lines", "blocks:5", "separated:x"])
def test_a_document_without_end_is_cut_and_nothing_is_lost(tmp_path, what, monkeypatch):
    monkeypatch.setattr(documents, "LONGEST", 50)
    kind = Documents(Documents.of(what).kind, least=5, separator="x", longest=50)
    text = "déjà vu " * 100
    jobs = pieces([write(tmp_path, text)], 200, kind)
    found = [
        document
        for job in jobs
        for document in kind.cut(line for part in job for line in read_lines(part, longest=50))
    ]
    assert len(jobs) > 3 and all(len(document) <= 100 for document in found)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")


def test_what_is_no_text(tmp_path):
    path, size = write(tmp_path, b"good\nb\xe9d\n")
    with pytest.raises(ValueError, match=rf"{path}: byte 6 is 0xe9, which is not UTF-8; convert.*iconv"):
        list(read_lines((path, 0, size)))
    path, size = write(tmp_path, "good".encode("utf-16")[:-1])
    with pytest.raises(ValueError, match="is UTF-16 with a fault at byte 8"):
        list(read_lines((path, 0, size)))
    path, size = write(tmp_path, "naï".encode()[:-1])
    with pytest.raises(ValueError, match="byte 2 is 0xc3"):
        list(read_lines((path, 0, size)))
    path, _ = write(tmp_path, "short")
    with pytest.raises(ValueError, match="has become shorter"):
        list(read_lines((path, 0, 10)))


def test_finding_files(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("b.txt", "below/c.txt", ".hidden", "a.txt"):
        (tmp_path / name).write_text("x")
    names = [str(tmp_path / name) for name in ("a.txt", "b.txt", "below/c.txt")]
    assert find_files([str(tmp_path)]) == names
    assert find_files([names[1], names[0]]) == [names[1], names[0]]
    with pytest.raises(ValueError, match="named twice"):
        find_files([str(tmp_path), names[0]])
    with pytest.raises(ValueError, match="nowhere does not exist"):
        find_files([str(tmp_path / "nowhere")])


def test_links_in_a_directory_are_followed_once_each(tmp_path):
    """To a folder, to the folder that it is in, to a file, and to a neighbour."""
    for name in ("in/b/two.txt", "elsewhere/deep/three.txt", "in/one.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    inside = tmp_path / "in"
    for link, aim in {
        "a": "../elsewhere",
        "again": "../elsewhere/deep",
        "round": ".",
        "b/up": "..",
        "one-again.txt": "one.txt",
        "linked.txt": "../elsewhere/deep/three.txt",
    }.items():
        (inside / link).symlink_to(aim)
    found = find_files([str(inside)])
    assert sorted(found) == [
        str(tmp_path / n) for n in ("elsewhere/deep/three.txt", "in/b/two.txt", "in/one.txt")
    ]
    (tmp_path / "link").symlink_to("in")
    assert sorted(find_files([str(tmp_path / "link")])) == sorted(found)


@pytest.mark.parametrize("kind", ["a link that leads nowhere", "a pipe or a device"])
def test_what_a_directory_holds_beside_files_is_not_left_out_in_silence(tmp_path, kind):
    (tmp_path / "a.txt").write_text("x")
    odd = tmp_path / "odd"
    os.mkfifo(odd) if "pipe" in kind else odd.symlink_to("gone")
    with pytest.raises(ValueError, match=f"{odd} is {kind}; take it out of the directory, or name files"):
        find_files([str(tmp_path)])


@pytest.mark.parametrize("text", ["paragraphs", "lines:3", "blocks:0", "blocks:x", "separated", ""])
def test_no_way_to_cut(text):
    with pytest.raises(ValueError, match=r"--documents .*blocks, blocks:CHARACTERS, lines or separated:LINE"):
        Documents.of(text)
