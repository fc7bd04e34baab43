"""How exact match on validation grew while a cell was trained, and when each seed reached a share."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from jaxgpt.evaluation.intervals import Estimate, Interval, bounded_mean, exact_share, median_interval
from jaxgpt.runs.records import Metric, seconds_until

#: What is recorded at every look.
MEASURE = "validation_exact_match"


@dataclasses.dataclass(frozen=True)
class Curve:
    """Exact match at each look.

    Attributes:
      steps: of training at each look. [L]
      per_seed: exact match of each seed on the same validation questions. [L][R]
      seconds: of training until then, of all seeds together and without looking; None where it was not
        recorded. [L]
    """

    steps: tuple[int, ...]
    per_seed: tuple[tuple[float, ...], ...]
    seconds: tuple[float | None, ...]

    @classmethod
    def of(cls, metrics: Sequence[Metric], seeds: range) -> "Curve":
        """The curve in what a run recorded; looks that lack a seed are left out."""
        looks: dict[int, dict[int, float]] = {}
        for metric in metrics:
            if metric.name == MEASURE and metric.value is not None:
                looks.setdefault(metric.step, {})[metric.seed] = metric.value
        seconds = seconds_until(metrics)
        whole = sorted(step for step, values in looks.items() if all(seed in values for seed in seeds))
        return cls(
            tuple(whole),
            tuple(tuple(looks[step][seed] for seed in seeds) for step in whole),
            tuple(seconds.get(step) for step in whole),
        )

    def estimates(self) -> list[Estimate]:
        """The mean over seeds at each look, with its interval; one seed has none."""
        return [
            Estimate(float(np.mean(row)), bounded_mean(row) if len(row) > 1 else None, row)
            for row in self.per_seed
        ]

    def first_at(self, share: float) -> tuple[int | None, ...]:
        """The step of each seed's first look with at least this exact match; None if there was none. [R]"""
        return tuple(
            next((step for step, value in zip(self.steps, values, strict=True) if value >= share), None)
            for values in zip(*self.per_seed, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class Reached:
    """How much training each seed needed for something, where some may never have got there.

    A seed that did not get there is censored at the end of the training: it counts among the seeds, with a
    need that is larger than all of it.

    Attributes:
      needs: of each seed, in steps or another amount; None if it did not get there.
    """

    needs: tuple[float | None, ...]

    def times(self, factor: float) -> "Reached":
        """In another amount, such as examples instead of steps."""
        return Reached(tuple(None if need is None else need * factor for need in self.needs))

    @property
    def count(self) -> int:
        """Seeds that got there."""
        return sum(need is not None for need in self.needs)

    @property
    def share(self) -> Estimate:
        """The share that got there, with its exact interval."""
        total = len(self.needs)
        each = tuple(float(need is not None) for need in self.needs)
        return Estimate(self.count / total, exact_share(self.count, total), each)

    @property
    def median(self) -> float | None:
        """Kaplan and Meier's (1958, JASA 53(282)): when half of the seeds got there; None if half never did.

        All seeds that did not get there are censored at one time, the end, so it is an ordered need.
        """
        half = sorted(self._whole())[(len(self.needs) - 1) // 2]
        return None if half == math.inf else half

    @property
    def interval(self) -> Interval | None:
        """The exact interval of the median, `median_interval`; infinite where it goes beyond the training."""
        return median_interval(self._whole())

    def _whole(self) -> Sequence[float]:
        return [math.inf if need is None else float(need) for need in self.needs]
