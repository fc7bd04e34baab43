"""Heads of labels: which one a directory has, what it calls its labels, and that both survive a round."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from jaxgpt.cli import main as cli
from jaxgpt.data.labelled import CHOICE, SPAN
from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf

REFERENCES = Path(__file__).parent / "references"
TAGS = {"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-LOC", "4": "I-LOC"}


def copied(name, path, tensors=None, **fields):
    """A copy of a reference with more tensors and other fields."""
    shutil.copytree(REFERENCES / name, path)
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    (path / "config.json").write_text(json.dumps(config | fields), encoding="utf-8")
    held = load_file(path / "model.safetensors")
    save_file(held | (tensors or {}), path / "model.safetensors", metadata={"format": "pt"})
    return path


def pooler(prefix, width=24):
    return {f"{prefix}.pooler.dense.weight": np.ones((width, width), np.float32)} | {
        f"{prefix}.pooler.dense.bias": np.ones(width, np.float32)
    }


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("bert-token-labels", "bert"), ("bert-spans", "bert"), ("roberta-text-labels", "roberta")],
)
def test_a_pooler_that_a_head_does_not_read_is_left_out(tmp_path, name, prefix):
    """Many published models have one; the class in `architectures` says what its head reads."""
    loaded = load_hf(copied(name, tmp_path / "with", pooler(prefix)))
    plain = load_hf(REFERENCES / name)
    assert loaded.model.config == plain.model.config
    assert set(loaded.audit.ignored.values()) >= {"a pooler, which this head does not read"}
    with np.load(REFERENCES / name / "reference.npz") as reference:
        tokens = reference["tokens"]
    np.testing.assert_array_equal(loaded.model(tokens).labels, plain.model(tokens).labels)


@pytest.mark.parametrize(
    ("name", "known", "architecture"),
    [
        ("bert-spans", SPAN, "BertForQuestionAnswering"),
        ("bert-choices", CHOICE, "BertForMultipleChoice"),
        ("bert-token-labels", (), "BertForTokenClassification"),
        ("bert-text-labels", (), "BertForSequenceClassification"),
    ],
)
def test_a_head_stays_what_it_was(tmp_path, name, known, architecture):
    loaded = load_hf(REFERENCES / name)
    assert loaded.model.config.label_names == known
    save_hf(loaded, tmp_path / "again")
    written = json.loads((tmp_path / "again/config.json").read_text(encoding="utf-8"))
    assert written["architectures"] == [architecture]
    assert set(load_file(tmp_path / "again/model.safetensors")) == set(
        load_file(REFERENCES / name / "model.safetensors")
    )


@pytest.mark.parametrize("name", ["bert-token-labels", "bart-text-labels", "roberta-text-labels"])
def test_labels_keep_their_names(tmp_path, name):
    count = load_hf(REFERENCES / name).model.config.num_labels
    names = {str(i): f"kind {i}" for i in range(count)}
    loaded = load_hf(copied(name, tmp_path / "named", id2label=names))
    assert loaded.model.config.label_names == tuple(names.values())
    save_hf(loaded, tmp_path / "again")
    assert json.loads((tmp_path / "again/config.json").read_text(encoding="utf-8"))["id2label"] == names


@pytest.mark.parametrize("told", [None, [], {"0": "a"}, {"0": 1}, {str(i): f"LABEL_{i}" for i in range(5)}])
def test_names_that_are_none_are_left_out(tmp_path, told):
    loaded = load_hf(copied("bert-token-labels", tmp_path / "named", id2label=told))
    assert loaded.model.config.num_labels == 5 and loaded.model.config.label_names == ()


def test_a_run_made_of_it_answers_by_name(tmp_path, capsys):
    """The tokenizer has no token that hides others: the model has one more id than it."""
    names = {str(i): f"kind {i}" for i in range(3)}
    directory = copied("bert-text-labels", tmp_path / "named", id2label=names)
    run = str(tmp_path / "run")
    assert cli.main(["import-hf", str(directory), "--workdir", run, "--tokenizer", "digits"]) == 0
    assert "13 of 14 ids known" in capsys.readouterr().out
    assert cli.main(["generate", run, "--prompt", "12"]) == 0
    assert capsys.readouterr().out.strip() in names.values()
