"""The page of an analysis, and beside it the numbers of every picture."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxgpt.core.writing import write_atomically
from jaxgpt.lab.part import Part
from jaxgpt.pages.blocks import Block, Chooser, Paragraph, Section
from jaxgpt.pages.rendering import render

#: The folder of the numbers, beside the page.
NUMBERS = "numbers"


@dataclasses.dataclass(frozen=True)
class Chapter:
    """Analyses that answer one question.

    Attributes:
      title: the question, in a few words.
      text: how to read what follows.
      parts: by the name of their file of numbers.
      axes: what a reader chooses among, such as the model; the parts are as many as there are choices, the
        last axis' next to each other. Without axes they stand one below the other.
    """

    title: str
    text: str
    parts: Mapping[str, Part]
    axes: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)

    def section(self) -> Section:
        shown = [part.blocks() for part in self.parts.values()]
        axes = {name: places for name, places in self.axes.items() if len(places) > 1}
        blocks: list[Block] = [Chooser(axes, shown)] if axes else [block for row in shown for block in row]
        files = ", ".join(f"{NUMBERS}/{name}.csv" for name in self.parts)
        return Section(self.title, [Paragraph(self.text), *blocks, Paragraph(f"Numbers: {files}")])


def write(folder: Path, title: str, introduction: Sequence[str], chapters: Sequence[Chapter]) -> Path:
    """Write `report.html`, which needs nothing beside it, and a CSV for every part.

    Returns:
      The page.

    Raises:
      OSError: if the folder cannot be written to.
    """
    (folder / NUMBERS).mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        for name, part in chapter.parts.items():
            part.to_csv(folder / NUMBERS / f"{name}.csv")
    page = folder / "report.html"
    write_atomically(page, render(title, introduction, [chapter.section() for chapter in chapters]))
    return page
