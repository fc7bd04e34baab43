"""A tokenizer or an experiment file that is not the run's is noticed before anything is made of it."""

import json

import pytest
from tiny_runs import arguments, copied, losses, one_line, tiny

from jaxgpt import tokenizers
from jaxgpt.core import fields
from jaxgpt.runs import schema
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.runs.session import train
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.resolved import Resolved


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
    resolved = Resolved(7, 16, None, 0, ("no", "yes"), "12-ab", "written out", 1000)
    directory.write(experiment, resolved, tokenizers.build("digits", lambda: ["0+="]))
    back, tokenizer = directory.read()
    assert back.task.fingerprint == "12-ab" and back.model.label_names == ("no", "yes")
    assert not fields.differences(experiment, back) and directory.read_resolved() == resolved
    assert tokenizer.decode(tokenizer.encode("0+0=")) == "0+0="
    data = json.loads(directory.experiment.read_text())
    assert data.pop("schema") == schema.NUMBER and fields.from_json(Experiment, data) == experiment
    names = ["experiment.json", "resolved.json", "tokenizer.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (None, "schema=1 is that of jaxgpt 0.1; read it with that version"),
        (1, "schema=1 is that of jaxgpt 0.1; read it with that version"),
        (2, "schema=2 is that of jaxgpt 0.2; read it with that version"),
        (4, "schema=4 is unknown; this jaxgpt reads 3; take the version that wrote it"),
        ("2", "schema='2' is unknown"),
        (True, "schema=True is unknown"),
    ],
)
@pytest.mark.parametrize("name", ["experiment.json", "resolved.json"])
def test_another_schema_is_refused(jaxgpt, run, name, number, message):
    data = json.loads((run / name).read_text()) | {"schema": number}
    (run / name).write_text(json.dumps(data))
    for error in every_use(jaxgpt, run):
        assert name in error and message in error


def test_a_checkpoint_of_another_schema_is_refused(jaxgpt, run):
    for file in (run / "checkpoints").glob("*/_CHECKPOINT_METADATA"):
        metadata = json.loads(file.read_text())
        del metadata["custom_metadata"]["schema"]
        file.write_text(json.dumps(metadata))
    for error in every_use(jaxgpt, run):
        assert "schema=1 is that of jaxgpt 0.1" in error


def test_a_resolved_file_that_is_missing_or_changed(jaxgpt, run):
    for text in (None, "[]", '{"steps": "7"}'):
        (run / "resolved.json").unlink()
        if text is not None:
            (run / "resolved.json").write_text(text)
        for error in every_use(jaxgpt, run):
            assert "resolved.json" in error
        (run / "resolved.json").touch()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "changes",
    [{"training__epochs": 0.02}, pytest.param({"model__position": "coupled"}, marks=pytest.mark.thorough)],
)
def test_a_run_records_what_was_given(tmp_path, changes):
    experiment = tiny(training__steps=3, training__test_examples=0, **changes)
    train(experiment, tmp_path / "run", say=lambda line: None)
    recorded = json.loads((tmp_path / "run" / "experiment.json").read_text())
    assert recorded == {"schema": schema.NUMBER, **fields.to_json(experiment)}
    assert json.loads((tmp_path / "run" / "resolved.json").read_text())["steps"] >= 1


@pytest.mark.thorough
def test_one_example_and_a_batch_larger_than_the_data(jaxgpt, tmp_path, quick_compilation):
    words = arguments(tmp_path / "run", training__train_examples=1, training__steps=2)
    status, output, errors = jaxgpt("train", *words)
    assert (status, errors) == (0, "")
    assert "1 example" in output
    assert sorted(losses(tmp_path / "run")) == [1, 2]
