"""Homes that nobody has, links to nothing, and working directories that are gone: one line each."""

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_runs import REPOSITORY, arguments, one_line

import jaxgpt as library
from jaxgpt import tokenizers
from jaxgpt.cli import commands
from jaxgpt.cli import compare as comparison_command
from jaxgpt.cli import generate as asking_command
from jaxgpt.cli import tokenize as tokenizing_command
from jaxgpt.cli.option_types import Repeated
from jaxgpt.core import settings
from jaxgpt.core.paths import expanded, newest_of
from jaxgpt.core.usage import UsageError
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.runs import run_directory as rundir

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
        lambda path: tokenizing_command.run(tokenizing_command.parser().parse([path, "--output", "x"])),
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


def test_the_newest_of_numbered_folders(tmp_path):
    for age, name in enumerate(["a[1]-2", "a[1]", "a[1]-10", "a[1]-x", "a[1]b", "a1", "a1-2", "2"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
        os.utime(tmp_path / name / "file", (0, 100 - age))
    (tmp_path / "a[1]-3").mkdir()  # without the file
    assert newest_of(tmp_path / "a[1]", "file") == tmp_path / "a[1]-2"
    os.utime(tmp_path / "a[1]-10" / "file", (0, 200))
    assert newest_of(tmp_path / "a[1]", "file") == tmp_path / "a[1]-10"
    for name in ("a*", "a[1]-x-", "none/a"):
        assert newest_of(tmp_path / name, "file") is None


def test_a_working_directory_that_was_deleted(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; os.rmdir(os.getcwd()); from jaxgpt.cli.main import main; sys.exit(main(['train']))"
    )
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


@pytest.mark.parametrize("form", ["{name} {value}", "{name}={value}"])
def test_every_option_and_argument_that_names_paths_knows_homes(form, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    found = 0
    for name in commands.COMMANDS:
        parser = commands.module(name).parser()
        options = [action for action in parser._actions if action.option_strings]
        needed = [
            f"{o.option_strings[0]}={getattr(o.convert, 'names', ['/x'])[0]}" for o in options if o.required
        ]
        arguments = [action for action in parser._actions if not action.option_strings]
        before = ["bash"] if name == "completion" else ["x"] * len(arguments)
        for place, argument in enumerate(arguments):
            if argument.metavar in ("DIR", "RUN", "MODEL", "FILE"):
                words = [*before[:place], "~/a b", *before[place + 1 :], *needed]
                assert getattr(parser.parse(words), argument.dest) == f"{tmp_path}/a b"
        for option in options:
            if not {"DIR", "FILE"} & set(re.split(r"\W+", option.metavar or "")):
                continue
            found += 1
            front = option.metavar.partition("=")[0] + "=" if "=" in option.metavar else ""
            others = [*before, *(word for word in needed if not word.startswith(option.option_strings[0]))]
            words = form.format(name=option.option_strings[0], value=front + "~/x").split()
            kept = getattr(parser.parse([*others, *words]), option.dest)
            whole = (front[:-1], f"{tmp_path}/x") if front else f"{tmp_path}/x"
            assert kept == ([whole] if isinstance(option, Repeated) else whole)
            words = form.format(name=option.option_strings[0], value=front + NOBODY).split()
            message = rf"{option.option_strings[0]} {front}~nosuchuser.*no home directory is known"
            with pytest.raises(UsageError, match=message):
                parser.parse([*others, *words])
    assert found >= 10


def test_merged_directories_each_have_a_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    given = comparison_command.parser().parse(["--merge", "~/a,b,~/c"])
    assert given.merge == f"{tmp_path}/a,b,{tmp_path}/c"
    assert asking_command.parser().parse(["run", "--stop", "~/a"]).stop == "~/a"


def test_a_home_in_python_is_no_folder_called_so(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert rundir.RunDirectory("~/run").path == tmp_path / "home" / "run"
    with rundir.held("~/run") as (directory, _):
        assert directory.path.is_dir()
    assert not directory.path.exists()  # made here and empty
    (tmp_path / "text.txt").write_text("".join(f"line {n}\n" for n in range(50)))
    tokenize(["text.txt"], Path("~/tokens"), documents="lines", held_out=0.2, say=lambda line: None)
    assert (tmp_path / "home" / "tokens" / "index.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "text.txt"]
