"""One measure of every arm: each seed, the mean with its interval, and the difference to one of them."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Literal

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Difference, Estimate, Interval, bounded_mean, paired, student_t
from jaxgpt.lab.part import Part

#: Of losses, perplexities and all else that is not negative; and of what is given in points of 100.
NOT_NEGATIVE: Interval = (0.0, math.inf)
POINTS: Interval = (0.0, 100.0)


def estimate(
    per_seed: tuple[float, ...], unit: Literal["share", "number"], bounds: Interval = NOT_NEGATIVE
) -> Estimate:
    """The mean over seeds; a share's interval holds for any distribution, a number's is Student's t.

    Args:
      bounds: of what a number can be; its interval ends there.
    """
    mean = sum(per_seed) / len(per_seed)
    if len(per_seed) < 2:
        return Estimate(mean, None, per_seed)
    interval = bounded_mean(per_seed) if unit == "share" else student_t(per_seed, bounds=bounds)
    return Estimate(mean, interval, per_seed)


@dataclasses.dataclass(frozen=True)
class ArmTable(Part):
    """A measure of every arm.

    Attributes:
      measure: what is measured, with its unit, such as `bits a byte`.
      values: of each seed, by the name of the arm.
      baseline: the arm that the others are compared with, seed by seed; empty: none.
      better: whether more or less of it is better.
      unit: a share is shown in percent.
      published: what was reported elsewhere, by the name of the arm.
      where: the setting of what was published.
      bounds: of what a number can be, where no interval leaves them; a share lies between 0 and 1.
    """

    measure: str
    values: Mapping[str, tuple[float, ...]]
    baseline: str = ""
    better: Literal["more", "less"] = "more"
    unit: Literal["share", "number"] = "number"
    published: Mapping[str, str] = dataclasses.field(default_factory=dict)
    where: str = ""
    bounds: Interval = NOT_NEGATIVE

    def estimate(self, arm: str) -> Estimate:
        """The mean of an arm, with its interval."""
        return estimate(self.values[arm], self.unit, self.bounds)

    def difference(self, arm: str) -> Difference:
        """An arm minus the baseline, seed by seed."""
        return paired(self.values[arm], self.values[self.baseline])

    def rows(self):
        return ("arm", self.measure, "low", "high", "each seed"), (
            (arm, found.mean, *(found.interval or ("", "")), " ".join(map(repr, found.per_seed)))
            for arm in self.values
            for found in [self.estimate(arm)]
        )

    def table(self) -> Table:
        """A row an arm."""
        header = ["model", f"{self.measure}, %" if self.unit == "share" else self.measure]
        header += [f"minus {self.baseline}"] if self.baseline else []
        header += ["published"] if self.published else []
        rows = tuple(tuple(self._entries(arm)) for arm in self.values)
        seeds = len(next(iter(self.values.values())))
        caption = f"{seeds} seeds; in parentheses intervals at 95 %." if seeds > 1 else "One seed."
        if self.baseline and seeds > 1:
            caption += " Differences are medians over seeds, paired; bold ones exclude 0."
            caption += " Fewer than six seeds give them no interval." if seeds < 6 else ""
        if self.where:
            caption += f" Published: {self.where}."
        return Table(self.measure, caption, tuple(header), rows)

    def _entries(self, arm: str):
        found = self.estimate(arm)
        yield Entry(arm)
        yield Entry(self._text(found.mean), detail=self._between(found.interval))
        if self.baseline:
            yield self._difference(arm)
        if self.published:
            yield Entry(self.published.get(arm, ""))

    def _difference(self, arm: str) -> Entry:
        if arm == self.baseline:
            return Entry("")
        found = self.difference(arm)
        sure = ""
        if found.sure:
            sure = "better" if (found.median > 0) == (self.better == "more") else "worse"
        return Entry(self._text(found.median, "+"), sure, self._between(found.interval, "+"))

    def _text(self, value: float, sign: str = "") -> str:
        if self.unit == "share":
            return f"{100 * value:{sign}.1f}"
        return f"{value:{sign}.3f}" if abs(value) < 100 else f"{value:{sign},.0f}"

    def _between(self, interval: tuple[float, float] | None, sign: str = "") -> str:
        return "" if interval is None else " to ".join(self._text(bound, sign) for bound in interval)

    def summary(self) -> str:
        told = "; ".join(f"{arm} {self._text(self.estimate(arm).mean)}" for arm in self.values)
        unit = " in percent" if self.unit == "share" else ""
        return f"{self.measure}{unit}: {told}."

    def blocks(self):
        return [*super().blocks(), self.table()]

    def plot(self):
        """An arm a line: each seed as a small dot, the mean with its interval as a large one."""
        figure, (axes,) = plots.new_figure(6.4, 0.7 + 0.36 * len(self.values))
        factor = 100 if self.unit == "share" else 1
        for height, arm in enumerate(reversed(self.values)):
            color = plots.ORANGE if arm == self.baseline else plots.BLUE
            found = self.estimate(arm)
            low, high = found.interval or (found.mean, found.mean)
            axes.plot([factor * low, factor * high], [height] * 2, color=color, linewidth=2)
            each = [factor * value for value in found.per_seed]
            axes.plot(each, [height] * len(each), ".", color=color, alpha=0.5, markersize=4)
            axes.plot(factor * found.mean, height, "o", color=color, markersize=6)
        axes.set_yticks(range(len(self.values)), [plots.label(arm, 60) for arm in reversed(self.values)])
        axes.set_ylim(-0.5, len(self.values) - 0.5)
        axes.set_xlabel(plots.label(self.measure + (", %" if self.unit == "share" else "")))
        return figure
