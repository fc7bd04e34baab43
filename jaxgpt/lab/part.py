"""What every analysis gives: a value with arrays, its numbers as a CSV, and a picture."""

import abc
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jaxgpt.core.paths import expanded
from jaxgpt.core.tables import comma_separated
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.pages.blocks import Block, Picture
from jaxgpt.pages.token_text import label as token_label


def drawn_label(text: str) -> str:
    """The same in a picture of matplotlib, as `plots.label` has it, and not shortened."""
    shown = token_label(text)
    return plots.label(shown, len(shown))


def band(axes: Any, steps: Sequence[float], estimates: Sequence[Estimate], name: str, color: str, **style):
    """Draw means over steps as a line, and their intervals as a band around it."""
    axes.plot(steps, [e.mean for e in estimates], color=color, label=name, marker="o", markersize=3, **style)
    bounds = [e.interval or (e.mean, e.mean) for e in estimates]
    axes.fill_between(steps, *zip(*bounds, strict=True), color=color, alpha=0.2, linewidth=0)


def step_axis(axes: Any, steps: Sequence[int]) -> None:
    """Steps along x: on a log scale where there are several, since a single one may be 0."""
    if len(steps) > 1:
        axes.set_xscale("log")
    axes.set_xlabel("step")


class Part(abc.ABC):
    """An analysis of models; its arrays are its attributes."""

    @abc.abstractmethod
    def rows(self) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
        """The names of the columns, and the numbers behind the picture, a row each."""

    @abc.abstractmethod
    def plot(self) -> Any:
        """A matplotlib figure, which a notebook shows and `jaxgpt.evaluation.plots.save` writes."""

    @abc.abstractmethod
    def summary(self) -> str:
        """What the arrays say, in one or two sentences: the text in place of its picture."""

    def blocks(self) -> list[Block]:
        """What stands on a page: the picture, unless the analysis has more to show."""
        return [Picture(self.plot(), self.summary())]

    def to_csv(self, path: Path | str) -> None:
        """Write the rows, the names of the columns first; a reader finds the whole file or none of it."""
        header, rows = self.rows()
        write_atomically(expanded(path), comma_separated([header, *rows]))
