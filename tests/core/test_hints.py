"""Commands that messages tell to type: as they were called, and ready for a shell."""

import ast
import dataclasses
import itertools
import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from tiny_runs import REPOSITORY, arguments

from jaxgpt.comparison.cells import trust_option
from jaxgpt.core import hints, trust
from jaxgpt.parallel import processes
from jaxgpt.runs.run import load
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A program called jaxgpt, first on the search path."""
    path = tmp_path / "bin" / "jaxgpt"
    path.parent.mkdir()
    path.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    return path


def test_a_command_is_named_as_it_was_called(program, tmp_path, monkeypatch):
    words = ("--resume", "--workdir", Path("runs/té xt"))
    for called, head in (
        (str(program), "jaxgpt train"),
        ("train.py", "python train.py"),
        ("../my code/train.py", "python '../my code/train.py'"),
        ("my_script.py", "jaxgpt train"),
        ("-c", "jaxgpt train"),
        ("", "jaxgpt train"),
    ):
        monkeypatch.setattr(sys, "argv", [called])
        assert hints.command("train", *words) == f"{head} --resume --workdir 'runs/té xt'"
    monkeypatch.setattr(sys, "argv", ["train.py"])
    assert hints.command("generate", "runs/x") == "jaxgpt generate runs/x"  # there is no generate.py
    other = tmp_path / "other" / "jaxgpt"
    other.parent.mkdir()
    other.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(other)])
    assert hints.command("generate", "x") == f"{other} generate x"


@pytest.mark.thorough
def test_what_a_run_tells_to_type_can_be_pasted(jaxgpt, tmp_path, monkeypatch, quick_compilation):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    assert jaxgpt("train", "--help")[1].startswith("usage: python train.py [EXPERIMENT]")
    workdir = tmp_path / "té xt $HOME"
    _, output, _ = jaxgpt("train", *arguments(workdir, training__steps=2))
    hint = next(line for line in output.splitlines() if line.startswith("ask it: "))
    assert shlex.split(hint.removeprefix("ask it: "))[:3] == ["jaxgpt", "generate", str(workdir)]


def test_no_message_writes_a_command_by_itself():
    commands = "train|evaluate|generate|tokenize|plan|compare|import-hf|export-hf|verify-hf"
    called = re.compile(rf"(jaxgpt ({commands})|(train|evaluate)\.py)( --?[\w.-]+| \w+)*[ =]$")
    for path in [*REPOSITORY.glob("jaxgpt/**/*.py"), *REPOSITORY.glob("tasks/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else []
            for before, _ in itertools.pairwise(parts):
                text = before.value if isinstance(before, ast.Constant) else ""
                assert not called.search(text), f"{path}:{node.lineno} {text!r}"


def test_modules_that_were_allowed_are_allowed_again(tmp_path):
    plan = {"request": {}, "cells": [{"experiment": {"tokenizer": "their_module:Tok:3"}}] * 2}
    (tmp_path / "comparison.json").write_text(json.dumps(plan))
    assert trust_option(tmp_path) == " --trust their_module"
    with trust.allowing(["mine", "their_module"]):
        assert trust_option(tmp_path) == " --trust mine,their_module"
        assert trust.option({}) == " --trust mine,their_module"
        assert trust.option({"kind": "mine.deeper:Task"}) == " --trust mine,their_module"
    with trust.allowing(["a b"]):
        assert trust.option({}) == " --trust 'a b'"
    assert trust.option({"kind": "tasks.text:Text"}) == ""


def test_a_process_alone_needs_no_option():
    assert processes.options() == ()


@pytest.mark.parametrize(
    "sample, asked", [("1+1", ["--prompt", "1+1"]), ("--1", ["--prompt=--1"]), ("\n", [])]
)
def test_the_hint_asks_what_can_be_asked(jaxgpt, tmp_path, monkeypatch, finished_run, sample, asked):
    """The first sample prompt that the tokenizer can encode, in words that the command line takes."""
    run = dataclasses.replace(load(finished_run), status="finished")
    monkeypatch.setattr("jaxgpt.runs.session.train", lambda *_, **__: run)
    monkeypatch.setattr("tasks.arithmetic.task.Arithmetic.sample_prompts", ("é+1", sample))
    monkeypatch.setattr("tasks.arithmetic.task.Arithmetic.prompt", lambda task, text: text)
    monkeypatch.setattr("jaxgpt.tokenizers.digits.Digits.encode", _digits_alone)
    output = jaxgpt("train", *arguments(tmp_path / "run"))[1]
    hint = next(line for line in output.splitlines() if line.startswith("ask it: "))
    assert shlex.split(hint)[5:] == asked


def _digits_alone(tokenizer, text):
    if not text.isascii():
        raise OutsideAlphabet(text[0], 0, "use bytes")
    return [1]
