"""Training in memory: the losses of a run, without files and without signals."""

import json
import signal
import threading

import jax
import numpy as np
import pytest
from tiny_runs import records, tiny
from variants import often

import jaxgpt
from jaxgpt.core import fields
from jaxgpt.runs import experiments
from jaxgpt.runs.session import train
from jaxgpt.training.trainer import Trainer, TrainingError


@pytest.fixture(scope="module", params=often([1, 2], (1,)), ids="{} seeds".format)
def experiment(request):
    return tiny(seeds=request.param, training__steps=9, training__chunk=4, training__test_examples=5)


@pytest.fixture(scope="module")
def trainer(experiment):
    """A trainer after 7 steps, made in pieces that do not end where a dispatch does."""
    trainer = Trainer(experiment)
    for count in (1, 0, 6):
        trainer.step(count)
    return trainer


@pytest.fixture(scope="module")
def run(experiment, tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    train(experiment, path / "run", say=lambda line: None)
    return path / "run"


def test_its_losses_are_those_of_a_run(trainer, run, experiment):
    one = experiment.seeds == 1
    told = [[r["loss"]] if one else r["loss"] for r in records(run) if "loss" in r]
    assert trainer.losses.shape == (7, experiment.seeds) and trainer.steps_done == 7
    assert trainer.losses.tolist() == told[:7]


@pytest.mark.thorough
def test_its_models_are_those_of_a_run(trainer, run, experiment):
    early = trainer.models[0]
    prompt = np.asarray([[3, 4, 5]])
    before = np.asarray(early(prompt).logits)
    trainer.step(2)
    for mine, theirs in zip(trainer.models, jaxgpt.load(run).models, strict=True):
        assert np.array_equal(np.asarray(mine(prompt).logits), np.asarray(theirs(prompt).logits))
    assert np.array_equal(np.asarray(early(prompt).logits), before)
    assert len(trainer.models) == experiment.seeds


def test_it_scores_as_a_run_does(trainer, run, experiment):
    trainer.step(9 - trainer.steps_done)
    training = experiment.training
    found = trainer.evaluate(n=training.test_examples, n_extra=training.extra_examples)
    assert json.loads((run / "evaluation.json").read_text()) == json.loads(json.dumps(found.to_json()))
    assert jaxgpt.load(run).evaluation == found
    last = [r for r in records(run) if "validation_loss" in r][-1]
    assert trainer.validation_losses() == np.atleast_1d(last["validation_loss"]).tolist()


def test_steps_beyond_the_schedule_are_refused(trainer):
    with pytest.raises(ValueError, match=r"step\(10\) after \d of training\.steps=9.*give at most"):
        trainer.step(10)
    with pytest.raises(ValueError, match=r"step\(-1\)"):
        trainer.step(-1)


@pytest.mark.thorough
def test_in_a_thread_nothing_is_written_and_no_signal_is_taken(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before, seen, losses = [signal.getsignal(n) for n in numbers], [], []

    def work():
        with jax.debug_nans(True):
            trainer = jaxgpt.Trainer(tiny(training__steps=3, training__chunk=2))
            trainer.step(3)
        seen.extend(signal.getsignal(n) for n in numbers)
        losses.append(trainer.losses)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == before and np.isfinite(losses[0]).all()
    assert not list(tmp_path.iterdir()) and capfd.readouterr() == ("", "")


def test_a_loss_that_is_not_finite_is_told_in_one_line():
    options = {"optimizer__learning_rate": 1e30, "optimizer__warmup_steps": 0, "optimizer__clip_norm": "none"}
    trainer = Trainer(tiny(training__steps=20, training__chunk=20, **options))
    with pytest.raises(
        TrainingError, match=r"\A[^\n]* not finite; lower optimizer\.learning_rate[^\n]*\Z"
    ) as told:
        trainer.step(20)
    first = int(np.argmin(np.isfinite(trainer.losses[:, 0])))
    assert first > 0 and f" at step {first + 1} (seed 0, batch {first}, " in str(told.value)


@pytest.mark.thorough
def test_restored_texts_have_no_questions(tmp_path):
    (tmp_path / "text.txt").write_text("The tide comes in. The other tide goes out.\n\n" * 40)
    options = {"task.path": str(tmp_path / "text.txt"), "model": "tiny", "objective": "denoising"}
    options |= {"model.kind": "encoder_decoder", "model.max_length": "64", "training.steps": "1"}
    trainer = Trainer(fields.override(experiments.find("text"), options))
    with pytest.raises(ValueError, match=r"no questions to score; see validation_losses"):
        trainer.evaluate()


@pytest.mark.parametrize("seeds", [1, 2])
def test_it_starts_from_models_that_it_is_given(seeds):
    experiment = tiny(seeds=seeds, training__steps=3, training__test_examples=0)
    trainer, other = Trainer(experiment), tiny(seeds=seeds, training__seed=7, training__test_examples=0)
    given = Trainer(other).models
    drawn = Trainer(experiment)
    trainer.start_from(given)
    prompt = np.asarray([[3, 4, 5]])
    for mine, theirs in zip(trainer.models, given, strict=True):
        assert np.array_equal(np.asarray(mine(prompt).logits), np.asarray(theirs(prompt).logits))
    trainer.step(1)
    drawn.step(1)
    assert (trainer.losses != drawn.losses).all()
    first = trainer.losses
    trainer.start_from(given)
    assert trainer.steps_done == 0 and trainer.losses.shape == (0, seeds)
    trainer.step(1)
    assert (trainer.losses == first).all()


def test_models_that_do_not_fit_are_refused():
    trainer = Trainer(tiny(training__test_examples=0))
    wide = Trainer(tiny(training__test_examples=0, **{"model__d_model": 32})).models
    with pytest.raises(ValueError, match="do not fit"):
        trainer.start_from(wide)
    with pytest.raises(ValueError, match="2 models for seeds=1"):
        trainer.start_from(trainer.models * 2)
