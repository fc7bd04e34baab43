"""A run that starts from another: each seed from its own replica, a new head, another kind of model."""

import dataclasses
import shutil

import numpy as np
import pytest
from tiny_runs import tiny

import jaxgpt
from jaxgpt.core.nested import replaced
from jaxgpt.models.template import Template
from jaxgpt.runs.run_weights import override, weights_of
from jaxgpt.training.prepare import prepare
from jaxgpt.training.trainer import first_state

pytestmark = pytest.mark.usefixtures("quick_compilation")
QUICK = {"training.steps": "2", "training.chunk": "2", "training.eval_every": "0"}


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """A small recurrent decoder, trained a little from the seeds 3 and 4."""
    path = tmp_path_factory.mktemp("pretrained") / "run"
    values = {"model.mixer": "lstm", "model.position": "none", "training.seed": "3", "seeds": "2"}
    jaxgpt.train(override(tiny(), values | QUICK), path, say=lambda line: None)
    return path


def tuned(path, **values):
    """The tiny experiment with the run's model."""
    given = {name.replace("__", "."): str(value) for name, value in values.items()}
    return override(tiny(), {"model.init": str(path), "training.seed": "3", "seeds": "2"} | QUICK | given)


def first_weights(experiment):
    """What the replicas of an experiment start with, by name."""
    prepared = prepare(experiment, given=weights_of(experiment))
    return prepared, first_state(prepared)["params"]


def replicas(path):
    run = jaxgpt.load(path)
    template = Template(run.model.config)
    return [template.params(model) for model in run.models]


def test_each_seed_starts_from_the_replica_of_its_own_seed(pretrained):
    there = replicas(pretrained)
    prepared, params = first_weights(tuned(pretrained))
    assert prepared.tokenizer.fingerprint == jaxgpt.load(pretrained).tokenizer.fingerprint
    assert "each seed from its own replica" in prepared.start.note
    assert not np.array_equal(there[0]["embedding.table"], there[1]["embedding.table"])
    for name in there[0]:
        np.testing.assert_array_equal(params[name], np.stack([one[name] for one in there]), err_msg=name)
    _, alone = first_weights(tuned(pretrained, seeds=1, training__seed=4))
    for name, value in there[1].items():
        np.testing.assert_array_equal(alone[name], value, err_msg=name)


def test_a_seed_that_was_not_trained_is_named(pretrained):
    with pytest.raises(ValueError, match=r"the seeds 3-4, .* there is none for seed 5; change seeds or"):
        first_weights(tuned(pretrained, seeds=3))


def test_a_trainer_in_memory_takes_them_too(pretrained):
    experiment = tuned(pretrained)
    with pytest.raises(ValueError, match=r"is a run directory: jaxgpt\.train starts from it"):
        jaxgpt.Trainer(experiment)
    trainer = jaxgpt.Trainer(experiment, given=weights_of(experiment))
    table = trainer.models[1].embedding.table[...]
    np.testing.assert_array_equal(table, replicas(pretrained)[1]["embedding.table"])


def test_labels_are_a_new_head_drawn_by_each_seed(pretrained, tmp_path):
    lines = tmp_path / "lines.tsv"
    lines.write_text("".join(f"{n}+{n}\t{'even' if n % 2 == 0 else 'odd'}\n" for n in range(200)))
    given = {"task": "pairs", "task.path": str(lines), "objective": "labels", "model.labels_from": "last"}
    experiment = override(tuned(pretrained), given)
    assert experiment.model.labels_from == "last"
    again = override(replaced(tiny(), {"model.labels_from": "last"}), {"model.init": str(pretrained)})
    assert again.model.labels_from == "last", "a run without labels leaves that to the experiment"
    path = tmp_path / "tuned"
    run = jaxgpt.train(experiment, path, say=lambda line: None)
    assert run.status == "finished" and run.models[0].config.label_names == ("even", "odd")
    # Labels of another task are another head; those of the same are kept.
    lines.write_text("".join(f"{n}+{n}\t{'big' if n > 99 else 'small'}\n" for n in range(200)))
    prepared, params = first_weights(override(experiment, {"model.init": str(path)} | given))
    assert prepared.start.drawn == prepared.start.left == ("labels.bias", "labels.kernel")
    assert not np.array_equal(params["labels.kernel"][0], params["labels.kernel"][1])


def test_one_replica_is_every_seeds_and_a_wider_one_is_refused(tmp_path, finished_run):
    experiment = override(tiny(), {"model.init": str(finished_run), "seeds": "2"})
    _, params = first_weights(experiment)
    for name, value in replicas(finished_run)[0].items():
        np.testing.assert_array_equal(params[name], np.stack([value, value]), err_msg=name)
    with pytest.raises(ValueError, match=r"is another model: its .* has the shape"):
        first_weights(override(experiment, {"model.d_model": "32"}))


@pytest.mark.parametrize("kind", ["value", "parabola"])
def test_an_embedding_of_numbers_is_taken_whole_or_not_at_all(tmp_path, kind):
    path = tmp_path / "run"
    run = jaxgpt.train(override(tiny(), {"model.embedding.kind": kind} | QUICK), path, say=lambda line: None)
    _, params = first_weights(override(tiny(), {"model.init": str(path)}))
    np.testing.assert_array_equal(params["embedding.table"], replicas(path)[0]["embedding.table"])
    assert run.model.config.embedding.kind == kind
    for changed, said in (
        ({"model.embedding.kind": "free"}, rf"it has embedding\.kind={kind}, and this one free"),
        ({"tokenizer": "bytes"}, "not those of single ids: its tokenizer"),
        ({"model.head.weights": "separate"}, "not those of single ids: its tokenizer"),
    ):
        with pytest.raises(ValueError, match=said):
            first_weights(override(tiny(), {"model.init": str(path)} | changed))


def test_a_run_goes_on_without_the_one_it_started_from(pretrained, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(pretrained, copy)
    path = tmp_path / "run"
    jaxgpt.train(tuned(copy), path, say=lambda line: None)
    shutil.rmtree(copy)
    experiment = jaxgpt.load(path).experiment
    longer = dataclasses.replace(experiment, training=dataclasses.replace(experiment.training, steps=4))
    assert jaxgpt.train(longer, path, resume=True, say=lambda line: None).step == 4


def test_the_command_line_starts_from_a_run(pretrained, tmp_path, jaxgpt):
    words = ["train", "addition", "--model.init", str(pretrained), "--training.seed", "3", "--seeds", "2"]
    words += ["--task.max-digits", "1", "--task.extra-digits", "", "--training.steps", "1"]
    words += ["--training.test-examples", "0", "--training.train-examples", "100"]
    words += ["--workdir", tmp_path / "run"]
    status, output, errors = jaxgpt(*words)
    assert status == 0, errors
    assert f"weights     from {pretrained}; each seed from its own replica" in output


def test_an_encoder_becomes_that_of_an_encoder_decoder_with_a_new_decoder(tmp_path):
    lines = tmp_path / "lines.tsv"
    lines.write_text("".join(f"{n}+{n}=\t{'even' if n % 2 == 0 else 'odd'}\n" for n in range(200)))
    values = {"task": "pairs", "task.path": str(lines), "objective": "labels", "model.kind": "encoder"}
    path = tmp_path / "encoder"
    jaxgpt.train(override(tiny(), values | {"seeds": "2"} | QUICK), path, say=lambda line: None)
    there = replicas(path)
    both = tuned(path, training__seed=0, model__kind="encoder_decoder")
    prepared, params = first_weights(both)
    # What told labels apart is left out; the decoder is one line of the note, however many weights it has.
    assert prepared.start.note.endswith("; drawn: decoder; left out: labels.bias, labels.kernel")
    ids = params["embedding.table"].shape[1]  # an encoder has one more, to hide tokens behind
    for one in there:
        one["embedding.table"] = one["embedding.table"][:ids]
    kept = [name for name in there[0] if name.split(".")[0] in ("encoder", "embedding")]
    assert any(name.startswith("encoder.blocks") for name in kept)
    for name in kept:
        np.testing.assert_array_equal(params[name], np.stack([one[name] for one in there]), err_msg=name)
    new = [name for name in params if name.startswith("decoder.") and name.endswith("kernel")]
    assert new and all(np.ptp(params[name][0]) for name in new)
    assert not np.array_equal(params[new[0]][0], params[new[0]][1]), "each seed draws its own"
    more = {"model__kind": "encoder_decoder", "model__num_layers": "3"}
    with pytest.raises(ValueError, match=r"has 1 layers, and this one 3; set model\.encoder_layers=1"):
        first_weights(tuned(path, training__seed=0, **more))
    with pytest.raises(ValueError, match=r"tuning\.weights=lora would leave the new decoder as it was drawn"):
        first_weights(override(both, {"training.tuning.weights": "lora"}))
    # Where none of its blocks would be kept, it is another model.
    with pytest.raises(ValueError, match=r"is another model: decoder\..* is in the model alone"):
        first_weights(tuned(path, training__seed=0, model__kind="decoder"))


def test_a_decoder_does_not_become_one_of_two_stacks(finished_run):
    values = {"model.init": str(finished_run), "model.kind": "encoder_decoder"}
    with pytest.raises(ValueError, match=r"is another model: .* is in the model alone"):
        first_weights(override(tiny(), values))
