"""`jaxgpt verify-hf` and `jaxgpt export-hf`, as a user types them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from variants import often

import jaxgpt
from jaxgpt.cli.main import main
from jaxgpt.huggingface import verify

REFERENCES = Path(__file__).parent / "references"


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(["gpt2", "t5"], ("gpt2",)))
def test_a_directory_is_compared_with_stored_logits(name, capsys, tmp_path):
    shutil.copytree(REFERENCES / name, tmp_path / name)
    reference = tmp_path / name / "reference.npz"
    assert main(["verify-hf", str(tmp_path / name), "--reference", str(reference)]) == 0
    shown = capsys.readouterr().out
    assert "top 1 100.00 %, top 5 100.00 %" in shown and "they agree" in shown
    with np.load(reference) as file:
        changed = dict(file)
    changed["logits"] = 1.01 * changed["logits"]
    np.savez(tmp_path / "other.npz", **changed)
    assert main(["verify-hf", str(tmp_path / name), "--reference", str(tmp_path / "other.npz")]) == 1
    assert "they differ by more than 0.001" in capsys.readouterr().out


def test_a_classifying_longformer_reads_without_global_tokens_as_transformers_does():
    name = REFERENCES / "longformer-text-labels"
    with np.load(name / "reference.npz") as file:
        given = dict(file)
    assert given["global_tokens"][1].tolist() == [0, -1]  # what transformers takes where none are given
    found = verify.logits(jaxgpt.load_hf(name), {"tokens": given["tokens"]})
    np.testing.assert_allclose(found[1], given["labels"][1], atol=1e-4)


@pytest.mark.thorough
def test_references_that_cannot_be_used(capsys, tmp_path):
    np.savez(tmp_path / "empty.npz", tokens=np.zeros((1, 2), int))
    (tmp_path / "text.npz").write_text("logits")
    np.savez(tmp_path / "short.npz", tokens=np.zeros((1, 2), int), logits=np.zeros((1, 3, 41)))
    for name, words in (
        ("empty.npz", "has no logits; it has tokens"),
        ("text.npz", "is no .npz file"),
        ("none.npz", "is no .npz file"),
        ("short.npz", "logits of shape [1, 2, 41] here and [1, 3, 41] in the reference"),
    ):
        assert main(["verify-hf", str(REFERENCES / "gpt2"), "--reference", str(tmp_path / name)]) == 2
        assert words in capsys.readouterr().err
    assert main(["verify-hf", str(REFERENCES / "bert-base"), "--reference", str(tmp_path / "empty.npz")]) == 2
    assert main(["verify-hf"]) == 2


def test_the_measures_of_agreement():
    rng = np.random.default_rng(0)
    theirs = rng.normal(size=(2, 3, 9))
    same = verify.compare(theirs, theirs)
    assert (same.largest, same.kl, same.top1, same.top5, same.tokens) == (0, 0, 1, 1, 6)
    shifted = verify.compare(theirs + 3, theirs)  # the same distributions
    assert shifted.kl < 1e-12 and shifted.top5 == 1 and shifted.largest > 0.5
    p, q = np.asarray([[[0.5, 0.25, 0.25]]]), np.asarray([[[0.25, 0.25, 0.5]]])
    found = verify.compare(np.log(q), np.log(p))
    assert found.kl == pytest.approx(0.25 * np.log(2)) and found.top1 == 0


FIELDS = (
    *("--model.position", "learned", "--model.num-layers", "1", "--model.d-model", "16"),
    *("--model.max-length", "16", "--task.max-digits", "2", "--task.extra-digits", ""),
    *("--training.steps", "3", "--training.train-examples", "64", "--training.test-examples", "0"),
)


@pytest.mark.thorough
def test_a_run_is_exported_and_read_again(tmp_path, capsys):
    run = str(tmp_path / "run")
    assert main(["train", "addition", "--workdir", run, *FIELDS]) == 0
    out = str(tmp_path / "exported")
    assert main(["export-hf", run, "--family", "gpt2", "--output", out]) == 0
    config = json.loads((tmp_path / "exported" / "config.json").read_text())
    assert config["model_type"] == "gpt2" and config["architectures"] == ["GPT2LMHeadModel"]
    loaded, own = jaxgpt.load_hf(out), jaxgpt.load(run)
    assert loaded.tokenizer.fingerprint == own.tokenizer.fingerprint
    ids = np.asarray([own.tokenizer.encode("12+34=")])
    np.testing.assert_allclose(loaded.model(ids).logits, own.model(ids).logits, atol=1e-6)
    capsys.readouterr()
    for argv, words in (
        (["export-hf", run, "--family", "gpt2"], "export-hf needs --output"),
        (["export-hf", run, "--output", out], "export-hf needs --family"),
        (["export-hf", run, "--family", "gpt2", "--output", out], "exists and is not empty"),
        (["export-hf", run, "--family", "llama", "--output", out + "2"], "has position=rotary, not learned"),
    ):
        assert main(argv) == 2
        assert words in capsys.readouterr().err
