"""`jaxgpt search`: its page and files, going on, and one line for each mistake."""

import contextlib
import csv
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from jaxgpt.cli.main import main
from jaxgpt.core import fields
from jaxgpt.search import SearchConfig, pool, set_files, stand_file
from tasks.constructions import Problem
from tasks.constructions.searches import SEARCHES

SMALL = (
    *("--problem.n", "5", "--states", "16", "--steps", "4", "--keep", "12", "--train-steps", "6"),
    *("--batch-size", "8", "--optimizer", "adamw", "--model.num-layers", "1"),
    *("--model.d-model", "16", "--model.num-heads", "2"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("command") / "found"


@pytest.fixture(scope="module")
def done(folder):
    words = ("--generations", "2", "--seeds", "2", "--arms", "transformer,none", "--workdir", str(folder))
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = main(["search", "isosceles", *SMALL, *words])
    return status, output.getvalue(), errors.getvalue()


def page(jaxgpt, *words):
    """The options of a help page, each with all that is said of it."""
    status, output, errors = jaxgpt("search", *words)
    assert status == 0, errors
    if "--help" in words:
        assert len(output.splitlines()) <= 80 and max(map(len, output.splitlines())) <= 110
    said = " ".join(output.split())
    return {one.split()[0]: one for one in re.split(r" (?=--[\w.-]+ )", said) if one.startswith("--")}, said


@pytest.mark.parametrize("option", ["--help", "--help-all"])
def test_help_shows_the_fields_and_arms_of_what_is_named(jaxgpt, monkeypatch, option):
    monkeypatch.setenv("COLUMNS", "100")
    shown, _ = page(jaxgpt, "cap-sets", option)
    assert "dimensions (default: 4)" in shown["--problem.n"]
    assert "(default: transformer,none)" in shown["--arms"]
    assert "(default: 10)" in shown["--generations"]
    for name, make in SEARCHES.items():
        problem, config, arms = make()
        shown, _ = page(jaxgpt, name.replace("_", "-"), option)
        assert f"points on a side of the grid (default: {problem.n})" in shown["--problem.n"]
        assert f"(default: {','.join(arms)})" in shown["--arms"]
        for field in ("generations", "states", "keep", "steps", "train_steps", "smaller"):
            assert f"(default: {getattr(config, field)})" in shown[f"--{field.replace('_', '-')}"], field
    shown, said = page(jaxgpt, option)
    assert "--problem.n" not in shown and "jaxgpt search PROBLEM --help" in said
    assert "(default: 10)" in shown["--generations"]
    status, _, errors = jaxgpt("search", "isoceles", option)
    assert status == 2 and "did you mean isosceles?" in errors


def test_help_all_shows_every_field(jaxgpt, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    first, said = page(jaxgpt, "sidon", "--help")
    every, _ = page(jaxgpt, "sidon", "--help-all")
    rows = [*fields.describe(Problem.named("sidon")(), "problem."), *fields.describe(SearchConfig())]
    paths = {f"--{row.path.replace('_', '-')}" for row in rows}
    assert paths <= every.keys() and first.keys() <= every.keys()
    assert f"{len(paths - first.keys())} more fields: jaxgpt search sidon --help-all" in said


def test_the_command_tells_and_writes_what_it_found(done, folder):
    status, output, errors = done
    assert status == 0 and errors.startswith("device: ") and errors.count("\n") == 1
    assert "Isosceles(n=5): 25 elements, best known 7" in output
    assert "At equal time" in output and "With fewer than six seeds" in output
    page = (folder / "report.html").read_text()
    assert "Does the model help?" in page and "none holds a conflict" in page
    problem = Problem.named("isosceles")(n=5)
    for arm in ("transformer", "none"):
        sets = [set_files.read(problem, folder / "best" / f"{arm}{ending}") for ending in set_files.ENDINGS]
        assert all(np.array_equal(one, sets[0]) for one in sets)
        stands = [stand_file.load(folder / "stands" / f"{arm}-{seed}.npz") for seed in (0, 1)]
        best = pool.best(np.concatenate([stand.sets for stand in stands]), 20)
        assert np.array_equal(sets[0], best) and 4 < len(best) == len({row.tobytes() for row in best})
    rows = list(csv.DictReader((folder / "generations.csv").read_text().splitlines()))
    assert {(row["arm"], row["seed"]) for row in rows} == {
        (arm, seed) for arm in ("transformer", "none") for seed in "01"
    }
    best = [int(row["best"]) for row in rows if row["arm"] == "none" and row["seed"] == "0"]
    assert best == sorted(best)
    assert len(sets[0][0]) == 25 and json.loads((folder / "search.json").read_text())["problem"]["n"] == 5


def test_the_best_of_a_search_begin_another(done, jaxgpt, folder, tmp_path):
    pools = [
        word for arm in ("none", "transformer") for word in ("--pool", str(folder / "best" / f"{arm}.png"))
    ]
    words = ("--generations", "1", "--arms", "none", "--workdir", str(tmp_path / "second"))
    status, output, _ = jaxgpt("search", "isosceles", *SMALL, *words, *pools)
    assert status == 0 and "written: " in output


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == "own_attempts" else pytest.mark.thorough) for name in SEARCHES],
)
def test_the_searches_of_the_lecture_have_names(jaxgpt, tmp_path, name):
    words = (*SMALL, "--generations", "1", "--smaller", "1", "--workdir", str(tmp_path / "found"))
    status, output, _ = jaxgpt("search", name.replace("_", "-"), *words)
    assert status == 0 and "What is kept and what is made" in (tmp_path / "found" / "report.html").read_text()
    assert "written: " in output


def test_without_a_workdir_each_search_has_its_own(jaxgpt, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = (*SMALL, "--generations", "1", "--arms", "none")
    for given, folders in (
        (("--symmetry", "quarter-turn", "--problem.n", "4"), []),  # of which nothing can be searched
        ((), ["search-isosceles"]),
        (("--steps", "5"), ["search-isosceles", "search-isosceles-2"]),
        ((), ["search-isosceles", "search-isosceles-2"]),  # the first once more
    ):
        own = [word for i, word in enumerate(words) if words[i - i % 2] not in given]
        status, _, errors = jaxgpt("search", "isosceles", *own, *given)
        assert (status == 0) == bool(folders), errors
        if folders:
            assert sorted(path.parent.name for path in tmp_path.glob("runs/*/search.json")) == folders


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("isoceles",), "no problem is called 'isoceles'; did you mean isosceles?"),
        (("isosceles", "--problem.m", "3"), "no field 'm'"),
        (("isosceles", "--problem.n", "0"), "n=0: give at least 1"),
        (("isosceles", "--problem", "sidon"), "set its fields by --problem.FIELD"),
        (("isosceles", "--arms", "magic"), "no arm is called 'magic'"),
        (("isosceles", "--states", "0"), "states=0 must be at least 1"),
        (("isosceles", "--sates", "9"), "no field 'sates'; did you mean --states"),
        (("isosceles", "--symmetry", "round"), "symmetry='round' is none of this problem's"),
        (("isosceles", "--pool", "nowhere.txt"), "nowhere.txt"),
        (("isosceles", "--problem.n", "90"), "the table of conflicts takes"),
        (("isosceles", "--problem.n", "1000000"), "has 1,000,000,000,000 elements; give a smaller problem"),
        (("isosceles", "--problem.n", "1e18"), "elements; give a smaller problem"),
        (("cap-sets", "--problem.n", "1e9"), "n=1000000000: give at most 39"),
        (("c4-free", "--problem.n", "200"), "the table of conflicts takes 9,315,100,872 bytes"),
        (("isosceles", "--model.kind", "encoder"), "sets are written by a decoder"),
        (("isosceles", "--model.max-length", "9"), "--model.max-length follows from the problem"),
    ],
)
def test_a_mistake_is_told_in_one_line(jaxgpt, tmp_path, words, message):
    status, _, errors = jaxgpt("search", *words, "--workdir", str(tmp_path / "none"))
    told = [line for line in errors.splitlines() if not line.startswith("device: ")]
    assert status == 2 and len(told) == 1 and message in told[0], errors


@pytest.mark.thorough
def test_a_search_that_is_killed_again_and_again_ends_with_the_same_sets(tmp_path):
    """20 kills at any moment, of starting, compiling, learning or writing a file."""

    def command(folder):
        words = ("--generations", "12", "--arms", "transformer", "--workdir", str(tmp_path / folder))
        code = "import sys; from jaxgpt.cli.main import main; sys.exit(main(sys.argv[1:]))"
        return [sys.executable, "-c", code, "search", "isosceles", *SMALL, *words]

    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "programs")}
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    subprocess.run(command("whole"), check=True, env=environment, capture_output=True)
    began = time.perf_counter()  # once more, since the first one compiled
    subprocess.run(command("again"), check=True, env=environment, capture_output=True)
    took = time.perf_counter() - began
    chance, kills = random.Random(0), 0
    while kills < 20:
        process = subprocess.Popen(command("killed"), env=environment, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.2, 0.9) * took)
        kills += process.poll() is None
        if process.poll() is not None and kills < 20:
            (tmp_path / "killed" / "stands" / "transformer-0.npz").unlink()  # it was done: once more
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command("killed"), check=True, env=environment, capture_output=True)
    whole, killed = (
        stand_file.load(tmp_path / folder / "stands" / "transformer-0.npz") for folder in ("whole", "killed")
    )
    assert np.array_equal(whole.sets, killed.sets) and len(killed.records) == 13
    assert all(np.array_equal(value, killed.known[name]) for name, value in whole.known.items())
