"""Training on tokens in files: the task, and a run on it from its beginning to its end."""

import json
import shutil

import numpy as np
import pytest
from tiny_runs import losses, one_line

from jaxgpt.cli.main import main
from jaxgpt.core.fields import from_json, to_json
from jaxgpt.data import corpus
from jaxgpt.data.corpus import open_corpus
from jaxgpt.data.stream import build_stream
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.task import SPLITS
from jaxgpt.training.experiment import Experiment
from tasks.text import Text
from tasks.tokens import Tokens, tokens

POEM = "".join(f"Person {i}:\nThe tide number {i * 37} comes in,\nand goes {i * 11}.\n\n" for i in range(500))
MODEL = {
    "model.num-layers": 1,
    "model.d-model": 16,
    "model.num-heads": 2,
    "model.max-length": 64,
    "training.steps": 40,
    "training.batch-size": 16,
    "training.chunk": 5,
    "training.log-every": 1,
    "training.eval-every": 0,
    "training.sample-every": 0,
    "training.test-examples": 0,
    "training.eval-examples": 8,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tokens of a poem in several shards, beside the poem."""
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "poem.txt").write_text(POEM)
    options = {"tokenizer": "bpe:280", "documents": "blocks:200", "held_out": 0.1}
    tokenize([str(folder / "poem.txt")], folder / "tokens", say=lambda line: None, **options)
    return folder


def arguments(folder, workdir, **more):
    """The command line of a small run."""
    words = ["train", "tokens", "--task.path", folder, "--workdir", workdir]
    for name, value in (MODEL | {n.replace("__", ".").replace("_", "-"): v for n, v in more.items()}).items():
        words += [f"--{name}", value]
    return words


def test_it_is_cut_and_held_out_as_a_text_is(made):
    """The same blocks in the same splits, and the same stream, as the task `text` gives for the file."""
    text = Text(path=str(made / "poem.txt"), block_characters=200)
    task, opened = Tokens(path=str(made / "tokens")), open_corpus(made / "tokens")
    for split in SPLITS:
        expected = [example.target for example in text.examples(split)]
        assert [example.target for example in task.examples(split)] == expected
        assert all(task.split_of(example) == split for example in task.questions(split))
        stream = build_stream(text.examples(split), opened.tokenizer, window=1).stream
        np.testing.assert_array_equal(opened.tokens(split)[:], stream)
        asked, known = list(task.questions(split)), list(text.questions(split))
        assert [(q.prompt[-40:], q.target) for q in asked] == [(q.prompt[-40:], q.target) for q in known]


def test_its_experiment_round_trips():
    experiment = tokens()
    assert from_json(Experiment, to_json(experiment)) == experiment
    with pytest.raises(ValueError, match="decided by jaxgpt tokenize --held-out; leave it out"):
        Tokens(held_out=0.2)


@pytest.fixture(scope="module")
def run(made, tmp_path_factory):
    """A run through its third epoch."""
    workdir = tmp_path_factory.mktemp("run") / "run"
    assert main([str(word) for word in arguments(made / "tokens", workdir)]) == 0
    windows = open_corpus(made / "tokens").windows("train", 64)
    assert 2 * windows.num_examples < 16 * 30 < 3 * windows.num_examples
    return workdir


@pytest.mark.thorough
def test_a_run_that_stopped_goes_on_bit_for_bit(run, made, tmp_path, jaxgpt):
    """In the middle of the third epoch; the files have been moved meanwhile."""
    copy, stopped = tmp_path / "copy", tmp_path / "stopped"
    shutil.copytree(made / "tokens", copy)
    assert jaxgpt(*arguments(copy, stopped, training__save_every=30))[0] == 0
    expected = losses(run)
    assert losses(stopped) == expected
    shutil.rmtree(stopped / "checkpoints" / "40")
    kept = [json.loads(line)["step"] <= 30 for line in (stopped / "metrics.jsonl").read_text().splitlines()]
    lines = (stopped / "metrics.jsonl").read_text().splitlines(keepends=True)
    (stopped / "metrics.jsonl").write_text("".join(lines[: kept.index(False)]))
    copy.rename(tmp_path / "moved")
    message = one_line(jaxgpt("train", "--resume", "--workdir", stopped)[2])
    assert "copy does not exist; it should be a directory made by jaxgpt tokenize" in message
    words = ("train", "--resume", "--workdir", stopped, "--task.path", tmp_path / "moved")
    status, output, errors = jaxgpt(*words)
    assert status == 0, errors
    assert "going on from step 30" in output and "task.path: " in output
    assert losses(stopped) == expected


@pytest.mark.thorough
def test_it_explains_itself(run, made, jaxgpt):
    recorded = json.loads((run / "resolved.json").read_text())
    assert recorded["fingerprint"] == open_corpus(made / "tokens").fingerprint
    assert json.loads((run / "tokenizer.json").read_text())["kind"] == "bpe"
    status, output, _ = jaxgpt("generate", run, "--prompt", "Person 1:", "--max-new-tokens", 5)
    assert status == 0 and output
    words = ("generate", run, "--prompt", "Person 1:", "--max-new-tokens", 200)
    # A stop text that never comes changes nothing, far behind what the model has room for.
    assert jaxgpt(*words, "--stop", "@@@") == jaxgpt(*words)
    status, output, errors = jaxgpt("evaluate", run, "--n", 5)
    assert status == 0, errors
    assert "bits per byte" in output


@pytest.mark.thorough
def test_other_tokens_than_the_run_began_on_are_refused(run, made, tmp_path, jaxgpt):
    (tmp_path / "poem.txt").write_text(POEM.replace("tide", "wave"))
    options = {"tokenizer": str(made / "tokens"), "documents": "blocks:200", "held_out": 0.1}
    tokenize([str(tmp_path / "poem.txt")], tmp_path / "other", say=lambda line: None, **options)
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    for words in [("train", "--resume", "--workdir", copy), ("evaluate", copy)]:
        message = one_line(jaxgpt(*words, "--task.path", tmp_path / "other")[2])
        assert "holds other tokens than the run was begun on" in message
    words = ("--task.path", tmp_path / "other", "--other-files", "--n", 5)
    assert jaxgpt("evaluate", copy, *words)[0] == 0


def test_mistakes_end_in_one_line(made, tmp_path, jaxgpt):
    spoiled = tmp_path / "spoiled"
    shutil.copytree(made / "tokens", spoiled)
    data = bytearray((spoiled / "train-00000.tokens").read_bytes())
    data[5000] ^= 1
    (spoiled / "train-00000.tokens").write_bytes(data)
    for more, message in [
        (
            {"task__path": spoiled},
            "train-00000.tokens is damaged: bytes 0 to 16,383 are not what was written",
        ),
        ({"task__path": ""}, "task.path is not set: name a directory made by jaxgpt tokenize"),
        ({"task__path": made}, "holds no tokens: there is no index.json"),
        ({"task__held_out": 0.5}, "decided by jaxgpt tokenize"),
        ({"tokenizer": "digits"}, "--tokenizer digits is not what"),
        ({"model__max_length": 100_000}, "too few for one window of model.max_length + 1 = 100001"),
        ({"model__kind": "encoder_decoder", "objective": "denoising"}, "objective=denoising needs texts"),
    ]:
        words = arguments(made / "tokens", tmp_path / "run", **more)
        if "task__path" in more:
            words = [w for i, w in enumerate(words) if w != "--task.path" and words[i - 1] != "--task.path"][
                :4
            ]
            words += ["--task.path", more["task__path"]]
        status, _, errors = jaxgpt(*words)
        assert status == 2 and message in one_line(errors), errors
    assert not (tmp_path / "run").exists()


def test_damage_in_a_large_corpus_ends_the_run_when_it_is_read(made, tmp_path, jaxgpt, monkeypatch):
    monkeypatch.setattr(corpus, "CHECKED_WHOLE", 0)
    spoiled = tmp_path / "spoiled"
    shutil.copytree(made / "tokens", spoiled)
    data = bytearray((spoiled / "train-00000.tokens").read_bytes())
    data[20_000] ^= 1
    (spoiled / "train-00000.tokens").write_bytes(data)
    status, output, errors = jaxgpt(*arguments(spoiled, tmp_path / "run"))
    assert status == 2 and "trained" not in output
    assert "train-00000.tokens is damaged: bytes 16,384 to 32,767 are not what was written" in one_line(
        errors
    )


@pytest.mark.thorough
def test_the_tokenizer_may_be_named_if_it_is_the_one(made, tmp_path, jaxgpt):
    words = arguments(made / "tokens", tmp_path / "run", tokenizer=made / "tokens" / "tokenizer.json")
    assert jaxgpt(*words, "--dry-run")[0] == 0
