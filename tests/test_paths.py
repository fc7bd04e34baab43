"""Homes that nobody has, links to nothing, and working directories that are gone: one line each."""

import os
import pwd
import subprocess
import sys

import pytest
from tiny_runs import REPOSITORY, arguments, one_line

import jaxgpt as library
from jaxgpt import settings, tokenizers
from jaxgpt.data.command import OPTIONS, run
from jaxgpt.options import parse
from jaxgpt.paths import expanded

NOBODY = "~nosuchuser/some/file"


@pytest.fixture
def homeless(monkeypatch):
    """No HOME in the environment, and a user whom the system does not know."""

    def unknown(*_):
        raise KeyError("uid not found")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_settings_never_end_a_command(homeless, monkeypatch):
    monkeypatch.setenv(settings.SWITCH, "on")
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    settings.apply()
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


def test_a_home_that_is_not_known(homeless):
    with pytest.raises(ValueError, match="~/x: no home directory is known for ~; write the path in full"):
        expanded("~/x")


@pytest.mark.parametrize(
    "read",
    [
        library.load,
        library.load_hf,
        lambda path: tokenizers.build(path, lambda: ()),
        lambda path: run([path], parse(["--output", "x"], OPTIONS, positional="TEXT"), print),
    ],
    ids=["load", "load_hf", "a tokenizer", "tokenize"],
)
def test_every_reader_refuses_a_home_of_nobody(read):
    with pytest.raises(ValueError, match=r"~nosuchuser.*no home directory is known for ~nosuchuser"):
        read(NOBODY)


@pytest.mark.parametrize("task", ["text", "pairs", "synopses", "sentence-pairs", "tokens"])
def test_every_task_refuses_a_home_of_nobody(jaxgpt, task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, errors = jaxgpt("train", task, "--task.path", NOBODY, "--workdir", "run")
    assert status == 2 and "no home directory is known for ~nosuchuser" in one_line(errors)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["train", *arguments("runs/x")],
        ["train", "--resume"],
        ["generate", "runs/addition", "--prompt", "1+1"],
        ["evaluate", "run", "--output", "runs/x.json"],
        ["tokenize", "text.txt", "--output", "runs"],
    ],
    ids=lambda words: words[0],
)
def test_a_link_to_nothing_is_named(jaxgpt, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("a text\n" * 50)
    (tmp_path / "runs").symlink_to("nowhere")
    status, _, errors = jaxgpt(*words)
    assert status == 2 and "runs is a link to nowhere, which does not exist" in one_line(errors)


def test_a_run_directory_that_no_checkpoint_could_be_written_to(jaxgpt, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/r\xff")
    status, _, errors = jaxgpt("train", *arguments(path))
    assert status == 2 and "its name is not UTF-8" in one_line(errors)
    assert not os.path.exists(path)


def test_a_working_directory_that_was_deleted(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from jaxgpt.cli import main; sys.exit(main(['train']))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=gone,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert one_line(done.stderr) == "error: the working directory was deleted; change to one that exists"
