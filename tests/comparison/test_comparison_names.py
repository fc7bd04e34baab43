"""Names from outside, of groups, cells and measures, in every picture, table and page."""

import dataclasses
import html.parser
import re
import xml.etree.ElementTree as ElementTree

import pytest
from comparison_building import row
from matplotlib import rc_context

from jaxgpt.comparison import page, pictures, sections
from jaxgpt.core import tables
from jaxgpt.core.wording import visible
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.evaluation import Evaluation, Mistake, NotAsked
from jaxgpt.evaluation.intervals import Estimate
from tasks.magic_squares import picture

NAMES = (
    "$x",
    "$x$ and $\\frac{1}{",
    "\\$5",
    "\\frac",
    "<script>alert(1)</script>",
    'id="a" xmlns="b" url(#c)',
    "a|b",
    "_*_",
    "*starred",
    "[x](javascript:1)",
    "`code`",
    "two\nlines\r\n",
    "nul\0bell\x07",
    "\x1b[31mred",
    "--",
    "100 % & #1 ~ ^ {",
    "\ud800",
    "中文，数字",
    "مجموعة",
    "\U0001f600\U0001f468\u200d\U0001f469",
    "\u202egnp",
    "",
    " ",
    "9" * 5000 + "+1 digits",
    "a long name " * 200,
)


@pytest.fixture(scope="module")
def hostile(found):
    """Findings whose groups, headings and cells have such names."""
    cells = {}
    for budget, findings in found.findings.items():
        cells[budget] = tuple(
            dataclasses.replace(
                one,
                groups=tuple(
                    row(name, (0.5, 0.6, 0.5, 0.5), inside=i % 2 == 0) for i, name in enumerate(NAMES)
                ),
                headings=tuple(row(name, (0.5,) * 4) for name in NAMES),
                cell=dataclasses.replace(one.cell, name=NAMES[index]),
            )
            for index, one in enumerate(findings)
        )
    return dataclasses.replace(found, findings=cells)


def texts(svg):
    """What an SVG says, which must be well-formed."""
    tree = ElementTree.fromstring(svg)
    return ["".join(node.itertext()) for node in tree.iter() if node.tag.endswith("}text")]


def shown(name, most=40):
    """A name as a picture shows it."""
    name = visible(name)
    name = name if len(name) <= most else name[: most - 3] + "..."
    return (" " if name.startswith("_") else "") + name


def test_bars_of_an_evaluation(tmp_path):
    groups = tuple(row(name, (0.5,), inside=False) for name in NAMES)
    evaluation = Evaluation("test", 1, row("all", (0.5,)), groups)
    plots.accuracy_grid(evaluation, tmp_path / "bars.png")
    plots.accuracy_grid(evaluation, tmp_path / "bars.svg")
    written = [text.strip() for text in texts((tmp_path / "bars.svg").read_text(encoding="utf-8"))]
    assert {shown(name).strip() for name in NAMES} - {""} <= set(written)


@pytest.mark.thorough
def test_a_matplotlibrc_that_asks_for_latex(tmp_path):
    with rc_context({"text.usetex": True}):
        plots.learning_curve([(1, 0, "loss", 2.0), (2, 0, "loss", 0.001)], tmp_path / "curve.png")
        test_bars_of_an_evaluation(tmp_path)


@pytest.mark.thorough
def test_pictures_of_a_comparison(hostile, tmp_path):
    for index, finding in enumerate(hostile.findings["examples"]):
        pictures.grid(finding, tmp_path / "grid.svg")
        written = "\n".join(texts((tmp_path / "grid.svg").read_text(encoding="utf-8")))
        assert f"{shown(NAMES[index], 80)}, equal examples" in written
    pictures.curves(hostile.findings["examples"], "examples", tmp_path / "curves.svg")
    written = [text.strip() for text in texts((tmp_path / "curves.svg").read_text(encoding="utf-8"))]
    assert {shown(name, 24).strip() for name in NAMES} - {""} <= set(written)
    cells = [f"_{i}" for i in range(3)]  # which matplotlib's legends leave out
    findings = [
        dataclasses.replace(f, cell=dataclasses.replace(f.cell, name=name))
        for f, name in zip(hostile.findings["examples"], cells, strict=True)
    ]
    pictures.curves(findings, "examples", tmp_path / "curves.svg")
    written = [text.strip() for text in texts((tmp_path / "curves.svg").read_text(encoding="utf-8"))]
    assert set(cells) <= set(written)


class Reader(html.parser.HTMLParser):
    """The text of a page, and its tags."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


@pytest.mark.thorough
def test_a_report(hostile, tmp_path):
    page.write(hostile, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    assert "script" not in reader.tags
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert all(visible(name) in reader.text for name in NAMES)
    figures = [texts(_spaces(figure)) for figure in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]
    assert any('id="a" xmlns="b" url(#c)' in shown for figure in figures for shown in figure)
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    unescaped = re.sub(r"\\(.)", r"\1", markdown)
    assert all(visible(name) in unescaped for name in NAMES)
    assert not re.search(r"(?<!\\)[<`$~]", markdown)
    rows = [re.sub(r"\\.", "", line) for line in markdown.splitlines() if line.startswith("| ")]
    heads = [i for i, line in enumerate(rows) if ":--" in line]
    for begin, end in zip(heads, [*(i - 1 for i in heads[1:]), len(rows)], strict=True):
        assert len({line.count("|") for line in rows[begin - 1 : end]}) == 1


def _spaces(figure):
    """An inlined SVG with the names of its parts declared again."""
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return figure.replace("<svg", f"<svg {names}", 1)


def test_latex(hostile):
    for table in (*sections.tables(hostile, "examples"), sections.by_group(hostile, "examples")):
        text = tables.latex(table, "hostile")
        assert not [c for c in text if not c.isprintable() and c != "\n"]
        bare = re.sub(r"\\[&%$#_{}\\]", "", text.replace(tables._FIT, ""))
        assert text.isascii()
        assert bare.count("{") == bare.count("}") and "--" not in bare
        assert not re.search(r"[#$^~<>|\"]|(?<!\\)%", bare)
        assert not re.search(r"\\\\\n[*\[]", text)
        body = bare[bare.index("\\begin{tabular}") :].splitlines()
        columns = len(table.header) - 1
        rows = [line for line in body if "&" in line]
        assert len(rows) == len(table.rows) + 1 and {line.count("&") for line in rows} == {columns}


def test_the_terminal(hostile):
    value = Estimate(0.5, None, (0.5,))
    mistakes = [Mistake(name, name, name, name, name, name, {}) for name in NAMES]
    evaluation = Evaluation(
        "test",
        1,
        row("all", (0.5,)),
        tuple(row(name, (0.5,)) for name in NAMES[:19]),
        tuple(row(name, (0.5,)) for name in NAMES),
        summary=dict.fromkeys(NAMES, value),
        not_asked=tuple(NotAsked(name, 1, name, True) for name in NAMES),
        mistakes=tuple(mistakes),
    )
    made = [evaluation.table()]
    made += [tables.terminal(table) for table in sections.tables(hostile, "examples")]
    for text in made:
        assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert all(len(line) <= 150 for line in made[0].splitlines())


def test_squares(tmp_path):
    square = tuple(range(101, 110))
    assert picture.draw([(square, 105), (square, None)], tmp_path / "squares.png")
