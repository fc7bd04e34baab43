"""Where nothing can be written, a command says so before it does anything costly."""

import errno
import os

import pytest
from tiny_runs import one_line

from jaxgpt.cli import writable

#: A command with a place that not even root can write to.
COMMANDS = {
    "train": ("train", "addition", "--workdir", "/proc/x"),
    "evaluate": ("evaluate", "RUN", "--output", "/proc/x.json"),
    "generate": ("generate", "RUN", "--prompt", "1+1", "--output", "/proc/x.txt"),
    "export-hf": ("export-hf", "RUN", "--family", "gpt2", "--output", "/proc/x"),
    "import-hf": ("import-hf", "RUN", "--workdir", "/proc/x"),
    "compare": ("compare", "addition", "--tokenizers", "digits,10e", "--workdir", "/proc/x"),
    "compare --merge": ("compare", "--merge", "RUN,RUN", "--workdir", "/proc/x"),
    "tokenize": ("tokenize", "RUN/experiment.json", "--output", "/proc/x"),
    "plan": ("plan", "addition", "--target", "cpu:2", "--output", "/proc/x.json"),
}


def never(*given, **named):
    pytest.fail("something costly was done")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_that_cannot_be_written_to(jaxgpt, finished_run, monkeypatch, command):
    for costly in (
        "jaxgpt.runs.session.prepare",
        "jaxgpt.runs.run.Checkpoints",
        "jaxgpt.cli.import_hf.Start",
        "jaxgpt.comparison.preflight.plan",
        "jaxgpt.comparison.merging.merge",
        "jaxgpt.plan.worker.Worker.facts",
        "jaxgpt.data.tokenizing.pieces",
    ):
        monkeypatch.setattr(costly, never)
    words = [word.replace("RUN", str(finished_run)) for word in COMMANDS[command]]
    status, _, errors = jaxgpt(*words)
    assert status == 2
    option = words[-2]
    assert one_line(errors).startswith(f"error: {option} /proc/x") and " cannot be " in errors


@pytest.fixture
def locked_up(finished_run, monkeypatch):
    """A run in a directory that one may not write; root, which tests often are, may write everywhere."""
    try_to_write = writable._try_to_write

    def refused(path):
        if path.parent == finished_run:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        try_to_write(path)

    monkeypatch.setattr(writable, "_try_to_write", refused)
    return finished_run


def test_an_evaluation_of_a_run_that_is_another_s(jaxgpt, locked_up, tmp_path, monkeypatch):
    asked = []

    def evaluate(*given, **named):
        asked.append(given)
        raise ValueError("asked")

    monkeypatch.setattr("jaxgpt.evaluation.scoring.evaluate", evaluate)
    before = sorted(locked_up.rglob("*"))
    status, _, errors = jaxgpt("evaluate", locked_up)
    assert status == 2 and not asked
    expected = f"error: {locked_up}/evaluation.json cannot be written to (Permission denied); name a file"
    assert one_line(errors).startswith(expected) and "--output" in errors
    assert one_line(jaxgpt("evaluate", locked_up, "--output", tmp_path / "a.json")[2]) == "error: asked"
    assert len(asked) == 1 and sorted(locked_up.rglob("*")) == before


@pytest.mark.parametrize(
    ("command", "name", "beside"),
    [
        ("evaluate", "a.json", "a.png"),
        ("evaluate", "a.json", "a_answers.png"),
        ("generate", "a.txt", "a.jsonl"),
    ],
)
def test_what_is_written_beside_an_output_is_tried_too(
    jaxgpt, finished_run, tmp_path, monkeypatch, command, name, beside
):
    monkeypatch.setattr("jaxgpt.evaluation.scoring.evaluate", never)
    monkeypatch.setattr("jaxgpt.runs.run.Run.generate", never)
    (tmp_path / beside).mkdir()
    prompt = ("--prompt", "1+1") if command == "generate" else ()
    status, _, errors = jaxgpt(command, finished_run, *prompt, "--output", tmp_path / name)
    assert status == 2 and f"{beside} is a directory" in one_line(errors)
    assert [path.name for path in tmp_path.iterdir()] == [beside]
