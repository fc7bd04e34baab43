"""`jaxgpt.compare`: a comparison from Python, with the checks, the files and the report of the command."""

import csv
import json
import sys
import tempfile
import threading
import types

import pytest
from comparison_building import evaluation, write_run
from tiny_runs import tiny

import jaxgpt
from jaxgpt.comparison import running
from jaxgpt.comparison.cells import FOLDER, Plan

VARY = {"tokenizer": ["digits", "bytes"], "model.norm": ("layer", "rms")}
FIELDS = {"task__max_digits": 2, "training__test_examples": 20, "training__train_examples": 100}


@pytest.fixture
def experiment():
    return tiny(**FIELDS)


@pytest.fixture
def trained(monkeypatch):
    """Runs are written by hand in the place of training; the paths of those that were."""
    paths = []

    def train(experiment, path, *, resume, say):
        job = types.SimpleNamespace(folder=path.name)
        write_run(
            path.parents[1], job, evaluation([0.5 + len(paths) / 100] * experiment.seeds, bits=[1.0, 2.0])
        )
        paths.append(path)
        return types.SimpleNamespace(status="finished")

    monkeypatch.setattr(running, "train", train)
    return paths


def quiet(line):
    pass


@pytest.mark.thorough
def test_several_fields_give_their_product_and_the_rows_are_those_of_the_file(experiment, trained, tmp_path):
    said = []
    found = jaxgpt.compare(
        experiment, VARY, seeds=2, workdir=tmp_path / "c", budgets=["examples"], say=said.append
    )
    assert len(trained) == 4 and all(path.parent == tmp_path / "c" / FOLDER for path in trained)
    assert repr(found) == f"Results(4 cells, 2 seeds, in {str(tmp_path / 'c')!r})"
    assert found.workdir == tmp_path / "c" and (found.workdir / "report.html").stat().st_size > 1000
    assert found.missing == {"examples": {}} and any("Best: " in line for line in said)
    rows = found.rows()
    head = [row for row in rows if row["kind"] == "all"]
    told = [(row["tokenizer"], row["model.norm"], row["seed"], row["value"], row["n"]) for row in head]
    assert told[:3] == [
        ("digits", "layer", 0, 0.5, 100),
        ("digits", "layer", 1, 0.5, 100),
        ("digits", "rms", 0, 0.51, 100),
    ]
    assert len(told) == 8 and {row["measure"] for row in rows} > {"exact_match"}
    with open(found.workdir / "results.csv", newline="") as file:
        written = list(csv.DictReader(file))
    assert written == [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]
    assert tuple(rows[0]) == found.columns


@pytest.mark.thorough
def test_it_goes_on_with_what_is_there_and_refuses_another(experiment, trained, tmp_path):
    options = {"seeds": 2, "workdir": tmp_path / "c", "resume": True, "say": quiet}
    first = jaxgpt.compare(experiment, VARY, **options)
    count = len(trained)
    again = jaxgpt.compare(experiment, VARY, **options)
    assert len(trained) == count and again.rows() == first.rows()
    with pytest.raises(
        ValueError, match=r"cannot go on with these: axes: .*bytes .* -> tokenizer=digits,words"
    ):
        jaxgpt.compare(experiment, {"tokenizer": ["digits", "words"]}, **options)
    with pytest.raises(ValueError, match="already holds a comparison"):
        jaxgpt.compare(experiment, VARY, workdir=tmp_path / "c", say=quiet)


@pytest.mark.thorough
def test_values_of_python_are_those_of_the_command_line(experiment, trained, tmp_path):
    from jaxgpt.nn.position.rotary import Rotary

    vary = {
        "model.position": [Rotary(), "none"],
        "optimizer.clip-norm": [1, 0.5, None],
        "model.attention.qk_norm": [True, False],
    }
    jaxgpt.compare(
        experiment,
        vary,
        seeds=2,
        workdir=tmp_path / "c",
        baseline={"optimizer.clip-norm": None},
        budgets=["examples"],
        say=quiet,
    )
    axes = json.loads((tmp_path / "c" / "comparison.json").read_text())["request"]["axes"]
    assert list(axes.values()) == [["rotary", "none"], ["1", "0.5", "none"], ["true", "false"]]
    plan = Plan.read(tmp_path / "c")
    assert plan.baseline.values["optimizer.clip_norm"] == "none" and len(plan.cells) == 12


@pytest.mark.parametrize(
    ("vary", "options", "told"),
    [
        ({}, {}, "vary gives one cell, which is no comparison"),
        ({"tokenizer": ["digits"]}, {}, "vary gives one cell"),
        ({"tokenizer": "digits"}, {}, "tokenizer='digits': give a list of the values"),
        ({"tokenizer": []}, {}, r"tokenizer=\[\]: give a list"),
        ({"tokenizer": ["digits", "digits"]}, {}, "tokenizer: the value digits is named twice"),
        ({"tokeniser": ["a", "b"]}, {}, "no field 'tokeniser'; did you mean --tokenizer"),
        ({"model.norm": ["rms", 3]}, {}, "model.norm='3'"),
        (
            {"model.position": [object(), "none"]},
            {},
            "model.position=<object .*cannot be written in one word",
        ),
        ({"seeds": [1, 2]}, {}, "every cell has the same seeds"),
        ({"model.norm": ["rms", "layer"]}, {"sweep": {"task.max_digits": [1, 2]}}, "it takes optimizer"),
        (
            {"model.norm": ["rms", "layer"]},
            {"budgets": ["steps"]},
            "budgets=.*known: examples, flops, each once",
        ),
        (
            {"model.norm": ["rms", "layer"]},
            {"baseline": {"model.norm": "x"}},
            "'x' is no value that is compared",
        ),
    ],
    ids=range(12),
)
def test_what_does_not_fit_is_told_in_one_line_before_anything_is_written(
    experiment, tmp_path, vary, options, told
):
    with pytest.raises(ValueError, match=told) as error:
        jaxgpt.compare(experiment, vary, workdir=tmp_path / "c", say=quiet, **options)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_pandas_if_it_is_installed_and_a_line_if_it_is_not(experiment, trained, tmp_path, monkeypatch):
    found = jaxgpt.compare(
        experiment, {"tokenizer": ["digits", "bytes"]}, seeds=2, workdir=tmp_path / "c", say=quiet
    )
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"needs the package pandas, .*pip install pandas; results\.rows"
    ):
        found.to_pandas()
    given = {}
    stand_in = types.SimpleNamespace(DataFrame=lambda rows, columns: given.update(rows=rows, columns=columns))
    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    found.to_pandas()
    assert given == {"rows": found.rows(), "columns": list(found.columns)}


@pytest.mark.thorough
def test_in_a_thread_without_a_directory_it_trains_in_a_temporary_one_that_stays(
    experiment, tmp_path, monkeypatch, quick_compilation
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said, found = [], []
    short = tiny(**FIELDS | {"training__steps": 2, "training__test_examples": 5})

    def work():
        found.append(
            jaxgpt.compare(short, {"model.norm": ["layer", "rms"]}, budgets=["examples"], say=said.append)
        )

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    (results,) = found
    assert results.workdir == tmp_path / "jaxgpt-compare" and any(
        str(results.workdir) in line for line in said
    )
    assert [row["n"] for row in results.rows() if row["kind"] == "all"] == [5, 5]
    run = jaxgpt.load(results.workdir / FOLDER / "rms")
    assert run.evaluation.n == 5 and run.experiment.model.norm == "rms"
