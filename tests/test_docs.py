"""The documents in docs/: the tutorial runs, the references are up to date, the links lead somewhere."""

import json
import re
import runpy

import pytest
from documents import ROOT, Copy, blocks

DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"

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


@pytest.mark.slow
def test_the_tutorial_ends_with_a_task_of_ones_own_trained(followed):
    assert _exact_match(followed.path / "runs/successor/evaluation.json") > 0.5
    assert (followed.path / "seven.json").exists()


@pytest.mark.slow
def test_groups_learn_less_in_as_many_steps_as_the_tutorial_says(followed):
    digits, groups = (followed.path / "runs" / name for name in ("successor", "successor_groups"))
    assert _exact_match(groups / "evaluation.json") < _exact_match(digits / "evaluation.json") / 2


@pytest.mark.parametrize("name", ["configuration", "api"])
def test_the_references_are_up_to_date(name):
    written = runpy.run_path(str(DOCS / "generate.py"))[name]()
    assert (DOCS / f"{name}.md").read_text() == written, "run python docs/generate.py"


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda p: p.name)
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
    for document in (ROOT / "README.md", TUTORIAL):
        assert {block.language for block in blocks(document)} <= {"sh", "python", "text"}
        assert document.read_text().count("\n```") == 2 * len(blocks(document))
