"""The report: every seed in the CSV, a page that needs nothing else, pictures that hold the numbers."""

import csv
import dataclasses
import html.parser
import re
import shutil

import pytest
from comparison_building import OVERALL, figures
from matplotlib.image import imread

from jaxgpt import tokenizers
from jaxgpt.comparison import page, pictures, reading, results, sections
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import proportion


@pytest.fixture(scope="module")
def written(found, tmp_path_factory):
    """The report in a directory of its own."""
    workdir = tmp_path_factory.mktemp("report")
    page.write(found, workdir)
    return workdir


class Reader(html.parser.HTMLParser):
    """Notes tags, attributes and text, and that tags are closed in their order."""

    VOID = {"meta", "br", "path", "use", "image", "rect", "line"}

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids, self.links, self.text = [], [], [], [], ""

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                self.links.append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.thorough
def test_the_page_needs_nothing_beside_it(written):
    text = (written / "report.html").read_text()
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [] and "script" not in reader.seen and "link" not in reader.seen
    assert "http" not in text and "@import" not in text
    assert all(link.startswith(("#", "data:image/png")) for link in reader.links)
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)
    # Two budgets: curves, and a grid for each of three cells.
    assert reader.seen.count("svg") == 8


def test_the_page_answers_the_question(written):
    reader = Reader()
    reader.feed((written / "report.html").read_text())
    for text in (
        "addition, by tokenizer",
        "Findings at equal examples",
        "Findings at equal training FLOPs",
        "digits:2:right is surely better than digits:2:left",
        "up to 1 digit",
        "Positions are rotary in every cell",
        "parameters without embeddings",
        "4 seeds each",
        "Computed on 1 x cpu",
        "Training took ",
    ):
        assert text in reader.text
    markdown = (written / "report.md").read_text()
    assert "Best: digits:2:right" in markdown
    shown = re.findall(r"!\[.*\]\((.*)\)", markdown)
    assert len(shown) == 8 and all((written / name).is_file() for name in shown)
    tex = (written / "tables.tex").read_text()
    assert tex.count("\\begin{tabular}") == tex.count("\\end{tabular}") == 8


def test_the_page_shows_how_each_cell_reads_a_question(found, written, tmp_path):
    assert "How each cell reads" in (written / "report.html").read_text()
    cells = found.plan.cells
    assert all(cell.facts.question.replace("|", "").endswith("=") for cell in cells)
    assert len({cell.facts.question.replace("|", "") for cell in cells}) == 1
    digits, right = (next(c for c in cells if c.name == name) for name in ("digits", "digits:2:right"))
    number = digits.facts.question.split("|+|")[0]
    assert number == "|".join(number.replace("|", ""))
    assert right.facts.question.split("|+|")[0] != number
    # A comparison that was begun before cells had this has no such table.
    old = [dataclasses.replace(c, facts=dataclasses.replace(c.facts, question="", answer="")) for c in cells]
    assert sections.how_read(dataclasses.replace(found.plan, cells=tuple(old))) is None


def test_tokens_are_shown_apart_and_a_long_text_by_its_beginning():
    tokenizer = tokenizers.build("digits:3:right", lambda: iter(["+=\n"]))
    assert reading.cut(tokenizer, "71421+9=") == "71|421|+|9|="
    assert reading.cut(tokenizer, "1\n") == "1|\\n"
    shown = reading.cut(tokenizer, "123" * 40)
    assert shown.endswith("...") and shown.count("|") == 19
    one = tokenizers.build("fone:4", lambda: iter(["+=", "12+3="]))
    assert reading.cut(one, "12+345=") == "12|+|345|="


def test_the_csv_has_every_seed_of_every_cell_and_group(written):
    with open(written / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    index = {(r["budget"], r["cell"], r["kind"], r["group"], r["measure"], r["seed"]): r for r in rows}
    assert len(index) == len(rows)
    for budget in ("examples", "flops"):
        for cell in OVERALL:
            expected = figures(cell, budget)
            wanted = {("all", "all"): expected.overall}
            wanted |= {("heading", r.group): r for r in expected.headings}
            wanted |= {("group" if r.in_distribution else "beyond", r.group): r for r in expected.groups}
            for (kind, group), row in wanted.items():
                for seed, value in enumerate(row.exact_match.per_seed):
                    line = index.pop((budget, cell, kind, group, "exact_match", str(seed)))
                    assert float(line["value"]) == value and int(line["n"]) == row.n
                    assert line["tokenizer"] == cell
            for measure in ("held_out loss", "held_out bits_per_byte"):
                for seed, value in enumerate((1.0, 1.25, 1.5, 1.25)):
                    assert (
                        float(index.pop((budget, cell, "measure", "", measure, str(seed)))["value"]) == value
                    )
    assert index == {}


@pytest.mark.thorough
def test_the_same_results_give_the_same_bytes(found, written, tmp_path):
    page.write(found, tmp_path)
    ours = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    theirs = {path.relative_to(written): path.read_bytes() for path in written.rglob("*") if path.is_file()}
    assert ours == theirs and len(ours) == 4 + 2 * 8


def test_names_are_shown_as_they_stand(found, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "save", lambda figure, path: path.write_text("<svg></svg>"))
    nasty = '<script>&"_%'
    cells = tuple(
        dataclasses.replace(f, cell=dataclasses.replace(f.cell, name=f.cell.name + nasty))
        for f in found.findings["examples"]
    )
    page.write(dataclasses.replace(found, findings={**found.findings, "examples": cells}), tmp_path)
    reader = Reader()
    reader.feed((tmp_path / "report.html").read_text())
    assert "script" not in reader.seen and "digits:2:left" + nasty in reader.text


def test_a_curve_weighs_groups_by_their_questions(found):
    left = next(f for f in found.findings["examples"] if f.cell.name == "digits:2:left")
    equal = pictures.by_length(left.groups, lambda a, b: a == b)
    assert [length for length, _ in equal] == [1, 2, 4]
    rows = [
        dataclasses.replace(left.groups[1], exact_match=proportion([0.2, 0.4], 30), n=30),
        dataclasses.replace(left.groups[2], exact_match=proportion([1.0, 0.8], 10), n=10),
    ]
    ((length, estimate),) = pictures.by_length(rows, lambda a, b: True)
    assert length == 2 and estimate.per_seed == pytest.approx((0.4, 0.5))  # (6 + 10) / 40 and (12 + 8) / 40


def test_the_curves_are_those_of_the_cells(found, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    pictures.curves(found.findings["examples"], "examples", tmp_path / "x")
    equal, apart = drawn[0].axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in apart.lines}
    assert lines["digits:2:left"] == [[2, pytest.approx(0.12)]] and len(lines) == 3
    left = next(f for f in found.findings["examples"] if f.cell.name == "digits:2:left")
    ((_, estimate),) = pictures.by_length(left.groups, lambda a, b: a != b)
    bars = [one.get_segments()[0].tolist() for one in apart.collections if hasattr(one, "get_segments")]
    assert [[2, estimate.interval[0]], [2, estimate.interval[1]]] in bars  # one length has no band
    assert [line.get_xdata().tolist() for line in equal.lines] == [[1, 2, 4]] * 3
    names = [
        dataclasses.replace(row, group=f"group {i}") for i, row in enumerate(figures("digits", "").groups)
    ]
    others = [dataclasses.replace(f, groups=tuple(names)) for f in found.findings["examples"]]
    pictures.curves(others, "examples", tmp_path / "x")
    assert [t.get_text() for t in drawn[2].axes[0].get_xticklabels()] == [f"group {i}" for i in range(4)]


@pytest.mark.parametrize("grouped", [True, False])
def test_title_and_legend_do_not_meet(found, tmp_path, monkeypatch, grouped):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    findings = []
    for index in range(12):
        finding = found.findings["examples"][index % 3]
        cell = dataclasses.replace(finding.cell, name=f"digits:3:right / rotary {index}" + "x" * index)
        groups = finding.groups
        if not grouped:
            groups = tuple(dataclasses.replace(row, group=f"group {i}") for i, row in enumerate(groups))
        findings.append(dataclasses.replace(finding, cell=cell, groups=groups))
    pictures.curves(findings, "examples", tmp_path / "x")
    figure = drawn[0]
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()
    (legend,) = (one.get_window_extent() for one in figure.legends)
    assert not title.overlaps(legend)
    assert legend.y0 >= 0 and legend.y1 <= figure.bbox.height and title.x0 >= 0


def test_the_pictures_are_pictures(written):
    png = sorted((written / "pictures").glob("*.png"))
    assert [path.with_suffix(".svg").exists() for path in png] == [True] * 8
    assert all(imread(path).std() > 0.05 for path in png)


def test_a_file_that_is_no_evaluation_is_named(compared, tmp_path):
    shutil.copytree(compared, tmp_path / "copy")
    plan = results.Plan.read(tmp_path / "copy")
    path = tmp_path / "copy" / "cells" / "digits" / "evaluation.json"
    path.write_text('{"groups": []}')
    with pytest.raises(ValueError, match=r"digits/evaluation\.json is not an evaluation"):
        results.read(plan, tmp_path / "copy")
