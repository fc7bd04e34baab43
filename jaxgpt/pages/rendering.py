"""One HTML file of blocks, which needs nothing beside it: style, script, pictures and numbers are in it."""

import base64
import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from jaxgpt.core.tables import Table
from jaxgpt.core.wording import visible
from jaxgpt.pages import inline_svg, png, token_text
from jaxgpt.pages.blocks import (
    Beside,
    Block,
    Chooser,
    Folded,
    Heatmap,
    Paragraph,
    Passage,
    Picture,
    Points,
    Section,
    TokenScores,
)

#: With more sections a page has a table of contents.
_MOST_WITHOUT_CONTENTS = 3
#: Characters; a column of a table with more in a cell is one of texts, which are broken into lines.
_LONG = 40


def render(title: str, introduction: Sequence[str], sections: Sequence[Section]) -> str:
    """A page of sections.

    The page fetches nothing, and its policy forbids a browser to. Its script moves sliders and reads numbers
    out; it is left out where no block needs it. Without it, and on paper, a `Chooser` shows its last frame.

    Args:
      introduction: paragraphs below the title.

    Raises:
      ValueError: for a block that is none of `jaxgpt.pages.blocks`.
    """
    page = _Page()
    shown = [(section.title, page.blocks(section.blocks)) for section in sections]
    script = _file("page.js") if page.data else ""
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            introduction=introduction,
            sections=shown,
            contents=len(shown) > _MOST_WITHOUT_CONTENTS,
            style=Markup(_file("page.css") + inline_svg.sheet(page.classes)),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            data=Markup(_embedded(page.data)) if page.data else "",
        )
    )


class _Page:
    """A page while it is written.

    Attributes:
      classes: of the pictures' styles.
      data: what the script reads, by the id of a block.
    """

    def __init__(self):
        self.classes: dict[str, str] = {}
        self.data: dict[str, Any] = {}
        self._lists: dict[tuple[str, ...], str] = {}
        self._numbers = itertools.count(1)
        self._macros: Any = _environment().get_template("blocks.html").module
        self._kinds: dict[type, Callable[[Any], Markup]] = {
            Paragraph: self._macros.paragraph,
            Points: self._macros.points,
            Passage: self._macros.passage,
            Table: self._table,
            Picture: self._picture,
            Heatmap: self._heatmap,
            TokenScores: self._token_scores,
            Beside: lambda block: self._macros.beside(self._each(block.blocks)),
            Folded: lambda block: self._macros.folded(block.title, self._each(block.blocks)),
            Chooser: self._chooser,
        }

    def blocks(self, blocks: Sequence[Block]) -> list[Markup]:
        """Blocks below each other; heatmaps that follow each other are beside each other."""
        found: list[Markup] = []
        for kind, group in itertools.groupby(blocks, key=type):
            shown = self._each(list(group))
            found += [self._macros.beside(shown)] if kind is Heatmap and len(shown) > 1 else shown
        return found

    def _each(self, blocks: Sequence[Block]) -> list[Markup]:
        found = []
        for block in blocks:
            if type(block) not in self._kinds:
                known = ", ".join(kind.__name__ for kind in self._kinds)
                raise ValueError(f"{type(block).__name__} is no block of a page; known: {known}")
            found.append(self._kinds[type(block)](block))
        return found

    def _table(self, block: Table) -> Markup:
        columns = zip(*block.rows, strict=True)
        long = [place for place, cells in enumerate(columns) if any(len(e.text) > _LONG for e in cells)]
        return self._macros.table(block, long)

    def _picture(self, block: Picture) -> Markup:
        prefix = f"p{next(self._numbers)}-"
        svg = inline_svg.inline(inline_svg.svg_of(block.figure), visible(block.alt), prefix, self.classes)
        return self._macros.picture(Markup(svg), block.alt if block.caption is None else block.caption)

    def _heatmap(self, block: Heatmap) -> Markup:
        name = f"h{next(self._numbers)}"
        values = np.asarray(block.values, np.float64).clip(0, 1)
        address = png.data_address((255 * values).round().astype(np.uint8))
        self.data[name] = {"rows": self._labels(block.rows), "columns": self._labels(block.columns)}
        return self._macros.heatmap(name, block, address)

    def _token_scores(self, block: TokenScores) -> Markup:
        name = f"t{next(self._numbers)}"
        scores = {visible(key): token_text.rounded(value) for key, value in block.scores.items()}
        self.data[name] = {"tokens": self._labels(block.tokens), "scores": list(scores.items())}
        first = next(iter(scores.values()))
        return self._macros.token_scores(
            name, block.alt, list(scores), token_text.scale(first), token_text.pieces(block.tokens, first)
        )

    def _chooser(self, block: Chooser) -> Markup:
        name = f"c{next(self._numbers)}"
        self.data[name] = [[visible(position) for position in positions] for positions in block.axes.values()]
        combinations = itertools.product(*block.axes.values())
        labels = [
            ", ".join(f"{axis} {position}" for axis, position in zip(block.axes, places, strict=True))
            for places in combinations
        ]
        frames = [(label, self.blocks(frame)) for label, frame in zip(labels, block.frames, strict=True)]
        return self._macros.chooser(name, list(block.axes.items()), frames)

    def _labels(self, texts: Sequence[str]) -> str:
        """The name of a list of labels in the data; equal lists have one, also of tokens and their labels."""
        labels = tuple(map(token_text.label, texts))
        name = self._lists.setdefault(labels, f"l{len(self._lists) + 1}")
        self.data[name] = labels
        return name


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("jaxgpt.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["line"] = visible
    environment.filters["label"] = token_text.label
    environment.filters["lines"] = token_text.readable
    return environment


def _file(name: str) -> str:
    return (resources.files("jaxgpt.pages") / "templates" / name).read_text(encoding="utf-8")


def _embedded(data: Any) -> str:
    """Data as JSON that no text of it can end."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
