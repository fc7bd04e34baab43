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
class Passage:
    """Text of a model or a corpus, with its own line ends."""

    text: str
    name: str = ""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A matplotlib figure.

    Attributes:
      alt: what it shows, in words, for those who do not see it.
    """

    figure: Any
    alt: str


@dataclasses.dataclass(frozen=True)
class Heatmap:
    """Values between 0 and 1, such as how much each token looks at each other one.

    Attributes:
      values: [R, C]
      rows: labels of the rows. [R]
      columns: of the columns. [C]
      alt: what it shows, in words.
    """

    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    alt: str


@dataclasses.dataclass(frozen=True)
class TokenScores:
    """A text, each token shaded by its score.

    Attributes:
      tokens: the text of each. [T]
      scores: of each token, of either sign; by the name of what gave them. [T] each
      alt: what they show, in words.
    """

    tokens: Sequence[str]
    scores: Mapping[str, np.ndarray]
    alt: str


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
        if len(self.frames) != count:
            raise ValueError(f"{len(self.frames)} frames for {count} combinations of positions")


Block = Paragraph | Passage | Picture | Heatmap | TokenScores | Table | Chooser


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a page under its own heading."""

    title: str
    blocks: Sequence[Block]
