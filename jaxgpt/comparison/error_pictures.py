"""Where the answers of a comparison are wrong and how, as small pictures: a panel a cell."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxgpt.comparison import styles
from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.error_tables import diagnosed, facets, groups, kinds
from jaxgpt.comparison.results import Finding
from jaxgpt.comparison.sections import BUDGET_NAMES
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.evaluation import Errors, Row

#: Inches. So narrow that a phone need not shrink the letters below what can be read; a wide page has two.
_WIDTH = 4.8
_COLUMNS = 2
#: Names below an axis; of more some are left out.
_MOST_NAMES = 11
#: Of kinds of wrong answers, none of them a cell's; distinct for most readers who see few colours (Tol 2021).
_KINDS = ("#bbbbbb", "#ee8866", "#eedd88", "#77aadd", "#44bb99", "#ffaabb", "#99ddff", "#aaaa00")
_GREY = "#c9c9c9"
#: Of the files' names.
_PREFIX = "errors_"


def draw(findings: Sequence[Finding], budget: Budget, folder: Path) -> list[Path]:
    """Draw the pictures of one budget into a folder; none where no cell was diagnosed.

    Returns:
      The SVG files, right digits by place first, then exact match by each facet, then kinds of wrong answers;
      PNGs lie beside them.
    """
    cells = diagnosed(findings)
    if not cells:
        return []
    # Of all cells, so that each is drawn as in the other pictures.
    drawings = styles.of_cells([finding.cell for finding in findings])

    def lines(rows: Callable[[Errors], tuple[Row, ...]]) -> list[_Line]:
        numbered = zip(findings, drawings, strict=True)
        return [_Line(f.cell.name, rows(f.errors), drawing) for f, drawing in numbered if f.errors]

    figures = []
    if any(cell.errors.places for cell in cells):
        figure = _panels(lines(lambda errors: errors.places), "place of the digit")
        figures.append(("place", _titled(figure, "Right digits by place", cells[0])))
    for number, facet in enumerate(facets(cells)):
        figure = _panels(lines(lambda errors, facet=facet: errors.facets.get(facet, ())), facet)
        figures.append((f"facet_{number}", _titled(figure, f"Exact match by {facet}", cells[0])))
    if any(sum(cell.errors.wrong_answers) for cell in cells):
        figures.append(("kinds", _bars(cells)))
    paths = []
    for name, figure in figures:
        paths.append(folder / f"{_PREFIX}{name}-{budget}.svg")
        for suffix in (".svg", ".png"):
            plots.save(figure, paths[-1].with_suffix(suffix))
    return paths


def of(paths: Sequence[Path]) -> list[Path]:
    """Those of a comparison's pictures that `draw` has drawn."""
    return [path for path in paths if path.stem.startswith(_PREFIX)]


class _Line(NamedTuple):
    """What a panel shows: a cell's name, its rows, and how it is drawn."""

    name: str
    rows: tuple[Row, ...]
    drawing: dict[str, str]


def _panels(lines: list[_Line], below: str):
    """A panel a cell with its line in its colour, over those of all cells in grey; all share their axes."""
    names = groups([line.rows for line in lines])
    place = {name: index for index, name in enumerate(names)}
    least = min((min(row.exact_match.per_seed) for line in lines for row in line.rows), default=0.0)
    lowest = next(bound for bound in (0.9, 0.5, 0.0) if bound <= least)
    count = math.ceil(len(lines) / _COLUMNS)
    height = 0.9 + 1.25 * count + _room(names)
    figure, panels = plots.new_panels(_WIDTH, height, count, min(_COLUMNS, len(lines)))
    for panel, line in zip(panels, lines, strict=False):
        for other in lines:
            panel.plot(*_points(other.rows, place), color=_GREY, linewidth=0.9, zorder=1)
        x, y = _points(line.rows, place)
        drawing = line.drawing | {"linestyle": "-"}  # dashes would hide bends between a few points
        panel.plot(x, y, **drawing, markersize=3, linewidth=1.5, zorder=3, clip_on=False)
        _draw_spread(panel, x, line.rows, drawing["color"])
        panel.set_title(plots.label(line.name, 28), fontsize=9, loc="left", pad=5)
        panel.set_ylim(lowest, 1)
        panel.set_yticks([lowest, (lowest + 1) / 2, 1])
        panel.grid(axis="y", color="#e5e5e5", linewidth=0.8)
        panel.set_axisbelow(True)
    for panel in panels[len(lines) :]:
        panel.set_axis_off()
    step = max(math.ceil(len(names) / _MOST_NAMES), 1)
    shown = [plots.label(name, 20) for name in names[::step]]
    slanted = {} if _are_short(names) else {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    for panel in panels[: len(lines)]:
        panel.set_xticks(range(0, len(names), step), shown, **slanted)
        panel.tick_params(labelsize=8, length=2)
    figure.supxlabel(plots.label(below), fontsize=9)
    return figure


def _points(rows: Sequence[Row], place: dict[str, int]) -> tuple[list[int], list[float]]:
    return [place[row.group] for row in rows], [row.exact_match.mean for row in rows]


def _draw_spread(panel, x: list[int], rows: Sequence[Row], color: str) -> None:
    """Every seed as a thin line; of one seed, the interval over questions.

    The interval over few seeds would fill the panel; the tables have it.
    """
    drawing = {"color": color, "linewidth": 0.7, "alpha": 0.55, "zorder": 2}
    if rows and len(rows[0].exact_match.per_seed) > 1:
        for values in zip(*(row.exact_match.per_seed for row in rows), strict=True):
            panel.plot(x, values, **drawing)
    elif rows:
        panel.vlines(x, *zip(*(row.exact_match.interval for row in rows), strict=True), **drawing)


def _bars(cells: list[Finding]):
    """A bar a cell: all its wrong answers, cut into their kinds."""
    figure, (axes,) = plots.new_figure(_WIDTH, 1.5 + 0.42 * len(cells))
    left = [0.0] * len(cells)
    for number, kind in enumerate(kinds(cells)):
        shares = [cell.errors.share(kind) if kind in cell.errors.wrong else None for cell in cells]
        widths = [0.0 if share is None else share.mean for share in shares]
        if not any(widths):
            continue
        color = _KINDS[number % len(_KINDS)]
        axes.barh(range(len(cells)), widths, left=left, height=0.72, color=color, label=plots.label(kind))
        for line, (width, begin) in enumerate(zip(widths, left, strict=True)):
            if width >= 0.08:  # else the figure has no room
                middle = begin + width / 2
                axes.text(middle, line, f"{100 * width:.0f}", ha="center", va="center", fontsize=8)
        left = [begin + width for begin, width in zip(left, widths, strict=True)]
    for line, cell in enumerate(cells):
        wrong = sum(cell.errors.wrong_answers)
        axes.text(1.02, line, f"{wrong:,}" if wrong else "none", va="center", fontsize=8, color=plots.GREY)
    axes.set_yticks(range(len(cells)), [plots.label(cell.cell.name, 24) for cell in cells], fontsize=8)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"], fontsize=8)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    figure.suptitle(
        f"Kinds of wrong answers, at {BUDGET_NAMES[cells[0].budget]}\n"
        "in % of them; on the right, how many there are",
        fontsize=9,
    )
    return figure


def _titled(figure, title: str, cell: Finding):
    """The figure with its title, and what its lines are."""
    thin = f"each of {cell.seeds} seeds" if cell.seeds > 1 else "95 % interval"
    text = f"{plots.label(title, 50)}\nat {BUDGET_NAMES[cell.budget]}"
    figure.suptitle(f"{text}; thin: {thin}; grey: other cells", fontsize=9)
    return figure


def _are_short(names: Sequence[str]) -> bool:
    return max(map(len, names), default=0) <= 3


def _room(names: Sequence[str]) -> float:
    """Inches that slanted names need below the last panel."""
    return 0.0 if _are_short(names) else 0.05 * min(max(map(len, names)), 20)
