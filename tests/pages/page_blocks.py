"""A small page with every kind of block."""

import numpy as np

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.pages.blocks import (
    Beside,
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
from jaxgpt.pages.rendering import render

TOKENS = ("To", " be", ",", "\n", " or", " not", " <b>&", "")
LABELS = ("To", "\u2423be", ",", "\\n", "\u2423or", "\u2423not", "\u2423<b>&", "\u00b7")
SCORES = {
    "gradient": np.asarray([0.5, -2.0, 0, 0.25, 1, -1, 0.125, np.nan]),
    "leave one out": np.asarray([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]),
}
#: [T, T]
ATTENTION = np.linspace(0, 1, 64).reshape(8, 8)
STEPS, LAYERS = ("0", "640", "2,000"), ("first", "last")


def lines(count: int = 60):
    """A picture of two lines with bands."""
    figure, (axes,) = plots.new_figure(6.4, 3.6)
    x = np.arange(1, count + 1)
    for place, color in enumerate((plots.BLUE, "k")):
        y = np.exp(-x / 30 / (place + 1)) + 0.05 * np.sin(x * (place + 2))
        axes.plot(x, y, color=color, label=f"size <{place}>")
        axes.fill_between(x, y - 0.1, y + 0.1, color=color, alpha=0.2, linewidth=0)
    axes.axvspan(40, 50, color="#f4e3d7", linewidth=0)
    axes.grid(axis="y", color="#e5e5e5")
    axes.legend(frameon=False)
    axes.set_xlabel("step")
    return figure


def table() -> Table:
    cells = (Entry("1.23", "better", "1.1-1.3"), Entry("0.5", "worse"), *[Entry("12,345,678")] * 8)
    header = ("cell", "loss", "share", *[f"column {i}" for i in range(8)])
    return Table("Losses & more", "Over <seeds>.", header, ((Entry("<model>"), *cells),))


def heatmap(title: str = "") -> Heatmap:
    return Heatmap(ATTENTION, LABELS, TOKENS, f"Attention of {title or 'all heads'}.", title)


def sections() -> list[Section]:
    inner = [Chooser({"prompt": ("a", "b")}, [[Paragraph(f"{s}{p}")] for p in "ab"]) for s in STEPS]
    samples = [
        [Passage(f"  text of\n\tstep {s}\x07", f"seed {s}"), c] for s, c in zip(STEPS, inner, strict=True)
    ]
    by_layer = [[heatmap(f"step {s}, layer {y}, head {h}") for h in "01"] for s in STEPS for y in LAYERS]
    return [
        Section(
            "Pictures",
            [
                Paragraph("Some <text>."),
                Points(["one", "two & three"]),
                Picture(lines(), 'Both "lines" fall.'),
                Folded(
                    "More", [Beside([Picture(lines(9), "left", "The left one."), Picture(lines(9), "x", "")])]
                ),
                table(),
            ],
        ),
        Section("Tokens", [TokenScores(TOKENS, SCORES, "Scores of each token."), heatmap()]),
        Section("Training", [Chooser({"step": STEPS, "layer": LAYERS}, by_layer)]),
        Section("Samples", [Chooser({"step": STEPS}, samples)]),
    ]


def page() -> str:
    return render("A <page>", ["It has every kind of block."], sections())
