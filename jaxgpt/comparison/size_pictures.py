"""Success against the size of the model, where a comparison varies it."""

from collections.abc import Sequence
from pathlib import Path

from jaxgpt.comparison import styles
from jaxgpt.comparison.axes import label
from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import LEARNED, Finding
from jaxgpt.comparison.sections import BUDGET_NAMES
from jaxgpt.evaluation import plots
from jaxgpt.training import start

#: Fields of the model that make it larger, and nothing else.
_SIZES = (*start.SIZE_FIELDS, "model.d_ff")


def by_size(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Cells that differ in their model's size alone, by the name of what they share, the smallest first.

    Empty unless some of them differ in their number of parameters without embeddings.
    """
    found: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: f.cell.facts.body):
        rest = {path: text for path, text in finding.cell.values.items() if not _is_size(path, text)}
        found.setdefault(label(rest) or "all cells", []).append(finding)
    grows = any(len({f.cell.facts.body for f in members}) > 1 for members in found.values())
    return found if grows else {}


def _is_size(path: str, text: str) -> bool:
    return path in _SIZES or (path == "model" and start.is_size(text))


def success(findings: Sequence[Finding], budget: Budget, path: Path) -> bool:
    """Draw, against parameters without embeddings, the share of seeds that learned it and exact match.

    Returns:
      Whether there was anything to draw: cells of several sizes.
    """
    lines = by_size(findings)
    if not lines:
        return False
    figure, panels = plots.new_panels(9.0, 3.6, 1, 2)
    titles = (f"seeds with at least {LEARNED} right", "exact match, mean and every seed")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xscale("log")
        axes.set_ylim(-0.03, 1.03)
    firsts = [members[0].cell for members in lines.values()]
    leading = [
        styles.tokenizer_of(cell) if "tokenizer" in cell.values else name
        for name, cell in zip(lines, firsts, strict=True)
    ]
    drawings = styles.styles(list(lines), leading)
    for (name, members), drawing in zip(lines.items(), drawings, strict=True):
        sizes = [finding.cell.facts.body for finding in members]
        rates = [finding.success.share for finding in members]
        panels[0].plot(sizes, [rate.mean for rate in rates], **drawing, label=plots.label(name), markersize=4)
        means = [finding.overall.exact_match.mean for finding in members]
        panels[1].plot(sizes, means, **drawing, markersize=4)
        for finding in members:
            values = finding.overall.exact_match.per_seed
            panels[1].plot(
                [finding.cell.facts.body] * len(values), values, ".", color=drawing["color"], alpha=0.4
            )
    figure.supxlabel("parameters without embeddings", fontsize=9)
    figure.suptitle(f"Success by size, at {BUDGET_NAMES[budget]}", fontsize=11)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    for suffix in (".svg", ".png"):
        plots.save(figure, path.with_suffix(suffix))
    return True
