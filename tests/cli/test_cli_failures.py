"""What a failed command leaves behind, and what it is not led astray by."""

import dataclasses
import subprocess
import sys
from types import SimpleNamespace

import pytest
import tiny_runs
from jax.errors import JaxRuntimeError
from tiny_runs import REPOSITORY, tiny

from jaxgpt.cli import commands, evaluate
from jaxgpt.cli import main as cli
from jaxgpt.core import fields
from jaxgpt.core.usage import UsageError
from jaxgpt.runs import session
from tasks.decimals import Decimals
from tasks.genres import Genres
from tasks.pairs import Pairs
from tasks.synopses import Synopses


def call(capsys, *words):
    status = cli.main(list(map(str, words)))
    return status, capsys.readouterr().err


def test_a_run_that_never_began_leaves_nothing(tmp_path, capsys):
    workdir = tmp_path / "run"
    for mistake in (("--tokenizer", "digit"), ("--model.head.weights", "none"), ("--task.held-out", "0.5")):
        status, errors = call(capsys, "train", *tiny_runs.arguments(workdir), *mistake)
        assert status == 2 and errors.startswith("error: ") and errors.count("\n") == 1
        assert not workdir.exists()


def test_a_folder_that_was_there_before_stays(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("kept")
    status, _ = call(capsys, "train", *tiny_runs.arguments(tmp_path), "--tokenizer", "digit")
    assert status == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.thorough
def test_a_folder_called_tasks_does_not_stand_for_ours(tmp_path):
    (tmp_path / "tasks").mkdir()
    status, output, errors = tiny_runs.run("train", "--list", cwd=tmp_path)
    assert status == 0, errors
    assert "\n  addition " in output


@pytest.mark.thorough
def test_no_device_is_one_line(tmp_path):
    code = "import sys; from jaxgpt.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "train", "--dry-run"],
        cwd=REPOSITORY,
        env={"PATH": "", "JAX_PLATFORMS": "tpu", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "JAX cannot start a device" in errors[0]
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_an_evaluation_keeps_the_split_of_the_training(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("".join(f"line {i} of a short text that is long enough\n" for i in range(400)))
    workdir = tmp_path / "run"
    words = ("--training.steps", 1, "--training.test-examples", 0, "--model", "tiny", "--training.chunk", 1)
    status, errors = call(
        capsys, "train", "text", "--task.path", text, "--workdir", workdir, "--task.split-by", "tail", *words
    )
    assert status == 0, errors
    status, errors = call(capsys, "evaluate", workdir, "--task.split-by", "blocks")
    assert status == 2 and "--task.split-by says what was not trained on" in errors


def refused(task, split="test", **changed):
    """What an evaluation says of fields that differ from those of the training; "" if it asks."""
    other = dataclasses.replace(task, **changed)
    rows = fields.differences(task, other, "task")
    assert rows
    try:
        evaluate._check_changed(SimpleNamespace(task=task), SimpleNamespace(task=other), rows, split)
    except UsageError as error:
        return str(error)
    return ""


PAIRS, WORKED = Pairs(path="a.tsv"), Decimals(format="worked")


@pytest.mark.parametrize(
    ("task", "changed"),
    [
        (PAIRS, {"texts": 0}),
        (PAIRS, {"prompt_key": "frage"}),
        (PAIRS, {"escapes": "read"}),
        (PAIRS, {"numbers": "plain"}),
        (Genres(path="a.csv"), {"text_column": "plot"}),
        (Genres(path="a.csv"), {"delimiter": "tab"}),
        (Synopses(path="a.csv"), {"text_column": "plot"}),
        (Synopses(path="a.csv"), {"delimiter": "tab"}),
        (WORKED, {"digits": 2}),  # few prompts are left
        (WORKED, {"digits": 4, "min_exponent": 0, "max_exponent": 0}),
        (dataclasses.replace(WORKED, digits=4), {"min_exponent": 0, "max_exponent": 0}),
        (dataclasses.replace(WORKED, digits=2), {"digits": 8}),
        (dataclasses.replace(WORKED, digits=2), {"format": "plain"}),
        (dataclasses.replace(WORKED, hold_out="a.tsv"), {"digits": 6}),  # other ones are rounded to its lines
    ],
    ids=str,
)
def test_what_decides_the_split_stays_as_it_was_trained(task, changed):
    options = tuple(f"--task.{name.replace('_', '-')} " for name in changed)
    message = refused(task, **changed)
    assert message.startswith(options)
    assert message.endswith("says what was not trained on: it cannot change in an evaluation")


@pytest.mark.parametrize(
    ("task", "changed"),
    [
        (PAIRS, {"shots": 2, "target_key": "antwort", "group": "column"}),
        (PAIRS, {"test_path": "b.tsv", "escapes": "read"}),
        (PAIRS, {"path": "b.tsv", "numbers": "plain"}),
        (Genres(path="a.csv"), {"characters": 50}),
        (Genres(path="a.csv"), {"path": "b.csv", "text_column": "plot"}),
        (Synopses(path="a.csv"), {"question_characters": 50}),
        (WORKED, {"min_digits": 6, "max_digits": 6}),
        (WORKED, {"digits": 6, "min_exponent": 0}),
        (Decimals(), {"min_exponent": 0}),
    ],
    ids=str,
)
def test_what_decides_no_split_may_change_and_so_may_the_reading_of_other_files(task, changed):
    assert refused(task, **changed) == ""


def test_another_file_for_a_split_says_nothing_of_the_others():
    changed = {"test_path": "b.tsv", "escapes": "read"}
    assert refused(PAIRS, "validation", **changed).startswith("--task.escapes ")
    # Without --other-files it is the same file elsewhere.
    assert refused(dataclasses.replace(PAIRS, fingerprint="5-0"), **changed).startswith("--task.escapes ")


@pytest.mark.thorough
def test_evaluations_that_differ_do_not_overwrite_each_other(tmp_path, capsys):
    session.train(tiny(training__steps="1", task__max_digits="3"), tmp_path / "run", say=lambda line: None)
    for words in (("--task.min-difference", "1"), ("--task.min-difference", "2"), ()):
        assert call(capsys, "evaluate", tmp_path / "run", *words, "--n", "5")[0] == 0
    assert not (tmp_path / "run" / "evaluation.json").exists()  # that of the run itself
    found = sorted(path.name for path in (tmp_path / "run").glob("evaluation*.json"))
    assert found == [
        "evaluation_n-5.json",
        "evaluation_n-5_min_difference-1.json",
        "evaluation_n-5_min_difference-2.json",
    ]
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text("".join(f"{n}+{n}=\t{2 * n}\n" for n in range(100)))
        words = ("--task", "pairs", "--task.path", tmp_path / name, "--n", "5")
        assert call(capsys, "evaluate", tmp_path / "run", *words)[0] == 0
    assert len(list((tmp_path / "run").glob("evaluation*.json"))) == len(found) + 2


LONG = "x" * 5000


@pytest.mark.parametrize(
    "words",
    [
        ("train", LONG),
        ("train", f"{LONG}:{LONG}"),
        ("train", "addition", f"--{LONG}"),
        ("train", "addition", f"--{LONG}.{LONG}", "1"),
        ("train", "addition", "--tokenizer", LONG),
        ("train", "addition", "--model.position", LONG),
        ("train", "addition", "--task.max-digits", LONG),
        ("train", "addition", "--workdir", f"/dev/null/{LONG}"),
        ("train", "--resume", "--workdir", LONG),
        ("train", "pairs", "--task.path", LONG),
        ("evaluate", LONG),
        ("generate", f"a\x1b[2J{LONG}\nb\u2028c"),
        ("generate", "run", "--checkpoint", LONG),
        ("tokenize", LONG, "--output", "tokens"),
        ("plan", LONG),
        ("compare", LONG, "--tokenizers", LONG),
        ("import-hf", LONG, "--workdir", LONG),
        ("export-hf", LONG, "--output", LONG),
        ("verify-hf", LONG),
        (LONG,),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_whatever_is_named_an_error_is_one_short_line(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, errors = call(capsys, *words)
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert status == 2 and len(line) <= 300 and line.isprintable()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (
            JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory\nallocating"),
            "error: the device has too ",
        ),
        (
            MemoryError("Unable to allocate 7 TiB"),
            "error: this machine has too little memory (Unable",
        ),
        (MemoryError(), "error: this machine has too little memory; "),
    ],
)
@pytest.mark.parametrize(
    ("words", "change", "not_of_it"),
    [
        (("search", "isosceles"), "--states", "training."),
        (("train", "addition"), "training.batch_size", "--states"),
    ],
)
def test_too_little_memory_is_told_with_what_the_command_can_change(
    capsys, monkeypatch, words, change, not_of_it, error, begins
):
    def full(given):
        raise error

    monkeypatch.setattr(commands.module(words[0]), "run", full)
    status, errors = call(capsys, *words)
    assert status == 2 and errors.startswith(begins) and errors.count("\n") == 1
    assert change in errors and not_of_it not in errors


def test_a_long_error_keeps_its_beginning_and_its_end(capsys):
    assert cli._fail(f"runs/a  b\nholds {'{' * 5000}; name another") == 2
    line = capsys.readouterr().err
    assert line.startswith("error: runs/a  b holds {{{") and line.endswith("{; name another\n")
    assert len(line) == 301
