"""Capitals as tags: every word has one, and the lower-cased words with their tags give the words back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.truecasing import Truecasing, tag, truecasing

TEXT = "First Citizen: we are ALL so.\n\nNo MacDuff, 12 o'Clock! I\nfirst citizen: we are all so.\n"


def restored(word: str, told: str) -> str:
    """The word that a tag of it stands for; of `mixed` the lower-cased one."""
    if told == "title":
        first = next(i for i, c in enumerate(word) if c.isalpha())
        return word[:first] + word[first].upper() + word[first + 1 :]
    return word.upper() if told == "upper" else word


def examples(path, **fields):
    return list(Truecasing(path=str(path), held_out=0.0, **fields).examples("train"))


@pytest.fixture
def path(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    return tmp_path / "text.txt"


def test_a_worked_example(path):
    found = {e.prompt: e.target for e in examples(path)}
    assert found == {
        "first citizen: we are all so.": "title title lower lower upper lower",  # the first of two alike
        "no macduff, 12 o'clock! i": "title mixed lower mixed title",
    }


@given(st.text("abzABZ'.1-", min_size=1, max_size=6))
def test_tags_say_where_the_capitals_were(word):
    told = tag(word)
    assert (told == "lower") == (word == word.lower())
    if told != "mixed":
        assert restored(word.lower(), told) == word
    else:
        letters = [c for c in word if c.isalpha()]
        assert any(c.isupper() for c in letters[1:]) and any(c.islower() for c in letters)


def test_lines_are_cut_into_pieces_and_long_ones_are_left_out(tmp_path):
    words = [f"word{n}" for n in range(100)] + ["x" * 60]
    (tmp_path / "text.txt").write_text(" ".join(words))
    found = examples(tmp_path / "text.txt", words=7, max_characters=50)
    assert sorted(w for e in found for w in e.prompt.split()) == sorted(words[:98])  # the last piece is long
    assert all(len(e.prompt.split()) == 7 == len(e.target.split()) for e in found)
    task = Truecasing(path=str(tmp_path / "text.txt"), words=7, max_characters=50)
    assert task.notes() == "left out    1 of 15 pieces, of more than 50 characters"


def test_answers_are_scored_by_the_piece_and_by_the_word(path):
    task = Truecasing(path=str(path))
    (example,) = [e for e in examples(path) if e.prompt.startswith("first")]
    near = "title title lower lower lower lower"
    assert task.score(example, example.target) == {"exact_match": 1.0}
    assert task.score(example, near) == {"exact_match": 0.0}
    found = task.summary([(example, near), (example, example.target), (example, "")], [])
    assert found["words tagged right"] == (11 / 18, 18, 1.0)


def test_what_cannot_be():
    for fields, message in (
        ({"words": 0}, "words=0 must"),
        ({"max_characters": -1}, "max_characters=-1 must"),
    ):
        with pytest.raises(ValueError, match=message):
            Truecasing(**fields)
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        list(truecasing().task.examples("train"))


def test_a_text_too_short_to_split(path):
    with pytest.raises(ValueError, match=r"has no line for validation with task\.held_out=0\.0"):
        list(Truecasing(path=str(path), held_out=0.0).examples("validation"))
