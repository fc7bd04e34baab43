"""The page of results: written from its figures, every row with a command that exists and seeds enough."""

import importlib
import json
import shlex

import pytest
from documents import ROOT

from jaxgpt.cli import search as search_command
from jaxgpt.cli import train as command
from jaxgpt.core import fields
from jaxgpt.runs import experiments

#: Loaded as the command loads it: from its own folder.
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / "docs"))
    results = importlib.import_module("results")
ROWS, SECTIONS = results.ROWS, results.SECTIONS

KEPT = json.loads((ROOT / "docs" / "results.json").read_text())


def test_the_page_is_what_its_figures_give():
    assert (ROOT / "docs" / "results.md").read_text() == results.page(KEPT), "run python docs/results.py"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.run)
def test_every_command_is_one_and_trains_several_seeds(row):
    assert row.section in SECTIONS
    program, *words = shlex.split(row.command)
    assert (program, words[0]) == ("python", "train.py")
    given = command.parser().parse(words[1:])
    experiment = fields.override(experiments.find(given.experiment), given.fields)
    assert experiment.seeds >= 4
    assert given.workdir == f"runs/{row.run}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.run)
def test_every_row_has_the_figures_of_every_seed(row):
    found = KEPT[row.run]
    assert {figure.label for figure in row.figures} == found["figures"].keys()
    for value in found["figures"].values():
        assert len(value["per_seed"]) >= 4
        known = [number for number in value["per_seed"] if number is not None]
        assert value["mean"] == pytest.approx(sum(known) / len(known))
        assert value["interval"][0] <= value["mean"] <= value["interval"][1] and value["n"] > 0
    assert found["seconds"] > 0 and found["machine"]["cores"] > 0


def test_figures_are_read_from_a_run(tmp_path):
    (row,) = [row for row in ROWS if row.run == "results_addition_length"]
    run = tmp_path / row.run
    run.mkdir()
    assert results.read(row, tmp_path) is None  # not finished
    outcome = {"steps": 5, "seconds": 61.0, "parameters": 7, "machine": {"cores": 2}, "else": 0}
    (run / "outcome.json").write_text(json.dumps(outcome))

    def evaluation(share):
        row = {"exact_match": share, "interval": [0.1, 0.9], "per_seed": [share] * 4, "n": 50}
        rows = [row | {"group": group} for group in ("20+20 digits", "40+40 digits")]
        return json.dumps({"groups": rows, "n": 1000})

    (run / "evaluation.json").write_text(evaluation(0.25))
    (run / "selected_evaluation.json").write_text(evaluation(0.75))
    found = results.read(row, tmp_path)
    means = [value["mean"] for value in found["figures"].values()]
    assert means == [0.25, 0.75] * 2 and found["seconds"] == 61.0 and "else" not in found
    (run / "evaluation.json").write_text(json.dumps({"groups": [], "n": 0}))
    with pytest.raises(KeyError, match="20\\+20 digits is not in the evaluation"):
        results.read(row, tmp_path)


def test_the_pictures_of_rows_stand_on_the_page_of_strings():
    page = (ROOT / "docs" / "strings.md").read_text()
    named = {row.picture(name) for row in ROWS for name in row.pictures}
    assert named == {path.name for path in (ROOT / "docs" / "strings").iterdir()}
    assert all(f"](strings/{name})" in page for name in named)


@pytest.mark.parametrize("row", results.SEARCHES, ids=lambda row: row.run)
def test_every_search_has_a_command_seeds_and_a_picture(row):
    program, name, *words = shlex.split(row.command)
    assert (program, name) == ("jaxgpt", "search")
    given = search_command.parser().parse(words)
    assert given.seeds >= 5 and given.workdir == f"runs/{row.run}"
    search_command.asked(given.problem, given.fields)
    found = KEPT[row.run]
    assert found["sentences"] and found["tables"]
    assert (ROOT / "docs" / "constructions" / row.picture).exists()
