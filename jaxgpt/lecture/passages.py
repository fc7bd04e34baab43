"""A few of the passages that models wrote, as Markdown."""

import re
from collections.abc import Sequence

from jaxgpt.core.tables import plain
from jaxgpt.core.wording import visible
from jaxgpt.pages.blocks import Block, Chooser, Passage

#: Passages of the first and of the last position of a slider, and characters of each.
_FIRST, _LAST, _CHARACTERS = 1, 2, 200


def passages(blocks: Sequence[Block]) -> list[str]:
    """Of each chooser with one slider some passages of its first and its last position, such as two steps.

    Each is fenced, behind a line that names it, and long ones are cut.
    """
    found = []
    for block in blocks:
        if isinstance(block, Chooser) and len(block.axes) == 1:
            ((axis, places),) = block.axes.items()
            shown = {0: _FIRST, len(places) - 1: _LAST}
            for at, count in shown.items():
                own = [one for one in block.frames[at] if isinstance(one, Passage)][:count]
                names = [f"{axis} {places[at]}" + (f"; {one.name}" if one.name else "") for one in own]
                texts = [_fenced(one.text) for one in own]
                found += [f"{plain(name)}:\n\n{text}" for name, text in zip(names, texts, strict=True)]
    return found


def _fenced(text: str) -> str:
    """Text between two lines of more backticks than stand in it one behind another."""
    shown = text.strip("\n")
    shown = shown if len(shown) <= _CHARACTERS else shown[: _CHARACTERS - 3] + "..."
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(map(visible, shown.split("\n")))
    return f"{fence}text\n{lines}\n{fence}\n"
