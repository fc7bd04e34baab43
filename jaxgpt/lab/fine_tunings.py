"""Several trainings on another text side by side, such as all pairs of three texts."""

import dataclasses
import itertools

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab.fine_tuning import FineTuning
from jaxgpt.lab.part import Part
from jaxgpt.pages.blocks import Block

_HEADER = (
    "learned",
    "trained on",
    "new text before",
    "after",
    "from fresh weights",
    "first text before",
    "after",
)


@dataclasses.dataclass(frozen=True)
class FineTunings(Part):
    """What models of several texts gain on each other's, and forget of their own.

    Attributes:
      each: trainings of as many steps.
    """

    each: tuple[FineTuning, ...]

    def rows(self):
        header = ("learned", *self.each[0].rows()[0])
        return header, ((one.learned, *row) for one in self.each for row in one.rows()[1])

    def summary(self) -> str:
        ahead = [one for one in self.each if one.gained[-1].nats.mean < one.scratch[-1].nats.mean]
        steps = self.each[0].steps[-1]
        return (
            f"After {steps} steps on another text, {len(ahead)} of {len(self.each)} trained models "
            "predict it better than fresh weights do."
        )

    def blocks(self) -> list[Block]:
        rows = []
        for one in self.each:
            ends = [(row[0].nats, row[-1].nats) for row in (one.gained, one.scratch, one.forgotten)]
            (before, after), (_, fresh), (known, forgotten) = ends
            told = map(_entry, (before, after, fresh, known, forgotten))
            rows.append((Entry(one.learned), Entry(one.trained_on), *told))
        caption = (
            f"Nats a character before and after {self.each[0].steps[-1]} steps on another text. Fresh "
            "weights are trained as long on the same text."
        )
        return [*super().blocks(), Table("Training on another text", caption, _HEADER, tuple(rows))]

    def plot(self):
        """A panel for each training, those of one first text in a row."""
        groups = [list(group) for _, group in itertools.groupby(self.each, lambda one: one.learned)]
        count = max(map(len, groups))
        figure, panels = plots.new_panels(3.4 * count, 2.6 * len(groups) + 0.5, len(groups), count)
        for axes in panels:
            axes.set_visible(False)
        for place, (row, column) in enumerate(
            (row, column) for row, group in enumerate(groups) for column in range(len(group))
        ):
            axes, one = panels[row * count + column], groups[row][column]
            axes.set_visible(True)
            one.draw(axes)
            axes.set_title(
                f"{plots.label(one.learned)}, then {plots.label(one.trained_on)}", fontsize=9, loc="left"
            )
            axes.set_xlabel("step", fontsize=8)
            axes.set_ylabel("nats a character" if column == 0 else "", fontsize=8)
            if place == 0:
                lines = axes.get_legend_handles_labels()[0]
        names = ("new text, trained model", "new text, fresh weights", "first text, trained model")
        figure.legend(lines, names, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
        return figure


def _entry(estimate: Estimate) -> Entry:
    interval = estimate.interval
    return Entry(
        f"{estimate.mean:.3f}", detail="" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"
    )
