"""What a test gives: measures with their intervals, counts, and what each example got."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxgpt.core.tables import columns
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation.intervals import Estimate, proportion, ratio


@dataclasses.dataclass(frozen=True)
class Measure:
    """One number.

    Attributes:
      key: in JSON, such as `acc`.
      label: for people.
      share: whether it is a share, which is shown in percent.
    """

    key: str
    label: str
    estimate: Estimate
    share: bool = False

    def row(self) -> tuple[str, str, str]:
        """Its label, value and interval."""
        show = (lambda value: f"{value:.2%}") if self.share else (lambda value: f"{value:.4f}")
        interval = self.estimate.interval
        return (
            self.label,
            show(self.estimate.mean),
            "" if interval is None else f"{show(interval[0])} to {show(interval[1])}",
        )


@dataclasses.dataclass(frozen=True)
class Result:
    """What a test gives.

    Attributes:
      counts: of examples, tokens and the like, in the order in which they are told.
      settings: what was chosen, such as the de-tokenizer.
      notes: what must be known to read it, a sentence each.
      examples: of each where it stands in the file and what the models said, as JSON.
    """

    task: str
    measures: tuple[Measure, ...]
    counts: Mapping[str, int]
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()

    def lines(self) -> list[str]:
        """The table for a terminal, with the counts below it."""
        table = columns([(self.task, "", "95 % interval"), *(one.row() for one in self.measures)])
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return [*table, f"of {counts}" + (f"; {settings}" if settings else ""), *self.notes]

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "task": self.task,
            "measures": {one.key: one.estimate._asdict() for one in self.measures},
            "counts": dict(self.counts),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "examples": [dict(one) for one in self.examples],
        }

    def write(self, path: Path | str) -> None:
        """Write it as JSON, whole or not at all."""
        write_atomically(Path(path), json.dumps(self.to_json(), indent=1) + "\n")


def share(key: str, label: str, right: Sequence[Sequence[bool]]) -> Measure:
    """The share of examples that each model has right. [R, N]"""
    array = np.asarray(right, float)
    return Measure(key, label, proportion(tuple(array.mean(axis=1)), array.shape[1]), share=True)


def perplexity(key: str, label: str, nats: Sequence[Sequence[float]], units: np.ndarray) -> Measure:
    """exp of nats [R, N] over units [N], with the interval of their ratio."""
    return Measure(key, label, mapped(ratio(np.asarray(nats), units), _exp))


def mapped(estimate: Estimate, change: Callable[[float], float]) -> Estimate:
    """An estimate after a change that rises; the mean is that of the changed seeds."""
    per_seed = tuple(map(change, estimate.per_seed))
    interval = estimate.interval
    return Estimate(
        float(np.mean(per_seed)),
        None if interval is None else (change(interval[0]), change(interval[1])),
        per_seed,
    )


def _exp(nats: float) -> float:
    return math.exp(min(nats, 700.0))  # beyond, no float holds it
