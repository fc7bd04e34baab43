"""`jaxgpt score`, as a user types it."""

import json
import shutil

import pytest
from zero_shot_models import model, of_texts, tokenizer

from jaxgpt.evaluation.zero_shot import detokenizers, scoring_files
from jaxgpt.huggingface.save import save_hf


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A directory of transformers with its tokenizer."""
    folder = tmp_path_factory.mktemp("model") / "exported"
    save_hf(model(), folder, family="gpt2", tokenizer=tokenizer())
    return folder


def test_a_directory_of_transformers_is_scored(jaxgpt, exported, tmp_path):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\nonce there was a king\n")
    output = tmp_path / "out.json"
    status, printed, _ = jaxgpt(
        "score", exported, "--task", "lambada", tmp_path / "a.txt", "--n", 1, "--output", output
    )
    assert status == 0 and "last word right" in printed and f"written: {output}" in printed
    (one,) = json.loads(output.read_text())["examples"]
    total, _ = of_texts("the cat sat on the", " mat")
    assert one["log_likelihood"] == pytest.approx([total], abs=1e-4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--task", "glue"], "--task glue: known: lambada, cbt, perplexity, choices"),
        (["--task", "cbt", "--stride", "3"], "--stride is of --task perplexity; cbt scores each example"),
        (["--task", "perplexity", "--n", "3"], "--n counts examples; perplexity is of a whole text"),
        (["--task", "choices", "--detokenize", "ptb"], "--detokenize: choices are JSON"),
        (["--task", "lambada", "--detokenize", "c4"], "--detokenize c4: known: none, wikitext, ptb, lm1b"),
        (["--task", "lambada", "--output", "no/such/out.json"], "does not exist"),
        (["--task", "lambada", "--checkpoint", "best"], "is a directory of transformers, which has one"),
        (["--task", "perplexity", "--stride", "33"], "stride=33: tokens from 1 to the 32"),
    ],
)
def test_mistakes_are_told_in_one_line(jaxgpt, exported, tmp_path, words, message):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n")
    status, _, errors = jaxgpt("score", exported, tmp_path / "a.txt", *words)
    assert status == 2 and message in errors and _lines(errors) == 1


def test_what_no_text_can_be_scored_with(jaxgpt, exported, tmp_path):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n")
    without = tmp_path / "without"
    without.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(exported / name, without)
    for place, message in (
        (tmp_path / "nothing", "nothing does not exist; give the run directory"),
        (without, "has no tokenizer; put its files there"),
    ):
        status, _, errors = jaxgpt("score", place, tmp_path / "a.txt", "--task", "lambada")
        assert status == 2 and message in errors and _lines(errors) == 1


def test_the_command_knows_every_test_and_detokenizer(jaxgpt):
    _, printed, _ = jaxgpt("score", "--help")
    assert all(name in printed for name in (*scoring_files.TESTS, *detokenizers.NAMES))


def _lines(errors: str) -> int:
    return len([line for line in errors.splitlines() if not line.startswith("device: ")])
