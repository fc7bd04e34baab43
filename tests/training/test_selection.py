"""Weights are selected on questions of their own, each replica's at its own step."""

import json

import jax
import numpy as np
import pytest
from flax import nnx
from tiny_runs import records, tiny
from variants import often

import jaxgpt
from jaxgpt.core.nested import replaced
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.nn.tap import recorder
from jaxgpt.runs import session
from jaxgpt.runs.checkpoints import CheckpointError
from jaxgpt.training.selection import Selection

#: Exact match of two seeds by step: the first is best at 10, the second at 15, where it equals step 5.
SCORES = {5: (0.1, 0.5), 10: (0.8, 0.2), 15: (0.3, 0.5), 20: (0.0, 0.0)}
FIELDS = {
    "task__validation_digits": "2",
    "training__select_every": "5",
    "training__select_examples": "4",
    "training__save_every": "5",
    "training__keep_last": "9",
    "optimizer__schedule": "constant",
    "seeds": "2",
}


@pytest.fixture
def scripted(monkeypatch):
    """Selection questions are answered as `SCORES` says; returns the questions of each look."""
    asked = []

    def exact_match(models, tokenizer, task, *, examples=None, **rest):
        if examples is None:
            return None
        asked.append(examples)
        values = SCORES[5 * len(asked)]
        return Estimate(float(np.mean(values)), None, values)

    monkeypatch.setattr(session, "exact_match", exact_match)
    return asked


def train(path, *, resume=False, **overrides):
    lines = []
    experiment = tiny(**(FIELDS | overrides))
    outcome = session.train(experiment, path, resume=resume, say=lines.append)
    assert outcome.status == "finished"
    return lines


def weights(path, checkpoint):
    """Every parameter of each replica."""
    return [jax.tree.leaves(nnx.state(model)) for model in jaxgpt.load(path, checkpoint=checkpoint).models]


def same(a, b):
    return all((x == y).all() for x, y in zip(a, b, strict=True))


@pytest.mark.thorough
def test_each_replica_keeps_its_best_step(tmp_path, scripted):
    train(tmp_path / "run")
    selected = weights(tmp_path / "run", "selected")
    assert same(selected[0], weights(tmp_path / "run", 10)[0])
    assert same(selected[1], weights(tmp_path / "run", 15)[1])  # of equals the later
    assert not same(selected[0], selected[1]) and not same(selected[0], weights(tmp_path / "run", "last")[0])
    # Longer than what is trained on, and from the validation split.
    task = tiny(**FIELDS).task
    for example in scripted[0]:
        assert example.group == "2+2 digits" and task.split_of(example) == "validation"
    found = records(tmp_path / "run")
    noted = {r["step"]: r["selection_exact_match"] for r in found if "selection_exact_match" in r}
    assert noted == {step: list(values) for step, values in SCORES.items()}


@pytest.mark.thorough
def test_a_run_that_goes_on_selects_what_it_would_have(tmp_path, scripted):
    train(tmp_path / "whole")
    scripted.clear()
    train(tmp_path / "parts", training__steps="15")
    train(tmp_path / "parts", resume=True)
    for a, b in zip(
        weights(tmp_path / "whole", "selected"), weights(tmp_path / "parts", "selected"), strict=True
    ):
        assert same(a, b)


@pytest.mark.thorough
def test_both_are_tested_and_written(tmp_path, scripted):
    lines = train(tmp_path / "run", training__test_examples="5", task__extra_digits="3")
    assert any("of step 10, 15" in line for line in lines)
    final, selected = (
        json.loads((tmp_path / "run" / f"{name}.json").read_text())
        for name in ("evaluation", "selected_evaluation")
    )
    assert final["n"] == selected["n"] == 5 and len(selected["per_seed"]) == 2
    assert (tmp_path / "run" / "selected_accuracy_grid.png").stat().st_size > 1000


def test_the_last_weights_are_looked_at(tmp_path, scripted):
    """Of fewer steps than `select_every` there is one look, and no other weights are the best ones."""
    train(tmp_path / "run", training__steps="3")
    assert len(scripted) == 1
    outcome = json.loads((tmp_path / "run" / "outcome.json").read_text(encoding="utf-8"))
    assert outcome["selection"] == {"steps": [3, 3], "scores": [*SCORES[5]]}


def test_one_replica():
    chosen = Selection.begin({"w": jax.numpy.zeros(2)}, 1)
    chosen.update(3, {"w": jax.numpy.ones(2)}, [0.0])
    chosen.update(6, {"w": jax.numpy.full(2, 5.0)}, [0.5])
    chosen.update(9, {"w": jax.numpy.full(2, 7.0)}, [0.4])
    equal = Selection.restored(chosen.params, chosen.note())
    equal.update(12, {"w": jax.numpy.full(2, 8.0)}, [0.5])
    assert equal.params["w"].tolist() == [8, 8]  # of equals the later
    assert chosen.params["w"].tolist() == [5, 5] and chosen.note() == {"steps": [6], "scores": [0.5]}
    again = Selection.restored(chosen.params, json.loads(json.dumps(chosen.note())))
    again.update(12, {"w": jax.numpy.full(2, 9.0)}, [0.45])
    assert again.params["w"].tolist() == [5, 5]


@pytest.mark.parametrize("noted", [{}, {"steps": 3, "scores": [0.5]}, {"steps": ["x"], "scores": [0.5]}])
def test_a_note_that_was_changed_is_refused(noted):
    with pytest.raises(ValueError, match="does not tell which weights were selected"):
        Selection.restored({}, noted)


@pytest.mark.thorough
def test_errors(tmp_path):
    with pytest.raises(ValueError, match=r"training\.select_every=5: .* task\.validation_digits"):
        session.train(tiny(training__select_every="5"), tmp_path / "none", say=lambda line: None)
    long = tiny(**(FIELDS | {"task__validation_digits": "9", "seeds": "1"}))
    with pytest.raises(ValueError, match=r"selection split: .* raise model\.max_length"):
        session.train(long, tmp_path / "long", say=lambda line: None)
    assert not (tmp_path / "long").exists()
    plain = tiny(training__steps="2")
    session.train(plain, tmp_path / "plain", say=lambda line: None)
    with pytest.raises(CheckpointError, match=r"no selected weights; train with training\.select_every"):
        jaxgpt.load(tmp_path / "plain", checkpoint="selected")


@pytest.mark.thorough
@pytest.mark.parametrize("position", often(["rotary", "coupled_relative"], ("rotary",)))  # with a bias, too
def test_attention_can_be_sharpened_in_an_evaluation(position, tmp_path):
    session.train(
        tiny(training__steps="2", model__position=position), tmp_path / "run", say=lambda line: None
    )
    plain, sharp = (jaxgpt.load(tmp_path / "run", attention_factor=factor) for factor in (1.0, 2.0))
    seen = []
    for run in (plain, sharp):
        found, tap = recorder()
        run.model(np.asarray([[3, 4, 5, 6]]), tap=tap)
        seen.append(np.asarray(found["decoder.0.attention.scores"]))
    visible = np.tril(np.ones((4, 4), bool))
    np.testing.assert_allclose(seen[1][..., visible], 2 * seen[0][..., visible], rtol=1e-5)
    with pytest.raises(ValueError, match=r"attention_factor=0\.0 must be positive"):
        jaxgpt.load(tmp_path / "run", attention_factor=0.0)
    assert replaced(plain.model.config, {"attention.factor": 2.0}) == sharp.model.config
