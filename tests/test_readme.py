"""The README does what it says: its commands and code run, its tree is the repository's."""

import importlib
import json
import re
from pathlib import Path

import pytest
import test_architectures as architectures
from documents import ROOT, Copy, blocks, commands, extras, installed

from jaxgpt.cli.comparison_request import request
from jaxgpt.core import fields
from jaxgpt.runs import experiments

README = ROOT / "README.md"
EXPERIMENTS = ROOT / "docs/experiments.md"
ARCHITECTURES = ROOT / "docs/architectures.md"

#: Seconds for one command; the default run takes about two minutes on two idle cores.
TIMEOUT = 15 * 60


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Copy:
    """A copy of the repository in which all that the README and the experiments' page show has been run."""
    copy = Copy(tmp_path_factory.mktemp("readme"), TIMEOUT)
    copy.run(README)
    copy.run(EXPERIMENTS)
    return copy


@pytest.mark.thorough
def test_every_command_and_every_block_runs_as_written(followed):
    shown = [
        command
        for document in (README, EXPERIMENTS)
        for block in blocks(document)
        if block.language == "sh"
        for command, _ in commands(block)
    ]
    ran = [command for command in shown if installed(command) != "pytest"]
    assert len(ran) == len(shown) - 1  # pytest, which is running
    assert set(ran) == {command for command in followed.printed if not command.startswith("README.md:")}


@pytest.mark.thorough
def test_the_default_run_learns_addition(followed):
    evaluation = json.loads((followed.path / "runs/addition/evaluation.json").read_text())
    assert evaluation["exact_match"] >= 0.999


@pytest.mark.thorough
def test_the_model_answers_the_question_of_the_readme(followed):
    assert followed.printed["jaxgpt generate runs/addition --prompt 9+71421"].splitlines() == ["71430"]


@pytest.mark.thorough
def test_the_table_of_the_default_run_is_shown(followed):
    """Headings and groups are those of the run; the figures may differ in their last digits elsewhere."""
    shown = README.read_text().partition("<!-- default run: begin -->")[2].partition("<!-- default run")[0]
    printed = followed.printed["pip install -e . && python train.py"]
    rows = [line for line in shown.splitlines() if line.strip() and not line.startswith("```")]
    assert rows
    for row in rows:
        assert re.split(r"\s{2,}", row.strip())[0] in printed


#: The first words of a command, here and there.
PROGRAMS = {"python train.py": "jaxgpt train", "python evaluate.py": "jaxgpt evaluate"}


@pytest.mark.parametrize("document", [README, EXPERIMENTS], ids=lambda path: path.name)
def test_every_command_is_understood(document):
    """Its options and fields exist and take these values; that it runs is a test that takes minutes."""
    shown = [
        part
        for block in blocks(document)
        if block.language == "sh"
        for command, _ in commands(block)
        for part in installed(command).split(" && ")
    ]
    for command in shown:
        for ours, theirs in PROGRAMS.items():
            command = re.sub(rf"^{re.escape(ours)}\b", theirs, command)
        if not command.startswith("jaxgpt "):
            continue
        _, name, *words = command.split()
        given = importlib.import_module(f"jaxgpt.cli.{name}").parser().parse(words)
        if name == "train":
            assert fields.override(experiments.find(given.experiment or "addition"), given.fields)
        if name == "compare":
            assert request(given)


def test_the_two_commands_stand_near_the_top():
    top = README.read_text().splitlines()[:15]
    assert "pip install -e . && python train.py" in top
    assert "pip install -e '.[test]' && pytest" in top


def test_every_extra_is_named():
    named = set(re.findall(r"\.\[(\w+)\]", README.read_text()))
    assert named == extras()


def test_it_is_short():
    text = README.read_text()
    assert len(text.split()) <= 700
    first = next(block for block in blocks(README) if block.language == "python")
    assert first.line <= 40 and text.index("![") < text.index("```")
    for block in blocks(README):
        assert len(block.text.splitlines()) < 40, block


def test_every_path_of_the_tree_exists():
    missing = [path for path in _tree() if not (ROOT / path).exists()]
    assert not missing


@pytest.mark.parametrize("folder", ["jaxgpt", "tasks"])
def test_the_tree_shows_every_entry(folder):
    present = {p.name for p in Path(ROOT / folder).iterdir() if p.name not in ("__pycache__", "__init__.py")}
    shown = {Path(path).name for path in _tree() if str(Path(path).parent) == folder}
    assert present == shown - {"__init__.py"}


def _tree() -> list[str]:
    """The paths of the tree in the README. Two spaces indent a level; several names may share a line."""
    block = next(b for b in blocks(README) if b.language == "text" and b.text.startswith("train.py"))
    paths, above = [], []
    for line in block.text.splitlines():
        level = (len(line) - len(line.lstrip())) // 2
        names = [name.rstrip("/") for name in re.split(r"\s{2,}", line.strip())[0].split(", ")]
        above = [*above[:level], names[0]]
        paths += ["/".join([*above[:level], name]) for name in names]
    return paths


def test_the_table_of_architectures_names_tests_that_exist():
    """Every architecture that is tested stands in it, and every name in it is a test's."""
    text = ARCHITECTURES.read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    _, *rows = [row for row in rows if len(row) == 3 and "`" not in row[2] and row[0] != "preset"]
    for name in re.findall(r"`(test_\w+)\[", text):
        files = [*ROOT.glob("tests/*.py"), *ROOT.glob("tests/huggingface/*.py")]
        assert any(f"def {name}(" in file.read_text() for file in files), name
    listed = [name for row in rows for name in row[1].split(", ")]
    assert sorted(listed) == sorted(architectures.NAMES)
    stored = (ROOT / "tests/huggingface/references").glob("*/config.json")
    kinds = {json.loads(path.read_text())["model_type"] for path in stored}
    loaded = [name for row in rows if " " not in row[2].split(", ")[0] for name in row[2].split(", ")]
    assert sorted(loaded) == sorted(kinds)
