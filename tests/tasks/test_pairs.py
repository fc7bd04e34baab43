"""Pairs: a file of prompts and targets, its splits, and what is wrong with a line."""

import dataclasses
import itertools
import os
import shutil

import pytest

from jaxgpt.core.fields import from_json, to_json
from jaxgpt.task import SPLITS, Example, Task
from jaxgpt.training.experiment import Experiment
from tasks.pairs import Pairs, pairs


@pytest.fixture
def squares(tmp_path):
    """300 squares, Windows line ends, a byte-order mark, empty lines, and every tenth prompt twice."""
    path = tmp_path / "squares.tsv"
    lines = [f"{n} squared is\t{n * n}" for n in range(300)]
    again = [f"{n} squared is\t{n}^2" for n in range(0, 300, 10)]
    text = "\r\n".join(["", *lines, "   ", *again, ""])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    return Pairs(path=str(path))


def read(task):
    return {split: list(task.examples(split)) for split in SPLITS}


def test_every_line_is_in_one_split_as_it_stands(squares):
    rows = read(squares)
    together = [(e.prompt, e.target) for examples in rows.values() for e in examples]
    lines = [(f"{n} squared is", f"{n * n}") for n in range(300)]
    assert sorted(together) == sorted(lines + [(f"{n} squared is", f"{n}^2") for n in range(0, 300, 10)])
    assert all(15 <= len(rows[split]) <= 55 for split in ("validation", "test"))
    assert all(squares.split_of(e) == split for split in SPLITS for e in rows[split])
    for split in SPLITS:  # asked in another order, all the same
        asked = list(squares.questions(split, seed=3))
        assert asked != rows[split]
        assert sorted(asked, key=repr) == sorted(rows[split], key=repr)


def test_a_prompt_that_stands_twice_is_in_one_split(squares):
    prompts = {split: {e.prompt for e in examples} for split, examples in read(squares).items()}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not prompts[one] & prompts[other]


def test_the_split_of_a_line_does_not_depend_on_the_others(squares, tmp_path):
    less = tmp_path / "less.tsv"
    less.write_text("".join(f"{n} squared is\t{n * n}\n" for n in range(299, 0, -2)))
    fewer = read(Pairs(path=str(less)))
    for split, examples in read(squares).items():
        assert set(fewer[split]) <= set(examples)


def test_exact_match_is_to_the_character(squares):
    example = next(squares.examples("test"))
    assert squares.score(example, example.target)["exact_match"] == 1
    for wrong in (example.target + " ", " " + example.target, example.target[:-1], example.target + "0", ""):
        assert squares.score(example, wrong)["exact_match"] == 0


def test_any_other_character_of_unicode_stands_in_a_line(tmp_path):
    path = tmp_path / "odd.tsv"
    path.write_text("a\x0bb\u2028c \t d\x85e\n", encoding="utf-8")
    found = [(e.prompt, e.target) for rows in _some(Pairs(path=str(path))) for e in rows]
    assert found == [("a\x0bb\u2028c ", " d\x85e")]


def _some(task):
    """The splits that have lines."""
    for split in SPLITS:
        try:
            yield list(task.examples(split))
        except ValueError as error:
            assert "has no line for" in str(error)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (b"no tab here", "has no tab: 'no tab here'"),
        (b"\tb", r"has nothing before its tab: '\tb'"),
        (b"a\t", r"has nothing after its tab: 'a\t'"),
        (b"\t", r"has nothing before its tab: '\t'"),
        (b"x" * 900, f"has no tab: '{'x' * 57}...'"),
    ],
)
def test_a_malformed_line_is_named_with_what_it_says(tmp_path, line, wrong):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(b"one\t1\n\ntwo\t2\n" + line + b"\nthree\t3\n")
    with pytest.raises(ValueError) as error:
        next(Pairs(path=str(path)).examples("train"))
    assert str(error.value) == f"{path} line 4 {wrong}; a line is a prompt, one tab, and a target"


def test_a_prompt_may_have_several_texts(tmp_path):
    path = tmp_path / "choices.tsv"
    path.write_bytes(b"which is red?\tsky\tblood\tblood\n")
    with pytest.raises(ValueError) as error:
        next(Pairs(path=str(path)).examples("train"))
    assert "has 3 tabs: " in str(error.value)
    assert str(error.value).endswith(
        "one tab, and a target; or set task.texts=0, for prompts of several texts"
    )
    for texts in (0, 3):
        (found,) = [e for rows in _some(Pairs(path=str(path), texts=texts)) for e in rows]
        assert (found.prompt, found.target) == ("which is red?\tsky\tblood", "blood")
    with pytest.raises(ValueError, match=r"3 tabs.*a line is 2 texts and a target, by tabs$"):
        next(Pairs(path=str(path), texts=2).examples("train"))
    with pytest.raises(ValueError, match="texts=-1 must be"):
        Pairs(path=str(path), texts=-1)


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    def message(task):
        with pytest.raises(ValueError) as error:
            next(task.examples("train"))
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "--task.path FILE" in message(Pairs())
    assert "cannot be read (No such file or directory)" in message(Pairs(path=str(tmp_path / "none.tsv")))
    (tmp_path / "empty.tsv").write_text("\n\n")
    assert message(Pairs(path=str(tmp_path / "empty.tsv"))).endswith("empty.tsv is empty")
    (tmp_path / "latin.tsv").write_bytes("un\t1\nd\xe9j\xe0\t2\n".encode("latin-1"))
    assert "line 2: byte 0xe9 is not UTF-8" in message(Pairs(path=str(tmp_path / "latin.tsv")))


def test_a_split_without_lines_says_what_to_change(tmp_path):
    path = tmp_path / "one.tsv"
    path.write_text("one\t1\n")
    with pytest.raises(ValueError, match=r"no line for test with task\.held_out=0\.0; raise that, or add"):
        next(Pairs(path=str(path), held_out=0.0).examples("test"))
    with pytest.raises(ValueError, match=r"no line for train with task\.held_out=0\.5; lower that, or add"):
        next(Pairs(path=str(path), held_out=0.5).examples("train"))


def test_the_file_is_read_again_when_it_changes(squares, tmp_path):
    assert sum(len(rows) for rows in read(squares).values()) == 330
    shutil.copy(squares.path, tmp_path / "copy.tsv")
    with open(squares.path, "ab") as file:
        file.write(b"one more\tline\n")
    os.utime(squares.path, ns=(1, 1))
    assert sum(len(rows) for rows in read(squares).values()) == 331


def test_shots_of_a_small_group_are_found_in_a_large_file(tmp_path):
    path = tmp_path / "groups.tsv"
    lines = [f"{n} is\t{n}\t{'rare' if n % 10_000 == 0 else 'often'}\n" for n in range(60_000)]
    path.write_text("".join(lines))
    task = Pairs(path=str(path), group="column")
    train = {f"{e.prompt}{e.target}" for e in task.examples("train") if e.group == "rare"}
    assert len(train) > 1
    few = dataclasses.replace(task, shots=len(train) - 1)
    (question, *_) = (e for e in task.examples("train") if e.group == "rare")
    *shown, asked = few.with_shots(question).prompt.split("\n\n")
    assert set(shown) == train - {f"{question.prompt}{question.target}"} and asked == question.prompt
    with pytest.raises(ValueError, match=r"only 0 training examples of group 'none' were found"):
        few.with_shots(Example("1 is", "1", group="none"))


def test_shots_are_lines_of_the_training_split(squares):
    training = {f"{e.prompt}{e.target}" for e in squares.examples("train")}
    task = dataclasses.replace(squares, shots=2)
    for plain, question in zip(squares.questions("test"), task.questions("test"), strict=True):
        *shots, asked = question.prompt.split("\n\n")
        assert len(shots) == 2 and set(shots) <= training
        assert (asked, question.target) == (plain.prompt, plain.target)
        assert task.split_of(question) == "test"


def test_a_malformed_line_ends_training_before_it_starts(tmp_path, jaxgpt):
    path = tmp_path / "pairs.tsv"
    path.write_text("one\t1\ntwo 2\n")
    status, _, errors = jaxgpt("train", "pairs", "--task.path", path, "--workdir", tmp_path / "run")
    assert status == 2
    assert errors.splitlines()[-1].startswith(f"error: {path} line 2 has no tab: 'two 2'")
    assert not (tmp_path / "run").exists()


def test_the_experiment_round_trips():
    experiment = pairs()
    assert from_json(Experiment, to_json(experiment)) == experiment
    assert Task.named("pairs") is Pairs and Pairs.kind() == "pairs"
