"""What the files of an evaluation are called: two that differ share no name."""

import re

import pytest
from tiny_runs import tiny

from jaxgpt.cli import evaluate
from jaxgpt.cli.output_name import MOST, differing, file_name
from jaxgpt.core import fields


def named(*words):
    """The name for the tiny run and a command line."""
    given = evaluate.parser().parse(["run", *words])
    changed = fields.differences(tiny(), fields.override(tiny(), given.fields))
    return file_name(["evaluation", *differing(given, changed, [])])


def test_a_name_says_what_differs():
    assert named("--split", "validation") == "evaluation_split-validation"
    words = ("--checkpoint", "15", "--attention-factor", "2", "--other-files", "--task.held-out", "0.2")
    assert named(*words) == "evaluation_checkpoint-15_attention-factor-2_other-files_held_out-0.2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("--task", "pairs", "--task.path", "a.tsv"), ("--task", "pairs", "--task.path", "b.tsv")),
        (("--task.hold-out", "a/b"), ("--task.hold-out", "a_b")),
        (("--task.hold-out", "1 -> a"), ("--task.hold-out", "2 -> a")),
        (("--task.hold-out", "x" * 300), ("--task.hold-out", "x" * 301)),
    ],
)
def test_what_a_name_cannot_hold_tells_two_apart_all_the_same(one, other):
    names = [named(*one), named(*other)]
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"evaluation_[\w.-]+", name) and len(name) <= MOST for name in names)
    assert named(*one) == names[0]


def test_the_longest_name_without_a_hash():
    fits = "x" * (MOST - 2)
    assert file_name(["a", fits]) == f"a_{fits}"
    assert file_name(["a", fits + "x"]) != f"a_{fits}"
    assert file_name(["a", "b"], left_out="c") not in ("a_b", file_name(["a", "b"], left_out="d"))
