"""Text: the three ways to cut a file, the questions, and the recipe's numbers."""

import dataclasses
import re

import pytest

from jaxgpt.core.fields import from_json, to_json
from jaxgpt.task import SPLITS, Task
from jaxgpt.training.experiment import Experiment
from tasks.text import Text, text, text_bytes, text_subwords

PARAGRAPHS = [f"Person {i}:\nThe tide number {i * 37} comes in,\nand goes {i * 11}." for i in range(400)]


@pytest.fixture
def poem(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_bytes(("\n\n".join(PARAGRAPHS) + "\n").replace("\n", "\r\n").encode())
    return Text(path=str(path), block_characters=200)


def whole(task):
    return "\n\n".join(PARAGRAPHS) + "\n"


def targets(task, split):
    return [example.target for example in task.examples(split)]


def test_blocks_are_disjoint_and_complete(poem):
    parts = {split: targets(poem, split) for split in SPLITS}
    every = [block for blocks in parts.values() for block in blocks]
    assert len(every) == len(set(every))
    assert sorted(every, key=whole(poem).index) == sorted(every, key=lambda b: whole(poem).find(b))
    assert "".join(sorted(every, key=whole(poem).index)) == whole(poem)
    assert all(block.endswith("\n") and len(block) < 300 for block in every)
    assert all(5 <= len(parts[split]) <= 30 for split in ("validation", "test"))
    assert parts == {split: [e.target for e in poem.examples(split, seed=1)] for split in SPLITS}


def test_the_tail_is_held_out_in_two_parts(poem):
    task = dataclasses.replace(poem, split_by="tail")
    (train,), (validation,), (test,) = (targets(task, split) for split in SPLITS)
    assert train + validation + test == whole(poem)
    for part, share in ((train, 0.8), (validation, 0.1), (test, 0.1)):
        assert abs(len(part) - share * len(whole(poem))) <= 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"held_out": float("inf")}, "held_out=inf must be at least 0 and below 0.5"),
        ({"held_out": float("nan"), "split_by": "tail"}, "held_out=nan must be at least 0 and below 0.5"),
        ({"held_out": 0.6, "split_by": "tail"}, "held_out=0.6 must be at least 0 and below 0.5"),
        ({"held_out": 1.0, "split_by": "nanogpt"}, "held_out=1.0 must be at least 0 and below 1"),
        ({"held_out": 0.0, "split_by": "tail"}, "held_out=0.0; raise --task.held-out"),
        ({"held_out": 0.0}, "held_out=0.0; raise --task.held-out"),
        ({"held_out": 1e-9, "split_by": "tail"}, "held_out=1e-09; raise --task.held-out, or give more text"),
        (
            {"held_out": 1e-9},
            "lower --task.block-characters, raise --task.held-out, or choose --task.split-by",
        ),
    ],
)
def test_a_share_that_cannot_be_held_out_is_told_with_a_cure_that_helps(poem, fields, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        list(dataclasses.replace(poem, **fields).examples("validation"))


def test_nanogpt_cuts_as_its_prepare_script_does(poem):
    task = dataclasses.replace(poem, split_by="nanogpt")
    data = whole(poem)
    assert targets(task, "train") == [data[: int(len(data) * 0.9)]]
    assert targets(task, "validation") == targets(task, "test") == [data[int(len(data) * 0.9) :]]


@pytest.mark.parametrize("split_by", ["blocks", "tail"])
def test_every_question_is_of_its_split(poem, split_by):
    task = dataclasses.replace(poem, split_by=split_by)
    for split in SPLITS:
        asked = list(task.questions(split))
        assert asked
        for question in [*asked, *task.examples(split)]:
            assert task.split_of(question) == split


def test_questions_end_paragraphs_and_accept_their_word(poem):
    asked = [q for split in SPLITS for q in poem.questions(split)]
    # A paragraph that a block boundary cuts is asked for the last word of each part.
    assert len(asked) >= len(PARAGRAPHS)
    for question in asked:
        assert question.prompt + question.target in whole(poem)
        assert poem.score(question, question.target + ".\n")["exact_match"] == 1
        for wrong in (question.target + "0", question.target[:-1], question.target.upper() + "s"):
            assert poem.score(question, wrong)["exact_match"] == 0
    short = dataclasses.replace(poem, question_characters=12)
    assert all(0 < len(q.prompt) <= 12 for q in short.questions("test"))


def test_errors(tmp_path, poem):
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        next(Text().examples("train"))
    path = tmp_path / "line.txt"
    path.write_text("one line only")
    with pytest.raises(ValueError, match=r"no text is left for .* --task\.split-by tail"):
        for split in SPLITS:
            list(Text(path=str(path)).examples(split))
    assert targets(Text(path=str(path), split_by="tail"), "test") == ["ly"]
    for fields in ({"block_characters": 0}, {"question_characters": -1}):
        with pytest.raises(ValueError, match=r"must"):
            Text(**fields)


def test_the_experiments_round_trip():
    for experiment in (text(), text_bytes(), text_subwords()):
        assert from_json(Experiment, to_json(experiment)) == experiment
    assert Task.named("text") is Text
    tokenizers = [e.tokenizer for e in (text(), text_bytes(), text_subwords())]
    assert tokenizers == ["characters", "bytes", "bpe:512"]


def test_shakespeare_is_cut_as_published(shared_data):
    """nanoGPT's data/shakespeare_char/prepare.py reports 1,003,854 and 111,540 characters."""
    task = Text(path=str(shared_data / "tinyshakespeare.txt"), split_by="nanogpt")
    assert [len(targets(task, split)[0]) for split in ("train", "validation")] == [1_003_854, 111_540]
