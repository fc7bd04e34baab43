"""How the boxes of a model are drawn: from top to bottom, narrow enough for a phone."""

import dataclasses
import functools
import math
from collections.abc import Sequence

from jaxgpt.evaluation import plots
from jaxgpt.lab.model_boxes import Box, Frame, Shape, Step

# All in inches, but the size of the small letters, which is in points.
_WIDTH, _LEFT, _RIGHT = 4.2, 0.48, 4.02
_MIDDLE, _BETWEEN = (_LEFT + _RIGHT) / 2, 0.1
_TITLE, _LINE, _PAD, _GAP, _FRAME = 0.17, 0.125, 0.05, 0.15, 0.1
_SMALL = 6.5
_PURPLE = "#7b4fa3"


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Steps that are drawn once.

    Attributes:
      places: the blocks that look like this, by their index; () for what is no block.
    """

    frame: Frame
    places: tuple[int, ...]

    @property
    def title(self) -> str:
        """Which blocks they are."""
        if not self.places:
            return ""
        first, *others = self.places
        loops = f", {self.frame.loops} times over" if self.frame.loops > 1 else ""
        if not others:
            return f"{self.frame.stack} block {first}{loops}"
        dense = others[0] == first + 1
        named = f"{first} to {others[-1]}" if dense else f"{first}, {others[0]}, ... {others[-1]}"
        if not dense and len(others) == 1:
            named = f"{first} and {others[0]}"
        return f"{self.frame.stack} blocks {named}: x {len(self.places)}{loops}"


def draw(drawn: Sequence[Drawn], parameters: int):
    """A figure of all that is given, with the number of parameters at its head."""
    figure, (axes,) = plots.new_figure(_WIDTH, 1)
    figure.set_layout_engine("none")
    axes.set_position((0, 0, 1, 1))
    axes.set_axis_off()
    axes.text(_LEFT, 0.2, f"{parameters:,} parameters", va="center", fontsize=10, fontweight="bold")
    axes.text(_RIGHT, 0.2, "orange: taps", va="center", ha="right", fontsize=7, color=plots.ORANGE)
    axes.text(_MIDDLE, 0.42, "tokens", va="center", ha="center", fontsize=8)
    pen = _Pen(axes, 0.5)
    before = ""
    for one in drawn:
        if one.frame.stack == "decoder" and before == "encoder":
            pen.arrow()
            note = {"va": "center", "ha": "center", "fontsize": 7, "color": plots.GREY}
            axes.text(_MIDDLE, pen.y + 0.07, "tokens of the decoder, embedded in the same way", **note)
            pen.y += 0.14
        pen.frame(one)
        before = one.frame.stack
    # An inch of the figure is 1 of the axes, as far down as was drawn.
    height = pen.y + _GAP
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(height, 0)
    figure.set_size_inches(_WIDTH, height)
    return figure


class _Pen:
    """Draws one thing below the other; `y` is how far down it is."""

    def __init__(self, axes, y: float):
        self.axes, self.y = axes, y

    def frame(self, drawn: Drawn) -> None:
        """All steps, with a border around those of a block."""
        top = self.y
        if drawn.title:
            self.y += _GAP + _FRAME + _LINE
            self.line((_MIDDLE, _MIDDLE), (top, self.y))
        for step in drawn.frame.steps:
            self.step(step)
        if drawn.title:
            end, begin = self.y + _FRAME, top + _GAP
            self.line((_MIDDLE, _MIDDLE), (self.y, end))
            place = (_LEFT - 0.32, begin), _RIGHT - _LEFT + 0.4, end - begin
            self.border(*place, plots.GREY, linewidth=0.8, linestyle=(0, (4, 2)))
            style = {"va": "center", "fontsize": 7.5, "fontweight": "bold", "color": plots.GREY}
            self.axes.text(_LEFT - 0.24, begin + 0.1, drawn.title, **style)
            self.y = end

    def step(self, step: Step) -> None:
        """Rows of boxes, and the line that leads around them."""
        begin = self.y + 0.03
        for row in step.rows:
            self.row(row)
        if step.total is None:
            return
        self.arrow()
        radius, around = 0.07, _LEFT - 0.17
        y = self.y + radius
        self.line((_MIDDLE, around, around), (begin, begin, y))
        self.arrow_to((around, y), (_MIDDLE - radius, y))
        self.border((_MIDDLE - radius, self.y), 2 * radius, 2 * radius, plots.GREY, rounded=radius)
        for dx, dy in ((0.035, 0), (0, 0.035)):
            self.line((_MIDDLE - dx, _MIDDLE + dx), (y - dy, y + dy))
        small = {"va": "center", "fontsize": _SMALL}
        self.axes.text(_MIDDLE + 0.13, y, step.total.detail, color=plots.GREY, **small)
        self.axes.text(_RIGHT, y, " ".join(_taps(step.total)), ha="right", color=plots.ORANGE, **small)
        self.y = y + radius

    def row(self, row: Sequence[Box]) -> None:
        """Boxes side by side, with a fork before them and a join behind."""
        width = (_RIGHT - _LEFT - _BETWEEN * (len(row) - 1)) / len(row)
        height = max(len(_lines(box, width)) for box in row) * _LINE + _TITLE + 2 * _PAD
        lefts = [_LEFT + index * (width + _BETWEEN) for index in range(len(row))]
        middles = [left + width / 2 for left in lefts]
        self.line((middles[0], middles[-1]), (self.y + 0.03,) * 2)
        self.line((_MIDDLE, _MIDDLE), (self.y, self.y + 0.03))
        top = self.y + _GAP
        for box, left, middle in zip(row, lefts, middles, strict=True):
            self.arrow_to((middle, self.y + 0.03), (middle, top))
            self.box(box, left, top, width, height)
        self.y = top + height
        if len(row) > 1:
            for middle in middles:
                self.line((middle, middle), (self.y, self.y + 0.05))
            self.y += 0.05
            self.line((middles[0], middles[-1]), (self.y, self.y))

    def box(self, box: Box, left: float, top: float, width: float, height: float) -> None:
        """A box with its name, its number of parameters and its small lines."""
        color = _color(box)
        self.border((left, top), width, height, color, rounded=0.05, filled=True)
        y = top + _PAD + _TITLE / 2
        self.axes.text(left + 0.07, y, box.name, va="center", fontsize=8, fontweight="bold")
        if box.parameters and not _crowded(box, width):
            count = f"{box.parameters:,}"
            self.axes.text(left + width - 0.07, y, count, va="center", ha="right", fontsize=7.5)
        y = top + _PAD + _TITLE + _LINE / 2
        for line, tapped in _lines(box, width):
            color = plots.ORANGE if tapped else "k"
            self.axes.text(left + 0.07, y, line, va="center", fontsize=_SMALL, color=color)
            y += _LINE

    def border(self, corner, width, height, color, *, rounded=0.06, filled=False, **style) -> None:
        """A rectangle with round corners."""
        from matplotlib.patches import FancyBboxPatch

        style = {"boxstyle": f"round,pad=0,rounding_size={rounded}", "linewidth": 0.9} | style
        shape = (corner, width, height)
        if filled:  # light, so that both black and white text can be read on it
            patch = FancyBboxPatch(*shape, **style | {"facecolor": color, "edgecolor": "none", "alpha": 0.16})
            self.axes.add_patch(patch)
        self.axes.add_patch(FancyBboxPatch(*shape, facecolor="none", edgecolor=color, **style))

    def line(self, x: Sequence[float], y: Sequence[float]) -> None:
        """A thin line through some points."""
        self.axes.plot(x, y, color=plots.GREY, linewidth=0.8, solid_capstyle="butt")

    def arrow(self) -> None:
        """From what is above to what follows."""
        self.arrow_to((_MIDDLE, self.y), (_MIDDLE, self.y + _GAP))
        self.y += _GAP

    def arrow_to(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """An arrow from one point to another."""
        style = {"arrowstyle": "-|>,head_width=.12,head_length=.25", "color": plots.GREY, "linewidth": 0.8}
        self.axes.annotate("", end, begin, arrowprops=style | {"shrinkA": 0, "shrinkB": 0})


def _crowded(box: Box, width: float) -> bool:
    """Whether a box's name leaves no room for its number of parameters beside it."""
    return 0.072 * len(box.name) + 0.065 * len(f"{box.parameters:,}") + 0.2 > width


def _lines(box: Box, width: float) -> list[tuple[str, bool]]:
    """The small lines of a box, and whether each names taps."""
    count = f"{box.parameters:,}" if box.parameters and _crowded(box, width) else ""
    texts = ((count, False), (box.detail, False), (_shapes(box), False), (" ".join(_taps(box)), True))
    return [(line, tapped) for text, tapped in texts for line in _wrapped(text, width - 0.14)]


def _wrapped(text: str, width: float) -> list[str]:
    """The words of a text on lines that are no wider than so many inches."""
    lines: list[str] = []
    for word in text.split():
        if lines and _wide(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


@functools.lru_cache(maxsize=4096)
def _wide(text: str) -> float:
    """How many inches a text takes in the small letters, also where they are moved to whole pixels."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=_SMALL)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72 * 1.06


def _shapes(box: Box) -> str:
    """The shapes of a box's arrays, the largest first: those that are alike together."""
    if len(box.leaves) == 1:
        return _sized(box.leaves[0][1])
    alike: dict[Shape, list[str]] = {}
    for name, shape in sorted(box.leaves, key=lambda leaf: -math.prod(leaf[1])):
        alike.setdefault(shape, []).append(_named(name))
    return "; ".join(f"{', '.join(names)} {_sized(shape)}" for shape, names in alike.items())


def _named(leaf: str) -> str:
    """The name of an array inside of its box."""
    parts = leaf.split(".")
    inside = parts[3:] if parts[1:2] in (["blocks"], ["backwards"]) else parts[1:]
    if inside[:1] == ["norms"]:
        inside = inside[2:]
    left = [part for part in inside if part not in ("kernel", "attention", "cross", "mlp", "norm")]
    return " ".join(left) or parts[-1]


def _sized(shape: Shape) -> str:
    return "\u00d7".join(map(str, shape))


def _taps(box: Box) -> list[str]:
    """The taps of a box, without the names of what they stand in."""
    return list(dict.fromkeys(tap.rsplit(".", 1)[-1] for tap in box.taps))


def _color(box: Box) -> str:
    if "norm" in box.name or box.name == "sum":
        return plots.GREY
    if box.name.startswith("attention"):
        return plots.BLUE
    if box.name == "MLP":
        return plots.GREEN
    return _PURPLE
