"""Mistakes in asking a run that are told before the run is read."""

import pytest

from jaxgpt.cli.main import main


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output", "a.txt"], "--output needs --prompt or --prompts"),
        (["--prompt", "1+1", "--output", "a.jsonl"], "JSON lines beside it; name a .txt"),
        (["--prompt", "1+1", "--output", "none/a.txt"], "the directory none does not exist"),
        (["--prompt", "1+1", "--output", "."], "--output . is a directory; name a file in it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_where_answers_cannot_go(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "no_run", *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("output", "message"),
    [("none/a.json", "the directory none does not exist"), ("a.png", "the picture goes there; name a .json")],
)
def test_where_figures_cannot_go(output, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "no_run", "--output", output]) == 2
    assert message in capsys.readouterr().err
