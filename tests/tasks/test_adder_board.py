"""AdderBoard's sums: the protocol's own questions, and the 26 weights that are trained on others."""

import itertools
import math
import random

import pytest

from jaxgpt import tokenizers
from jaxgpt.models.template import Template
from tasks.adder_board import AdderBoard, smallest_adder


def test_the_test_begins_with_the_questions_of_the_protocol():
    rng = random.Random(2025)
    drawn = [(rng.randint(0, 9_999_999_999), rng.randint(0, 9_999_999_999)) for _ in range(10_000)]
    asked = list(itertools.islice(AdderBoard().questions("test", 7), 10_020))
    pairs = [tuple(map(int, e.prompt.removesuffix("=").split("+"))) for e in asked]
    assert pairs[10:10_010] == drawn
    # The first and the last that it names, and what is asked beyond it, which is none of it.
    assert pairs[0] == (0, 0) and pairs[9] == (1, 9_999_999_999)
    assert not set(pairs[10_010:]) & set(pairs[:10_010])
    for example, (a, b) in zip(asked, pairs, strict=True):
        assert int(example.target[::-1]) == a + b and len(example.target) == 11


def test_none_of_them_is_trained_on():
    task = AdderBoard()
    for text in ("0+0", "1+9999999999", "9999999999+1"):
        assert task.split_of(task.typed(text)) == "test"
    trained = itertools.islice(task.examples("train"), 500)
    assert all(task.split_of(example) == "train" for example in trained)


def test_what_stands_behind_an_answer_is_not_read():
    task = AdderBoard()
    example = task.typed("9+71421")
    assert (example.prompt, example.target) == ("00000000009+00000071421=", "03417000000")
    for completion, right in (
        ("03417000000", 1.0),
        ("0341700000077+", 1.0),
        ("0341700000", 0.0),
        ("13417000000", 0.0),
    ):
        assert task.score(example, completion) == {"exact_match": right}
    assert task.answer(example.prompt, "0341700000077+") == "71430"
    for unreadable in ("0341700000", "0341+000000", "", "²3417000000"):
        assert task.answer(example.prompt, unreadable) == unreadable


@pytest.mark.parametrize(
    "text, said",
    [
        ("12", "cannot read"),
        ("1+2+3", "cannot read"),
        ("10000000000+1", "longer than task.max_digits=10"),
        ("9" * 5000 + "+1", "longer than task.max_digits=10"),
    ],
)
def test_what_is_no_question_is_told(text, said):
    with pytest.raises(ValueError, match=said):
        AdderBoard().typed(text)
    with pytest.raises(ValueError, match="max_digits=0 must be at least 1"):
        AdderBoard(max_digits=0)


def test_it_has_26_weights():
    experiment = smallest_adder()
    assert experiment.training.test_examples == 10_010
    examples = list(itertools.islice(experiment.task.examples("train"), 200))
    tokenizer = tokenizers.build(experiment.tokenizer, lambda: (e.prompt + e.target for e in examples))
    shapes = Template(experiment.model.for_vocabulary(tokenizer.vocabulary())).shapes
    parts = {name: math.prod(shape) for name, shape in shapes.items()}
    assert parts.pop("embedding.table") == 3
    assert parts.pop("decoder.tables.bias") == 3
    assert sum(n for name, n in parts.items() if ".attention." in name) == 4 * 2
    assert sum(n for name, n in parts.items() if ".mlp." in name) == 2 * 2 + 2 + 2 * 2 + 2
    assert sum(parts.values()) == 20
