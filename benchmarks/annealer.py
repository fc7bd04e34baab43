"""The local search beside a plain annealer in C, on isosceles-free sets: `python benchmarks/annealer.py`.

`annealer.c` is compiled with `cc -O3 -march=native`. It draws single cells, ours values all cells of all
states in each step. `rate` is a search of fixed length; an evaluation is the value of one cell's change, and
a second one of processor time, which is a second of one core. `goal` is a search with another seed in each
round, until it has the best known set; its seconds hold all that a user waits for but compiling.
"""

import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from alternate import alternate, options, serve, write

SIDES = ("jaxgpt, rate", "C, rate", "jaxgpt, goal", "C, goal")
N, GOAL = 16, 28
STATES, STEPS = 64, 4000
#: Cells of a round, first and last temperature, penalty: of some settings those that were fastest.
ANNEALED = ("1e6", "0.3", "0.15", "1.0")


def ours(goal: int | None):
    """The local search of jaxgpt."""
    from jaxgpt import search
    from tasks.constructions import Problem

    problem = Problem.named("isosceles")(n=N)

    def searched(seed: int) -> tuple[float, float, list[int]]:
        steps = STEPS if goal is None else 100_000
        began = time.process_time()
        found = search.local(problem, STATES, steps, seed=seed, enough=goal)
        return found.evaluations, time.process_time() - began, sorted(found.best)

    return searched


def plain(goal: int | None):
    """The annealer in C."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("there is no C compiler called cc")
    folder = tempfile.TemporaryDirectory()
    program = Path(folder.name) / "annealer"
    source = Path(__file__).with_suffix(".c")
    subprocess.run([compiler, "-O3", "-march=native", "-o", program, source, "-lm"], check=True)

    def searched(seed: int, folder=folder) -> tuple[float, float, list[int]]:
        limit = ("1e8", str(N * N)) if goal is None else ("1e11", str(goal))
        command = [program, str(N), str(seed), limit[1], limit[0], *ANNEALED]
        words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return float(words[0]), float(words[1]), [int(word) for word in words[2:]]

    return searched


def prepare(name: str):
    """A side: a round is a search with the next seed, whose set is verified."""
    from tasks.constructions import Problem

    kind, _, what = name.partition(", ")
    searched = {"jaxgpt": ours, "C": plain}[kind](GOAL if what == "goal" else None)
    verify = Problem.named("isosceles")(n=N).verify
    seeds, made = itertools.count(), []

    def work():
        evaluations, seconds, chosen = searched(next(seeds))
        made.append((evaluations, seconds))
        if verify(chosen) or (what == "goal" and len(chosen) != GOAL):
            raise RuntimeError(f"{len(chosen)} points with {len(verify(chosen))} conflicts")

    def known():
        later = made[1:]  # the first one compiles
        return {
            "evaluations": statistics.median(evaluations for evaluations, _ in later),
            "processor": statistics.median(seconds for _, seconds in later),
            "rate": statistics.median(evaluations / seconds for evaluations, seconds in later),
        }

    return {"name": name}, work, known


def main():
    """Let the sides take turns, print their figures and keep them."""
    parser = options(__doc__, rounds=9)
    given = parser.parse_args()
    if given.side:
        serve(lambda: prepare(given.side))
        return
    sides = alternate(__file__, SIDES, rounds=given.rounds, together=given.together)
    rows = []
    for name, side in sides.items():
        row = {"side": name.partition(", ")[0], "what": name.partition(", ")[2]}
        if side.error:
            row["error"] = side.error
        else:
            facts = {key: side.facts[key] for key in ("evaluations", "processor", "rate")}
            row |= {"seconds": side.median, "spread": side.spread} | facts
            print(f"{name}: {row['rate'] / 1e6:,.0f}M evaluations a second, {side.median:.2f} s")
        rows.append(row)
    if not given.no_write:
        print(f"written: {write('annealer', rows, add=given.add)}")


if __name__ == "__main__":
    sys.exit(main())
