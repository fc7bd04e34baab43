"""The report: every seed in the CSV, a page that needs nothing else, pictures that hold the numbers."""

import csv
import dataclasses
import html.parser
import json
import re
import shutil

import pytest
from comparison_building import BITS, CURVES, OVERALL, evaluation, figures, finish, plan
from matplotlib.image import imread

from jaxgpt import tokenizers
from jaxgpt.comparison import curve_pictures, page, pictures, reading, results, running, sections
from jaxgpt.comparison.cells import FOLDER
from jaxgpt.comparison.curves import Curve
from jaxgpt.comparison.styles import of_cells, styles
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
    assert "://" not in text and "@import" not in text
    assert all(link.startswith(("#", "data:image/png")) for link in reader.links)
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)
    # Two budgets: by length, learning against three amounts, and a grid for each of three cells. Seconds were
    # recorded at two looks of three.
    assert reader.seen.count("svg") == 14


def test_the_time_of_every_option_of_a_sweep_is_told(tmp_path):
    more = ("--sweep", "optimizer.epsilon=1e-8,1e-7", "--budgets", "examples")
    found = plan("--tokenizers", "digits,bytes", *more)
    finish(tmp_path, found, lambda cell, budget: evaluation((0.5, 0.5)))
    for job in found.all_jobs():  # each of 65 s
        selection = {"split": "validation", "per_seed": [0.5, 0.5]}
        (tmp_path / FOLDER / job.folder / running.SELECTION).write_text(json.dumps(selection))
    assert "Training took 4 min in all." in page.setting(results.read(found, tmp_path))


def test_the_page_answers_the_question(written):
    reader = Reader()
    reader.feed((written / "report.html").read_text())
    for text in (
        "addition, by tokenizer",
        "Findings at equal examples",
        "Findings at equal training FLOPs",
        "digits:2:right is surely better than digits:2:left",
        "at 1 digit",
        "Positions are rotary in every cell",
        "parameters without embeddings",
        "8 seeds each",
        "Computed on 1 x cpu",
        "Training took ",
    ):
        assert text in reader.text
    markdown = (written / "report.md").read_text()
    assert "Best: digits:2:right" in markdown
    shown = re.findall(r"!\[.*\]\((.*)\)", markdown)
    assert len(shown) == 14 and all((written / name).is_file() for name in shown)
    tex = (written / "tables.tex").read_text()
    assert tex.count("\\begin{tabular}") == tex.count("\\end{tabular}") == 10
    assert tex.count("\\toprule") == 10 and "\\usepackage{booktabs,graphicx}" in tex
    labels = re.findall(r"\\label\{(.*?)\}", tex)
    assert len(set(labels)) == 10


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


def test_the_question_that_is_shown_is_one_that_cells_read_differently():
    cells = plan(
        "--tokenizers", "digits,digits:3:right,digits:3:left", task__max_digits=6, model__max_length=24
    ).cells
    assert len({cell.facts.question for cell in cells}) == 3
    assert len({cell.facts.question.replace("|", "") for cell in cells}) == 1


def test_tokens_are_shown_apart_and_a_long_text_by_its_beginning():
    tokenizer = tokenizers.build("digits:3:right", lambda: iter(["+=\n"]))
    assert reading.cut(tokenizer, "71421+9=") == "71|421|+|9|="
    assert reading.cut(tokenizer, "1\n") == "1|\\n"
    shown = reading.cut(tokenizer, "123" * 40)
    assert shown.endswith("|...") and shown.count("|") == 20
    tens = tokenizers.build("10e", lambda: iter(["+="]))
    assert reading.cut(tens, "12+3=") == "1|10e1|2|10e0|+|3|10e0|="
    assert "\ufffd" not in reading.cut(tokenizers.build("bytes", lambda: iter([])), "1+1=é")
    one = tokenizers.build("fone:4", lambda: iter(["+=", "12+3="]))
    assert reading.cut(one, "12+345=") == "12|+|345|="


def test_the_csv_has_every_seed_of_every_cell_and_group(found, written):
    with open(written / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    looks = [r for r in rows if r["kind"] == "curve"]
    facts = {cell.name: cell.facts for cell in found.plan.cells}
    for line in looks:
        step, cell = int(line["steps"]), line["cell"]
        assert float(line["value"]) == CURVES[cell][step][int(line["seed"])]
        assert int(line["examples"]) == 8 * step and int(line["flops"]) == 8 * step * facts[cell].flops
        assert int(line["tokens"]) == 8 * step * facts[cell].tokens
        assert line["seconds"] == {"1": "5.0", "2": "65.0", "20": ""}[line["steps"]]
    assert len(looks) == 2 * 3 * 3 * 8
    for line in rows:
        sizes = facts[line["cell"]]
        assert int(line["parameters"]) == sizes.params
        assert int(line["parameters_without_embeddings"]) == sizes.body < sizes.params
    # Of the second cell six seeds had 0.9 at the second look, the others never.
    needed = {
        (r["budget"], r["cell"], r["group"], r["measure"], r["seed"]): r
        for r in rows
        if r["kind"] == "needed"
    }
    assert len(needed) == 2 * 3 * 2 * 2 * 8
    flops = 8 * facts["digits:2:right"].flops
    for measure, unit in (("examples", 8), ("flops", flops)):
        values = [
            needed["examples", "digits:2:right", "0.9", measure, str(seed)]["value"] for seed in range(8)
        ]
        assert values == [str(2 * unit)] * 6 + [""] * 2
        values = [needed["flops", "digits:2:right", "0.99", measure, str(seed)]["value"] for seed in range(8)]
        assert values == [str(20 * unit)] * 5 + [""] * 3
    rows = [r for r in rows if r["kind"] not in ("curve", "needed")]
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
                for seed, value in enumerate(BITS):
                    assert (
                        float(index.pop((budget, cell, "measure", "", measure, str(seed)))["value"]) == value
                    )
    assert index == {}


@pytest.mark.thorough
def test_the_same_results_give_the_same_bytes(found, written, tmp_path):
    page.write(found, tmp_path)
    ours = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    theirs = {path.relative_to(written): path.read_bytes() for path in written.rglob("*") if path.is_file()}
    assert ours == theirs and len(ours) == 4 + 2 * 14


def test_the_csv_tells_of_no_need_where_nobody_looked(found):
    blind = [dataclasses.replace(f, curve=Curve((), (), ())) for f in found.findings["examples"]]
    rows = dataclasses.replace(found, findings={"examples": tuple(blind)}).rows()
    assert rows and not any(row["kind"] in ("curve", "needed") for row in rows)


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
    assert [length for length, _ in equal] == [1, 2, 4, 5]
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
    assert lines["digits:2:left"] == [[2, pytest.approx(0.12)]]
    means = [line.get_xdata().tolist() for line in equal.lines if not line.get_label().startswith("_")]
    # And a thin line a seed, and one behind what was trained on.
    assert means == [[1, 2, 4, 5]] * 3 and len(equal.lines) == 3 + 3 * 8 + 1
    # Shading says that a difference is sure, so what lies beyond the training has a line of its own.
    for panel in (equal, apart):
        (border,) = [line for line in panel.lines if line.get_linestyle() == ":"]
        assert list(border.get_xdata()) == [2.5, 2.5] and not panel.patches
    assert "right of the dotted line: longer than trained on" in apart.get_xlabel()
    learned = [
        dataclasses.replace(f, groups=tuple(row for row in f.groups if row.in_distribution))
        for f in found.findings["examples"]
    ]
    pictures.curves(learned, "examples", tmp_path / "x")
    assert drawn[2].axes[-1].get_xlabel() == "digits"
    assert all(line.get_linestyle() != ":" for panel in drawn[2].axes for line in panel.lines)
    names = [
        dataclasses.replace(row, group=f"group {i}") for i, row in enumerate(figures("digits", "").groups)
    ]
    others = [dataclasses.replace(f, groups=tuple(names)) for f in found.findings["examples"]]
    pictures.curves(others, "examples", tmp_path / "x")
    assert [t.get_text() for t in drawn[4].axes[0].get_xticklabels()] == [f"group {i}" for i in range(5)]


def test_learning_is_drawn_with_every_seed_and_the_interval_of_the_mean(found, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    findings = found.findings["examples"]
    assert curve_pictures.learning(findings, "examples", "examples", tmp_path / "x")
    panel = drawn[0].axes[0]
    assert panel.get_title(loc="left") == "digits\n0 of 8 learned it"
    assert [line.get_xdata().tolist() for line in panel.lines if len(line.get_xdata()) == 3] == [
        [8, 16, 160]
    ] * 11
    (band,) = panel.collections
    low, high = findings[0].curve.estimates()[1].interval
    heights = {round(float(y), 6) for x, y in band.get_paths()[0].vertices if x == 16}
    assert heights == {round(low, 6), round(high, 6)}
    assert not curve_pictures.learning(findings, "examples", "seconds", tmp_path / "x")  # not at every look


def test_a_cell_keeps_its_colour_in_every_report():
    alone, among = styles(["fone:9"]), styles(["xval", "digits", "fone:4", "fone:9"])
    assert styles(["digits", "fixed:4"])[1] == styles(["fixed:7"])[0]  # whatever its width
    assert alone[0] == among[2] and styles(["digits:2:right"])[0] == styles(["bytes", "digits:2:right"])[1]
    many = [f"name {i}" for i in range(32)]
    assert len({tuple(style.items())[:2] for style in styles(many)}) == 32
    # A name that has no place of its own does not take that of one that has, and kinds do not share one.
    taking = next(name for name in (f"mine {i}" for i in range(999)) if styles([name]) == styles(["digits"]))
    assert styles([taking, "digits"])[1] == styles(["digits"])[0] != styles([taking, "digits"])[0]
    assert styles(["fone:4", "fone"])[1] == styles(["fone"])[0]
    assert styles(["fixed:7", "bytes"]) == [*styles(["fixed:7"]), *styles(["bytes"])]
    assert styles(["fixed:7"])[0]["color"] != styles(["bytes"])[0]["color"] != styles(["digits"])[0]["color"]
    assert styles(["mine"]) == styles(["mine"]) and len(styles(many + many)) == 64


def test_the_cells_of_the_published_comparison_keep_their_colours():
    names = ["digits", "10e", "digits:2:right", "digits:3:right", "digits:2:left", "digits:3:left"]
    shown = {name: style["color"] for name, style in zip(names, styles(names), strict=True)}
    assert shown == {
        "digits": "#0072b2",
        "10e": "#56b4e9",
        "digits:2:right": "#d55e00",
        "digits:3:right": "#cc79a7",
        "digits:2:left": "#009e73",
        "digits:3:left": "#e69f00",
    }
    green, olive = {"color": "#009e73", "linestyle": "--", "marker": "o"}, {"color": "#999933"}
    assert styles(["fixed:7"]) == [green] and styles(["fone:7"])[0].items() >= olive.items()


def test_of_several_fields_the_tokenizer_says_the_colour_and_the_rest_dash_and_marker(found):
    cells = [
        dataclasses.replace(f.cell, name=f"{f.cell.name} / {rest}")
        for rest in ("rotary", "alibi")
        for f in found.findings["examples"]
    ]
    drawn = of_cells(cells)
    alone = styles(list(OVERALL))
    assert drawn[:3] == alone
    for first, second in zip(drawn[:3], drawn[3:], strict=True):
        assert first["color"] == second["color"]
        assert first["linestyle"] != second["linestyle"] and first["marker"] != second["marker"]
    assert len({style["linestyle"] for style in drawn[3:]}) == 1  # alibi reads alike for every tokenizer
    # Where no tokenizer is varied, each value has a colour.
    others = [dataclasses.replace(cell, values={"model.position": cell.name}) for cell in cells]
    assert of_cells(others) == styles([cell.name for cell in cells])


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
    assert [path.with_suffix(".svg").exists() for path in png] == [True] * 14
    assert all(imread(path).std() > 0.05 for path in png)


def test_a_file_that_is_no_evaluation_is_named(compared, tmp_path):
    shutil.copytree(compared, tmp_path / "copy")
    plan = results.Plan.read(tmp_path / "copy")
    path = tmp_path / "copy" / "cells" / "digits" / "evaluation.json"
    path.write_text('{"groups": []}')
    with pytest.raises(ValueError, match=r"digits/evaluation\.json is not an evaluation"):
        results.read(plan, tmp_path / "copy")
