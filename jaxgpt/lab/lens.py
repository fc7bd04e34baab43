"""The logit lens: what a model would write if it ended behind an earlier layer.

nostalgebraist 2020, "interpreting GPT: the logit lens": the residual behind the embedding and behind each
layer goes through the model's own final norm and head. An early layer need not speak the head's language: a
wrong row does not say that nothing is known there (Belrose et al. 2023, arXiv 2303.08112). With a tied head
the row of the embedding tends to name the token that was read.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgpt.evaluation import plots
from jaxgpt.lab.captured import stream
from jaxgpt.lab.part import Part, drawn_label
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models import Transformer
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.pages.blocks import Block, Picture
from jaxgpt.pages.token_text import label as token_label

#: Places that a picture shows, at most.
_SHOWN = 60


@dataclasses.dataclass(frozen=True)
class Lens(Part):
    """The next token by the residual behind the embedding and behind each layer, at each place of a prompt.

    Attributes:
      tokens: the text of each token. [T]
      layers: the names of the rows. [L + 1]
      top: the text of the likeliest next token. [L + 1, T]
      probability: that of the likeliest token. [L + 1, T]
      bits: the entropy of the next token. [L + 1, T]
      chosen: the text of the token that the whole model finds likeliest. [T]
      chosen_probability: that of the chosen token. [L + 1, T]
      chosen_rank: 1 where the chosen token is the likeliest. [L + 1, T]
    """

    tokens: tuple[str, ...]
    layers: tuple[str, ...]
    top: tuple[tuple[str, ...], ...]
    probability: np.ndarray
    bits: np.ndarray
    chosen: tuple[str, ...]
    chosen_probability: np.ndarray
    chosen_rank: np.ndarray

    @property
    def settled(self) -> np.ndarray:
        """The first row from which on the chosen token stays the likeliest. [T]"""
        other = self.chosen_rank > 1
        return np.where(other.any(axis=0), len(other) - np.argmax(other[::-1], axis=0), 0)

    def rows(self):
        header = ("layer", "place", "token", "likeliest next", "probability", "bits", "chosen next")
        return (*header, "its probability", "its rank"), (
            (
                layer,
                t,
                token,
                self.top[row][t],
                float(self.probability[row, t]),
                float(self.bits[row, t]),
                self.chosen[t],
                float(self.chosen_probability[row, t]),
                int(self.chosen_rank[row, t]),
            )
            for row, layer in enumerate(self.layers)
            for t, token in enumerate(self.tokens)
        )

    def summary(self) -> str:
        shares, settled = self.chosen_probability.mean(axis=1), self.settled[-1]
        first = f"{'' if settled else 'the '}{self.layers[settled]}"
        return (
            f"Behind the prompt the model finds {token_label(self.chosen[-1])} likeliest, with "
            f"{self.chosen_probability[-1, -1]:.0%}; it is the likeliest from {first} on. "
            f"In the mean over {len(self.tokens)} places, the token that the whole model chooses has "
            f"{shares[0]:.0%} behind the embedding and {shares[-1]:.0%} at the end."
        )

    def blocks(self) -> list[Block]:
        over = "The probability of the token that the whole model chooses, and the entropy, layer by layer."
        return [Picture(self.plot(), self.summary()), Picture(self.by_layer(), over)]

    def plot(self, begin: int | None = None):
        """A grid: the prompt from top to bottom, layers from left to right, in each cell the likeliest token.

        Args:
          begin: the first place that is shown; None: such that the last 60 are.
        """
        begin = max(0, len(self.tokens) - _SHOWN) if begin is None else begin
        places = range(begin, min(begin + _SHOWN, len(self.tokens)))
        shown = self.probability[:, begin : begin + _SHOWN].T
        figure, (axes,) = plots.new_figure(1.6 + 0.75 * len(self.layers), 1.0 + 0.23 * len(places))
        picture = axes.imshow(shown, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, layer), value in np.ndenumerate(shown):
            text = drawn_label(token_label(self.top[layer][begin + row])[:9])
            weight = "bold" if self.chosen_rank[layer, begin + row] == 1 else "normal"
            color = "white" if value > 0.55 else "black"
            axes.text(layer, row, text, ha="center", va="center", fontsize=8, color=color, fontweight=weight)
        axes.set_xticks(range(len(self.layers)), self.layers, fontsize=8)
        axes.set_yticks(range(len(places)), [drawn_label(self.tokens[p]) for p in places], fontsize=8)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_ylabel("token that was read", fontsize=9)
        axes.set_title("likeliest next token; bold: as at the end", fontsize=9, loc="left")
        plots.scale(figure, picture, axes, "probability", aspect=30)
        return figure

    def by_layer(self):
        """The mean over places of the chosen token's probability, and of the entropy, as a figure."""
        figure, panels = plots.new_figure(5.6, 4.2, rows=2)
        values = (self.chosen_probability, "probability of\nthe chosen token"), (self.bits, "entropy, bits")
        for axes, (value, name) in zip(panels, values, strict=True):
            axes.plot(value, color=plots.GREY, linewidth=0.5, alpha=min(1, 10 / len(self.tokens)))
            axes.plot(value.mean(axis=1), color=plots.BLUE, marker="o", markersize=4)
            axes.set_ylim(0)
            axes.set_ylabel(name)
        panels[0].set_title("blue: mean over places; grey: each place", fontsize=9, loc="left")
        panels[-1].set_xticks(range(len(self.layers)), self.layers, fontsize=8)
        return figure


def lens(source: Source | Subject, prompt: str) -> Lens:
    """What the first model of a source would write at each place of a prompt, layer by layer.

        jaxgpt.lab.lens("runs/addition", "71421+92471=").plot()

    Raises:
      ValueError: for a prompt that the tokenizer or the model cannot read, or a model that is no decoder, has
        no logits, or whose layers are of another width than its embedding.
    """
    subject = Subject.of(source).decoder()
    model = subject.models[0]
    tokens = subject.encode(prompt)
    if not tokens:
        raise ValueError("the prompt is empty; give at least one character")
    structure, weights = split(model)
    top, probability, bits, chosen, chosen_probability, rank = map(
        np.asarray, _seen(structure, weights, np.asarray([tokens], np.int32))
    )
    names = ("embedding", *(f"layer {layer}" for layer in range(len(top) - 1)))
    return Lens(
        tuple(subject.shown(tokens)),
        names,
        tuple(tuple(subject.shown(row)) for row in top.tolist()),
        probability,
        bits,
        tuple(subject.shown(chosen.tolist())),
        chosen_probability,
        rank,
    )


def distributions(model: Transformer, tokens: Int[Array, "B T"]) -> list[Float[Array, "B T V"]]:
    """Logarithms of the next token's probabilities behind the embedding and behind each layer; L + 1 arrays.

    Raises:
      ValueError: as `lens`.
    """
    residuals = stream(model, tokens)
    widths = {x.shape[-1] for x in residuals}
    if len(widths) > 1:
        raise ValueError(
            f"the embedding has {residuals[0].shape[-1]} features and the last layer "
            f"{residuals[-1].shape[-1]}; a lens needs as many"
        )
    norm = model.decoder.norm
    return [jax.nn.log_softmax(model.logits(x if norm is None else norm(x))) for x in residuals]


@functools.partial(jax.jit, static_argnames="structure")
def _seen(structure: Structure, weights: Weights, tokens: Int[Array, "1 T"]):
    """Likeliest token, its probability, bits; chosen token [T], its probability and rank; [L + 1, T] each."""
    rows = distributions(structure.model(weights), tokens)
    chosen = rows[-1][0].argmax(axis=-1)

    def told(logs):
        logs = logs[0]
        own = jnp.take_along_axis(logs, chosen[:, None], axis=-1)
        bits = -(jnp.exp(logs) * logs).sum(axis=-1) / jnp.log(2.0)
        return (
            logs.argmax(axis=-1),
            jnp.exp(logs.max(axis=-1)),
            bits,
            jnp.exp(own[:, 0]),
            (logs > own).sum(-1),
        )

    top, probability, bits, own, above = map(jnp.stack, zip(*map(told, rows), strict=True))
    return top, probability, bits, chosen, own, above + 1
