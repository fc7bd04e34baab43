"""Every method's attribution of the same prompt and target."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from jaxgpt.evaluation import plots
from jaxgpt.lab.attribution import METHODS, UNSIGNED, Attribution, Method, attribute
from jaxgpt.lab.part import Part, drawn_label
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.pages.blocks import Block, Paragraph, TokenScores
from jaxgpt.pages.token_text import label as token_label


@dataclasses.dataclass(frozen=True)
class Attributions(Part):
    """What speaks for a target, by several methods.

    Attributes:
      each: by the name of the method.
    """

    each: Mapping[str, Attribution]

    @property
    def first(self) -> Attribution:
        return next(iter(self.each.values()))

    def rows(self):
        return ("method", "place", "token", "score", "positive part"), (
            (method, *row) for method, found in self.each.items() for row in found.rows()[1]
        )

    def summary(self) -> str:
        tops = {name: found.tokens[int(np.argmax(found.signed))] for name, found in self.each.items()}
        told = ", ".join(f"{token_label(token)} by {name}" for name, token in tops.items())
        most = "counts" if any(name in UNSIGNED for name in self.each) else "speaks"
        return f"What {most} most for {token_label(self.first.target)}: {told}."

    def blocks(self) -> list[Block]:
        found: list[Block] = [
            TokenScores(
                self.first.tokens, {method: one.signed for method, one in self.each.items()}, self.summary()
            )
        ]
        if (one := self.each.get("integrated_gradients")) is not None and one.gap is not None:
            told = f"The sum of integrated gradients misses the logit's gain by {one.gap:+.4f}."
            found.append(Paragraph(told))
        return found

    def plot(self):
        """Bars of each method, one below the other."""
        tokens = self.first.tokens
        count = len(self.each)
        figure, panels = plots.new_figure(min(1.6 + 0.24 * len(tokens), 12), 1.1 * count + 0.6, count)
        for axes, (method, found) in zip(panels, self.each.items(), strict=True):
            colors = [plots.BLUE if value >= 0 else plots.ORANGE for value in found.signed]
            axes.bar(range(len(tokens)), found.signed, color=colors)
            axes.axhline(0, color=plots.GREY, linewidth=0.8)
            axes.set_title(method, fontsize=8, loc="left")
            axes.tick_params(labelsize=7)
        panels[-1].set_xticks(range(len(tokens)), [drawn_label(token) for token in tokens], fontsize=7)
        return figure


def attributions(
    source: Source | Subject, prompt: str, target: str, *, methods: Sequence[Method] = METHODS
) -> Attributions:
    """The same prompt and target by several methods, each at the layer that it reads by default.

    Raises:
      ValueError: as `attribute`; without a method.
    """
    if not methods:
        raise ValueError("methods=(): give at least one")
    subject = Subject.of(source)
    return Attributions({method: attribute(subject, prompt, target, method=method) for method in methods})
