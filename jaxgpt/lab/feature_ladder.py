"""The frozen-feature ladder: how much of fine-tuning frozen features give, by the layers that are read.

Devlin et al. 2019, arXiv 1810.04805, section 5.3 and table 7, on CoNLL-2003 with BERT base: features of the
embeddings reach 91.0 dev F1, of the last layer 94.9, of the second-to-last 95.6, of the last four added 95.9
and side by side 96.1, of all twelve added with weights 95.5; fine-tuning reaches 96.4.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from jaxgpt.core.tables import Entry, Table, terminal
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Difference, Estimate, paired, student_t
from jaxgpt.lab.part import Part

#: The weighted sum of the embeddings and all layers, with weights that the tagger learns.
WEIGHTED = "weighted-sum-all"
#: The six ways to read layers, from the bottom of the ladder.
READINGS = ("embeddings", "last", "second-to-last", "sum-last-4", "concat-last-4", WEIGHTED)
#: What stands at the top, and the control at the bottom.
FINE_TUNED, FRESH = "fine-tuned", "fine-tuned from fresh weights"


class Rung(NamedTuple):
    """One way to make a tagger.

    Attributes:
      name: the layers that are read, such as those of `READINGS`; `FINE_TUNED` or `FRESH`.
      rate: the learning rate that validation chose.
      right: the share of the test words that each seed tags right.
    """

    name: str
    rate: float
    right: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class FeatureLadder(Part):
    """How well words are tagged from frozen features, by the layers that are read, beside fine-tuning.

    Attributes:
      rungs: from the bottom up: fresh weights, frozen features, fine-tuning.
      chance: the share of the test words with the tag that most training words have.
      words: test words.
      labelled: texts that were trained on.
    """

    rungs: tuple[Rung, ...]
    chance: float
    words: int
    labelled: int

    def estimate(self, rung: Rung) -> Estimate:
        """The share of words that are tagged right, with its interval over seeds."""
        return Estimate(float(np.mean(rung.right)), student_t(rung.right, bounds=(0.0, 1.0)), rung.right)

    def behind(self, rung: Rung) -> Difference:
        """A rung minus fine-tuning, seed by seed: below 0 where it is behind."""
        return paired(rung.right, self.rungs[-1].right)

    def rows(self):
        header = ("features", "learning rate", "right", "low", "high", "difference", "low", "high", "seeds")
        return header, (
            (
                rung.name,
                rung.rate,
                (estimate := self.estimate(rung)).mean,
                *(estimate.interval or ("", "")),
                (difference := self.behind(rung)).median,
                *(difference.interval or ("", "")),
                " ".join(map(repr, rung.right)),
            )
            for rung in self.rungs
        )

    def table(self) -> Table:
        """The rungs, each with its paired difference to fine-tuning."""
        rows = []
        for rung in self.rungs:
            estimate, difference = self.estimate(rung), self.behind(rung)
            told = Entry("", detail="") if rung is self.rungs[-1] else _points(difference)
            rows.append((Entry(rung.name), _percent(estimate), told, Entry(f"{rung.rate:g}")))
        caption = (
            f"{self.words:,} test words; {self.labelled:,} texts and {len(self.rungs[0].right)} seeds. "
            f"The most frequent tag is right for {100 * self.chance:.1f} %. Differences are medians over "
            "seeds, paired."
        )
        header = ("features", "tagged right, %", "minus fine-tuned", "learning rate")
        return Table("Frozen features beside fine-tuning", caption, header, tuple(rows))

    def summary(self) -> str:
        frozen = [rung for rung in self.rungs if rung.name not in (FRESH, FINE_TUNED)]
        best = max(frozen, key=lambda rung: np.mean(rung.right))
        top = self.rungs[-1]
        return (
            f"Of {self.words:,} test words {100 * np.mean(best.right):.1f} % are tagged right from the best "
            f"frozen features ({best.name}), and {100 * np.mean(top.right):.1f} % by fine-tuning. The most "
            f"frequent tag is right for {100 * self.chance:.1f} %."
        )

    def blocks(self):
        return [*super().blocks(), self.table()]

    def plot(self):
        """A rung a line: each seed as a small dot, the mean with its interval as a large one."""
        figure, (axes,) = plots.new_figure(6.4, 0.6 + 0.36 * len(self.rungs))
        for height, rung in enumerate(self.rungs):
            color = {FRESH: plots.GREY, FINE_TUNED: plots.ORANGE}.get(rung.name, plots.BLUE)
            estimate = self.estimate(rung)
            low, high = estimate.interval or (estimate.mean, estimate.mean)
            axes.plot([100 * low, 100 * high], [height] * 2, color=color, linewidth=2, solid_capstyle="butt")
            shares = [100 * share for share in rung.right]
            axes.plot(shares, [height] * len(shares), ".", color=color, alpha=0.5, markersize=4)
            axes.plot(100 * estimate.mean, height, "o", color=color, markersize=6)
        axes.axvline(100 * np.mean(self.rungs[-1].right), color=plots.ORANGE, linewidth=0.8, linestyle=":")
        axes.set_yticks(range(len(self.rungs)), [rung.name for rung in self.rungs])
        axes.set_xlabel(f"words tagged right, % (the most frequent tag: {100 * self.chance:.1f})")
        return figure

    def __str__(self) -> str:
        return terminal(self.table())


def _percent(estimate: Estimate) -> Entry:
    low, high = estimate.interval or (estimate.mean, estimate.mean)
    return Entry(f"{100 * estimate.mean:.2f}", detail=f"{100 * low:.2f} to {100 * high:.2f}")


def _points(difference: Difference) -> Entry:
    interval = difference.interval
    sure = ("better" if difference.median > 0 else "worse") if difference.sure else ""
    detail = "" if interval is None else f"{100 * interval[0]:+.2f} to {100 * interval[1]:+.2f}"
    return Entry(f"{100 * difference.median:+.2f}", sure, detail)
