"""The table of losses and measures: by hand, where there are none, and in what is written."""

import dataclasses

import pytest
from comparison_building import evaluation, figures, finish
from scipy import stats

from jaxgpt.comparison import measure_tables, page, results
from jaxgpt.core.tables import Entry
from jaxgpt.evaluation.evaluation import Likelihood
from jaxgpt.evaluation.intervals import Estimate

LOSSES = {
    "digits": (2.0, 2.2, 2.1, 2.3, 2.0, 2.2, 2.1, 2.3),
    "digits:2:right": (1.9, 2.1, 2.0, 2.2, 1.9, 2.1, 2.0, 2.2),
    "digits:2:left": (2.1, 2.1, 2.2, 2.2, 2.1, 2.1, 2.2, 2.2),
}
NEW = Estimate(0.75, (0.7, 0.8), (0.75,) * 8)


def measured(cell, budget):
    """An evaluation with a loss and a share of each seed."""
    losses = Estimate(2.0, None, LOSSES[cell])
    held_out = Likelihood(losses, losses, 10, 20)
    summary = {"new": NEW} | ({"nothing": Estimate(float("nan"), None, (float("nan"),) * 8)})
    return dataclasses.replace(figures(cell, budget), likelihood={"held_out": held_out}, summary=summary)


@pytest.fixture(scope="module")
def with_measures(found, tmp_path_factory):
    """The results of a comparison whose cells have losses and measures."""
    workdir = tmp_path_factory.mktemp("measured")
    finish(workdir, found.plan, measured)
    return results.read(found.plan, workdir)


def entries(table):
    return {line[0].text: dict(zip(table.header[1:], line[1:], strict=True)) for line in table.rows}


def of_one_tokenizer(found):
    """The results as if all cells read the same tokens."""
    cells = [
        dataclasses.replace(f.cell, facts=dataclasses.replace(f.cell.facts, fingerprint="one"))
        for f in found.findings["examples"]
    ]
    both = zip(found.findings["examples"], cells, strict=True)
    return dataclasses.replace(
        found, findings={"examples": tuple(dataclasses.replace(f, cell=cell) for f, cell in both)}
    )


def test_losses_and_measures_of_every_cell(with_measures):
    table = measure_tables.table(with_measures, "examples")
    assert table.title == "Loss and measures of the answers, at equal examples"
    assert table.header == ("cell", "held-out loss", "new", "nothing")
    shown = entries(table)
    values = LOSSES["digits"]
    low, high = stats.t.interval(0.95, 7, loc=2.15, scale=stats.sem(values))
    assert shown["digits (baseline)"]["held-out loss"] == Entry("2.150", detail=f"{low:.3f}-{high:.3f}")
    assert not any(
        row["held-out loss"].sure for row in shown.values()
    )  # a token of one is not one of another
    same = entries(measure_tables.table(of_one_tokenizer(with_measures), "examples"))
    # Less in every seed; in four of eight less, in four more.
    assert same["digits:2:right"]["held-out loss"].sure == "better"
    assert same["digits:2:left"]["held-out loss"].sure == ""
    caption = measure_tables.table(of_one_tokenizer(with_measures), "examples").caption
    assert "a difference of losses, not of answers. Bold is not corrected" in caption
    assert "after Holm's correction for 2 sure are: digits:2:right." in caption
    assert "Holm" not in table.caption  # where nothing is bold
    assert shown["digits:2:left"]["new"] == Entry("0.750", detail="0.700-0.800")
    assert shown["digits:2:left"]["nothing"] == Entry("-")


def test_the_report_has_the_table_and_the_csv_every_seed(with_measures, found):
    table = measure_tables.table(with_measures, "examples")
    written = page.markdown(with_measures, [table], {})
    assert "held-out loss" in written and "2.150" in written
    rows = [row for row in with_measures.rows() if row["measure"] == "new" and row["cell"] == "digits"]
    assert {row["value"] for row in rows if row["budget"] == "examples"} == {0.75}
    # A task that measures nothing has no such table, though it has a loss.
    assert measure_tables.table(found, "examples") is None


def test_yardsticks_stand_beside_the_figures(with_measures, found):
    first, *others = with_measures.findings["examples"]
    least = {"exact match by chance": 0.125, "least loss": 0.72119}
    beside = [dataclasses.replace(first, yardsticks=least), *others]
    table = measure_tables.table(
        dataclasses.replace(with_measures, findings={"examples": tuple(beside)}), "examples"
    )
    assert table.header[-2:] == ("exact match by chance", "least loss")
    assert [entry.text for entry in table.rows[0][-2:]] == ["0.125", "0.721"]
    assert [entry.text for entry in table.rows[1][-2:]] == ["-", "-"]
    # They alone are enough for a table.
    bare = [dataclasses.replace(f, yardsticks=least) for f in found.findings["examples"]]
    alone = measure_tables.table(dataclasses.replace(found, findings={"examples": tuple(bare)}), "examples")
    assert alone.header[-1] == "least loss"


def test_measures_without_a_loss(with_measures):
    bare = [dataclasses.replace(f, loss=None) for f in with_measures.findings["examples"]]
    table = measure_tables.table(
        dataclasses.replace(with_measures, findings={"examples": tuple(bare)}), "examples"
    )
    assert table.title.startswith("Measures of the answers") and table.header == ("cell", "new", "nothing")
    assert "Held-out loss" not in table.caption


def test_scores_beside_exact_match(found, tmp_path):
    """Log sMAPE of decimals, for one: surely less than the baseline's where it is less with every seed."""
    closeness = {"digits": (0.5, 0.6) * 4, "digits:2:right": (0.7, 0.6) * 4, "digits:2:left": (0.4, 0.5) * 4}

    def scored(cell, budget):
        given = figures(cell, budget)
        score = Estimate(0.5, (0.4, 0.6), closeness[cell])
        return dataclasses.replace(given, overall=dataclasses.replace(given.overall, scores={"close": score}))

    finish(tmp_path, found.plan, scored)
    table = measure_tables.table(results.read(found.plan, tmp_path), "examples")
    assert table.header[-1] == "close" and "close: the task's scores beside exact match" in table.caption
    shown = entries(table)
    assert shown["digits (baseline)"]["close"] == Entry("0.500", detail="0.400-0.600")
    assert shown["digits:2:left"]["close"].sure == "worse"
    assert "after Holm's correction for 2 sure are: digits:2:left." in table.caption
    assert shown["digits:2:right"]["close"].sure == ""  # more with four seeds, the same with four


def test_a_loss_that_is_not_finite_is_not_shown(found, tmp_path):
    def infinite(cell, budget):
        lost = Estimate(float("inf"), None, (float("inf"),) * 8)
        return dataclasses.replace(
            evaluation((0.5,) * 8),
            likelihood={"held_out": Likelihood(lost, lost, 10, 20)},
            summary={"new": NEW},
        )

    finish(tmp_path, found.plan, infinite)
    table = measure_tables.table(results.read(found.plan, tmp_path), "examples")
    assert table.header == ("cell", "new")
