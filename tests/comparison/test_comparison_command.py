"""`jaxgpt compare` as a whole, with real training of the smallest model."""

import collections
import json
import os
import signal
from pathlib import Path

import pytest
from comparison_building import given, words
from tiny_runs import one_line

from jaxgpt.cli import compare as command
from jaxgpt.comparison import running
from jaxgpt.comparison.cells import FOLDER, Plan
from jaxgpt.core import trust
from jaxgpt.parallel import processes
from jaxgpt.runs.run_directory import FirstFree

LINE = words("--tokenizers", "digits,digits:2:right", "--budgets", "examples", training__eval_every=10)


def snapshot(path):
    return {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file()}


def looks(run):
    """The steps at which a run was asked the validation questions, and how many values each has."""
    rows = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return collections.Counter(row["step"] for row in rows if row["name"] == "validation_exact_match")


@pytest.mark.thorough
def test_a_comparison_that_was_stopped_inside_a_cell_goes_on_from_its_checkpoint(
    tmp_path, monkeypatch, jaxgpt, quick_compilation
):
    workdir, lines, train = tmp_path / "compared", [], running.train

    def stopping(experiment, path, *, resume, say):
        def tell(line):
            say(line)
            if path.name == "digits-2-right" and line.startswith("step 10: validation"):
                os.kill(os.getpid(), signal.SIGTERM)

        return train(experiment, path, resume=resume, say=tell)

    monkeypatch.setattr(running, "train", stopping)
    assert command.compare(given(*LINE, "--workdir", workdir), lines.append) == "stopped"
    assert lines[-1] == f"stopped; go on with: jaxgpt compare --resume --workdir {workdir}"
    assert not (workdir / "report.html").exists()
    monkeypatch.setattr(running, "train", train)
    before = snapshot(workdir / FOLDER / "digits")

    status, _, errors = jaxgpt("compare", *LINE, "--resume", "--workdir", workdir, "--optimizer.beta1=0.8")
    assert status == 2 and "optimizer.beta1: 0.9 -> 0.8" in one_line(errors)
    changed = [word.replace("2:right", "3:right") for word in LINE]
    status, _, errors = jaxgpt("compare", *changed, "--resume", "--workdir", workdir)
    assert "axes: tokenizer=digits,digits:2:right -> tokenizer=digits,digits:3:right" in one_line(errors)

    status, output, errors = jaxgpt("compare", "--resume", "--workdir", workdir)
    assert status == 0, errors
    assert "going on from step 10" in (workdir / "logs" / "digits-2-right.txt").read_text()
    assert snapshot(workdir / FOLDER / "digits") == before
    assert "Exact match at equal examples" in output and (workdir / "report.html").exists()
    for folder in ("digits", "digits-2-right"):
        found = json.loads((workdir / FOLDER / folder / "evaluation.json").read_text())
        assert len(found["per_seed"]) == 2
    # The curve of the cell that was stopped has the looks before the stop and those after it, as the other's.
    looked = [looks(workdir / FOLDER / folder) for folder in ("digits", "digits-2-right")]
    assert looked[0] == looked[1] and min(looked[0]) <= 10 < max(looked[0])

    # Finished: the same command trains nothing, and writes the report again.
    cells, report = snapshot(workdir / FOLDER), (workdir / "report.html").read_bytes()
    (workdir / "report.html").unlink()
    status, output, _ = jaxgpt("compare", *LINE, "--resume", "--workdir", workdir)
    assert status == 0 and "runs:" not in output and snapshot(workdir / FOLDER) == cells
    assert (workdir / "report.html").read_bytes() == report

    status, _, errors = jaxgpt("compare", *LINE, "--workdir", workdir)
    assert status == 2 and "already holds a comparison; go on with it by --resume" in one_line(errors)


@pytest.mark.thorough
def test_a_sweep_with_real_training(tmp_path, jaxgpt, quick_compilation):
    line = [word for word in LINE if "learning-rate" not in word and word != "2e-3"]
    status, _, errors = jaxgpt(
        "compare", *line, "--workdir", tmp_path / "swept", "--sweep", "optimizer.learning_rate=1e-3,1e-2"
    )
    assert status == 0, errors
    folders = [job.folder for job in Plan.read(tmp_path / "swept").all_jobs()]
    assert folders[0] == "digits--learning_rate-1e-3" and len(folders) == 4
    tested = [f for f in folders if (tmp_path / "swept" / FOLDER / f / "evaluation.json").exists()]
    assert len(tested) == 2 and {f.split("--")[0] for f in tested} == {"digits", "digits-2-right"}
    assert "learning_rate=1e-3: 0." in (tmp_path / "swept" / "report.html").read_text()


def test_a_dry_run_shows_the_plan_and_writes_nothing(jaxgpt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, output, _ = jaxgpt("compare", *LINE, "--dry-run")
    assert status == 0 and list(tmp_path.iterdir()) == []
    assert (
        "digits (baseline)" in output and "rotary in every cell" in output and "nothing was trained" in output
    )


def test_mistakes_leave_nothing(jaxgpt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for more, message in (
        (["--tokenizers", "digits,digits:9"], "cell digits:9: "),
        (["--tokenizers", "digits"], "one cell is no comparison"),
        (["--resume"], "there is no such comparison in runs/"),
        (["--resume", "--workdir", "none"], "none holds no comparison"),
        (
            ["--tokenizers", "digits,bytes", "--workdir", Path(__file__).parent],
            "is not empty and holds no comparison",
        ),
    ):
        status, _, errors = jaxgpt("compare", *words(*more))
        assert status == 2 and message in one_line(errors)
    status, _, errors = jaxgpt("compare", "--merge", "one,two", "--workdir", "both")
    assert status == 2 and "one holds no comparison" in one_line(errors)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_by_hand_is_named(jaxgpt, tmp_path):
    for text in ("{", "[]", '{"request": {"name": 3}}'):
        (tmp_path / "comparison.json").write_text(text)
        status, _, errors = jaxgpt("compare", "--resume", "--workdir", tmp_path)
        assert status == 2 and "comparison.json" in one_line(errors)


def test_help(jaxgpt):
    status, output, _ = jaxgpt("compare", "--help")
    assert status == 0
    for name in ("tokenizers", "vary", "baseline", "sweep", "budgets", "resume", "merge", "dry-run"):
        assert f"--{name}" in output
    assert "compare EXPERIMENT" in jaxgpt("--help")[1]


def test_where_a_comparison_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    free = FirstFree(command._home(given("addition-plain")))
    assert [str(free.make()) for _ in range(2)] == [
        "runs/compare-addition-plain",
        "runs/compare-addition-plain-2",
    ]
    (tmp_path / "runs" / "compare-addition-plain" / "comparison.json").write_text("{}")
    assert str(command._newest(given("addition-plain"))) == "runs/compare-addition-plain"
    with pytest.raises(ValueError, match="there is no such comparison"):
        command._newest(given("addition"))


def test_a_stopped_comparison_goes_on_with_what_it_was_given(tmp_path, monkeypatch):
    workdir, lines = tmp_path / "com pared", []
    monkeypatch.setattr(running, "run", lambda plan, directory, say: ("stopped", {}))
    monkeypatch.setattr(processes, "options", lambda: ("--distributed",))
    with trust.allowing(["mine"]):
        assert command.compare(given(*LINE, "--workdir", workdir), lines.append) == "stopped"
    again = f"jaxgpt compare --resume --workdir '{workdir}' --distributed --trust mine"
    assert lines[-1] == f"stopped; go on with: {again}"
