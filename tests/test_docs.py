"""The documents in docs/: what they show runs, the references say everything, the links lead somewhere."""

import importlib
import inspect
import json
import re
import runpy

import pytest
from documents import ROOT, Copy, blocks
from tiny_runs import TINY

import jaxgpt
from jaxgpt import Experiment, ModelConfig, Task
from jaxgpt.core import fields
from jaxgpt.runs import experiments
from jaxgpt.runs.session import train
from tasks.pairs import Pairs
from tasks.strings import Rule

DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"
PAGES = sorted(DOCS.rglob("*.md"))

#: Pages whose commands and code run in a copy of the repository each.
FOLLOWED = (
    "start",
    "own-data",
    "own-task",
    "own-loss",
    "notebooks",
    "score",
    "lab",
    "strings",
    "constructions",
    "lecture",
    "synopses",
    "fine-tuning",
    "features",
    "run-directory",
)

#: Seconds for one command of the tutorial.
TIMEOUT = 5 * 60


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Copy:
    """A copy of the repository in which everything that the tutorial shows has been run, in order."""
    copy = Copy(tmp_path_factory.mktemp("tutorial"), TIMEOUT)
    copy.run(TUTORIAL)
    return copy


def _exact_match(path) -> float:
    return json.loads(path.read_text())["exact_match"]


@pytest.mark.thorough
def test_the_tutorial_ends_with_a_task_of_ones_own_trained(followed):
    assert _exact_match(followed.path / "runs/successor/evaluation.json") > 0.5
    assert (followed.path / "seven.json").exists()


@pytest.mark.thorough
def test_the_rule_of_ones_own_is_learned_as_the_tutorial_says(followed):
    scores = json.loads((followed.path / "runs/equal_places/evaluation.json").read_text())
    assert scores["exact_match"] > 0.5
    assert scores["summary"]["rule kept, of new strings"]["mean"] > 0.5


@pytest.mark.thorough
def test_groups_learn_less_in_as_many_steps_as_the_tutorial_says(followed):
    digits, groups = (followed.path / "runs" / name for name in ("successor", "successor_groups"))
    assert _exact_match(groups / "evaluation.json") < _exact_match(digits / "evaluation.json") / 2


@pytest.mark.thorough
@pytest.mark.parametrize("name", FOLLOWED)
def test_what_a_page_shows_runs(tmp_path, name):
    Copy(tmp_path, TIMEOUT).run(DOCS / f"{name}.md")


@pytest.mark.thorough
def test_the_evaluations_that_the_page_on_questions_shows_ask_the_file(jaxgpt, tmp_path, quick_compilation):
    page = (DOCS / "questions.md").read_text()
    commands = re.findall(r"`jaxgpt (evaluate RUN [^`\n]*FILE[^`\n]*)`", page)
    assert len(commands) == 2
    lines = [f"{n} doubled\t{2 * n}\n" for n in range(220)]
    mine, theirs = tmp_path / "mine.tsv", tmp_path / "theirs.tsv"
    mine.write_text("".join(lines[:200]))
    theirs.write_text("".join(lines))
    values = {name: text for name, text in TINY.items() if not name.startswith("task.")}
    values |= {"task.path": str(mine), "training.steps": "1", "model.max-length": "32"}
    run, output = tmp_path / "run", tmp_path / "found.json"
    train(fields.override(experiments.find("pairs"), values), run, say=lambda line: None)
    for command in commands:
        words = [{"RUN": run, "FILE": theirs}.get(word, word) for word in command.split()]
        status, _, errors = jaxgpt(*words, "--output", output)
        assert status == 0, errors
        found = json.loads(output.read_text())
        assert str(theirs) in (found["task"]["path"], found["task"]["test_path"]) and found["n"] > 5
        if found["task"]["test_path"]:  # all lines are asked, also those of the training
            assert found["n"] == len(lines) and 0 < found["trained_on"] < len(lines)


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    """What the reference is filled with where the site is built, by the names in its pages."""
    functions = runpy.run_path(str(DOCS / "reference.py"))["PARTS"]
    return {name: function() for name, function in functions.items()}


def test_the_pages_name_every_part_of_the_reference(parts):
    named = [name for page in PAGES for name in re.findall("<!-- generated: (.*) -->", page.read_text())]
    assert sorted(named) == sorted(parts)


def test_the_reference_has_every_field_and_name(parts):
    text = "\n".join(parts.values())
    for row in fields.describe(Experiment(task=Pairs(), tokenizer="bytes", model=ModelConfig())):
        if row.path not in ("task", "model"):  # an experiment chooses its task; a model is named by a preset
            assert f"`--{row.path.replace('_', '-')}`" in text, row.path
    for name in Task.names():
        assert f"## {name.replace('_', '-')}\n" in parts["tasks"]
    for name in Rule.names():
        assert f"### {name.replace('_', '-')}\n" in parts["tasks"]
    for name in jaxgpt.__all__:
        assert f"[`jaxgpt.{name}`](#" in parts["names"]
    assert "jaxgpt evaluate" in parts["commands"] and "--checkpoint" in parts["commands"]


def test_the_page_on_comparisons_has_every_option(parts):
    help_text = parts["commands"].partition("## jaxgpt compare\n")[2].partition("\n## ")[0]
    options = set(re.findall(r"--[a-z][\w-]*", help_text)) - set(re.findall(r"--dotted[\w-]*", help_text))
    common = {"--help", "--traceback", "--trust", "--distributed"}
    assert len(options) > 8
    missing = options - common - set(re.findall(r"--[a-z][\w-]*", (DOCS / "compare.md").read_text()))
    assert not missing


def test_every_module_of_the_reference_is_there_and_public_names_are_documented():
    text = "\n".join(page.read_text() for page in (DOCS / "python").glob("*.md"))
    modules = re.findall(r"automodule:: ([\w.]+)", text)
    assert len(modules) == len(set(modules))
    for name in modules:
        assert inspect.getdoc(importlib.import_module(name)), name
    for name in jaxgpt.__all__:
        value = getattr(jaxgpt, name)
        assert value.__doc__ and value.__module__ in modules, name
        public = [m for m in vars(value).values() if inspect.isfunction(m)] if inspect.isclass(value) else []
        for member in public:
            assert member.__name__.startswith("_") or inspect.getdoc(getattr(value, member.__name__)), member


@pytest.mark.parametrize("document", [ROOT / "README.md", *PAGES], ids=lambda p: p.name)
def test_every_relative_link_leads_to_a_file(document):
    text = document.read_text()
    for block in blocks(document):
        text = text.replace(block.text, "")
    links = re.findall(r"\]\(([^)]+)\)", re.sub(r"`[^`\n]*`", "", text))
    broken = [
        link
        for link in links
        if "://" not in link and not (document.parent / link.partition("#")[0]).exists()
    ]
    assert not broken


def test_code_in_other_languages_is_not_overlooked():
    for document in (ROOT / "README.md", TUTORIAL, *(DOCS / f"{name}.md" for name in FOLLOWED)):
        assert {block.language for block in blocks(document)} <= {"sh", "python", "text"}
        assert document.read_text().count("\n```") == 2 * len(blocks(document))
