"""Scrambled sentences: which words change places, how many sentences are scrambled, what cannot be."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scrambled import Scrambled, scrambled, scrambled_sentence
from tasks.sentence_pairs import SentencePairs
from tasks.text import Text

WORDS = st.lists(st.sampled_from(["a", "A", "tide", "comes", "in", "out."]), min_size=1, max_size=8)


def moved(sentence, other):
    """The places whose words changed."""
    return [i for i, (w, v) in enumerate(zip(sentence.split(), other.split(), strict=True)) if w != v]


@given(WORDS, st.integers(1, 3))
def test_inner_words_that_differ_change_places(words, exchanges):
    sentence = " ".join(words)
    inner = [word.lower() for word in words[1:-1]]
    for exchange in ("neighbours", "any"):
        other = scrambled_sentence(sentence, exchange, exchanges)
        near = itertools.pairwise(inner)
        if not (len(set(inner)) > 1 if exchange == "any" else any(a != b for a, b in near)):
            assert other is None
            continue
        places = moved(sentence, other)
        assert 2 <= len(places) <= 2 * exchanges and len(places) % 2 == 0
        assert 0 not in places and len(words) - 1 not in places
        assert sorted(other.split()) == sorted(words)
        if exchange == "neighbours":
            assert all(b - a == 1 for a, b in zip(places[::2], places[1::2], strict=True))
        assert scrambled_sentence(sentence, exchange, exchanges) == other


def book(path, count=200):
    tides = (f"The tide number {n} comes in. Nobody saw it {n} times. No. No." for n in range(count))
    path.write_text("\n\n".join(tides))
    return Scrambled(path=str(path))


def test_every_second_sentence_of_a_split_is_scrambled(tmp_path):
    task = book(tmp_path / "book.txt")
    own = {s for n in range(200) for s in (f"The tide number {n} comes in.", f"Nobody saw it {n} times.")}
    count, paragraphs = 0, {}
    for split in ("train", "validation", "test"):
        found = list(task.examples(split))
        assert [e.target for e in found] == ["no", "yes"] * (len(found) // 2) + ["no"] * (len(found) % 2)
        for example in found:
            assert (example.prompt in own) == (example.target == "no")
            (original,) = (
                s for s in own if sorted(s.split()) == sorted(example.prompt.split()) and s in example.key
            )
            assert example.prompt in (original, scrambled_sentence(original, "neighbours"))
        count += len(found)
        paragraphs[split] = {example.key for example in found}
    assert count == len(own), "a sentence of one word has nothing to exchange"
    assert len(set.union(*paragraphs.values())) == sum(map(len, paragraphs.values())) == 200


def test_no_paragraph_that_a_language_model_reads_is_asked(tmp_path):
    asked = book(tmp_path / "book.txt")
    read = Text(path=asked.path, split_by="paragraphs")
    pairs = SentencePairs(path=asked.path, pairs="order")
    for split in ("train", "validation", "test"):
        paragraphs = {" ".join(example.target.split()) for example in read.examples(split)}
        assert {e.key for e in asked.examples(split)} == {e.key for e in pairs.examples(split)} == paragraphs
        assert {read.split_of(question) for question in read.questions(split)} == {split}


def test_a_sentence_of_a_paragraph_that_is_asked_may_be_read_in_another(tmp_path):
    path, sentence = tmp_path / "book.txt", "The tide comes in again."
    path.write_text("\n\n".join(f"{sentence} Nobody saw it {n} times." for n in range(200)))
    read = "\n".join(e.target for e in Text(path=str(path), split_by="paragraphs").examples("train"))
    asked = list(SentencePairs(path=str(path), pairs="order").examples("test"))
    assert asked and sentence in read
    assert all(sentence in example.prompt and example.key not in read for example in asked)


def test_long_sentences_are_left_out(tmp_path):
    task = book(tmp_path / "book.txt", 20)
    longer = Scrambled(path=task.path, max_characters=25)
    assert all(len(example.prompt) <= 25 for example in longer.examples("train"))
    assert longer.notes() == "left out    20 of 41 sentences, of more than 25 characters"


def test_what_cannot_be(tmp_path):
    for fields, message in (
        ({"exchanges": 0}, "exchanges=0 must be at least 1"),
        ({"max_characters": -1}, "max_characters=-1 must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            Scrambled(**fields)
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        list(scrambled().task.examples("train"))
    (tmp_path / "short.txt").write_text("No. Yes indeed.")
    with pytest.raises(ValueError, match=r"short\.txt: 0 sentences are train, and 2 are needed"):
        list(Scrambled(path=str(tmp_path / "short.txt")).examples("train"))
