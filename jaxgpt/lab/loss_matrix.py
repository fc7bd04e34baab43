"""How well each model predicts each text: rows trained on, columns evaluated on."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from jaxgpt.core.tables import Entry, Table, columns
from jaxgpt.core.wording import shown
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, scaled
from jaxgpt.lab.part import Part
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.lab.text_loss import TextLoss, Unknown, text_loss
from jaxgpt.pages.blocks import Block


@dataclasses.dataclass(frozen=True)
class LossMatrix(Part):
    """The loss of models, a row each, on texts, a column each.

    Attributes:
      trained_on: names of the rows. [N]
      evaluated_on: names of the columns. [M]
      nats: a character. [N][M]
      bits_a_byte: [N][M]
      left_out: the share of a text's characters that a row's models have never seen. [N, M]
    """

    trained_on: tuple[str, ...]
    evaluated_on: tuple[str, ...]
    nats: tuple[tuple[Estimate, ...], ...]
    bits_a_byte: tuple[tuple[Estimate, ...], ...]
    left_out: np.ndarray

    @property
    def bits(self) -> tuple[tuple[Estimate, ...], ...]:
        """A character. [N][M]"""
        return tuple(tuple(scaled(cell, 1 / math.log(2)) for cell in row) for row in self.nats)

    def rows(self):
        header = ("trained on", "evaluated on", "unit", "mean", "low", "high", "left out", "seeds")
        units = (
            ("nats a character", self.nats),
            ("bits a character", self.bits),
            ("bits a byte", self.bits_a_byte),
        )
        return header, (
            (
                trained,
                evaluated,
                unit,
                cells[i][j].mean,
                *(cells[i][j].interval or ("", "")),
                float(self.left_out[i, j]),
                " ".join(map(repr, cells[i][j].per_seed)),
            )
            for unit, cells in units
            for i, trained in enumerate(self.trained_on)
            for j, evaluated in enumerate(self.evaluated_on)
        )

    def table(self) -> str:
        """Nats a character, with the share of characters left out where there are any."""
        rows = [("trained on", *self.evaluated_on)]
        for name, cells, shares in zip(self.trained_on, self.nats, self.left_out, strict=True):
            rows.append((name, *(_cell(cell, share) for cell, share in zip(cells, shares, strict=True))))
        return "\n".join(columns(rows))

    def summary(self) -> str:
        means = np.asarray([[cell.mean for cell in row] for row in self.nats])
        best = [self.trained_on[row] for row in means.argmin(axis=0)]
        told = "; ".join(
            f"{text} is predicted best by {name}, with {mean:.3f}"
            for text, name, mean in zip(self.evaluated_on, best, means.min(axis=0), strict=True)
        )
        return f"Loss in nats a character: {told}."

    def blocks(self) -> list[Block]:
        rows = (
            (Entry(name), *(Entry(_cell(cell, share)) for cell, share in zip(cells, shares, strict=True)))
            for name, cells, shares in zip(self.trained_on, self.nats, self.left_out, strict=True)
        )
        caption = "Nats a character: a row for what was trained on, a column for what is evaluated on."
        header = ("trained on", *self.evaluated_on)
        return [*super().blocks(), Table("Losses", caption, header, tuple(rows))]

    def plot(self):
        size = (len(self.trained_on), len(self.evaluated_on))
        figure, (axes,) = plots.new_figure(2.2 + 1.5 * size[1], 1.3 + 0.8 * size[0])
        means = np.asarray([[cell.mean for cell in row] for row in self.nats])
        image = axes.imshow(means, cmap="viridis_r", aspect="auto")
        middle = (means.min() + means.max()) / 2
        for (i, j), mean in np.ndenumerate(means):
            color = "k" if mean <= middle else "w"
            axes.text(j, i, f"{mean:.3f}", ha="center", va="center", color=color)
        axes.set_xticks(range(size[1]), map(plots.label, self.evaluated_on))
        axes.set_yticks(range(size[0]), map(plots.label, self.trained_on))
        axes.set_xlabel("evaluated on")
        axes.set_ylabel("trained on")
        figure.colorbar(image, label="nats a character")
        return figure


def loss_matrix(
    sources: Mapping[str, Source | Subject],
    texts: Mapping[str, str],
    *,
    unknown: Unknown = "skip",
) -> LossMatrix:
    """How well models predict texts: each token from those before it in its window.

        jaxgpt.lab.loss_matrix({"plays": "runs/plays", "maths": "runs/maths"}, {"plays": ..., "maths": ...})

    Texts should be held out of the training; nothing here can tell whether they are. Losses are compared by
    character and by byte, since a token is another amount of text for another tokenizer.

    Args:
      sources: models by the name of what they were trained on.
      texts: to evaluate on, by name.
      unknown: of characters that a model's tokenizer has never seen. skip: they are taken out of the text, so
        that those before and after them become neighbours, and `left_out` tells how many they are.

    Raises:
      ValueError: for a text that does not fill a window of a model, or, with `refuse`, one with an unknown
        character; the message names both. Without a model or a text.
    """
    for name, given in (("sources", sources), ("texts", texts)):
        if not given:
            raise ValueError(f"{name}={{}}: give at least one, by its name")
    names = (tuple(sources), tuple(texts))
    found: list[list[TextLoss]] = []
    for trained, source in sources.items():
        subject = Subject.of(source).decoder()
        found.append([])
        for evaluated, text in texts.items():
            try:
                found[-1].append(text_loss(subject, text, unknown))
            except ValueError as error:
                raise ValueError(f"{shown(trained)} on {shown(evaluated)}: {error}") from error
    return LossMatrix(
        *names,
        tuple(tuple(cell.nats for cell in row) for row in found),
        tuple(tuple(cell.bits_a_byte for cell in row) for row in found),
        np.asarray([[cell.left_out for cell in row] for row in found]).reshape(len(found), len(texts)),
    )


def _cell(cell: Estimate, left_out: float) -> str:
    share = f", {left_out:.1%} left out" if left_out >= 0.001 else ", <0.1% left out" if left_out else ""
    interval = "" if cell.interval is None else f" ({cell.interval[0]:.3f}-{cell.interval[1]:.3f})"
    return f"{cell.mean:.3f}{interval}{share}"
