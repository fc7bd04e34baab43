"""BART's table: what its arms cost, what they start from, and what is shown of them."""

import types

import pytest

from jaxgpt.core import fields
from jaxgpt.lecture.rows import pretraining_tasks as row
from jaxgpt.lecture.rows.pretraining_tasks import STARTS, PretrainingTasks

FILES = {"text": "plays.txt"}


@pytest.fixture(scope="module")
def arms():
    return {arm.name: arm for arm in PretrainingTasks().arms(FILES)}


def test_every_pretraining_costs_what_the_decoder_costs(arms):
    trained = {name for name in STARTS if arms[name].values["training.steps"] != "1"}
    assert len(trained) == 11 and len(STARTS) == 14
    for name in STARTS:
        equal = name in trained and name != "decoder: next token"
        assert arms[name].as_costly_as == ("decoder: next token" if equal else ""), name


def test_models_of_one_kind_differ_in_what_they_are_pretrained_on_alone(arms):
    for kind in ("decoder", "encoder", "both"):
        first, *others = (
            arms[name].training({}, quick=False) for name, one in STARTS.items() if one.kind == kind
        )
        for other in others:
            changed = {line.split(":")[0] for line in fields.differences(first, other)}
            still = {"optimizer.learning_rate", "optimizer.warmup_steps", "optimizer.weight_decay"}
            allowed = {
                "training.steps",
                *(still if 1 in (first.training.steps, other.training.steps) else ()),
            }
            assert {name for name in changed if not name.startswith("objective")} <= allowed
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
    monkeypatch.setattr(row.reached, "summary", lambda run, name: (run.share,) * 6)
    runs = {name: types.SimpleNamespace(share=number / 100) for number, name in enumerate(arms)}
    parts = PretrainingTasks().parts(runs, FILES)
    assert list(parts) == ["capitals", "scrambled", "misspelled"]
    for (name, part), task in zip(parts.items(), ("truecasing", "scrambled", "misspelled"), strict=True):
        assert part.values == {start: (runs[f"{task}, {start}"].share,) * 6 for start in STARTS}, name
    told = {start: part.published.get(start) for start in STARTS for part in [parts["scrambled"]]}
    assert told["decoder: next token"] == "80.1" and told["encoder: masked tokens"] == "83.5"
    assert told["both stacks: document rotation"] == "75.3" and told["decoder: random weights"] is None
