"""Pictures of learning: exact match on validation against what was spent, a panel a cell, a line a seed."""

from collections.abc import Sequence
from pathlib import Path

from jaxgpt.comparison import styles
from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import LEARNED, Finding
from jaxgpt.comparison.sections import BUDGET_NAMES
from jaxgpt.evaluation import plots

#: What a curve is drawn against, with the axis's label.
AMOUNTS = {
    "examples": "examples trained on",
    "tokens": "tokens trained on",
    "flops": "training FLOPs of one seed",
    "seconds": "seconds of training, all seeds together",
}
_COLUMNS = 4


def learning(findings: Sequence[Finding], budget: Budget, amount: str, path: Path) -> bool:
    """Draw the curves of all cells as SVG and PNG; whether there was anything to draw.

    Each panel has one cell: a thin line a seed, their mean, and the interval of the mean as a band. The means
    of the other cells lie behind them in grey.

    Args:
      amount: one of `AMOUNTS`.
    """
    drawn = [(f, xs) for f in findings if (xs := f.amounts(amount)) and None not in xs]
    if not drawn:
        return False
    rows = -(-len(drawn) // _COLUMNS)
    columns = min(len(drawn), _COLUMNS)
    figure, panels = plots.new_panels(1.2 + 2.4 * columns, 0.9 + 2.1 * rows, rows, columns)
    cells = [finding.cell for finding in findings]
    drawings = {cell.name: drawing for cell, drawing in zip(cells, styles.of_cells(cells), strict=True)}
    means = {f.cell.name: (xs, [e.mean for e in f.curve.estimates()]) for f, xs in drawn}
    for axes, (finding, xs) in zip(panels, drawn, strict=False):
        color = drawings[finding.cell.name]["color"]
        for name, (others, values) in means.items():
            if name != finding.cell.name:
                axes.plot(others, values, color="#bbbbbb", linewidth=0.7, zorder=1)
        estimates = finding.curve.estimates()
        if finding.seeds > 1:
            low, high = zip(*(e.interval for e in estimates), strict=True)
            axes.fill_between(xs, low, high, color=color, alpha=0.15, linewidth=0, zorder=2)
            for values in zip(*finding.curve.per_seed, strict=True):
                axes.plot(xs, values, color=color, linewidth=0.6, alpha=0.6, zorder=3)
        axes.plot(xs, [e.mean for e in estimates], color=color, linewidth=2, zorder=4)
        learned = f"{finding.success.count} of {finding.seeds} learned it"
        axes.set_title(f"{plots.label(finding.cell.name, 28)}\n{learned}", fontsize=9, loc="left")
    for axes in panels:
        axes.set_xscale("log")
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks([0, 0.5, 1])
        axes.axhline(LEARNED, color="#999999", linewidth=0.6, linestyle=":")
    for axes in panels[len(drawn) :]:
        axes.set_visible(False)
    figure.supylabel("exact match on validation", fontsize=9)
    figure.supxlabel(AMOUNTS[amount], fontsize=9)
    band = "; band: 95 % interval of the mean" if findings[0].seeds > 1 else ""
    figure.suptitle(
        f"Learning, at {BUDGET_NAMES[budget]}; thin: each seed{band}; grey: the other cells", fontsize=10
    )
    for suffix in (".svg", ".png"):
        plots.save(figure, path.with_suffix(suffix))
    return True
