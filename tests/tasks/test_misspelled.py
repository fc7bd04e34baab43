"""Misspelled words: what is exchanged, which pieces are asked, and how answers are scored."""

import pytest

from tasks.misspelled import Misspelled, misspelled, misspelled_text

LINES = [f"The {n}th keeper of the lighthouse found a letter, and answered it aloud." for n in range(200)]


@pytest.fixture
def path(tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(LINES) + "\n")
    return str(tmp_path / "text.txt")


def examples(path, **fields):
    return list(Misspelled(path=path, held_out=0.0, max_characters=0, **fields).examples("train"))


def differing(word, own):
    """The places at which two words of one length differ."""
    assert len(word) == len(own)
    return [place for place in range(len(word)) if word[place] != own[place]]


def test_a_word_is_as_it_was_or_has_two_neighbouring_letters_exchanged(path):
    found, wrong, could = examples(path, words=20), 0, 0
    assert [e.target for e in found] == LINES
    for example in found:
        for word, was in zip(example.prompt.split(), example.target.split(), strict=True):
            places = differing(word, was)
            if places:
                first, second = places
                assert second == first + 1 and first > 0
                assert (word[first], word[second]) == (was[second], was[first])
            wrong += bool(places)
            could += any(was[p : p + 2].isalpha() and was[p] != was[p + 1] for p in range(1, len(was) - 1))
    assert wrong / could == pytest.approx(0.3, abs=0.05)


def test_every_pair_of_letters_is_exchanged_as_often():
    counts = [0] * 3  # of `abcde` the pairs that begin behind the first letter
    for n in range(3000):
        word = misspelled_text(f"{n} abcde", 1.0).split()[1]
        counts[differing(word, "abcde")[0] - 1] += 1
    assert sum(counts) == 3000 and min(counts) > 900


@pytest.mark.parametrize("piece", ["a I of to 1234 a-b x.y", "aaa baaa no!!", "de\u0301 abe\u0301"])
def test_words_without_two_letters_to_exchange_stay(piece):
    assert misspelled_text(piece, 1.0) == piece


@pytest.mark.parametrize(("word", "asked"), [("It", "It"), ('"It', '"tI'), ("(It)", "(tI)"), ("'I'", "'I'")])
def test_the_first_character_stays_be_it_a_letter_or_not(word, asked):
    assert misspelled_text(word, 1.0) == asked


def test_lines_are_cut_into_pieces_and_long_ones_are_left_out(path):
    task = Misspelled(path=path, words=5, max_characters=27, held_out=0.0)
    found = list(task.examples("train"))
    assert all(len(e.target.split()) <= 5 and len(e.target) <= 27 for e in found)
    assert len({e.target for e in found}) == len(found)
    pieces = {" ".join(line.split()[first : first + 5]) for line in LINES for first in (0, 5, 10)}
    long = sum(len(piece) > 27 for piece in pieces)
    assert task.notes() == f"left out    {long} of {len(pieces)} pieces, of more than 27 characters" and long


def test_a_piece_is_in_one_split_however_many_words_are_misspelled(path):
    splits = {
        (share, split): {e.target for e in Misspelled(path=path, share=share).examples(split)}
        for share in (0.3, 0.9)
        for split in ("train", "validation", "test")
    }
    for split in ("train", "validation", "test"):
        assert splits[0.3, split] == splits[0.9, split]
    assert not splits[0.3, "train"] & splits[0.3, "test"]


def test_answers_are_scored_by_the_piece_and_by_the_word(path):
    task = Misspelled(path=path)
    asked = next(e for e in examples(path) if e.prompt != e.target)
    own, given = asked.target.split(), asked.prompt.split()
    wrong = sum(word != was for word, was in zip(given, own, strict=True))
    assert task.score(asked, asked.target) == {"exact_match": 1.0}
    assert task.score(asked, asked.prompt) == {"exact_match": 0.0}
    assert task.score(asked, asked.target + " ") == {"exact_match": 0.0}
    for answers, right, mended in (
        ([asked.target], len(own), wrong),
        ([asked.prompt], len(own) - wrong, 0),  # nothing was done
        ([""], 0, 0),
        ([" ".join(own[:2])], 2, sum(word != was for word, was in zip(given[:2], own[:2], strict=True))),
        ([asked.target + " and more"], len(own), wrong),
    ):
        found = task.summary([(asked, answer) for answer in answers], [])
        assert found["words right"][:2] == (right / len(own), len(own))
        assert found["misspelled words right"][:2] == (mended / wrong, wrong)
    assert task.summary([], []) == {}


def test_what_is_typed_is_asked_as_it_is(path):
    assert Misspelled(path=path).typed("  Teh  tide ").prompt == "Teh tide"


def test_what_cannot_be(path):
    for fields, message in (
        ({"words": 0}, "words=0 must"),
        ({"share": 0.0}, r"share=0\.0 must"),
        ({"share": 1.5}, r"share=1\.5 must"),
        ({"max_characters": -1}, "max_characters=-1 must"),
    ):
        with pytest.raises(ValueError, match=message):
            Misspelled(**fields)
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        list(misspelled().task.examples("train"))
    with pytest.raises(ValueError, match=r"no piece for validation with task\.held_out=0\.0 and"):
        list(Misspelled(path=path, held_out=0.0).examples("validation"))
    with pytest.raises(ValueError, match=r"no piece for train with .* task\.max_characters=5; change these"):
        list(Misspelled(path=path, max_characters=5).examples("train"))
