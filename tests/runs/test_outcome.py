"""What a finished run says of the time it took and the machine it ran on."""

import itertools
import json
from types import SimpleNamespace

import jax
import pytest
from tiny_runs import records, tiny

from jaxgpt.core import progress
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.records import Metric, training_seconds
from jaxgpt.runs.session import train


def test_time_is_added_up_over_the_processes_of_a_run():
    found = [Metric(i, None, "seconds", s) for i, s in ((1, 1.5), (2, 3.0), (3, 0.5), (4, 2.0))]
    assert training_seconds([*found, Metric(5, 0, "validation_loss", 1.0)]) == 5.0
    assert training_seconds([]) == 0


def test_the_time_of_a_run_that_goes_on_is_counted_on(tmp_path, monkeypatch):
    clock = itertools.count(0, 100)
    with monkeypatch.context() as patch:
        patch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
        train(tiny(training__steps=4), tmp_path / "run", say=lambda line: None)
    spent = Checkpoints(tmp_path / "run" / "checkpoints", fingerprint="", read_only=True).trained_for(4)
    run = train(tiny(training__steps=6), tmp_path / "run", resume=True, say=lambda line: None)
    found = {metric.step: metric.value for metric in run.metrics if metric.name == "seconds"}
    assert list(found) == [1, 2, 3, 4, 5, 6] and list(found.values()) == sorted(found.values())
    assert 100 < found[4] <= spent <= found[5] < spent + 100
    assert json.loads((tmp_path / "run" / "outcome.json").read_text())["seconds"] == found[6]


def test_speed_and_time_left_are_those_of_this_process(monkeypatch):
    """A run that goes on from step 50 of 100, in steps of 10 tokens."""
    now, said = [1000.0], []
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(progress.printing, "is_terminal", lambda: False)
    found = progress.Progress(100, start=50, tokens=10, say=said.append, spent=5.0)
    now[0] += 4
    found.advance(60, 2.0)
    assert (found.seconds, found.tokens_per_second, said) == (9.0, 25.0, [])
    with found.paused():
        now[0] += 100
    now[0] += 6
    found.advance(70, 1.5, 2)
    assert (found.seconds, found.tokens_per_second) == (15.0, 20.0)
    assert said == ["step 70/100  loss 1.5000  2 skipped  20 tokens/s  0:15 left"]
    found.advance(100, 1.25)
    assert said[1:] == ["step 100/100  loss 1.2500  50 tokens/s  0:00 left"]


@pytest.mark.parametrize(("noted", "seconds"), [({}, 0), ({"seconds": 2.5}, 2.5), ({"seconds": "1"}, 0)])
def test_a_checkpoint_that_tells_no_time_counts_from_0(finished_run, monkeypatch, noted, seconds):
    monkeypatch.setattr(Checkpoints, "_metadata", lambda self, step: {"loss": 1.0} | noted)
    checkpoints = Checkpoints(finished_run / "checkpoints", fingerprint="", read_only=True)
    assert checkpoints.trained_for(20) == seconds


@pytest.mark.thorough
def test_a_run_tells_its_time_and_machine(tmp_path):
    train(tiny(training__steps="2"), tmp_path / "run", say=lambda line: None)
    outcome = json.loads((tmp_path / "run" / "outcome.json").read_text())
    assert outcome["steps"] == 2 and 0 < outcome["seconds"] < 60
    assert outcome["parameters"] > 1000
    assert outcome["machine"]["cores"] >= 1 and outcome["machine"]["jax"] == jax.__version__


@pytest.mark.parametrize(
    ("save_every", "eval_every", "steps"),
    [(0, 3, [3, 6, 7]), pytest.param(3, 3, [3, 6, 7], marks=pytest.mark.thorough), (0, 0, [7])],
)
def test_looks_are_recorded_at_every_eval_and_at_the_end(tmp_path, save_every, eval_every, steps):
    fields = {"training__steps": 7, "training__save_every": save_every, "training__eval_every": eval_every}
    fields |= {"training__log_every": 3}
    train(tiny(**fields), tmp_path / "run", say=lambda line: None)
    found = records(tmp_path / "run")
    for name in ("validation_loss", "validation_exact_match"):
        assert [record["step"] for record in found if name in record] == steps
    assert [record["step"] for record in found if "loss" in record] == [3, 6, 7]
