"""What the local search finds, beside the best known: `python benchmarks/constructions.py`.

Each row is a problem, with the settings that reach it; each of its rounds is a search with another seed,
which ends as soon as it has what is asked. Every set is verified by its problem. The first round of a size
compiles. `--only isosceles-16,cap_sets-6` runs single rows; with `--add` they go behind those that were found
earlier today.
"""

import dataclasses
import statistics
import time
from collections.abc import Sequence

from alternate import options, write

from jaxgpt import search
from tasks.constructions import Problem


@dataclasses.dataclass(frozen=True)
class Row:
    """A problem in one or several sizes, what is asked of its sets, and the settings of the search.

    Attributes:
      steps: the most moves of each state.
      asked: elements that end a search; None for the best known.
    """

    problem: str
    sizes: tuple[int, ...]
    states: int = 64
    steps: int = 10_000
    symmetry: str = "none"
    asked: int | None = None
    moves: search.Moves = dataclasses.field(default_factory=search.Moves)

    @property
    def name(self) -> str:
        return f"{self.problem}-{spanned(self.sizes).replace(' ', '-')}"


#: Many plateaus: a low penalty lets sets pass through conflicts, a cost keeps them from crowded points.
SLOW = search.Moves(coldest=0.06, warmest=0.12, penalty=0.45, degree_cost=0.7, tabu=4, polish=0)
SLOWER = search.Moves(coldest=0.05, warmest=0.08, penalty=0.48, degree_cost=0.6, tabu=6, polish=0)
ROWS = (
    Row("isosceles", (16,), states=256),
    Row("isosceles", (32,), states=256, symmetry="4-fold"),
    Row("isosceles", (64,), 128, 1_500_000, "4-fold", asked=110, moves=SLOW),
    Row("isosceles", (100,), 64, 100_000, "4-fold", asked=160, moves=SLOWER),
    Row("no_three", tuple(range(2, 21, 2)), symmetry="quarter-turn"),
    Row("no_three", tuple(range(3, 20, 2)), symmetry="half-turn"),
    Row("no_three", (30,), states=128, symmetry="quarter-turn"),
    *(Row("cap_sets", (n,), states=128) for n in (4, 5, 6)),
    Row("c4_free", tuple(range(4, 26))),
)


def measured(row: Row, seeds: int) -> dict:
    """What the searches of a row found, and how long they took."""
    made = [searched(row, n, seed) for n in row.sizes for seed in range(seeds)]
    best = [Problem.named(row.problem)(n=n).best_known() for n in row.sizes]
    return {
        "problem": row.problem,
        "n": spanned(row.sizes),
        "symmetry": row.symmetry,
        "states": row.states,
        "steps": row.steps,
        "best": spanned(best),
        "asked": spanned(best if row.asked is None else [row.asked]),
        "found": spanned([found for found, _, _, _ in made]),
        "seeds": seeds,
        "share": statistics.mean(enough for _, enough, _, _ in made),
        "seconds": statistics.median(seconds for _, _, seconds, _ in made),
        "longest": max(seconds for _, _, seconds, _ in made),
        "processor": statistics.median(processor for _, _, _, processor in made),
    }


def searched(row: Row, n: int, seed: int) -> tuple[int, bool, float, float]:
    """The largest set of a search, whether it is enough, and the seconds of the wall and of the processor."""
    problem = Problem.named(row.problem)(n=n)
    asked = row.asked or problem.best_known()
    began, used = time.perf_counter(), time.process_time()
    sets = search.local(problem, row.states, row.steps, row.symmetry, seed, enough=asked, moves=row.moves)
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    if broken := problem.verify(sets.best):
        raise RuntimeError(f"{row.name}, n = {n}, seed {seed}: the set holds {len(broken)} conflicts")
    found = len(sets.best)
    print(f"{row.problem}, n = {n}, seed {seed}: {found} of {asked} in {seconds:.1f} s", flush=True)
    return found, found >= asked, seconds, processor


def spanned(values: Sequence[int]) -> str:
    """The smallest and the largest of some values."""
    return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"


def main():
    """Print what each row finds and keep it."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--only", default="", help="names of rows, by comma; all unless told otherwise")
    given = parser.parse_args()
    known = [row.name for row in ROWS]
    only = [name for name in given.only.split(",") if name] or known
    if wrong := sorted(set(only) - set(known)):
        parser.error(f"no row is called {', '.join(wrong)}; there are {', '.join(known)}")
    rows = [measured(row, given.rounds) for row in ROWS if row.name in only]
    if not given.no_write:
        print(f"written: {write('constructions', rows, add=given.add)}")


if __name__ == "__main__":
    main()
