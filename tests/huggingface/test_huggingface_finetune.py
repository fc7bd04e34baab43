"""Fine-tuning of published encoders on ordinary text: capitals, accents and words that they do not know."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import jaxgpt
from jaxgpt.cli import main as cli

REFERENCES = Path(__file__).parent / "references"
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "which", "was", "red", "blue", "fox", "car", "hill")


@pytest.fixture
def bert(tmp_path):
    """A small BERT with the lower-case vocabulary of its time."""
    path = tmp_path / "bert"
    shutil.copytree(REFERENCES / "bert", path)
    letters = [chr(ord("a") + i) for i in range(14)]
    words = [*WORDS, *letters, *(f"##{letter}" for letter in letters)]
    (path / "vocab.txt").write_text("\n".join([*words, *["[unused]"] * (41 - len(words))][:41]) + "\n")
    return path


def train(tmp_path, lines, directory, *options):
    """Fine-tune through the command line; the run."""
    (tmp_path / "lines.tsv").write_text("".join(f"{line}\n" for line in lines))
    run = tmp_path / "run"
    words = ["train", "pairs", "--workdir", str(run), "--task.path", str(tmp_path / "lines.tsv")]
    words += ["--model.init", str(directory), "--model.dropout", "0", "--optimizer.learning-rate", "3e-3"]
    words += ["--training.test-examples", "20", "--training.steps", "80", "--training.batch-size", "32"]
    assert cli.main([*words, "--optimizer.warmup-steps", "5", *options]) == 0
    return run


@pytest.mark.thorough
def test_labels_of_capitals_and_unknown_words(bert, tmp_path, capsys):
    rng, lines = np.random.default_rng(0), []
    for i in range(300):
        colour = rng.choice(["Red", "Blue"])
        rest = rng.permutation(["Fox", "Car", "Hill", "ÉGAD", "☃", "Naïve"])[:3]
        lines.append(
            f"Which {' '.join(rest[:1])} was {colour} {' '.join(rest[1:])} {'abcdefgh'[i % 8]}\t{colour}"
        )
    labels = ("--objective", "labels", "--model.head.weights", "none", "--model.pooler", "true")
    run = train(tmp_path, lines, bert, *labels)
    shown = capsys.readouterr().out
    assert re.search(r"reading +(\d+) of the first \1 texts come back changed, as 'Which ", shown)
    assert json.loads((run / "evaluation.json").read_text())["exact_match"] > 0.9
    assert jaxgpt.load(run).generate(["WHICH car was BLUE"]) == [["Blue"]]


@pytest.mark.thorough
def test_answers_stand_in_the_text_as_it_was(bert, tmp_path):
    rng, lines = np.random.default_rng(0), []
    for _ in range(300):
        name = "".join(rng.choice(list("ABCDEF"), 3))
        lines.append(f"{rng.choice(['Fox', 'Car'])} {name} was {rng.choice(['Red', 'Blue'])}\t{name}")
    spans = ("--objective", "span", "--model.labels-from", "each", "--model.head.weights", "none")
    run = train(tmp_path, lines, bert, *spans)
    assert json.loads((run / "evaluation.json").read_text())["exact_match"] > 0.9
    assert jaxgpt.load(run).generate(["Hill DAB was Red"]) == [["DAB"]]


def test_a_tokenizer_that_changes_answers_cannot_write_them(bert, tmp_path, capsys):
    (tmp_path / "lines.tsv").write_text(
        "".join(f"which {c} fox\tRed\n" for c in "abcdefghijklmnopqrstuvwxyz")
    )
    words = ["train", "pairs", "--task.path", str(tmp_path / "lines.tsv"), "--model.init", str(bert)]
    words += ["--objective", "masked"]
    assert cli.main([*words, "--workdir", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "would write 'red'; write the answers so" in said and said.count("\n") == 1


@pytest.mark.thorough
def test_bart_reads_a_text_twice_to_classify_it(tmp_path):
    directory = tmp_path / "bart"
    shutil.copytree(REFERENCES / "bart", directory)
    lines = [f"{'ab'[i % 2]}{i * 7 % 100:02d}{'xyz'[i % 3]}\t{'AB'[i % 2]}" for i in range(100)]
    labels = ("--objective", "labels", "--model.labels-from", "last", "--model.head.weights", "none")
    run = train(tmp_path, lines, directory, *labels, "--tokenizer", "characters", "--model.pooler", "true")
    assert json.loads((run / "evaluation.json").read_text())["exact_match"] == 1
    out = tmp_path / "out"
    assert cli.main(["export-hf", str(run), "--family", "bart", "--output", str(out)]) == 0
    assert json.loads((out / "config.json").read_text())["architectures"] == ["BartForSequenceClassification"]
