"""A measure of every arm against something that grows, such as length: means with a band over seeds."""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Literal

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, Interval
from jaxgpt.lab.part import Part, band
from jaxgpt.lecture.arm_table import NOT_NEGATIVE, estimate

#: Places that a table has a column for; of more there is no table.
_COLUMNS = 12
_COLORS = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.GREY, "#7b3fa0", "#b8860b", "#0f8b8d", "#a3123f")
#: Of lines without seeds.
_DASHES = (":", "--", "-.")


@dataclasses.dataclass(frozen=True)
class ArmCurves(Part):
    """A measure of every arm at several places.

    Attributes:
      along: what the places are, such as `shots`.
      places: their numbers, or names where they have none. [X]
      measure: what is measured, with its unit.
      values: of each place and seed, by the name of the arm. [X][R]
      unit: a share is shown in percent.
      scale: of the places.
      measure_scale: of what is measured.
      over: what the values of a place are, of which the mean is shown.
      references: lines without seeds, such as the best that can be reached. [X]
      bounds: of what a number can be, where no interval leaves them; a share lies between 0 and 1.
    """

    along: str
    places: tuple[float | str, ...]
    measure: str
    values: Mapping[str, tuple[tuple[float, ...], ...]]
    unit: Literal["share", "number"] = "number"
    scale: Literal["linear", "log"] = "linear"
    measure_scale: Literal["linear", "log"] = "linear"
    over: str = "seeds"
    references: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    bounds: Interval = NOT_NEGATIVE

    def estimates(self, arm: str) -> tuple[Estimate, ...]:
        """The mean of an arm at each place, with its interval. [X]"""
        return tuple(estimate(per_seed, self.unit, self.bounds) for per_seed in self.values[arm])

    def rows(self):
        header = ("arm", self.along, self.measure, "low", "high", "each seed")
        found = [
            (arm, place, one.mean, *(one.interval or ("", "")), " ".join(map(repr, one.per_seed)))
            for arm in self.values
            for place, one in zip(self.places, self.estimates(arm), strict=True)
        ]
        lines = [
            (name, place, value, "", "", "")
            for name, line in self.references.items()
            for place, value in zip(self.places, line, strict=True)
        ]
        return header, [*found, *lines]

    def table(self) -> Table:
        """A row an arm, a column a place."""
        rows = [
            (Entry(arm), *(Entry(self._text(one.mean)) for one in self.estimates(arm))) for arm in self.values
        ]
        rows += [
            (Entry(name), *(Entry(self._text(value)) for value in line))
            for name, line in self.references.items()
        ]
        unit = ", in percent" if self.unit == "share" else ""
        count = len(next(iter(self.values.values()))[0])
        caption = f"{self.measure}{unit}, by {self.along}"
        caption += f": means of {count} {self.over}." if count > 1 else "."
        header = ("model", *(f"{place:,}" if isinstance(place, int) else str(place) for place in self.places))
        return Table(f"{self.measure} by {self.along}", caption, header, tuple(rows))

    def _text(self, value: float) -> str:
        return f"{100 * value:.1f}" if self.unit == "share" else f"{value:.3f}"

    def summary(self) -> str:
        first, last = self.places[0], self.places[-1]
        told = "; ".join(
            f"{arm} from {self._text(found[0].mean)} to {self._text(found[-1].mean)}"
            for arm in self.values
            for found in [self.estimates(arm)]
        )
        unit = " in percent" if self.unit == "share" else ""
        return f"{self.measure}{unit}, {self.along} {first} to {last}: {told}."

    def blocks(self):
        found = super().blocks()
        return [*found, self.table()] if len(self.places) <= _COLUMNS else found

    def plot(self):
        figure, (axes,) = plots.new_figure(6.4, 3.8)
        named = any(isinstance(place, str) for place in self.places)
        places = list(range(len(self.places))) if named else list(self.places)
        factor = 100 if self.unit == "share" else 1
        for arm, color in zip(self.values, _COLORS * len(self.values), strict=False):
            drawn = [
                Estimate(
                    factor * one.mean,
                    one.interval and tuple(factor * bound for bound in one.interval),
                    one.per_seed,
                )
                for one in self.estimates(arm)
            ]
            band(axes, places, drawn, plots.label(arm, 60), color)
            each = zip(*(one.per_seed for one in drawn), strict=True)
            for seed in each:
                axes.plot(places, [factor * value for value in seed], color=color, linewidth=0.5, alpha=0.5)
        for (name, line), style in zip(self.references.items(), itertools.cycle(_DASHES), strict=False):
            drawn_line = [factor * value for value in line]
            axes.plot(places, drawn_line, "k", linestyle=style, linewidth=1, label=plots.label(name, 60))
        axes.set_xscale(self.scale)
        axes.set_yscale(self.measure_scale)
        if named or self.scale == "log":
            axes.set_xticks(places, [plots.label(str(place)) for place in self.places])
            axes.minorticks_off()
        axes.set_xlabel(plots.label(self.along))
        axes.set_ylabel(plots.label(self.measure + (", %" if self.unit == "share" else "")))
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
        return figure
