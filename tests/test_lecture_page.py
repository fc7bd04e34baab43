"""docs/lecture.md: every row has a section, and its figures are files beside the page."""

import re
import runpy

import pytest
from documents import ROOT

from jaxgpt.lecture import Row

PAGE = (ROOT / "docs" / "lecture.md").read_text()
PROGRAM = runpy.run_path(str(ROOT / "docs" / "lecture.py"))


def test_every_row_has_its_place():
    named = re.findall("<!-- figures: (.*) -->", PAGE)
    assert sorted(named) == sorted(name.replace("_", "-") for name in Row.names())
    assert all(f"jaxgpt lecture {name}" in PAGE for name in named)
    assert PAGE.count("<!-- end -->") == len(named)


def test_every_figure_is_there_with_its_numbers():
    pictures = re.findall(r"\]\((lecture/.*\.png)\)", PAGE)
    for picture in pictures:
        assert (ROOT / "docs" / picture).stat().st_size > 1000
        assert (ROOT / "docs" / picture).with_suffix(".csv").exists()


@pytest.fixture
def made(tmp_path):
    """A folder as the command leaves it."""
    (tmp_path / "made" / "attention").mkdir(parents=True)
    for suffix, content in (
        (".png", "picture"),
        (".csv", "a,b\n"),
        (".md", "### loss\n\n| a |\n\n\nOne [sees] it.\n"),
    ):
        (tmp_path / "made" / "attention" / f"loss{suffix}").write_text(content)
    (tmp_path / "made" / "attention" / "parts.json").write_text('["loss"]')
    return tmp_path


def test_figures_stand_between_the_marks_of_their_row(made):
    page = "".join(
        f"<!-- figures: {row} -->\n\n{row}\n\n<!-- end -->\n" for row in ("attention", "shared-layers")
    )
    found = PROGRAM["filled"](page, made / "made", made / "lecture")
    assert "![One sees it.](lecture/attention-loss.png)" in found and "| a |" in found
    assert "\nattention\n" not in found and "\nshared-layers\n" in found and "### loss" not in found
    assert found.count("The lecture's claim: ") == 2
    assert (made / "lecture" / "attention-loss.csv").read_text() == "a,b\n"
    assert PROGRAM["filled"](found, made / "made", made / "lecture") == found


@pytest.mark.parametrize(
    ("row", "published"),
    [
        ("remembered-segments", "18.3, where the best model before had 20.5 (Dai et al. 2019, table 1)"),
        ("shared-layers", "80.1 against 82.3 (Lan et al. 2020, table 2)"),
        ("in-context", "1.3, 13 and 175 thousand million weights"),
        ("longer-windows", "and not with its square"),
        ("hashed-attention", "a text of twice the length costs four times as much"),
    ],
)
def test_what_the_lecture_says_stands_once_before_the_figures(row, published, made):
    (made / "made" / "attention").rename(made / "made" / row)
    page = f"<!-- figures: {row} -->\nold\n<!-- end -->\n"
    found = PROGRAM["filled"](page, made / "made", made / "lecture")
    claim, _, figures = found.partition("![One sees it.]")
    assert "\n\nThe lecture's claim: " in claim and published in claim and figures
    said = next(line for line in claim.splitlines() if line.startswith("The lecture's claim: "))
    assert published in said and "Here" not in said
    again = PROGRAM["filled"](found, made / "made", made / "lecture")
    assert again == found and again.count("The lecture's claim: ") == 1


def test_passages_stand_behind_the_table(made):
    passage = "step 1; x:\n\n```text\nTo be,\n\nor not.\n```"
    (made / "made" / "attention" / "loss.md").write_text(f"### loss\n\n| a |\n\n{passage}\n\n\nOne.\n")
    page = "<!-- figures: attention -->\n<!-- end -->\n"
    found = PROGRAM["filled"](page, made / "made", made / "lecture")
    assert f"| a |\n\n{passage}\n\n[The numbers](lecture/attention-loss.csv)" in found and "![One.](" in found


def test_a_folder_is_needed(capsys):
    assert PROGRAM["main"]([]) == 2 and "runs/lecture" in capsys.readouterr().err
