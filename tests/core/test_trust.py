"""A class that a file names is imported only if it is ours, was imported, or is allowed by name."""

import json
import os
import sys

import pytest
from tiny_runs import copied, one_line

import jaxgpt
from jaxgpt import tokenizers
from jaxgpt.core import trust
from jaxgpt.tokenizers.characters import Characters

CODE = """
from jaxgpt.tokenizers.characters import Characters
from tasks.arithmetic.task import Arithmetic

open({touched!r}, "w").close()


class Mine(Arithmetic):
    pass


class Own(Characters):
    pass
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module, like one of ours, that leaves a file behind if it is imported, and that file."""
    name = f"tasks_{os.getpid()}_{tmp_path.name}".replace("-", "_")
    touched = tmp_path / "touched"
    (tmp_path / f"{name}.py").write_text(CODE.format(touched=str(touched)))
    monkeypatch.syspath_prepend(tmp_path)
    yield name, touched
    sys.modules.pop(name, None)


@pytest.fixture
def run(finished_run, tmp_path, module):
    """A run whose file names a task in that module."""
    path = copied(finished_run, tmp_path / "run")
    data = json.loads((path / "experiment.json").read_text())
    data["task"]["kind"] = f"{module[0]}:Mine"
    (path / "experiment.json").write_text(json.dumps(data))
    return path


def test_a_module_that_a_run_names_is_not_imported_unless_allowed(run, module):
    name, touched = module
    with pytest.raises(ValueError, match=f"--trust {name} .in Python: trust=True") as caught:
        jaxgpt.load(run)
    assert str(caught.value).startswith(str(run)) and len(str(caught.value)) <= 300
    with pytest.raises(ValueError, match="--trust"):
        jaxgpt.load(run, trust=["another", name[:-1]])
    assert not touched.exists()


@pytest.mark.parametrize("how", [True, "by name"])
def test_it_is_imported_where_allowed(run, module, how):
    name, touched = module
    assert type(jaxgpt.load(run, trust=True if how is True else [name]).task).__name__ == "Mine"
    assert touched.exists()
    jaxgpt.load(run)  # by now the program has imported it


@pytest.mark.parametrize(
    "words",
    [
        ("generate", "RUN", "--prompt", "1+1"),
        ("evaluate", "RUN", "--n", "1"),
        ("export-hf", "RUN", "--family", "gpt2", "--output", "out"),
        ("train", "--resume", "--workdir", "RUN"),
    ],
)
def test_every_command_refuses_it_in_one_line(jaxgpt, run, module, words):
    status, _, errors = jaxgpt(*(str(run) if word == "RUN" else word for word in words))
    assert status == 2 and f"--trust {module[0]}" in one_line(errors)
    assert not module[1].exists()


def test_a_command_allows_it(jaxgpt, run, module):
    status, output, errors = jaxgpt("generate", run, "--prompt", "1+1", "--trust", f"other,{module[0]}")
    assert status == 0, errors
    assert output.strip().isdecimal() and module[1].exists()


def test_a_tokenizer_is_a_class_like_any(tmp_path, module):
    data = tokenizers.to_json(Characters("ab")) | {"kind": f"{module[0]}:Own"}
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match="--trust"):
        tokenizers.load(tmp_path / "tokenizer.json")
    with trust.allowing([module[0]]), pytest.raises(ValueError, match="fingerprint"):
        tokenizers.load(tmp_path / "tokenizer.json")
    assert module[1].exists()
