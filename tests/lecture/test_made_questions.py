"""Zero-shot tests made from a text: what they ask, and that the readers of such files read them."""

import json

import numpy as np
import pytest

from jaxgpt.evaluation.zero_shot import cbt
from jaxgpt.lecture.zero_shot_files import write_cloze, write_passages


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), rng.integers(2, 8))) for _ in range(60)]
    words += [word.title() for word in words[:20]] + [word.upper() for word in words[:20]]
    words += ["love's", "ill-used", "x" * 9 + "'st"]
    return "\n".join(" ".join(rng.choice(words, 8)) + "." for _ in range(900))


def test_the_last_word_of_a_passage_stands_in_it_before(text, tmp_path):
    assert write_passages(text, tmp_path / "passages.jsonl", 30) == 30
    lines = (tmp_path / "passages.jsonl").read_text().splitlines()
    passages = [json.loads(line)["text"].split() for line in lines]
    plain = " ".join(text.split())
    places = [plain.find(" ".join(words)) for words in passages]
    assert all(place >= 0 for place in places)
    for words, place, behind in zip(passages, places, [*places[1:], len(plain)], strict=True):
        assert len(words) == 40 and words[-1] in words[:-1] and len(words[-1]) >= 4 and words[-1].isalpha()
        assert place + len(" ".join(words)) <= behind  # they do not overlap


def test_a_left_out_word_is_one_of_ten_of_the_story(text, tmp_path):
    path = tmp_path / "books.txt"
    assert write_cloze(text, path, 12) == 12
    assert write_cloze(text, tmp_path / "all.txt", 10**6) > 200  # of 900 lines
    found = list(cbt.questions(str(path)))
    assert len(found) == 12
    for question in found:
        story = question.story.replace(".", " ").split()
        assert len(set(question.candidates)) == 10 and set(question.candidates) <= set(story)
        right = question.candidates[question.answer]
        kinds = {word[0].isupper() + word[1].isupper() for word in question.candidates}
        assert len(kinds) == 1 and min(map(len, question.candidates)) >= 4
        assert not {"love", "used", "x" * 9} & set(question.candidates)
        assert question.query.replace("XXXXX", right) in text.splitlines()
    answers = [question.answer for question in found]
    assert len(set(answers)) > 3  # the right one stands anywhere among them


def test_a_word_has_its_marks(text, tmp_path):
    assert write_passages("e\u0301coles " * 80, tmp_path / "passages", 5) == 2
    write_cloze(text.replace("love's", "love\u0301d"), tmp_path / "books", 10**6)
    asked = {word for question in cbt.questions(str(tmp_path / "books")) for word in question.candidates}
    assert "love\u0301d" in asked and "love" not in asked


def test_the_same_questions_are_asked_each_time(text, tmp_path):
    for name in ("one", "two"):
        write_cloze(text, tmp_path / name, 5)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_text_that_gives_no_question_is_told(tmp_path):
    for make in (write_passages, write_cloze):
        with pytest.raises(ValueError, match="give a longer text"):
            make("a b c\n" * 30, tmp_path / "none", 5)
