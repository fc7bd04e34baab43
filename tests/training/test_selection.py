"""Weights are selected on questions of their own, each replica's at its own step."""

import dataclasses
import json
import shutil
import signal

import jax
import numpy as np
import pytest
from flax import nnx
from tiny_runs import metrics, records, tiny
from variants import often

import jaxgpt
from jaxgpt.core.nested import replaced
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.nn.tap import recorder
from jaxgpt.runs import ending, session
from jaxgpt.runs.checkpoints import CheckpointError, Checkpoints
from jaxgpt.runs.late_scores import LateScores
from jaxgpt.runs.records import Records
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


class Killed(BaseException):
    """Ends a process as SIGKILL does, as far as files tell."""


#: Looks at the selection questions alone, the last at step 15; the first replica is best at 10.
LOOKS = {
    "training__steps": "15",
    "training__eval_every": "0",
    "training__looks": "0",
    "training__sample_every": "0",
    "training__keep_last": "1",
    "training__keep_best": "0",
}


@pytest.fixture
def stops(monkeypatch, quick_compilation):
    """Weights score what `SCORES` says of their step; while those of a step in this list do, a stop comes."""
    steps, make = [], session._hooks

    def hooks(*given):
        def select(step, models):
            if step in steps:
                steps.remove(step)
                signal.raise_signal(signal.SIGTERM)
            return list(SCORES[step])

        return dataclasses.replace(make(*given), select=select)

    monkeypatch.setattr(session, "_hooks", hooks)
    monkeypatch.setattr(session, "exact_match", lambda *given, **named: None)
    monkeypatch.setattr(session, "samples", lambda *given: ["none"])
    monkeypatch.setattr(ending.plots, "learning_curve", lambda *given: None)
    return steps


def train_until_stopped(path, **overrides):
    outcome = session.train(tiny(**(FIELDS | overrides)), path, say=lambda line: None)
    assert outcome.status == "stopped" and outcome.step == 10


def ended(path):
    """What a run recorded, but for times, and which weights it selected."""
    found = [row for row in metrics(path) if row["name"] not in ("seconds", "tokens_per_second")]
    return found, json.loads((path / "outcome.json").read_text(encoding="utf-8"))["selection"]


def files(folder):
    """Each file, with the time it was written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def check_same_weights(a, b, checkpoint):
    assert all(map(same, weights(a, checkpoint), weights(b, checkpoint)))


@pytest.mark.parametrize("moment", often(["recorded", "saved"], ("saved",)))
@pytest.mark.parametrize("save_every", often(["0", "5"], ("5",)))
def test_a_kill_after_a_look_that_was_made_up_loses_nothing(tmp_path, monkeypatch, stops, moment, save_every):
    """A stop during the look leaves a checkpoint without it, which stays until the next one is whole."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fields = LOOKS | {"training__save_every": save_every}
    train(whole, **fields)
    stops.append(10)
    train_until_stopped(parts, **fields)
    write = Records.write

    def killed_saving(self, step, *given, **named):
        # Orbax removes the checkpoint of a step before it writes another of it.
        shutil.rmtree(self.directory / str(step), ignore_errors=True)
        raise Killed

    def killed_recording(self, step, **values):
        if "selection_exact_match" in values:
            raise Killed
        write(self, step, **values)

    with monkeypatch.context() as patch:
        if moment == "saved":
            patch.setattr(Checkpoints, "save", killed_saving)
        else:
            patch.setattr(Records, "write", killed_recording)
        with pytest.raises(Killed):
            train(parts, resume=True, **fields)
    assert "going on from step 10" in train(parts, resume=True, **fields)
    assert ended(parts) == ended(whole) and ended(whole)[1]["steps"] == [10, 15]
    for checkpoint in ("last", "selected"):
        check_same_weights(parts, whole, checkpoint)
    assert not any((parts / "checkpoints" / ".selection").iterdir())  # step 10 is gone


@pytest.mark.thorough
def test_weights_that_were_saved_before_their_look_are_selected(tmp_path, stops):
    """The stop comes during the last look: its checkpoint is read as if it had been written after it."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fields = LOOKS | {"training__steps": "10"}
    train(whole, **fields)
    stops.append(10)
    train_until_stopped(parts, **fields)
    before = files(parts / "checkpoints" / "10")
    train(parts, resume=True, **fields)
    assert files(parts / "checkpoints" / "10") == before
    assert ended(parts) == ended(whole) and ended(whole)[1]["steps"] == [10, 5]
    check_same_weights(parts, whole, "selected")
    assert not same(weights(parts, "selected")[1], weights(parts, "last")[1])
    for path in (whole, parts):
        train(path, resume=True, **LOOKS)
    assert ended(parts) == ended(whole) and ended(whole)[1]["steps"] == [10, 15]
    check_same_weights(parts, whole, "selected")


@pytest.mark.parametrize("text", ["", "{}", "[0.5]", '[0.5, "1"]', "[0.5, NaN]", "[true, 0.5]"])
def test_scores_beside_a_checkpoint_that_were_changed_are_refused(tmp_path, text):
    scores = LateScores(tmp_path)
    scores.write(3, [0.25, 1])
    assert scores.has(3) and not scores.has(4) and scores.read(3, 2) == [0.25, 1.0]
    (tmp_path / ".selection" / "3.json").write_text(text)
    with pytest.raises(ValueError, match=r"3\.json (is not JSON|does not hold a score of each seed)"):
        scores.read(3, 2)


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
