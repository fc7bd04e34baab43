"""Constructions in files: written and read again, and one line for what does not fit."""

import json

import numpy as np
import pytest

from jaxgpt.search import set_files
from tasks.constructions import Problem

GRID = Problem.named("isosceles")(n=4)
SETS = [frozenset({1, 2, 4, 7}), frozenset({0, 1})]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return set_files.write(GRID, SETS, tmp_path_factory.mktemp("sets") / "best")


def test_every_form_is_read_as_it_was_written(written):
    assert [path.name for path in written] == ["best.txt", "best.json", "best.png"]
    for path in written:
        found = set_files.read(GRID, path)
        assert [frozenset(np.flatnonzero(row).tolist()) for row in found] == SETS, path.suffix


def test_a_picture_holds_also_the_sets_that_are_not_drawn(written, tmp_path):
    from PIL import Image

    paths = set_files.write(GRID, SETS, tmp_path / "two", drawn=1)
    assert all(len(set_files.read(GRID, path)) == len(SETS) for path in paths)
    widths = []
    for path in (written[2], paths[2], set_files.write(GRID, SETS[:1], tmp_path / "one")[2]):
        with Image.open(path) as image:
            widths.append(image.size)
    assert widths[0] != widths[1] == widths[2]


def test_files_say_what_the_verifier_says(tmp_path):
    text, *_ = set_files.write(GRID, [frozenset({0, 1, 2})], tmp_path / "line")
    assert "# 3 elements, 1 conflicts" in text.read_text()
    text, *_ = set_files.write(GRID, SETS[:1], tmp_path / "good")
    assert "# 4 elements, verified: no conflict" in text.read_text()


def test_smaller_grids_stand_in_a_corner(tmp_path):
    paths = set_files.write(GRID, SETS, tmp_path / "small")
    larger = Problem.named("isosceles")(n=6)
    first, _ = set_files.read(larger, paths[1])
    assert np.flatnonzero(first).tolist() == [1, 2, 6, 9]
    assert np.array_equal(larger.board(np.flatnonzero(first))[:4, :4], GRID.board(SETS[0]))
    with pytest.raises(ValueError, match=r"sets of Isosceles\(n=4\) have no place in Isosceles\(n=3\)"):
        set_files.read(Problem.named("isosceles")(n=3), paths[1])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.txt",
            "0110100100000000\n0111100100000000\n",
            "line 2: row 1, column 2, .* are in conflict",
        ),
        ("a.txt", "# only a remark\n", "a.txt holds no sets"),
        ("a.txt", "01101001\n", "a.txt, line 1: the text has 8 characters"),
        ("a.txt", "0110x00100000000\n", "a.txt, line 1: character 5, row 2, column 1, is 'x'"),
        ("a.json", "{", "a.json is not JSON"),
        ("a.json", "[]", 'must be an object with "problem" and "sets"'),
        (
            "a.json",
            {"problem": {"kind": "isosceles", "n": 4}, "sets": [[0, 16]]},
            r"set 1: .* is no list of elements from 0 to 15",
        ),
        (
            "a.json",
            {"problem": {"kind": "isosceles", "n": 4}, "sets": [[0, 1, 2]]},
            "set 1: row 1, column 1, row 1, column 2, row 1, column 3 are in conflict",
        ),
        ("a.json", {"problem": {"kind": "no_three", "n": 4}, "sets": [[0]]}, r"has sets of NoThree\(n=4\)"),
        ("a.json", {"problem": {"kind": "nothing"}, "sets": [[0]]}, "no problem is called 'nothing'"),
        ("a.json", {"problem": {"kind": "isosceles", "n": 0}, "sets": []}, r"a\.json: problem\.n=0: give"),
        ("a.json", {"problem": {"kind": "isosceles", "n": 5}, "sets": [[0]]}, r"a\.json: sets of Isosceles"),
        ("a.json", {"problem": [1], "sets": [[0]]}, r"a\.json: problem"),
        ("a.json", "[" * 200_000, "a.json is not JSON"),
        ("a.png", "no picture", "is no PNG|cannot identify"),
        ("a.csv", "1", "sets are read from .txt, .json, .png"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ValueError, match=message) as error:
        set_files.read(GRID, path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", [".txt", ".json"])
def test_a_byte_order_mark_is_no_part_of_a_set(written, tmp_path, ending):
    (source,) = [path for path in written if path.suffix == ending]
    path = tmp_path / f"marked{ending}"
    path.write_bytes(b"\xef\xbb\xbf" + source.read_bytes().replace(b"\n", b"\r\n"))
    assert np.array_equal(set_files.read(GRID, path), set_files.read(GRID, source))


def test_a_picture_too_large_is_told(tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    Image.new("1", (100, 100)).save(tmp_path / "large.png")
    with pytest.raises(ValueError, match="is no PNG"):
        set_files.read(GRID, tmp_path / "large.png")


def test_a_picture_without_sets_is_told(tmp_path):
    from jaxgpt.evaluation import plots

    plots.save(plots.empty_figure(1, 1), tmp_path / "other.png")
    with pytest.raises(ValueError, match="holds no sets"):
        set_files.read(GRID, tmp_path / "other.png")


@pytest.mark.parametrize("name", Problem.names())
def test_every_problem_has_a_board_of_its_elements(name):
    problem = Problem.named(name)(n=4)
    for chosen in ([], range(0, problem.size(), 2)):
        board = problem.board(chosen)
        assert board.sum() == len(chosen) * (2 if name == "c4_free" else 1)
