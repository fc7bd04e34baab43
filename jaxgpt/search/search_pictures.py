"""Pictures of a search: the best over time by arm, the sizes of each generation's sets, and the sets."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxgpt.evaluation import plots
from jaxgpt.search.arms import ARMS
from jaxgpt.search.generation_step import Stand
from jaxgpt.search.searchable import Searchable

#: A colour for each arm, the same in every picture.
COLORS = dict(zip(ARMS, ("#0072b2", "#000000", "#e69f00", "#56b4e9"), strict=True))
_COLUMNS = 4


def boards(problem: Searchable, sets: Sequence[Sequence[int]], titles: Sequence[str]) -> Any:
    """Sets as boards, a filled cell for each element, with its size and its title, if that has a word."""
    drawn = [problem.board(chosen) for chosen in sets]
    rows, columns = drawn[0].shape
    across = min(len(drawn), _COLUMNS if columns <= 2 * rows else 1)
    down = -(-len(drawn) // across)
    width = 8.0 / across if across > 1 else min(8.0, max(2.2, 0.22 * columns))
    figure = plots.empty_figure(across * width, down * (width * min(rows / columns, 2) + 0.45))
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, board, chosen, title in zip(panels, drawn, sets, titles, strict=False):
        axes.set_axis_on()
        axes.pcolormesh(board[::-1], cmap="Blues", vmin=0, vmax=1.3, edgecolors="#cccccc", linewidth=0.3)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(f"{len(chosen)}: {title}" if title else f"{len(chosen)}", fontsize=8, loc="left")
    return figure


def over_time(stands: dict[str, list[Stand]], known: int | None) -> Any:
    """The best of each seed against its seconds, a panel an arm; the means of the others lie behind, grey.

    The band reaches from the worst seed to the best. A seed whose search ended sooner keeps its best.
    """
    figure, panels = plots.new_panels(1.0 + 2.6 * len(stands), 3.0, 1, len(stands))
    end = max(_ends(stand)[-1] for found in stands.values() for stand in found)
    grid = np.linspace(end / 400, end, 400)
    curves = {arm: np.array([_best_at(stand, grid) for stand in found]) for arm, found in stands.items()}
    for axes, (arm, own) in zip(panels, curves.items(), strict=True):
        for other, curve in curves.items():
            if other != arm:
                axes.plot(grid, curve.mean(0), color="#bbbbbb", linewidth=1.0)
        axes.fill_between(grid, own.min(0), own.max(0), color=COLORS[arm], alpha=0.15, linewidth=0)
        for seed in own:
            axes.plot(grid, seed, color=COLORS[arm], linewidth=0.6, alpha=0.6)
        axes.plot(grid, own.mean(0), color=COLORS[arm], linewidth=2)
        axes.set_title(f"{arm}: {own[:, -1].mean():.1f} at the end", fontsize=9, loc="left")
        axes.set_xlabel("seconds of a seed")
        if known is not None:
            axes.axhline(known, color="#999999", linewidth=0.6, linestyle=":")
    panels[0].yaxis.get_major_locator().set_params(integer=True)
    panels[0].set_ylabel("largest set")
    return figure


def sizes(arm: str, stand: Stand) -> Any:
    """How large the sets of each generation are: as repaired, and as improved."""
    figure, panels = plots.new_panels(8.0, 3.2, 1, 2)
    records = [record for record in stand.records if record.improved]
    chosen = [records[i] for i in np.unique(np.linspace(0, len(records) - 1, 6).astype(int))]
    shades = np.linspace(0.25, 1.0, len(chosen))
    for axes, name, title in zip(
        panels, ("repaired", "improved"), ("repaired and filled up", "after the local search"), strict=True
    ):
        for record, shade in zip(chosen, shades, strict=True):
            found = getattr(record, name)
            at = range(min(found), max(found) + 1)
            total = sum(found.values())
            number = stand.records.index(record)
            axes.plot(
                at,
                [100 * found.get(size, 0) / total for size in at],
                color=COLORS[arm],
                alpha=float(shade),
                marker="o",
                markersize=2.5,
                linewidth=1.2,
                label=f"generation {number}",
            )
        axes.set_title(title, fontsize=9, loc="left")
        axes.set_xlabel("elements")
    panels[0].xaxis.get_major_locator().set_params(integer=True)
    panels[0].set_ylabel("% of the sets")
    panels[1].legend(fontsize=7, frameon=False)
    return figure


def novelty(stands: dict[str, list[Stand]]) -> Any:
    """Shares of proposals that are new, repeated or in conflict over time: the mean of the seeds."""
    figure, panels = plots.new_panels(8.0, 2.8, 1, 3)
    shown = (("new", "new, not among the kept"), ("repeated", "repeated"), ("conflicts", "with a conflict"))
    for axes, (name, title) in zip(panels, shown, strict=True):
        for arm, found in stands.items():
            length = min(len(stand.records) for stand in found)
            if length > 1:
                records = [stand.records[1:length] for stand in found]
                values = 100 * np.mean([[getattr(one, name) for one in each] for each in records], axis=0)
                seconds = np.mean([_ends(stand)[1:length] for stand in found], axis=0)
                axes.plot(seconds, values, color=COLORS[arm], label=arm, linewidth=1.5)
        axes.set_title(title, fontsize=9, loc="left")
        axes.set_xlabel("seconds of a seed")
        axes.set_ylim(-3, 103)
    panels[0].set_ylabel("% of the proposals")
    panels[-1].legend(fontsize=7, frameon=False)
    return figure


def _best_at(stand: Stand, grid: np.ndarray) -> np.ndarray:
    """The largest set that was kept by each second."""
    ends = _ends(stand)
    best = np.array([0, *(record.best for record in stand.records)])
    return np.where(grid >= ends[0], best[np.searchsorted(ends, grid, "right")], np.nan)


def _ends(stand: Stand) -> np.ndarray:
    """The second at which each generation was over.

    `Stand.elapsed` may be less than the last of them: from Python 3.12 on `sum` rounds otherwise.
    """
    return np.cumsum([record.elapsed for record in stand.records])
