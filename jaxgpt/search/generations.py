"""A search in generations: every seed and arm, at equal time; a killed search goes on in its directory."""

import contextlib
import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Bool

from jaxgpt.core import fields, foreign, locks, printing
from jaxgpt.core.choice import imported
from jaxgpt.core.paths import expanded, make_folder
from jaxgpt.core.writing import remove_unfinished, write_atomically
from jaxgpt.runs.stop import Stopped, StopRequest
from jaxgpt.search import arms as arms_of
from jaxgpt.search import stand_file
from jaxgpt.search.generation_step import Beside, Stand, Way
from jaxgpt.search.improving import Improving
from jaxgpt.search.orbits import check_size
from jaxgpt.search.search_config import SearchConfig
from jaxgpt.search.searchable import Searchable
from jaxgpt.search.set_tokens import SetTokens
from jaxgpt.search.smaller import smaller_sets

Say = Callable[[str], None]

#: What was asked for, and the folders of where each seed of each arm stands and of the best sets.
FILE, STANDS, BEST = "search.json", "stands", "best"
#: Seconds of a turn after which its generations are saved.
_SAVED = 5.0
#: Room of a row: a set may grow to so many times the largest that greedy fill finds or a file brings.
_ROOM = 2


@dataclasses.dataclass(frozen=True)
class Searched:
    """A search in generations.

    Attributes:
      problem: what was searched; config: how.
      stands: of each arm every seed's, in the order of the seeds.
      finished: whether every arm has had its time; of a directory that is read, whether every seed was begun.
    """

    problem: Searchable
    config: SearchConfig
    stands: dict[str, list[Stand]]
    finished: bool = True

    def best(self, arm: str) -> list[int]:
        """The size of the largest set of each seed."""
        return [stand.best for stand in self.stands[arm]]


def search(
    problem: Searchable,
    config: SearchConfig | None = None,
    *,
    seeds: int = 1,
    arms: Sequence[str] = ("transformer", "none"),
    workdir: Path | str | None = None,
    pool: Bool[np.ndarray, "B E"] | None = None,
    say: Say = printing.say,
) -> Searched:
    """Search with several arms at equal time: the first makes `config.generations`, the others have its time.

    Arms take turns after each generation of the first, so that what slows the machine slows all. Compiling
    counts for none. The same seed gives each arm the same beginning. On a CPU a generation's sets follow from
    the seed and what was kept before, bit for bit; how many generations the other arms make follows from the
    clock.

    Args:
      arms: names of `jaxgpt.search.ARMS`.
      workdir: where generations are saved; a search that was stopped or killed goes on there, also with more
        seeds and generations, never with fewer, or other arms behind the first. None: nowhere.
      pool: sets to begin with, beside those of greedy fill: every arm's first local search begins from them.
        They hold no conflict.
      say: takes each line of what is told.

    Raises:
      ValueError: in one line, for arms that do not exist, a symmetry, a table or sets that do not fit, or
        another or a longer search in `workdir`.
      OSError: if a generation cannot be saved; those before it stay.
    """
    config = config or SearchConfig()
    arms_of.check(arms)
    if seeds < 1:
        raise ValueError(f"seeds={seeds} must be at least 1")
    check_size(problem, config.symmetry, config.table_limit)
    brought = np.zeros((0, problem.size()), bool) if pool is None else np.asarray(pool, bool)
    if brought.shape[1:] != (problem.size(),):
        raise ValueError(f"pool has the shape {brought.shape}; give rows of {problem.size()} elements")
    folder = None if workdir is None else expanded(workdir)
    asked = _asked(problem, config, seeds, arms, brought)
    with _held(folder, asked) if folder is not None else contextlib.nullcontext():
        improving = Improving(problem, config)
        sample = improving.fill(jax.random.key(0), config.states)
        beside, spent = np.zeros((0, problem.size()), bool), 0.0
        if any(arms_of.ARMS[arm].model is not None for arm in arms):
            beside, spent = smaller_sets(problem, config)
        largest = max(int(sets.sum(1).max(initial=1)) for sets in (sample, brought, beside))
        tokens = SetTokens(problem.size(), config.written, _ROOM * largest)
        ways = arms_of.ways(arms, improving, tokens, config, Beside(beside, spent))
        if folder is not None:
            write_atomically(folder / FILE, json.dumps(asked, indent=1) + "\n")
        turns = _Turns(ways, list(range(seeds)), brought, folder, config, say)
        with StopRequest() as stop:
            try:
                with stop.droppable():
                    say("compiling")
                    arms_of.prepare(ways, sample)
                    turns.take()
                finished = True
            except Stopped:
                finished = False
    stands = {arm: [turns.stands[arm, s] for s in range(seeds) if (arm, s) in turns.stands] for arm in arms}
    return Searched(problem, config, stands, finished)


def going_on_or_free(
    base: Path,
    problem: Searchable,
    config: SearchConfig,
    *,
    seeds: int,
    arms: Sequence[str],
    pool: Bool[np.ndarray, "B E"] | None = None,
) -> Path:
    """The first of `base`, `base-2`, ... that holds this search or none."""
    brought = np.zeros((0, problem.size()), bool) if pool is None else pool
    asked = _asked(problem, config, seeds, arms, brought)
    for number in itertools.count(1):
        folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
        if not (folder / FILE).exists():
            return folder
        with contextlib.suppress(ValueError):
            _check_same(folder / FILE, asked)
            return folder
    raise AssertionError("unreachable")


def read(workdir: Path | str) -> Searched:
    """The search of a directory, as far as it came.

    Raises:
      ValueError: if there is none, or its files are no search's, in one line.
    """
    folder = expanded(workdir)
    if not (folder / FILE).is_file():
        raise ValueError(f"{folder} holds no search: it has no {FILE}")
    told = _begun(folder / FILE)
    with foreign.naming(folder / FILE):
        family = imported("tasks.constructions").Problem
        problem = fields.from_json(family, told["problem"], "problem")
        config = fields.from_json(SearchConfig, told["config"], "config")
        arms_of.check(told["arms"])
    stands = {
        arm: [
            stand_file.load(path)
            for seed in range(told["seeds"])
            if (path := stand_path(folder, arm, seed)).exists()
        ]
        for arm in told["arms"]
    }
    finished = all(len(found) == told["seeds"] for found in stands.values())
    return Searched(problem, config, stands, finished)


def stand_path(folder: Path, arm: str, seed: int) -> Path:
    """Where a directory has the stand of a seed of an arm."""
    return folder / STANDS / f"{arm}-{seed}.npz"


class _Turns:
    """Arms and seeds that take turns."""

    def __init__(
        self,
        ways: dict[str, Way],
        seeds: list[int],
        brought: np.ndarray,
        folder: Path | None,
        config: SearchConfig,
        say: Say,
    ):
        self._ways, self._seeds, self._brought, self._folder = ways, seeds, brought, folder
        self._config, self._say = config, say
        self.stands: dict[tuple[str, int], Stand] = {}
        for arm in ways:
            for seed in seeds:
                if folder is not None and (path := stand_path(folder, arm, seed)).exists():
                    self.stands[arm, seed] = stand_file.load(path)

    def take(self) -> None:
        """All turns that are left."""
        first, *others = self._ways
        for generation in range(self._config.generations + 1):
            for seed in self._seeds:
                self._turn(first, seed, lambda stand, g=generation: len(stand.records) > g)
                records = self.stands[first, seed].records[: generation + 1]
                time = sum(record.elapsed for record in records)
                for arm in others:
                    self._turn(arm, seed, lambda stand, time=time: stand.elapsed >= time)

    def _turn(self, arm: str, seed: int, ends: Callable[[Stand], bool]) -> None:
        """Generations of an arm until its turn ends; they are saved at its end, and now and then before."""
        way, stand, saved = self._ways[arm], self.stands.get((arm, seed)), 0.0
        while stand is None or not ends(stand):
            stand = way.begin(seed, self._brought) if stand is None else way.after(stand, seed)
            over = ends(stand)
            if self._folder is not None and (over or stand.elapsed >= saved + _SAVED):
                stand_file.save(stand, stand_path(self._folder, arm, seed))
                saved = stand.elapsed
            self.stands[arm, seed] = stand
            if over:
                self._say(f"seed {seed}  {arm}  {_told(stand)}")


def _told(stand: Stand) -> str:
    """The last generation in one line."""
    record = stand.records[-1]
    line = f"generation {len(stand.records) - 1}  best {stand.best}"
    if record.written:
        line += f"  new {100 * record.new:.0f} %  repeated {100 * record.repeated:.0f} %"
    return f"{line}  {stand.elapsed:.0f} s" + (f"  ({record.note})" if record.note else "")


def _asked(
    problem: Searchable, config: SearchConfig, seeds: int, arms: Sequence[str], brought: np.ndarray
) -> dict:
    """What a directory's search is known by; how many generations and seeds it has may grow."""
    return {
        "schema": 1,
        "problem": fields.to_json(problem),
        "config": fields.to_json(config),
        "seeds": seeds,
        "arms": list(arms),
        "pool": hashlib.sha256(np.packbits(brought, axis=1).tobytes()).hexdigest() if len(brought) else "",
    }


@contextlib.contextmanager
def _held(folder: Path, asked: dict) -> Iterator[None]:
    """Inside, the directory is this search's, new or begun before.

    Raises:
      ValueError: if it is another search's, or in use.
    """
    make_folder(folder / STANDS)
    with locks.held(folder):
        for inner in (folder, folder / STANDS, folder / BEST):
            remove_unfinished(inner)
        path = folder / FILE
        if path.exists():
            _check_same(path, asked)
        elif any((folder / STANDS).iterdir()):
            raise ValueError(f"{folder} has no {FILE}, which says what is searched; choose another --workdir")
        yield


def _begun(path: Path) -> dict:
    """What a directory's search is known by.

    Raises:
      ValueError: if the file is none of a search, in one line.
    """
    found = foreign.read_json(path)
    parts = {"problem": dict, "config": dict, "seeds": int, "arms": list, "pool": str}
    if (
        not isinstance(found, dict)
        or any(type(found.get(name)) is not kind for name, kind in parts.items())
        or type(found["config"].get("generations")) is not int
        or not found["arms"]
        or found["seeds"] < 1
    ):
        raise ValueError(f"{path} does not say what is searched; choose another --workdir")
    return found


def _check_same(path: Path, asked: dict) -> None:
    """Raises ValueError unless the search that is asked for is a directory's, or makes it longer."""
    found = _begun(path)
    if found["arms"][:1] != asked["arms"][:1]:
        raise ValueError(
            f"{path}: its arms have the time of {found['arms'][0]}; name that one first, or choose another "
            "--workdir"
        )

    def rest(told: dict) -> dict:
        free = {"seeds": None, "arms": None}
        return told | free | {"config": told["config"] | {"generations": None}}

    for name, value in rest(asked).items():
        old = rest(found).get(name)
        if old == value:
            continue
        inner = (
            [key for key in value if isinstance(old, dict) and old.get(key) != value[key]]
            if isinstance(value, dict)
            else []
        )
        where = f"{name}.{inner[0]}" if inner else name
        raise ValueError(f"{path} is of another search: {where} differs; choose another --workdir")
    longest = {"generations": found["config"]["generations"], "seeds": found["seeds"]}
    for name, new in {"generations": asked["config"]["generations"], "seeds": asked["seeds"]}.items():
        if new < longest[name]:
            raise ValueError(
                f"{path} is of a search with {name}={longest[name]}, more than {new}; ask for at least so "
                "many, or choose another --workdir"
            )
