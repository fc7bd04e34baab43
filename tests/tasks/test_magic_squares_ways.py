"""Ways of asking, the control, and squares whose entries are marked as prime or not."""

import dataclasses
import itertools
import re

import numpy as np
import pytest

from jaxgpt.task import SPLITS
from tasks import magic_squares
from tasks.magic_squares import MagicSquares
from tasks.magic_squares.layouts import Checked
from tasks.magic_squares.squares import LINES, cells, is_prime

SMALL = MagicSquares(limit=1000)
MATRIX = dataclasses.replace(SMALL, format="matrix")
CHECKED = dataclasses.replace(SMALL, format="checked", drills=300)
DRILL = "any numbers"


def asked(task, way):
    return dataclasses.replace(task, asked=way)


@pytest.mark.parametrize(
    ("task", "prompt", "centre"), [(SMALL, "sum 177=", "59"), (MATRIX, "Sum 177\n", "59")]
)
def test_a_sum_asks_for_its_third(task, prompt, centre):
    by_sum = asked(task, "sum")
    assert by_sum.prompt("sum 177") == by_sum.prompt(" Sum  0177") == prompt
    every = [list(itertools.chain(*map(t.examples, SPLITS))) for t in (task, by_sum)]
    targets = [[e.target for e in examples if e.key == centre] for examples in every]
    assert targets[0] == targets[1] and len(targets[0]) == 1
    (example,) = [e for e in every[1] if e.key == centre]
    other = next(e for e in every[1] if e.key != centre)
    assert example.prompt == prompt and by_sum.score(example, example.target)["exact_match"] == 1
    assert by_sum.score(example, other.target)["exact_match"] == 0
    impossible = dataclasses.replace(example, prompt=prompt.replace("177", "178"))
    assert by_sum.score(impossible, example.target)["exact_match"] == 0


@pytest.mark.parametrize("task", [SMALL, MATRIX])
def test_nothing_is_asked_at_temperature_1_as_often_as_there_are_squares(task):
    free = asked(task, "nothing")
    questions = list(free.questions("test"))
    assert {e.prompt for e in questions} == {""} and free.prompt("") == "" and free.temperature == 1
    assert len({e.target for e in questions}) == len(questions) == len(list(task.examples("test")))
    # Any valid square is right.
    example, other = questions[0], next(task.examples("train"))
    assert free.score(example, other.target)["exact_match"] == 1
    assert task.temperature == asked(task, "sum").temperature == asked(task, "mixed").temperature == 0


def test_mixed_has_every_square_in_every_way():
    mixed = list(asked(SMALL, "mixed").examples("train"))
    parts = [list(asked(SMALL, way).examples("train")) for way in ("usual", "sum", "nothing")]
    assert sorted((e.prompt, e.target) for e in mixed) == sorted(
        (e.prompt, e.target) for e in itertools.chain(*parts)
    )
    assert mixed[:10] != sorted(mixed[:10], key=lambda e: e.prompt)
    task = asked(SMALL, "mixed")
    assert task.sample_prompts == ("59", "sum 177", "")
    rows = [{task.headings(e) for e in part} for part in parts]
    assert rows == [{("asked as usual",)}, {("asked by a sum",)}, {("not asked",)}]
    assert not SMALL.headings(parts[0][0])


@pytest.mark.parametrize(
    ("way", "text", "hint"),
    [("usual", "sum 177", "write 59 or 103"), ("usual", "", "write 59"), ("sum", "59", "write sum 177")],
)
def test_what_was_not_trained_on_is_not_asked(way, text, hint):
    with pytest.raises(ValueError, match=hint) as error:
        asked(SMALL, way).prompt(text)
    assert "\n" not in str(error.value)
    assert asked(SMALL, "mixed").prompt(text) is not None


def entries(task, example):
    return task._layout.read(example.target).square


@pytest.mark.parametrize("task", [SMALL, MATRIX])
def test_the_control_keeps_entries_and_sums_true_and_loses_the_magic(task):
    control = dataclasses.replace(task, control="shuffled")
    true, shuffled = (list(t.examples("train")) for t in (task, control))
    assert [e.prompt for e in shuffled] == [e.prompt for e in true]
    columns = [np.sort([entries(task, e) for e in examples], axis=0) for examples in (true, shuffled)]
    assert (columns[0] == columns[1]).all()
    squares = [entries(task, e) for e in shuffled]
    assert all(is_prime(entry) for square in squares for entry in square)
    assert sum(len({sum(s[i] for i in line) for line in LINES}) == 1 for s in squares) == 0
    if task is MATRIX:
        assert all(all(task._layout.read(e.target).sums) for e in shuffled)
    # Held-out squares are true ones.
    assert list(control.examples("test")) == list(task.examples("test"))


#: The square of centre 59, as the compact layout has it in test_magic_squares.py, and one with composites.
RIGHT = "210 240:740+920+101+/311+950+500+/710+980+170+=7710"
WRONG = "210 630:740+530-590+/701-950+110+/320+380+170-=7710"


def test_marks_tell_which_entries_are_prime():
    example = next(e for e in CHECKED.examples("train") if e.group != DRILL)
    assert example.target.count("+") == 9 and "-" not in example.target
    assert CHECKED.score(example, example.target)["exact_match"] == 1
    assert CHECKED.prompt("59") == "950="
    asked_59 = dataclasses.replace(example, prompt="950=")
    assert CHECKED.answer("950=", RIGHT) == "47 29 101\n113 59 5\n17 89 71\nsum 177"
    assert CHECKED.score(asked_59, RIGHT)["exact_match"] == 1
    # What a model says of its entries does not make them prime, and a square without marks is none.
    assert CHECKED.score(asked_59, WRONG.replace("-", "+"))["exact_match"] == 0
    assert CHECKED.answer("950=", RIGHT.replace("+", " ")) == RIGHT.replace("+", " ")


def test_a_sum_that_is_asked_by_is_not_turned_and_the_answer_is():
    by_sum = dataclasses.replace(CHECKED, asked="sum", drills=0)
    assert by_sum.prompt("sum 177") == "sum 177="
    (example,) = [e for split in SPLITS for e in by_sum.examples(split) if e.key == "59"]
    assert (example.prompt, example.target) == ("sum 177=", RIGHT)
    assert by_sum.score(example, RIGHT)["exact_match"] == 1


def test_drills_are_squares_of_any_numbers_with_true_marks():
    train = list(CHECKED.examples("train"))
    drills = [e for e in train if e.group == DRILL]
    assert len(drills) == 300 and len(train) == 300 + len(list(SMALL.examples("train")))
    assert train[:50] != drills[:50]  # shuffled among the others
    for example in drills:
        prompt = re.fullmatch("([0-9]{3})=([0-9]{3}) ([0-9]{3}):", example.prompt)
        centre, b, a = (int(n[::-1]) for n in prompt.groups())
        entries = [(int(n[::-1]), mark) for n, mark in re.findall("([0-9]+)([+-])", example.target)]
        assert [n for n, _ in entries] == list(cells(centre, a, b))
        assert all((mark == "+") == is_prime(n) for n, mark in entries)
        assert int(example.target.split("=")[1][::-1]) == 3 * centre
        assert min(n for n, _ in entries) > 0 and max(n for n, _ in entries) < CHECKED.limit
        assert CHECKED.split_of(example) == "train" and example.key == str(centre)
    assert len({e.prompt for e in drills}) > 250
    assert len({len(e.prompt + e.target) for e in train}) == 1
    assert not [e for split in ("validation", "test") for e in CHECKED.examples(split) if e.group == DRILL]


def test_what_the_documentation_shows_is_there():
    formats = re.findall('format="([a-z]+)"', magic_squares.__doc__)
    assert set(formats) == {"matrix", "checked"}  # of compact, matrix and checked
    prompt, rest = Checked(10_000).drill(cells(59, 42, 12))
    assert f"`{prompt}`" in Checked.__doc__ and f":{rest}`" in Checked.__doc__


@pytest.mark.parametrize("way", ["usual", "nothing"])
def test_drills_are_not_asked_of_the_training_split(way):
    task, plain = (dataclasses.replace(CHECKED, asked=way, drills=drills) for drills in (300, 0))
    questions = list(task.questions("train"))
    assert sorted(q.prompt for q in questions) == sorted(q.prompt for q in plain.questions("train"))
    assert questions and all(task.score(q, q.target)["exact_match"] == 1 for q in questions)


def test_the_most_marks_are_chosen():
    task = dataclasses.replace(CHECKED, candidates=4)
    assert (task.temperature, CHECKED.temperature) == (0.5, 0.0)
    example = next(task.examples("test"))
    assert task.choose(example, ["210 240:", WRONG, RIGHT, RIGHT]) == 2
    assert task.choose(example, ["210 240:", "", "950"]) == 0


@pytest.mark.parametrize("field", ["drills", "candidates"])
def test_only_marks_can_be_drilled_or_chosen_by(field):
    with pytest.raises(ValueError, match=rf"{field}=5 needs format=checked"):
        dataclasses.replace(SMALL, **{field: 5})
    with pytest.raises(ValueError, match=rf"{field}=-1 must be at least"):
        dataclasses.replace(CHECKED, **{field: -1})
