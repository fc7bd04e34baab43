"""What stands on a page, as values that know nothing of HTML."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxgpt.core.tables import Table


@dataclasses.dataclass(frozen=True)
class Paragraph:
    """Sentences of running text."""

    text: str


@dataclasses.dataclass(frozen=True)
class Points:
    """Sentences that stand below each other, each behind a dot."""

    texts: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Passage:
    """Text of a model or a corpus, with its own line ends."""

    text: str
    name: str = ""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A matplotlib figure.

    Attributes:
      figure: or the path of an SVG file that `jaxgpt.core.figures.write` wrote.
      alt: what it shows, in words, for those who do not see it.
      caption: what stands below it; None: the same words.
    """

    figure: Any
    alt: str
    caption: str | None = None


@dataclasses.dataclass(frozen=True)
class Heatmap:
    """Values between 0 and 1, such as how much each token looks at each other one.

    Heatmaps that follow each other stand beside each other, as far as there is room. Where the labels are
    those of a `TokenScores` or another heatmap of the same section, the same token is marked in both.

    Attributes:
      values: shown to 1/255. [R, C]
      rows: labels of the rows, from top to bottom. [R]
      columns: of the columns, from left to right. [C]
      alt: what it shows, in words.
      title: a few words above it, such as `head 3`.

    Raises:
      ValueError: if a value is outside 0 to 1, or there is not a label for each row and column.
    """

    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    alt: str
    title: str = ""

    def __post_init__(self):
        shape = np.shape(self.values)
        if shape != (len(self.rows), len(self.columns)) or 0 in shape:
            raise ValueError(
                f"values of shape {shape} for {len(self.rows)} rows and {len(self.columns)} columns; "
                "a heatmap needs a label for each row and column"
            )
        low, high = float(np.min(self.values)), float(np.max(self.values))
        if not (low >= -1e-3 and high <= 1 + 1e-3):
            raise ValueError(f"values from {low:g} to {high:g}; those of a heatmap are between 0 and 1")


@dataclasses.dataclass(frozen=True)
class TokenScores:
    """A text, each token shaded by its score.

    Attributes:
      tokens: the text of each. [T]
      scores: of each token, of either sign, NaN where there is none; by the name of what gave them. [T] each
      alt: what they show, in words.

    Raises:
      ValueError: if there are no scores, or not one for each token.
    """

    tokens: Sequence[str]
    scores: Mapping[str, np.ndarray]
    alt: str

    def __post_init__(self):
        if not self.scores:
            raise ValueError("no scores; a text is shaded by at least one kind of score")
        for name, scores in self.scores.items():
            if np.shape(scores) != (len(self.tokens),):
                raise ValueError(f"{name}: scores of shape {np.shape(scores)} for {len(self.tokens)} tokens")


@dataclasses.dataclass(frozen=True)
class Beside:
    """Blocks beside each other, as many as there is room for."""

    blocks: Sequence["Block"]


@dataclasses.dataclass(frozen=True)
class Folded:
    """Blocks that are shown when they are asked for."""

    title: str
    blocks: Sequence["Block"]


@dataclasses.dataclass(frozen=True)
class Chooser:
    """Blocks of which a reader sees some at a time, chosen by sliders.

    Attributes:
      axes: the positions of each slider, by its name, such as step or layer.
      frames: what is shown at each combination of positions, the last slider's positions next to each other.

    Raises:
      ValueError: if there is not a frame for each combination.
    """

    axes: Mapping[str, Sequence[str]]
    frames: Sequence[Sequence["Block"]]

    def __post_init__(self):
        count = math.prod(map(len, self.axes.values()))
        if len(self.frames) != count or not count:
            raise ValueError(f"{len(self.frames)} frames for {count} combinations of positions")


Block = Paragraph | Points | Passage | Picture | Heatmap | TokenScores | Table | Beside | Folded | Chooser


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a page under its own heading."""

    title: str
    blocks: Sequence[Block]
