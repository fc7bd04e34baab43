"""BART's table: what its arms cost, what they start from, and what is shown of them."""

import dataclasses
import types

import pytest

from jaxgpt.core import fields
from jaxgpt.lecture.rows import pretraining_tasks as row
from jaxgpt.lecture.rows.pretraining_tasks import STARTS, PretrainingTasks
from jaxgpt.models.template import Template
from jaxgpt.training.flops import training_flops

FILES = {"text": "plays.txt"}


@pytest.fixture(scope="module")
def arms():
    return {arm.name: arm for arm in PretrainingTasks().arms(FILES)}


def operations(experiment):
    """Of a training, by the tokens that its rows hold: a row, a row with masks behind it, or two rows."""
    model = dataclasses.replace(experiment.model, vocab_size=70)
    length, source = model.max_length, 0
    if experiment.model.kind == "encoder_decoder":
        length = source = (length - 2) * 2 // 3 + 2  # with the marks of the beginning and the end
    elif type(experiment.objective).kind() == "permuted":
        length += round(experiment.objective.share * length)
    one = training_flops(model, Template(model).shapes, tokens=length, source=source)
    return one * experiment.training.batch_size * experiment.training.steps


def test_pretrainings_cost_the_same(arms):
    costs = {name: operations(arms[name].training({}, quick=False)) for name in STARTS}
    costs = {name: cost for name, cost in costs.items() if not name.endswith("random weights")}
    assert len(costs) == 11
    for name, cost in costs.items():
        assert cost == pytest.approx(costs["decoder: next token"], rel=0.02), name


def test_models_of_one_kind_differ_in_what_they_are_pretrained_on_alone(arms):
    for kind in ("decoder", "encoder", "both"):
        first, *others = (
            arms[name].training({}, quick=False) for name, one in STARTS.items() if one.kind == kind
        )
        for other in others:
            changed = {line.split(":")[0] for line in fields.differences(first, other)}
            assert {name.split(".")[0] for name in changed} <= {"objective", "optimizer", "training"}
            assert first.model == other.model


def test_every_start_learns_every_task_alike(arms):
    assert len(arms) == 4 * len(STARTS)
    for task in ("truecasing", "scrambled", "misspelled"):
        tuned = {name: arms[f"{task}, {name}"] for name in STARTS}
        assert all(arm.begins_from == name and arm.experiment == task for name, arm in tuned.items())
        values = {
            name: {key: value for key, value in arm.values.items() if not key.startswith("model.")}
            for name, arm in tuned.items()
        }
        assert len({tuple(sorted(one.items())) for one in values.values()}) == 1
    writers = {name for name in STARTS if "model.kind" in arms[f"misspelled, {name}"].values}
    assert writers == {name for name, one in STARTS.items() if one.kind == "encoder"}


def test_what_was_published_stands_beside_its_own_arm(arms, monkeypatch):
    monkeypatch.setattr(row.reached, "exact_match", lambda run: (run.share,) * 6)
    runs = {name: types.SimpleNamespace(share=number / 100) for number, name in enumerate(arms)}
    parts = PretrainingTasks().parts(runs, FILES)
    assert list(parts) == ["capitals", "scrambled", "misspelled"]
    for (name, part), task in zip(parts.items(), ("truecasing", "scrambled", "misspelled"), strict=True):
        assert part.values == {start: (runs[f"{task}, {start}"].share,) * 6 for start in STARTS}, name
    told = {start: part.published.get(start) for start in STARTS for part in [parts["scrambled"]]}
    assert told["decoder: next token"] == "80.1" and told["encoder: masked tokens"] == "83.5"
    assert told["both stacks: document rotation"] == "75.3" and told["decoder: random weights"] is None
