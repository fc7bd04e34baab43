"""Where cells are wrong and how: tables by hand, small pictures that hold the numbers, page and CSV."""

import csv
import dataclasses
import io
import itertools

import pytest
from comparison_building import evaluation, figures, finish, row

from jaxgpt.comparison import error_pictures, error_tables, page, results
from jaxgpt.core.tables import Entry
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.evaluation import Errors
from jaxgpt.evaluation.intervals import bounded_mean, proportion

#: By cell: the share of right tens, exact match with a carry, and wrong answers of each kind, by seed.
TENS = {
    "digits": (1.0, 1.0, 0.9, 0.9) * 2,
    "digits:2:right": (1.0,) * 8,
    "digits:2:left": (0.5, 0.4, 0.3, 0.4) * 2,
}
CARRY = {
    "digits": (0.8, 0.9, 0.9, 0.8) * 2,
    "digits:2:right": (0.9,) * 8,
    "digits:2:left": (0.2, 0.1, 0.0, 0.1) * 2,
}
KINDS = {
    "digits": {"not a number": (0,) * 8, "wrong length": (0, 1) + (0,) * 6, "other": (0, 3, 0, 5) + (0,) * 4},
    "digits:2:right": {"not a number": (0,) * 8, "wrong length": (0,) * 8, "other": (0,) * 8},
    "digits:2:left": {"not a number": (0,) * 8, "wrong length": (5,) * 8, "other": (5, 15) * 4},
}


def errors(cell):
    """The errors of a cell."""
    places = (row("ones", (1.0,) * 8, 100), row("tens", TENS[cell], 40))
    chains = (row("0", (1.0,) * 8, 60), row("1", CARRY[cell], 40), row("10", (0.0,) * 8, 2))
    return Errors(places, {"longest carry chain": chains}, KINDS[cell])


@pytest.fixture(scope="module")
def diagnosed(found):
    """Results whose cells were diagnosed, with one budget."""
    cells = tuple(dataclasses.replace(f, errors=errors(f.cell.name)) for f in found.findings["examples"])
    plan = dataclasses.replace(
        found.plan, request=dataclasses.replace(found.plan.request, budgets=("examples",))
    )
    return dataclasses.replace(found, plan=plan, findings={"examples": cells}, missing={"examples": {}})


def entries(table):
    """What a table shows, by row and column."""
    return {line[0].text: dict(zip(table.header[1:], line[1:], strict=True)) for line in table.rows}


def test_a_table_of_places_of_carries_and_of_kinds(diagnosed):
    places, carries, kinds = error_tables.tables(diagnosed, "examples")
    assert places.title == "Right digits by place, at equal examples"
    low, high = bounded_mean(TENS["digits"])
    assert entries(places)["digits"]["tens"] == Entry("0.950", detail=f"{low:.3f}-{high:.3f}")
    assert [entry.text for entry in entries(places)["questions"].values()] == ["100", "40"]
    assert carries.header == ("cell", "0", "1", "10")
    assert entries(carries)["digits:2:left"]["1"].text == "0.100"
    # What no cell does has no column; a seed without a wrong answer has no share.
    assert kinds.header == ("cell", "wrong answers", "wrong length", "other")
    assert entries(kinds)["digits"]["wrong answers"] == Entry("9", detail="2 of 8 seeds")
    assert entries(kinds)["digits"]["wrong length"].text == "0.125"  # the mean of 1 of 4 and 0 of 5
    assert entries(kinds)["digits:2:left"]["other"].text == "0.625"  # of 5/10, 15/20, 5/10 and 15/20
    assert entries(kinds)["digits:2:right"]["other"] == Entry("-")


def test_a_table_of_many_places_says_what_it_leaves_out(diagnosed):
    many = tuple(row(f"place {i}", (1.0,) * 8) for i in range(30))
    cells = [
        dataclasses.replace(f, errors=dataclasses.replace(f.errors, places=many))
        for f in diagnosed.findings["examples"]
    ]
    places, *_ = error_tables.tables(
        dataclasses.replace(diagnosed, findings={"examples": tuple(cells)}), "examples"
    )
    assert len(places.header) == 11 and "The first 10 of 30 are shown; results.csv has all." in places.caption


def test_without_a_diagnosis_there_is_nothing(found, tmp_path):
    assert error_tables.tables(found, "examples") == []
    assert error_pictures.draw(found.findings["examples"], "examples", tmp_path) == []


def test_cells_with_other_values_share_an_axis_in_order():
    first, second = ((row("4", (1.0,) * 8),), (row("10", (1.0,) * 8), row("3", (1.0,) * 8)))
    assert error_tables.groups([first, second]) == ["3", "4", "10"]
    named = (row("ones", (1.0,)), row("tens", (1.0,)), row("sign", (1.0,)))
    assert error_tables.groups([named[::2], named]) == ["ones", "tens", "sign"]


def test_the_panels_hold_the_numbers(diagnosed, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    paths = error_pictures.draw(diagnosed.findings["examples"], "examples", tmp_path)
    assert [path.name for path in paths] == [
        "errors_place-examples.svg",
        "errors_facet_0-examples.svg",
        "errors_kinds-examples.svg",
    ]
    assert error_pictures.of([tmp_path / "grid-x.svg", *paths]) == paths
    _, carries, kinds = drawn[::2]  # each is saved twice
    panels = carries.axes
    assert [panel.get_title(loc="left") for panel in panels[:3]] == list(TENS)
    assert panels[0].get_ylim() == panels[2].get_ylim() == (0, 1)
    for panel, cell in zip(panels, CARRY, strict=False):
        lines = [list(line.get_ydata()) for line in panel.lines if line.get_marker() not in ("None", "")]
        assert lines == [[1.0, pytest.approx(sum(CARRY[cell]) / 8), 0.0]]
        thin = [list(line.get_ydata()) for line in panel.lines if line.get_alpha()]
        assert thin == [[1.0, value, 0.0] for value in CARRY[cell]]
    bars = [(round(b.get_x(), 3), round(b.get_width(), 3)) for b in kinds.axes[0].patches if b.get_width()]
    # By kind, the wrong lengths of both cells first.
    assert bars == [(0, 0.125), (0, 0.375), (0.125, 0.875), (0.375, 0.625)]
    assert {text.get_text() for text in kinds.axes[0].texts} >= {"9", "none", "120"}


@pytest.mark.parametrize("seeds", [1, 8])
@pytest.mark.parametrize("cells", [1, 5])
def test_titles_fit_and_names_do_not_meet(diagnosed, tmp_path, monkeypatch, cells, seeds):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))

    def few(one):
        return dataclasses.replace(
            one, exact_match=proportion(one.exact_match.per_seed[:seeds], one.n), group=one.group * 4
        )

    findings = []
    for index in range(cells):
        finding = diagnosed.findings["examples"][index % 3]
        chains = {"length of the longest operand": tuple(map(few, finding.errors.places))}
        wrong = {kind: counts[:seeds] for kind, counts in finding.errors.wrong.items()}
        shown = Errors(tuple(map(few, finding.errors.places)), chains, wrong)
        cell = dataclasses.replace(finding.cell, name=f"digits:3:right / rotary {index}")
        findings.append(
            dataclasses.replace(
                finding, budget="flops", cell=cell, errors=shown, overall=few(finding.overall)
            )
        )
    error_pictures.draw(findings, "flops", tmp_path)
    for figure in drawn[::2]:
        figure.canvas.draw()
        title = figure._suptitle.get_window_extent()
        assert title.x0 >= 0 and title.x1 <= figure.bbox.width
        names = [p.title.get_window_extent() for p in figure.axes] + [
            p._left_title.get_window_extent() for p in figure.axes if p._left_title.get_text()
        ]
        names = [name for name in names if name.width]
        assert not any(name.overlaps(title) for name in names)
        for one, other in itertools.pairwise(names):
            assert not one.overlaps(other)


def test_the_report_holds_tables_pictures_and_every_seed(diagnosed, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "save", lambda figure, path: path.write_text("<svg></svg>"))
    page.write(diagnosed, tmp_path)
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        for title in (
            "Right digits by place",
            "Exact match by longest carry chain",
            "Kinds of wrong answers",
            "wrong length",
            "errors_place-examples",
            "errors_facet_0-examples",
            "errors_kinds-examples",
        ):
            assert title.replace("_", r"\_" if name.endswith(".md") and " " in title else "_") in text
    lines = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    index = {(r["cell"], r["kind"], r["group"], r["seed"]): (r["measure"], r["value"], r["n"]) for r in lines}
    assert index["digits", "place", "tens", "2"] == ("right", "0.9", "40")
    assert index["digits:2:left", "facet", "longest carry chain 1", "0"] == ("exact_match", "0.2", "40")
    assert index["digits:2:left", "wrong", "other", "1"] == ("share", "0.75", "20")
    assert index["digits", "wrong", "other", "0"] == ("share", "", "0")
    assert sum(r["kind"] in ("place", "facet", "wrong") for r in lines) == 3 * 8 * (2 + 3 + 3)


def test_a_comparison_reads_the_errors_of_its_runs(found, tmp_path):
    def with_errors(cell, budget):
        return dataclasses.replace(figures(cell, budget), errors=errors(cell))

    finish(tmp_path, found.plan, with_errors)
    read = results.read(found.plan, tmp_path)
    assert [f.errors for f in read.findings["flops"]] == list(map(errors, TENS))
    assert evaluation((1.0,)).errors is None
