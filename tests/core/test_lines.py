"""What ends a line, for every reader of text."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgpt.core.lines import join_lines, split_lines, split_paragraphs, unify_ends

ENDS = {"unix": "\n", "windows": "\r\n", "windows twice": "\r\r\n", "macintosh": "\r"}
TEXT = st.text(st.sampled_from("ab\n\r\x0b\x85\u2028é "), max_size=40)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("last", [True, False])
def test_a_line_ends_as_any_system_writes_it(end, last):
    text = end.join(["a\x0bb", "", "c\u2028"]) + end * last
    assert split_lines(text) == ["a\x0bb", "", "c\u2028"]
    assert split_paragraphs(text) == ["a\x0bb", "c"]


@given(TEXT)
def test_no_carriage_return_is_left_and_nothing_else_is_lost(text):
    unified = unify_ends(text)
    assert "\r" not in unified and unify_ends(unified) == unified
    kept = [c for c in text if c not in "\r\n"]
    assert [c for c in unified if c != "\n"] == kept == [c for line in split_lines(text) for c in line]


@given(TEXT, st.lists(st.integers(0, 40), max_size=6))
def test_lines_do_not_depend_on_where_a_text_was_cut(text, cuts):
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    lines = list(join_lines(pieces, 1000))
    assert "".join(lines) == unify_ends(text)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines[:-1])


def test_a_long_line_comes_in_parts():
    parts = list(join_lines(["abcd"] * 5 + ["\nx\n"], 8))
    assert parts == ["abcdabcd", "abcdabcd", "abcd\n", "x\n"]
    # One line end, whose halves come apart just where a part is full.
    assert list(join_lines(["abcd\r", "\nxy"], 4)) == ["abcd", "\n", "xy"]
    assert list(join_lines(["abcd\r", "xy\r"], 4)) == ["abcd", "\n", "xy\n"]
    # One line end, whose halves come apart just where a part is full.
    assert list(join_lines(["abcd\r", "\nxy"], 4)) == ["abcd", "\n", "xy"]
    assert list(join_lines(["abcd\r", "xy\r"], 4)) == ["abcd", "\n", "xy\n"]


def test_many_carriage_returns_take_no_longer_than_other_text():
    assert split_lines("\r" * 1_000_000) == [""] * 1_000_000
