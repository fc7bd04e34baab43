"""What a shell is offered: commands, options, experiments, and the fields of the one that is named."""

import json
import os
import subprocess
import sys

import pytest
from tiny_runs import REPOSITORY, one_line

#: What may follow a line.
OFFERED = {
    "jaxgpt tr": ["train"],
    "jaxgpt train subt": ["subtraction"],
    "jaxgpt train addition --resu": ["--resume"],
    "jaxgpt train pairs --task.pa": ["--task.path"],
    "jaxgpt train addition --model.position rel": ["relative"],
    "jaxgpt train addition --model.position=rel": ["--model.position=relative"],
    "jaxgpt train addition --model.position abacus --model.position.max-o": ["--model.position.max-offset"],
    "jaxgpt compare --training.mesh.f": ["--training.mesh.fsdp"],
    "jaxgpt generate runs/x --temp": ["--temperature"],
    "jaxgpt evaluate runs/none --split t": ["train", "test"],
    "jaxgpt completion z": ["zsh"],
    "jaxgpt search isosceles --problem.": ["--problem.n"],
    "jaxgpt search isosceles --arm": ["--arms"],
    "jaxgpt search isosceles --moves.deg": ["--moves.degree-cost"],
    "jaxgpt lab feature-ladder runs/x --ladder.hid": ["--ladder.hidden"],
    "jaxgpt lab feature-ladder runs/x --temp": [""],
    "jaxgpt lab runs/x --out": ["--output"],
    # A line that is wrong is no error.
    "jaxgpt train no-such --mode": [""],
    "jaxgpt trian --mode": [""],
}

#: argcomplete writes into the streams 8 and 9, which in pytest are something else.
_ASK = """
import io, json, os, sys
import argcomplete
from jaxgpt.cli import completion
found = {}
for line in json.load(sys.stdin):
    os.environ |= {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    output = io.StringIO()
    completion._library()
    argcomplete.autocomplete(completion.grammar(line), exit_method=lambda _: None, output_stream=output)
    found[line] = [word.strip() for word in output.getvalue().split("\\v")]
print(json.dumps(found))
"""


@pytest.mark.thorough
def test_names_are_offered():
    pytest.importorskip("argcomplete")
    asked = subprocess.run(
        [sys.executable, "-c", _ASK],
        input=json.dumps(list(OFFERED)),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout) == OFFERED


def test_a_shell_is_answered(tmp_path):
    pytest.importorskip("argcomplete")
    line, answer = "jaxgpt evaluate run --spl", tmp_path / "answer"
    variables = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    code = "import sys; from jaxgpt.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | variables | {"_ARGCOMPLETE_STDOUT_FILENAME": str(answer)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, answer.read_text().strip()) == (0, "", "--split")


def test_the_code_for_a_shell(jaxgpt):
    pytest.importorskip("argcomplete")
    status, output, _ = jaxgpt("completion", "bash")
    assert status == 0 and "complete" in output and "jaxgpt" in output


def test_without_argcomplete_a_line_says_what_to_install(jaxgpt, monkeypatch):
    monkeypatch.setitem(sys.modules, "argcomplete", None)
    status, _, errors = jaxgpt("completion", "bash")
    assert status == 2 and "pip install 'jaxgpt[completion]'" in one_line(errors)
