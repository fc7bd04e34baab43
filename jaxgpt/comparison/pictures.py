"""The pictures of a comparison: exact match against length with bands, and a grid for each cell."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jaxgpt.comparison import styles
from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import Finding
from jaxgpt.comparison.sections import BUDGET_NAMES
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.evaluation import Row
from jaxgpt.evaluation.intervals import Estimate, proportion

Curve = list[tuple[int, Estimate]]


def curves(findings: Sequence[Finding], budget: Budget, path: Path) -> None:
    """Exact match against the length of the operands, a line a cell with a band for its interval.

    Pairs of equal and of different lengths have a panel each; groups that are no pairs of lengths stand
    beside each other as points with their intervals.
    """
    # A task without groups has its headline alone.
    findings = [dataclasses.replace(f, groups=f.groups or (f.overall,)) for f in findings]
    if all(plots.lengths(row.group) for finding in findings for row in finding.groups):
        figure = _by_length(findings, budget)
    else:
        figure = _by_name(findings, budget)
    for suffix in (".svg", ".png"):
        plots.save(figure, path.with_suffix(suffix))


def grid(finding: Finding, path: Path) -> None:
    """Exact match by both lengths, or by group, of one cell."""
    figure = plots.accuracy_figure(finding.evaluation())
    axes = figure.axes[0]
    axes.set_title(
        f"{plots.label(finding.cell.name, 80)}, {BUDGET_NAMES[finding.budget]}\n{axes.get_title()}",
        fontsize=9,
    )
    for suffix in (".svg", ".png"):
        plots.save(figure, path.with_suffix(suffix))


def by_length(rows: Sequence[Row], wanted: Callable[[int, int], bool]) -> Curve:
    """Exact match by the longer operand, over the pairs of lengths that are wanted.

    A seed's value at a length is its share of right answers over all questions of that length.
    """
    members: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        pair = plots.lengths(row.group)
        if pair is not None and wanted(*pair):
            members[max(pair)].append(row)
    found = []
    for length in sorted(members):
        counts = [row.n for row in members[length]]
        values = np.average([row.exact_match.per_seed for row in members[length]], axis=0, weights=counts)
        found.append((length, proportion(values.tolist(), sum(counts))))
    return found


def _by_length(findings: Sequence[Finding], budget: Budget):
    panels = [
        ("both operands have this many digits", lambda a, b: a == b),
        ("the longer operand has this many digits, the other fewer", lambda a, b: a != b),
    ]
    drawn = [(title, [by_length(finding.groups, wanted) for finding in findings]) for title, wanted in panels]
    drawn = [(title, lines) for title, lines in drawn if any(lines)]
    figure, axes = plots.new_figure(9.0, 1.0 + 3.2 * len(drawn), rows=len(drawn))
    trained = max(
        (
            max(plots.lengths(row.group))
            for finding in findings
            for row in finding.groups
            if row.in_distribution
        ),
        default=None,
    )
    longest = max(length for _, lines in drawn for line in lines for length, _ in line)
    for one, (title, lines) in zip(axes, drawn, strict=True):
        cells = [finding.cell for finding in findings]
        for cell, drawing, line in zip(cells, styles.of_cells(cells), lines, strict=True):
            _draw(one, line, plots.label(cell.name), drawing)
        one.set_ylim(-0.03, 1.03)
        one.set_ylabel("exact match")
        one.set_title(title, fontsize=10, loc="left")
        one.grid(axis="y", color="#e5e5e5", linewidth=0.8)
        one.set_axisbelow(True)
        if trained is not None and trained < longest:
            one.axvline(trained + 0.5, color="#666666", linewidth=1, linestyle=":", zorder=1)
    beyond = "; right of the dotted line: longer than trained on" if (trained or longest) < longest else ""
    axes[-1].set_xlabel(f"digits{beyond}")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    _finish(figure, axes[0], findings, budget)
    return figure


def _by_name(findings: Sequence[Finding], budget: Budget):
    names = list(dict.fromkeys(row.group for finding in findings for row in finding.groups))
    figure, (axes,) = plots.new_figure(9.0, 4.6)
    drawings = styles.of_cells([finding.cell for finding in findings])
    for index, (finding, drawing) in enumerate(zip(findings, drawings, strict=True)):
        place = {name: i + 0.7 * ((index + 0.5) / len(findings) - 0.5) for i, name in enumerate(names)}
        for row in finding.groups:
            axes.plot([place[row.group]] * 2, row.exact_match.interval, color=drawing["color"], linewidth=1.2)
        points = [(place[row.group], row.exact_match.mean) for row in finding.groups]
        drawing |= {"linestyle": "", "label": plots.label(finding.cell.name)}
        axes.plot(*zip(*points, strict=True), **drawing, markersize=5)
    slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if len(names) > 6 else {}
    axes.set_xticks(range(len(names)), [plots.label(name, 24) for name in names], fontsize=8, **slanted)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("exact match")
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
    _finish(figure, axes, findings, budget)
    return figure


def _draw(axes, line: Curve, name: str, drawing: dict[str, str]) -> None:
    if not line:
        return
    lengths = [length for length, _ in line]
    axes.plot(lengths, [e.mean for _, e in line], **drawing, label=name, markersize=4, linewidth=1.6)
    for values in zip(*(e.per_seed for _, e in line), strict=True):
        axes.plot(lengths, values, color=drawing["color"], linewidth=0.5, alpha=0.5)
    if len(line[0][1].per_seed) == 1:  # bands over seeds would hide each other
        low, high = ([e.interval[side] for _, e in line] for side in (0, 1))
        axes.fill_between(lengths, low, high, color=drawing["color"], alpha=0.12, linewidth=0)


def _finish(figure, axes, findings: Sequence[Finding], budget: Budget) -> None:
    seeds = len(findings[0].overall.exact_match.per_seed)
    shown = f"means of {seeds} seeds, thin: each seed" if seeds > 1 else "bands: 95 % interval over questions"
    figure.suptitle(f"Exact match at {BUDGET_NAMES[budget]}; {shown}", fontsize=11)
    handles, names = axes.get_legend_handles_labels()
    # The title has the upper edge to itself; a legend that begins there, too, would lie on it.
    figure.legend(handles, names, loc="outside right center", frameon=False, fontsize=9)
