"""The page of benchmarks is what its figures give, and each benchmark can begin."""

import importlib
import json
import subprocess
import sys

import jax
import pytest
from documents import ROOT
from variants import seldom

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / "docs"))
    benchmarks = importlib.import_module("benchmarks")
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / "benchmarks"))
    alternate = importlib.import_module("alternate")

NAMES = (
    "training",
    "decoding",
    "seeds",
    "scaling",
    "startup",
    "data",
    "memory",
    "lab",
    "strings",
    "constructions",
    "annealer",
    "packing",
    "shakespeare",
    "step_overhead",
    "products",
)
SIDE = """
import json, sys
sys.path.insert(0, {folder!r})
from alternate import serve
name = sys.argv[2]
if name == "stuck":
    import time
    time.sleep(600)
if name == "missing":
    import there_is_no_such_package
serve(lambda: (print("noise"), ({{"name": name}}, lambda: sum(range(2000 if name == "slow" else 2))))[1])
"""


def test_the_page_is_what_its_figures_give():
    assert (ROOT / "docs" / "benchmarks.md").read_text() == benchmarks.page(), "run python docs/benchmarks.py"


@pytest.mark.thorough
def test_sides_take_turns_and_a_missing_one_is_told(tmp_path):
    script = tmp_path / "side.py"
    script.write_text(SIDE.format(folder=str(ROOT / "benchmarks")))
    sides = alternate.alternate(str(script), ["quick", "slow", "missing"], rounds=5)
    assert [len(side.seconds) for side in sides.values()] == [5, 5, 0]
    assert sides["quick"].facts["name"] == "quick" and sides["quick"].facts["peak_mib"] > 1
    assert sides["quick"].over(sides["slow"]) > 2  # 2,000 numbers take longer than two
    assert sides["missing"].error == "ended with status 1"


def test_a_side_that_hangs_is_ended(tmp_path):
    script = tmp_path / "side.py"
    script.write_text(SIDE.format(folder=str(ROOT / "benchmarks")))
    found = alternate.alternate(str(script), ["stuck"], rounds=1, timeout=0.5)
    assert found["stuck"].error == "ended with status -9"


def test_figures_are_kept_with_what_they_were_measured_on(tmp_path, monkeypatch):
    monkeypatch.setattr(alternate, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks/seeds.py", "--counts", "2"])
    path = alternate.write("seeds", [{"seeds": 2}])
    data = json.loads(path.read_text())
    assert data["command"] == "python benchmarks/seeds.py --counts 2"
    assert data["rows"] == [{"seeds": 2}] and data["machine"]["versions"].keys() >= {"jax", "flax"}
    assert path.name.startswith(f"seeds-{jax.devices()[0].device_kind}-") and data["commit"]
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path)
    assert "| 2 | | | | |" in benchmarks.page()
    assert alternate.write("seeds", [{"seeds": 4}], add=True) == path
    both = json.loads(path.read_text())
    assert both["rows"] == [{"seeds": 2}, {"seeds": 4}]
    assert both["command"] == " && ".join(2 * [data["command"]])


def test_goals_say_whether_they_are_reached():
    def line(ratio, **other):
        row = {"size": "tiny", "dtype": "float32", "side": "eager", "spread": 0.1} | other
        row |= {} if ratio is None else {"ratio": ratio}
        return benchmarks.benchmark_goals.table({"training-cpu": {"rows": [row]}})[2]

    assert line(1.2).endswith("| at least 1.00 | 1.20 | 10.0% | yes |")
    assert line(0.8).endswith("| at least 1.00 | 0.80 | 10.0% | **no** |")
    assert "| not run |" in line(None, error="it is missing")
    assert "| not run |" in line(1.2, size="baby")


def test_medians_and_ratios():
    fast = alternate.Side("fast", {}, (1.0, 2.0, 3.0, 4.0, 5.0))
    slow = alternate.Side("slow", {}, (2.0, 4.0, 6.0, 40.0, 10.0))
    assert (fast.median, fast.over(slow)) == (3.0, 2.0)
    assert alternate.Side("once", {}, (1.0,)).spread == 0
    assert fast.spread == pytest.approx((4.5 - 1.5) / 3)


@pytest.mark.parametrize(
    "name", seldom(NAMES, ("step_overhead", "packing", "products", "decoding", "training"))
)
def test_each_tells_what_it_takes(name):
    command = [sys.executable, f"benchmarks/{name}.py", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert "--rounds" in done.stdout and "--no-write" in done.stdout
