"""An evaluation in a file: what was written is read, and what was changed ends in one line."""

import dataclasses
import json
import math

import pytest

from jaxgpt.evaluation import evaluation_file
from jaxgpt.evaluation.evaluation import Evaluation, Likelihood, Mistake, NotAsked, Row
from jaxgpt.evaluation.intervals import Estimate, proportion

SPREAD = Estimate(1.5, (1.25, 1.75), (1.25, 1.75))
WHOLE = Evaluation(
    "validation",
    2,
    Row("all", proportion((0.5, 0.75), 8), 8, scores={"near": SPREAD}),
    groups=(Row("3+4 digits", proportion((1.0, 1.0), 4), 4, False),),
    headings=(Row("equal lengths", proportion((0.5, 0.5), 2), 2),),
    summary={"different": SPREAD._replace(interval=None)},
    summary_of_real_text={"words": 3.0},
    likelihood={"held_out": Likelihood(SPREAD, SPREAD, 10, 20)},
    baseline_bits_per_byte=2.5,
    not_asked=(NotAsked("9+9 digits", 3, "too long", False),),
    mistakes=(Mistake("1+1 digits", "1+1=", "2", "3", "2", "3", {"near": 0.5}),),
    asked=8,
    trained_on=1,
    samples=("a text",),
    task={"kind": "arithmetic"},
    yardsticks={"exact match by chance": 0.1},
    no_value={"novel": "no square is right"},
)


@pytest.mark.parametrize("evaluation", [WHOLE, Evaluation("test", 1, None)], ids=["whole", "empty"])
def test_what_was_written_is_read(evaluation, tmp_path):
    evaluation.write_json(tmp_path / "evaluation.json")
    assert evaluation_file.read(tmp_path / "evaluation.json") == evaluation


@pytest.mark.parametrize("huge", [1e100, -1e230, math.inf])
def test_what_is_too_large_to_compute_with_is_read_as_no_number(huge, tmp_path):
    """Such as the error of an answer with 230 digits."""
    errors = {"absolute_error": Estimate(huge, None, (huge, 1.0))}
    dataclasses.replace(WHOLE, summary=errors).write_json(tmp_path / "evaluation.json")
    found = evaluation_file.read(tmp_path / "evaluation.json").summary["absolute_error"]
    assert math.isnan(found.mean) and math.isnan(found.per_seed[0]) and found.per_seed[1] == 1


def test_what_was_not_finite_is_no_number(tmp_path):
    WHOLE.write_json(tmp_path / "evaluation.json")
    data = WHOLE.to_json()
    data["likelihood"]["held_out"]["loss"] = {"mean": None, "interval": None, "per_seed": [None, 1.0]}
    (tmp_path / "evaluation.json").write_text(json.dumps(data))
    loss = evaluation_file.read(tmp_path / "evaluation.json").likelihood["held_out"].loss
    assert math.isnan(loss.mean) and math.isnan(loss.per_seed[0]) and loss.per_seed[1] == 1.0


@pytest.mark.parametrize(
    "changed",
    [
        [],
        {"seeds": 3},
        {"seeds": 10**30},
        {"per_seed": [0.5, 2.0]},
        {"per_seed": [None, 0.5]},
        {"per_seed": "ab"},
        {"n": 0},
        {"groups": [{}]},
        {"headings": 7},
        {"split": None},
        {"likelihood": {"held_out": {"loss": 1}}},
        {"summary": {"x": {"mean": 1e200, "interval": None, "per_seed": [0, 0]}}},
        {"scores": {"x": {"mean": 1, "interval": [1], "per_seed": [0, 0]}}},
        {"mistakes": [{"group": "\n" * 500}]},
        {"samples": [1]},
        {"task": 3},
        {"yardsticks": {"least loss": "none"}},
        {"no_value": {"novel": 3}},
    ],
    ids=range(18),
)
def test_what_was_changed_is_told_in_one_line(changed, tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(WHOLE.to_json() | changed if isinstance(changed, dict) else changed))
    with pytest.raises(
        ValueError, match=r"\A\S*evaluation\.json is not an evaluation .*evaluated again\Z"
    ) as error:
        evaluation_file.read(path)
    assert "\n" not in str(error.value) and len(str(error.value)) <= 300
