"""Pictures of a run: its learning curve, and exact match by group; and what other pictures share."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxgpt.core import figures
from jaxgpt.core.wording import visible
from jaxgpt.evaluation.evaluation import Evaluation, Row

Metric = tuple[int, int | None, str, float | None]

_PAIR = re.compile(r"(\d{1,6})\D(\d{1,6}) digits")
BLUE, ORANGE, GREEN, GREY = "#1f5fa8", "#d1661c", "#2e8540", "#666666"
#: Bars that are still legible one below the other; with more groups the lowest are drawn.
_MOST_BARS = 40


def learning_curve(metrics: Sequence[Metric], path: Path | str) -> None:
    """Loss, and validation exact match where there is any, against the step, as a PNG.

    With several seeds a band reaches from the lowest to the highest of them; an interval of their mean could
    reach below 0. Losses are drawn on a logarithmic scale where they span a factor of 4.

    Args:
      metrics: step, seed, name and value of each line of `metrics.jsonl`; nulls are left out.

    Raises:
      ValueError: if none is a loss.
    """
    losses = _curve(metrics, "loss")
    if not losses[0]:
        raise ValueError("no loss was recorded; a learning curve needs at least one")
    validation = _curve(metrics, "validation_loss")
    exact = _curve(metrics, "validation_exact_match")
    figure, axes = new_figure(7.2, 5.6 if exact[0] else 4.0, rows=2 if exact[0] else 1)
    _draw(axes[0], losses, "training", BLUE, marker="" if len(losses[0]) > 60 else ".")
    _draw(axes[0], validation, "validation", ORANGE, marker="o")
    axes[0].set_ylabel("loss, nats a token")
    drawn = [value for curve in (losses, validation) for value in curve[2] + curve[3]]
    if min(drawn) > 0 and max(drawn) / min(drawn) > 4:
        axes[0].set_yscale("log")
        axes[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        if max(drawn) / min(drawn) < 100:  # fewer than two decades would have one label or two
            axes[0].yaxis.set_minor_formatter(
                lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""
            )
    axes[0].legend(frameon=False)
    if exact[0]:
        _draw(axes[1], exact, "", GREEN, marker="o")
        axes[1].set_ylim(-0.03, 1.03)
        axes[1].set_ylabel("exact match, validation")
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    save(figure, path)


def accuracy_grid(evaluation: Evaluation, path: Path | str) -> None:
    """`accuracy_figure` in a file."""
    save(accuracy_figure(evaluation), path)


def accuracy_figure(evaluation: Evaluation):
    """Exact match by group.

    Groups such as `3+5 digits` are drawn as a map over both lengths, in percent; other groups as bars with
    their intervals. Where no question was asked, the picture says so.
    """
    if not evaluation.groups:
        figure, (axes,) = new_figure(7.2, 1.4)
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no held-out question was asked", ha="center", va="center", color=GREY)
        return figure
    pairs = {lengths(row.group): row for row in evaluation.groups}
    if None not in pairs and len(pairs) > 1 and len({a for a, _ in pairs}) > 1:
        return _grid(pairs, evaluation)
    return _bars(evaluation)


def lengths(group: str) -> tuple[int, int] | None:
    """Both operands' lengths in a group's name such as `3+5 digits`; None for any other name."""
    match = _PAIR.fullmatch(group)
    return None if match is None else (int(match[1]), int(match[2]))


def _grid(pairs: dict[tuple[int, int], Row], evaluation: Evaluation):
    sides = [sorted({pair[side] for pair in pairs}) for side in (0, 1)]
    values = np.full((len(sides[0]), len(sides[1])), np.nan)
    for (a, b), row in pairs.items():
        values[sides[0].index(a), sides[1].index(b)] = row.exact_match.mean
    figure, (axes,) = new_figure(1.6 + 0.5 * len(sides[1]) + 1.0, 1.5 + 0.44 * len(sides[0]))
    axes.set_facecolor("#eeeeee")
    image = axes.imshow(np.ma.masked_invalid(values), cmap="viridis", vmin=0, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if not math.isnan(value):
            # 99.9 is no 100: only what is wholly right reads 100.
            shown = "100" if value == 1 else f"{min(100 * value, 99.9):.0f}" if value < 0.99 else ">99"
            axes.text(j, i, shown, ha="center", va="center", fontsize=8, color="w" if value < 0.6 else "k")
    axes.set_xticks(range(len(sides[1])), sides[1])
    axes.set_yticks(range(len(sides[0])), sides[0])
    axes.set_xlabel("digits of the second operand")
    axes.set_ylabel("digits of the first operand")
    inside = [pair for pair, row in pairs.items() if row.in_distribution]
    if len(inside) < len(pairs) and inside:
        for draw, listed, most in zip(
            (axes.axhline, axes.axvline), sides, map(max, zip(*inside, strict=True)), strict=True
        ):
            draw(listed.index(most) + 0.5, color=ORANGE, linewidth=1.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(_title(evaluation, "%"), fontsize=9)
    scale(figure, image, axes, "exact match", ticks=[0, 0.25, 0.5, 0.75, 1])
    return figure


def _bars(evaluation: Evaluation):
    rows = list(evaluation.groups)
    if len(rows) > _MOST_BARS:
        rows = sorted(rows, key=lambda row: row.exact_match.mean)[:_MOST_BARS]
    figure, (axes,) = new_figure(7.2, 1.4 + 0.28 * len(rows))
    for place, row in enumerate(rows):
        mean, interval = row.exact_match.mean, row.exact_match.interval
        axes.barh(place, mean, height=0.7, color=BLUE if row.in_distribution else ORANGE, alpha=0.85)
        axes.plot(interval, (place, place), color="k", linewidth=1.2, solid_capstyle="butt")
        axes.plot(mean, place, marker="o", markersize=3, color="k", clip_on=False)  # a bar of 0 is not seen
        axes.text(1.04, place, f"{mean:.3f}  n={row.n:,}", va="center", fontsize=8, color=GREY)
    axes.set_yticks(range(len(rows)), [label(row.group) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1.32)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.spines["bottom"].set_bounds(0, 1)
    axes.set_xlabel("exact match, 95 % interval")
    title = _title(evaluation)
    if len(rows) < len(evaluation.groups):
        title += f"; the {len(rows)} lowest of {len(evaluation.groups)} groups"
    axes.set_title(title, fontsize=9)
    return figure


def _title(evaluation: Evaluation, unit: str = "") -> str:
    seeds = f", {evaluation.seeds} seeds" if evaluation.seeds > 1 else ""
    percent = "exact match in %, " if unit else "exact match, "
    outside = any(not row.in_distribution for row in evaluation.groups)
    beyond = "\norange: longer than trained on" if outside else ""
    return f"{percent}{evaluation.n:,} {label(evaluation.split)} questions{seeds}{beyond}"


def _curve(metrics: Sequence[Metric], name: str) -> tuple[list[float], ...]:
    """Steps, means over seeds, and the lowest and highest seed's values of one measure."""
    found: dict[int, list[float]] = {}
    for step, _, measure, value in metrics:
        if measure == name and value is not None and math.isfinite(value):
            found.setdefault(step, []).append(value)
    values = list(found.values())
    return list(found), [sum(v) / len(v) for v in values], list(map(min, values)), list(map(max, values))


def _draw(axes, curve, label: str, color: str, marker: str) -> None:
    steps, means, lows, highs = curve
    if not steps:
        return
    axes.plot(steps, means, color=color, label=label, marker=marker, markersize=4, linewidth=1.4)
    if lows != highs:
        axes.fill_between(steps, lows, highs, color=color, alpha=0.2, linewidth=0)


def save(figure, path: Path | str) -> None:
    """A figure as a PNG or an SVG, by the path's suffix; the same figure gives the same bytes.

    An SVG keeps its text as text.
    """
    figures.write(figure, path, "svg" if Path(path).suffix == ".svg" else "png")


def label(text: str, most: int = 40) -> str:
    """Text from outside as a picture shows it: as it stands, on one line of at most so many characters."""
    text = visible(text)
    text = text if len(text) <= most else text[: most - 3] + "..."
    # Between two dollars would stand a formula, and a legend leaves out what begins with an underscore.
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def new_figure(width: float, height: float, rows: int = 1):
    """A figure of its own, with no window and no global state, and its axes from top to bottom."""
    return new_panels(width, height, rows, 1)


def new_panels(width: float, height: float, rows: int, columns: int, *, sharex: bool = True):
    """As `new_figure`, with several axes side by side, row by row, which share their scales."""
    figure = empty_figure(width, height)
    axes = figure.subplots(rows, columns, sharex=sharex, sharey=columns > 1, squeeze=False).ravel()
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure, list(axes)


def scale(figure, picture, axes, name: str, **options) -> None:
    """Draw a colour bar beside the axes of a picture; options are those of matplotlib's `colorbar`."""
    bar = figure.colorbar(picture, ax=axes, **options)
    bar.set_label(name, fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=2)


def empty_figure(width: float, height: float):
    """As `new_figure`, without axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
