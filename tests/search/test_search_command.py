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
from tiny_runs import one_line, run

from jaxgpt.cli.main import main
from jaxgpt.core import fields
from jaxgpt.search import SearchConfig, pool, set_files, stand_file
from jaxgpt.search.set_model import BigramModel
from jaxgpt.search.set_tokens import PAD
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
    assert "with their symmetries" in page
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


@pytest.mark.parametrize(
    ("readable", "note"),
    [
        (False, "none of 16 proposals stands for a set; the kept sets stay"),
        (True, "no proposal is new"),
    ],
)
def test_a_generation_that_gave_nothing_is_told(jaxgpt, tmp_path, monkeypatch, readable, note):
    """By the command and on the page; a model that writes nothing, or the first set that it was shown."""
    learn, shown = BigramModel.learn, []

    def learned(self, known, sets, share, seed):
        shown.append(self._tokens.rows(sets[:1]).tokens[0, 1:])
        return learn(self, known, sets, share, seed)

    def write(self, known, begun, temperature, seed):
        return np.tile(shown[-1] if readable else np.full_like(shown[-1], PAD), (len(begun), 1))

    monkeypatch.setattr(BigramModel, "learn", learned)
    monkeypatch.setattr(BigramModel, "write", write)
    words = ("--generations", "2", "--arms", "bigram,none", "--workdir", tmp_path / "found")
    status, output, errors = jaxgpt("search", "isosceles", *SMALL, *words)
    assert status == 0, errors
    (line,) = [line for line in output.splitlines() if line.startswith("seed 0  bigram  generation 2  ")]
    assert line.endswith(f"({note})") and "new 0 %" in line
    page = (tmp_path / "found" / "report.html").read_text()
    assert "Generations with a note" in page
    assert all(f"seed 0, bigram, generation {number}: {note}" in page for number in (1, 2))
    first, *_, last = stand_file.load(tmp_path / "found" / "stands" / "bigram-0.npz").records
    assert last.best >= first.best and (readable or last.kept == first.kept)


OWN = """
import dataclasses

import numpy as np

from tasks.constructions import Problem


@dataclasses.dataclass(frozen=True)
class NoDouble(Problem):
    n: int = 30

    def size(self):
        return self.n

    def conflicts(self):
        return np.array([(a, b, a + b + 1) for a in range(self.n) for b in range(a + 1, self.n - a - 1)])

    def verify(self, chosen):
        pairs = [(a, b) for a in sorted(chosen) for b in sorted(chosen) if a < b]
        return [(a, b, a + b + 1) for a, b in pairs if a + b + 1 in chosen]
"""


def test_an_own_problem_is_searched_like_any_other(jaxgpt, tmp_path, monkeypatch):
    """No number of 1 to 5 is the sum of two others; then from its own files, which name its module."""
    (tmp_path / "own_numbers.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    words = ("search", "own_numbers:NoDouble", *SMALL, "--generations", "1", "--arms", "bigram,none")
    status, output, errors = jaxgpt(*words, "--workdir", tmp_path / "found")
    assert status == 0, errors
    assert "NoDouble(n=5): 5 elements\n" in output
    assert "The largest set has 3 elements; no value of the literature is known here." in output
    page = (tmp_path / "found" / "report.html").read_text()
    assert "none holds a conflict" in page and "with their symmetries" not in page
    rows = (tmp_path / "found" / "best" / "none.txt").read_text().splitlines()
    assert rows[:2] == ["# NoDouble(n=5)", "# 3 elements, verified: no conflict"]
    pools = [
        word for ending in ("json", "png") for word in ("--pool", tmp_path / f"found/best/none.{ending}")
    ]
    status, _, errors = jaxgpt(*words, "--workdir", tmp_path / "second", *pools)
    assert status == 0, errors
    status, output, errors = jaxgpt(*words, "--workdir", tmp_path / "found")
    assert status == 0 and "generation 1" not in output, errors


@pytest.mark.thorough
@pytest.mark.parametrize("kib", [0, 12])
def test_a_search_goes_on_after_a_disk_that_was_full(small_disk, tmp_path, kib):
    """One line, whatever the first thing is that finds no room; what stands stays."""
    place, leave = small_disk

    def command(folder, generations):
        words = ("--generations", generations, "--arms", "transformer", "--workdir", folder)
        return run("search", "isosceles", *SMALL, *words)

    assert command(tmp_path / "whole", 3)[0] == 0
    assert command(place / "search", 1)[0] == 0
    stands = place / "search" / "stands"
    before = {path.name: path.read_bytes() for path in stands.iterdir()}
    leave(kib)
    status, _, errors = command(place / "search", 3)
    assert status == 2 and "make room" in one_line(errors)
    assert {path.name: path.read_bytes() for path in stands.iterdir()} == before
    leave(4096)
    status, _, errors = command(place / "search", 3)
    assert status == 0, errors
    whole, found = (
        stand_file.load(folder / "stands" / "transformer-0.npz")
        for folder in (tmp_path / "whole", stands.parent)
    )
    assert np.array_equal(whole.sets, found.sets) and len(found.records) == 4
    assert all(np.array_equal(value, found.known[name]) for name, value in whole.known.items())


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
