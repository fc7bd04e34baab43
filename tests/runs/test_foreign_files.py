"""A tokenizer or an experiment file that is not the run's is noticed before anything is made of it."""

import json

import pytest
from tiny_runs import arguments, copied, losses, one_line, tiny

from jaxgpt import tokenizers
from jaxgpt.core import fields
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.training.experiment import Experiment


@pytest.fixture
def run(finished_run, tmp_path):
    """A copy of a finished run."""
    return copied(finished_run, tmp_path / "run")


def every_use(jaxgpt, run):
    """The error of each command that reads a run."""
    commands = (
        ("generate", run, "--prompt", "1+1"),
        ("evaluate", run, "--n", "1"),
        ("train", "--resume", "--workdir", run),
    )
    for words in commands:
        status, _, errors = jaxgpt(*words)
        assert status == 2, words
        yield one_line(errors)


def edited(path, change):
    """A JSON file after `change(data)`."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_a_tokenizer_changed_by_hand(jaxgpt, run):
    text = (run / "tokenizer.json").read_text()
    assert '"+0123456789="' in text
    (run / "tokenizer.json").write_text(text.replace('"+0123456789="', '"=0123456789+"'))
    for message in every_use(jaxgpt, run):
        assert "fingerprint" in message and "changed by hand" in message


def test_a_valid_tokenizer_of_another_run(jaxgpt, run):
    mine = tokenizers.load(run / "tokenizer.json")
    other = tokenizers.build("digits", lambda: ["0123456789*="])
    assert other.vocab_size == mine.vocab_size
    tokenizers.save(other, run / "tokenizer.json")
    for message in every_use(jaxgpt, run):
        assert mine.fingerprint in message and other.fingerprint in message
        assert "tokenizer.json" in message


@pytest.mark.parametrize("name", ["begin_ids", "end_ids"])
def test_ids_beyond_the_vocabulary_in_a_runs_tokenizer(jaxgpt, run, name):
    """JAX would read the last row of the embeddings for them."""
    size = tokenizers.load(run / "tokenizer.json").vocab_size
    edited(run / "tokenizer.json", put(name, [size]))
    for message in every_use(jaxgpt, run):
        assert f"tokenizer.json: {name}=[{size}] are not ids below {size}" in message


def test_a_tokenizer_that_is_missing_or_no_json(jaxgpt, run):
    (run / "tokenizer.json").write_text("{")
    for message in every_use(jaxgpt, run):
        assert "tokenizer.json is not a tokenizer's JSON" in message
    (run / "tokenizer.json").unlink()
    for message in every_use(jaxgpt, run):
        assert "tokenizer.json" in message


def put(path, value):
    """A change that sets the entry at a dotted path."""
    *parents, last = path.split(".")

    def change(data):
        for parent in parents:
            data = data[parent]
        data[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.num_layer", 2, "model has no field 'num_layer'; did you mean num_layers"),
        ("modle", {}, "Experiment has no field 'modle'; did you mean model"),
        ("model.num_layers", "2", "model.num_layers='2' is not of type int"),
        ("model.num_layers", True, "model.num_layers=True is not of type int"),
        ("model.num_layers", [2], "model.num_layers=[2] is not of type int"),
        ("model.norm", "layers", "model.norm='layers'"),
        ("model.d_model", "__import__('os').getcwd()", "is not of type int"),
        ("task.kind", "os:system", "'os:system' is not a Task"),
        ("task.kind", "arithmetics", "did you mean arithmetic"),
        ("task.kind", "jaxgpt.nn.position.rotary:Rotary", "is not a Task"),
        ("task.kind", "os; print(1):x", "package.module:name"),
        ("task.kind", 3, "task has no kind"),
        ("model.position.kind", "builtins:eval", "is not a Position"),
        ("training.mesh", 8, "training.mesh=8 is not an object"),
        ("training", None, "training=None is not an object"),
        ("seeds", 0, "seeds=0 must be at least 1"),
    ],
)
def test_an_experiment_file_that_was_changed(jaxgpt, run, path, value, message):
    edited(run / "experiment.json", put(path, value))
    for error in every_use(jaxgpt, run):
        assert message in error and "experiment.json" in error


@pytest.mark.parametrize("text", ["", "[]", "3", '{"model": ', "\ufeff{}", "{}"])
def test_an_experiment_file_that_holds_none(jaxgpt, run, text):
    (run / "experiment.json").write_text(text)
    for error in every_use(jaxgpt, run):
        assert "experiment.json" in error


def test_an_experiment_round_trip(tmp_path):
    experiment = tiny(
        seeds=3, optimizer__clip_norm="none", task__extra_digits="4,7", model__position="abacus"
    )
    directory = RunDirectory(tmp_path)
    directory.write(experiment, tokenizers.build("digits", lambda: ["0+="]))
    back, tokenizer = directory.read()
    assert back == experiment
    assert tokenizer.decode(tokenizer.encode("0+0=")) == "0+0="
    data = json.loads(directory.experiment.read_text())
    assert fields.from_json(Experiment, data) == experiment
    assert sorted(path.name for path in tmp_path.iterdir()) == ["experiment.json", "tokenizer.json"]


def test_one_example_and_a_batch_larger_than_the_data(jaxgpt, tmp_path, quick_compilation):
    words = arguments(tmp_path / "run", training__train_examples=1, training__steps=2)
    status, output, errors = jaxgpt("train", *words)
    assert (status, errors) == (0, "")
    assert "1 example" in output
    assert sorted(losses(tmp_path / "run")) == [1, 2]
