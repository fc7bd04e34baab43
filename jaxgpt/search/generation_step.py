"""One generation of a search: learn what was kept, propose, repair, improve, keep the best."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool

from jaxgpt.search import pool
from jaxgpt.search.improving import Improving
from jaxgpt.search.pool import Sets
from jaxgpt.search.search_config import SearchConfig
from jaxgpt.search.set_model import Arrays, SetModel, Written, lengths
from jaxgpt.search.set_tokens import SetTokens

#: Share of repeated proposals from which on the next are written at a higher temperature, and the step.
_REPEATED, _WARMER = 0.1, 0.1


@dataclasses.dataclass(frozen=True)
class Record:
    """What a generation gave.

    Attributes:
      seconds: of each part: learn, propose, improve, keep; smaller: of the sets of smaller problems, which
        the first generation that learns them pays for.
      proposed: how many readable proposals had each size as they were written, conflicts and all.
      repaired: how many of these had each size once they were repaired and filled up.
      improved: how many had each size after the local search, of as many as there are states.
      kept: how many of the kept sets have each size.
      written: proposals; readable: those that stand for a set.
      repeated, new, conflicts: shares of the readable ones: those that came before in this generation, those
        that were not among the sets that were learned, those that held a conflict.
      loss: mean training loss of the last steps; None without training.
      temperature: of what was written; None without a model.
      note: what a person should know; empty where all went well.
    """

    seconds: dict[str, float]
    improved: dict[int, int]
    kept: dict[int, int]
    repaired: dict[int, int] = dataclasses.field(default_factory=dict)
    proposed: dict[int, int] = dataclasses.field(default_factory=dict)
    written: int = 0
    readable: int = 0
    repeated: float = 0.0
    new: float = 0.0
    conflicts: float = 0.0
    loss: float | None = None
    temperature: float | None = None
    note: str = ""

    @property
    def best(self) -> int:
        """The size of the largest set that is kept."""
        return max(self.kept)

    @property
    def elapsed(self) -> float:
        return sum(self.seconds.values())


@dataclasses.dataclass(frozen=True)
class Stand:
    """Where a search stands after some generations; all that it needs to go on.

    Attributes:
      sets: the best so far, the largest first.
      known: what the model has learned, as arrays.
      temperature: of the next proposals.
      records: one a generation; the first is of the beginning.
    """

    sets: Bool[np.ndarray, "K E"]
    known: Arrays
    temperature: float
    records: tuple[Record, ...]

    @property
    def elapsed(self) -> float:
        return sum(record.elapsed for record in self.records)

    @property
    def best(self) -> int:
        return self.records[-1].best


class Beside(NamedTuple):
    """Sets that a model learns beside those that are kept, and the seconds that it took to find them."""

    sets: Sets
    seconds: float


@dataclasses.dataclass(frozen=True)
class Way:
    """How an arm searches.

    Attributes:
      model: that proposes; None: greedy fill does.
      searches: whether a local search improves what was proposed.
      beside: sets that the model learns beside those that are kept.
    """

    improving: Improving
    tokens: SetTokens
    config: SearchConfig
    model: SetModel | None
    searches: bool
    beside: Beside

    def prepare(self, sets: Bool[np.ndarray, "S E"]) -> None:
        """Compile what a generation computes, on these sets."""
        sets = self._repeated(sets)
        self.improving.fill(_key(0, 0, "fill"), len(sets))
        self.improving.search(
            self.improving.repair(sets, _key(0, 0, "repair")), _key(0, 0, "search"), steps=1
        )
        if self.model is not None:
            kept = sets[np.arange(self.config.keep) % len(sets)]
            kept = np.concatenate([kept[self.tokens.fits(kept)], self.beside.sets])
            self.model.prepare(kept, _begun(kept, self.tokens, self.config, 0, 0))

    def begin(self, seed: int, brought: Bool[np.ndarray, "B E"]) -> Stand:
        """The first stand: the sets that were brought and greedy fill, improved as the arm does.

        The largest of what was brought are searched from in the place of as many of greedy fill; all are kept
        as far as they are among the best.
        """
        kept, record = self._filled(brought, seed, 0)
        return Stand(kept, {}, self.config.temperature, (record,))

    def after(self, stand: Stand, seed: int) -> Stand:
        """The stand after one more generation."""
        generation = len(stand.records)
        if self.model is None:
            kept, record = self._filled(stand.sets, seed, generation)
            return dataclasses.replace(stand, sets=kept, records=(*stand.records, record))
        return self._learned(stand, seed, generation)

    def _filled(self, before: Sets, seed: int, generation: int) -> tuple[Sets, Record]:
        """The kept sets after greedy fill from nothing, at first also of what was brought, improved."""
        clock = _Clock()
        with clock("propose"):
            sets = self.improving.fill(_key(seed, generation, "fill"), self.config.states)
            if generation == 0 and len(before):
                brought = pool.best(before, self.config.states)
                fixed = self.improving.repair(self._repeated(brought), _key(seed, generation, "repair"))
                sets = np.concatenate([fixed[: len(brought)], sets[len(brought) :]])
        with clock("improve"):
            found = self._improved(sets, seed, generation)
        with clock("keep"):
            kept = pool.best(np.concatenate([found, sets, before]), self.config.keep)
        return kept, Record(clock.seconds, _sizes(found), _sizes(kept), repaired=_sizes(sets))

    def _learned(self, stand: Stand, seed: int, generation: int) -> Stand:
        """The stand after the model has learned the kept sets and proposed new ones."""
        clock, config = _Clock(), self.config
        shown = np.concatenate([stand.sets[self.tokens.fits(stand.sets)], self.beside.sets])
        if generation == 1 and len(self.beside.sets):
            clock.seconds["smaller"] = self.beside.seconds
        with clock("learn"):
            shares = _shares(shown, config)
            known, loss = self.model.learn(stand.known, shown, shares, seed * 2**20 + generation)
        with clock("propose"):
            begun = _begun(shown, self.tokens, config, seed, generation)
            rows = self.model.write(known, begun, stand.temperature, _seed(seed, generation))
            read, readable = self.tokens.read(rows)
        sets, told = read[readable], {"loss": loss, "temperature": stand.temperature, "written": len(rows)}
        if not len(sets):
            note = f"none of {len(rows):,} proposals stands for a set; the kept sets stay"
            record = Record(clock.seconds, {}, _sizes(stand.sets), note=note, **told)
            return dataclasses.replace(stand, known=known, records=(*stand.records, record))
        with clock("improve"):
            fixed = self.improving.repair(self._repeated(sets), _key(seed, generation, "repair"))
            found = self._improved(fixed, seed, generation)
        once = fixed[: len(sets)]  # each readable proposal's, without those that fill the program's states
        with clock("learn"):
            scores = np.full(len(rows), fixed.sum(1).min() - 1)  # what stands for no set is worse than all
            scores[readable] = once.sum(1)
            written = Written(rows, lengths(begun), read)
            known = self.model.rewarded(known, written, scores, _seed(seed, generation))
        with clock("keep"):
            kept = pool.best(np.concatenate([found, fixed, stand.sets]), config.keep)
        new = pool.new(sets, shown)
        record = Record(
            clock.seconds,
            _sizes(found),
            _sizes(kept),
            repaired=_sizes(once),
            proposed=_sizes(sets),
            readable=len(sets),
            repeated=1 - len(pool.distinct(sets)) / len(sets),
            new=float(new.mean()),
            conflicts=float((self.improving.whole(sets) & ~once).any(1).mean()),
            note="" if new.any() else "no proposal is new",
            **told,
        )
        warmer = stand.temperature + (_WARMER if record.repeated > _REPEATED else -_WARMER)
        return Stand(kept, known, max(warmer, config.temperature), (*stand.records, record))

    def _repeated(self, sets: Sets) -> Sets:
        """The sets over and over, since a program is compiled for one number of them."""
        return sets[np.arange(self.config.states) % len(sets)]

    def _improved(self, sets: np.ndarray, seed: int, generation: int) -> np.ndarray:
        if not self.searches:
            return sets
        return self.improving.search(sets, _key(seed, generation, "search"))


class _Clock:
    """Seconds by the name of what was done."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - began


_PARTS = ("fill", "repair", "search")


def _key(seed: int, generation: int, part: str) -> jax.Array:
    """The randomness of a part of a generation: it follows from these alone."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), generation), _PARTS.index(part))


def _seed(seed: int, generation: int) -> int:
    return int(np.random.default_rng([seed, generation]).integers(2**31))


def _shares(sets: np.ndarray, config: SearchConfig) -> np.ndarray:
    """How often each set is learned; they sum to 1."""
    if config.feedback != "weighted":
        return np.full(len(sets), 1 / len(sets))
    score = sets.sum(1)
    weight = np.exp(config.sharpness * (score - score.max()))
    return weight / weight.sum()


def _begun(
    sets: np.ndarray, tokens: SetTokens, config: SearchConfig, seed: int, generation: int
) -> list[list[int]]:
    """The tokens that each proposal begins with: a part of a kept set, or none."""
    if not config.given:
        return [[] for _ in range(config.states)]
    chosen = np.random.default_rng([seed, generation, 3]).integers(len(sets), size=config.states)
    rows = tokens.rows(sets[chosen])
    ends = 1 + np.floor(config.given * (rows.length - 2)).astype(int)
    return [row[1:end].tolist() for row, end in zip(rows.tokens, ends, strict=True)]


def _sizes(sets: np.ndarray) -> dict[int, int]:
    """How many sets have each size."""
    sizes, counts = np.unique(sets.sum(1), return_counts=True)
    return dict(zip(sizes.tolist(), counts.tolist(), strict=True))
