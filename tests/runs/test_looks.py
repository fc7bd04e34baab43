"""Looks at validation at log-spaced steps."""

import signal

import jax
import pytest
from flax import nnx
from tiny_runs import one_line, records, tiny

import jaxgpt
from jaxgpt.comparison.curves import Curve
from jaxgpt.runs import records as rows
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.run_loop import Loop
from jaxgpt.runs.session import train


@pytest.mark.thorough
@pytest.mark.parametrize("looks, steps", [(3, [1, 3, 9]), (1, [9]), (0, [9])])
def test_a_run_is_looked_at_as_often_as_asked(tmp_path, looks, steps):
    train(tiny(training__steps=9, training__looks=looks, seeds=2), tmp_path / "run", say=lambda line: None)
    found = records(tmp_path / "run")
    assert [record["step"] for record in found if "validation_exact_match" in record] == steps
    curve = Curve.of(rows.read(tmp_path / "run" / "metrics.jsonl"), range(2))
    assert list(curve.steps) == steps and all(len(values) == 2 for values in curve.per_seed)
    assert all(second > 0 for second in curve.seconds)


@pytest.mark.thorough
def test_they_come_beside_those_of_every_so_many_steps(tmp_path):
    fields = {"training__steps": 9, "training__looks": 3, "training__eval_every": 4}
    train(tiny(**fields), tmp_path / "run", say=lambda line: None)
    found = records(tmp_path / "run")
    assert [record["step"] for record in found if "validation_exact_match" in record] == [1, 3, 4, 8, 9]


@pytest.mark.thorough
def test_looks_change_no_loss(tmp_path):
    for name, looks in (("with", 4), ("without", 0)):
        train(tiny(training__steps=9, training__looks=looks), tmp_path / name, say=lambda line: None)
    losses = [
        [m for m in rows.read(tmp_path / name / "metrics.jsonl") if m.name == "loss"]
        for name in ("with", "without")
    ]
    assert losses[0] == losses[1] and losses[0]


def test_more_looks_than_steps_are_refused_in_one_line(jaxgpt, tmp_path):
    words = (
        "train",
        "addition",
        "--training.steps",
        "20",
        "--training.looks",
        "50",
        "--workdir",
        tmp_path / "run",
    )
    status, _, errors = jaxgpt(*words)
    assert status == 2
    assert "looks=50 is more than the steps=20 there are; look less often" in one_line(errors)
    assert not (tmp_path / "run").exists()


def test_more_kept_steps_than_steps_are_refused():
    with pytest.raises(ValueError, match="keep_spaced=21 is more than the steps=20 there are; keep fewer"):
        tiny(training__steps=20, training__keep_spaced=21)


@pytest.mark.thorough
def test_checkpoints_are_kept_at_spaced_steps_also_of_a_run_that_goes_on(tmp_path, monkeypatch):
    fields = {"training__steps": 9, "training__keep_spaced": 3, "training__chunk": 1}
    fields |= {"training__keep_last": 1, "training__keep_best": 0}
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    train(tiny(**fields), whole, say=lambda line: None)
    assert Checkpoints(whole / "checkpoints", fingerprint="", read_only=True).steps() == [1, 3, 9]
    before = Loop._log

    def stopping(self, found):
        before(self, found)
        if self.step == 5:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_log", stopping)
        assert train(tiny(**fields), parted, say=lambda line: None).status == "stopped"
    train(tiny(**fields), parted, resume=True, say=lambda line: None)
    assert Checkpoints(parted / "checkpoints", fingerprint="", read_only=True).steps() == [1, 3, 9]
    first, last = (jaxgpt.load(whole, checkpoint=step).models[0] for step in (1, 9))
    assert any(
        (a != b).any() for a, b in zip(*map(jax.tree.leaves, map(nnx.state, (first, last))), strict=True)
    )


def test_steps_that_epochs_come_to_are_counted(tmp_path):
    fields = {"training__epochs": 0.5, "training__train_examples": 64, "training__looks": 30}
    with pytest.raises(ValueError, match="looks=30 is more than the steps="):
        train(tiny(**fields), tmp_path / "run", say=lambda line: None)
