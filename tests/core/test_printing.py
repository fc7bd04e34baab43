"""Output never ends a run: what a terminal cannot show, readers that are gone, streams that are closed."""

import io
import os
import subprocess
import sys

import pytest
import tiny_runs
from tiny_runs import REPOSITORY

from jaxgpt.cli import main as cli
from jaxgpt.core import printing
from jaxgpt.core.progress import Counter

SIZE = ["--model", "tiny", "--training.steps", "4", "--training.chunk", "2", "--training.test-examples", "5"]
CODE = "import sys; from jaxgpt.cli.main import main; sys.exit(main(sys.argv[1:]))"


class Gone(io.StringIO):
    """A stream whose reader is gone, whose disk is full, or that was closed."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


GONE = [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device"), OSError(5, "I/O error")]


@pytest.fixture
def pairs(tmp_path):
    """Questions and answers in several scripts."""
    path = tmp_path / "pairs of ü.tsv"
    path.write_text("".join(f"é{i}中=\tñ{i % 7}😀\n" for i in range(60)), encoding="utf-8")
    return path


def ascii_only(monkeypatch, coding="ascii"):
    """Standard output and error that can encode little; what came out of them."""
    streams = io.BytesIO(), io.BytesIO()
    for name, stream in zip(("stdout", "stderr"), streams, strict=True):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(stream, encoding=coding, write_through=True))
    return streams


@pytest.mark.parametrize("coding", ["ascii", "latin-1", "cp437"])
def test_what_a_terminal_cannot_show_is_escaped(monkeypatch, coding):
    out, err = ascii_only(monkeypatch, coding)
    for line in ("plain", "é中\U0001f600", "\ud800"):
        printing.say(line)
        printing.complain(line)
    assert out.getvalue().startswith(b"plain\n") and out.getvalue().endswith(b"\\u4e2d\\U0001f600\n\\ud800\n")
    assert out.getvalue().replace(b"\n", b"") == err.getvalue()


@pytest.mark.thorough
def test_training_and_asking_on_a_terminal_that_is_not_unicode(pairs, tmp_path, monkeypatch):
    out, err = ascii_only(monkeypatch)
    run = str(tmp_path / "run")
    assert cli.main(["train", "pairs", "--task.path", str(pairs), "--workdir", run, *SIZE]) == 0
    assert b"\\u4e2d" in out.getvalue() and (tmp_path / "run" / "outcome.json").is_file()
    for words in (["generate", run, "--prompt", "é2中="], ["evaluate", run, "--n", "3"]):
        assert cli.main(words) == 0, err.getvalue()
    assert cli.main(["generate", "né中"]) == 2  # an error that quotes what was given
    assert err.getvalue().splitlines()[-1].startswith(b"error: n\\xe9\\u4e2d does not exist")


@pytest.mark.parametrize("error", [*GONE, ValueError("closed")], ids=str)
def test_a_stream_that_takes_nothing_is_let_go(monkeypatch, error):
    monkeypatch.setattr(sys, "stdout", Gone(error))
    monkeypatch.setattr(sys, "stderr", Gone(error))
    printing.say("a line")
    printing.complain("a line")
    printing.flush()


@pytest.mark.thorough
def test_a_run_goes_on_when_nobody_reads(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Gone(GONE[0]))
    monkeypatch.setattr(sys, "stderr", Gone(GONE[0]))
    run = tmp_path / "run"
    assert cli.main(["train", "pairs", "--task.path", str(pairs), "--workdir", str(run), *SIZE]) == 0
    assert (run / "outcome.json").is_file() and (run / "accuracy_grid.png").is_file()
    assert cli.main(["evaluate", str(run), "--n", "3", "--output", str(tmp_path / "e.json")]) == 0
    assert (tmp_path / "e.json").is_file()


@pytest.mark.parametrize(
    "words",
    [["--help"], ["train", "--help"], ["train", "--list"], ["generate", "--help"], ["compare", "--help"]],
    ids=" ".join,
)
def test_a_reader_that_is_gone_ends_what_was_only_to_be_read(monkeypatch, words):
    monkeypatch.setattr(sys, "stdout", Gone(GONE[0]))
    assert cli.main(words) == 141


def test_progress_on_a_terminal_that_is_gone(monkeypatch):
    stream = Gone(GONE[2])
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    Counter("counting", print)(1, 2)
    monkeypatch.setattr(sys, "stderr", None)
    Counter("counting", print)(1, 2)


@pytest.mark.thorough
def test_real_streams_that_are_closed_or_read_by_nobody(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", CODE, "train", "--list"]
    for redirection in ("| head -n 0", ">&-", ">&- 2>&-", "<&- >&- 2>&-"):
        line = '"$@"' if redirection[0] != "|" else '{ "$@"; echo status $? >&2; }'
        done = subprocess.run(
            ["sh", "-c", f"{line} {redirection}", "sh", *command],
            cwd=tmp_path,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0 and done.stderr in ("", "status 0\n", "status 141\n"), redirection
    # No file of the run takes the place of a closed stream.
    done = subprocess.run(
        ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", sys.executable, "-c", _NUMBER, tmp_path / "opened"],
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0 and int((tmp_path / "opened").read_text()) > 2


_NUMBER = """
import sys
from jaxgpt.core import printing
printing.prepare()
with open(sys.argv[1], "w") as file:
    file.write(str(file.fileno()))
"""


@pytest.mark.thorough
def test_standard_input_of_another_encoding_is_one_line(finished_run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("é".encode()), encoding="ascii"))
    assert cli.main(["generate", str(finished_run)]) == 2
    assert "standard input is read as ascii" in tiny_runs.one_line(capsys.readouterr().err)
    monkeypatch.setattr(sys, "stdin", None)
    assert cli.main(["generate", str(finished_run)]) == 2
    assert "standard input is closed; give --prompt" in tiny_runs.one_line(capsys.readouterr().err)
