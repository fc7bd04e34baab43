"""What each token of a prompt looks at: the attention weights of every layer and head."""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgpt.evaluation import plots
from jaxgpt.lab.captured import capture
from jaxgpt.lab.part import Part, drawn_label
from jaxgpt.lab.subject import Source, Subject, spread
from jaxgpt.models.structure import Structure, Weights, split
from jaxgpt.pages.blocks import Block, Chooser, Heatmap, Paragraph, Picture
from jaxgpt.pages.token_text import label as token_label

#: Tokens up to which a picture names each of them.
_NAMED = 40
#: Layers times heads up to which a page has the strip of the last token.
_STRIPS = 48
#: Weights that are computed together.
_WEIGHTS = 2**24


@dataclasses.dataclass(frozen=True)
class Attention(Part):
    """The attention weights of one model on a prompt, or their mean over several prompts.

    A row sums to 1: it says how much a query looks at each key. L layers, H heads, S steps.

    Attributes:
      tokens: the text of each token; `#5` at a place where the prompts have different ones. [T]
      steps: that the weights are of, the last one last. [S]
      over_steps: queries, then keys. [S, L, H, T, T]
      prompts: how many the mean is of.
    """

    tokens: tuple[str, ...]
    steps: tuple[int, ...]
    over_steps: np.ndarray
    prompts: int = 1

    @property
    def weights(self) -> np.ndarray:
        """Those of the last step. [L, H, T, T]"""
        return self.over_steps[-1]

    def rows(self):
        header = ("step", "layer", "head", "query place", "query", "key place", "key", "weight")
        count = len(self.tokens)
        return header, (
            (step, layer, head, q, self.tokens[q], k, self.tokens[k], float(heads[head, q, k]))
            for step, layers in zip(self.steps, self.over_steps, strict=True)
            for layer, heads in enumerate(layers)
            for head in range(len(heads))
            for q in range(count)
            for k in range(count)
        )

    def summary(self) -> str:
        last, names = self.weights[:, :, -1], [token_label(token) for token in self.tokens]
        layer, head, key = np.unravel_index(np.argmax(last), last.shape)
        mean = "" if self.prompts == 1 else f", in the mean over {self.prompts:,} prompts"
        return (
            f"The last token, {names[-1]}, looks most at {names[key]}, place {key}: head {head} of "
            f"layer {layer} gives it {last[layer, head, key]:.0%} of its weight{mean}."
        )

    def blocks(self) -> list[Block]:
        _, layers, heads, _, _ = self.over_steps.shape
        names = [token_label(token) for token in self.tokens]
        frames = [
            [
                Heatmap(
                    self.over_steps[s, layer, head],
                    names,
                    names,
                    self._named(s, layer, head),
                    title=f"head {head}",
                )
                for head in range(heads)
            ]
            for s in range(len(self.steps))
            for layer in range(layers)
        ]
        axes = {"step": [f"{step:,}" for step in self.steps]} if len(self.steps) > 1 else {}
        maps = Chooser(axes | {"layer": [str(layer) for layer in range(layers)]}, frames)
        found: list[Block] = [Paragraph(self.summary()), maps]
        if layers * heads <= _STRIPS:
            told = "What the last token looks at: a row each layer and head."
            found.append(Picture(self.strip(), told))
        return found

    def _named(self, step: int, layer: int, head: int) -> str:
        when = f", step {self.steps[step]:,}" if len(self.steps) > 1 else ""
        return f"Layer {layer}, head {head}{when}: how much each token, by row, looks at each other one."

    def plot(self, step: int = -1):
        """A panel each layer, from top to bottom, and head; queries down, keys across.

        Args:
          step: one of the steps, by its place among them.
        """
        shown = self.over_steps[step]
        layers, heads, count, _ = shown.shape
        side = min(max(1.5, 0.13 * count), 18 / heads) if count <= _NAMED else min(2.2, 18 / heads)
        figure, panels = plots.new_panels(side * heads + 1.3, side * layers + 0.7, layers, heads)
        top = float(shown.max())
        for place, axes in enumerate(panels):
            layer, head = divmod(place, heads)
            picture = axes.imshow(shown[layer, head], cmap="Blues", vmin=0, vmax=top, aspect="equal")
            axes.set_title(f"layer {layer}, head {head}", fontsize=8)
            _name_tokens(axes.xaxis, self.tokens, 60 * side / count)
            _name_tokens(axes.yaxis, self.tokens, 60 * side / count)
        plots.scale(figure, picture, panels, "weight", shrink=0.8, aspect=30)
        figure.supxlabel("key", fontsize=9)
        figure.supylabel("query", fontsize=9)
        return figure

    def strip(self, query: int = -1, *, step: int = -1):
        """What one token looks at: a row each layer and head, its keys shaded.

        Args:
          query: the place of the token; -1 is the last.
          step: one of the steps, by its place among them.

        Raises:
          ValueError: for a place that is not there.
        """
        count = len(self.tokens)
        if not -count <= query < count:
            raise ValueError(f"query={query} is not there; give 0 to {count - 1}, or -1 for the last token")
        query %= count
        shown = self.over_steps[step][:, :, query]
        layers, heads, _ = shown.shape
        figure, (axes,) = plots.new_figure(min(2.2 + 0.26 * count, 16), 1.1 + 0.22 * layers * heads)
        picture = axes.imshow(
            shown.reshape(layers * heads, count), cmap="Blues", vmin=0, vmax=float(shown.max()), aspect="auto"
        )
        names = [f"layer {layer}, head {head}" for layer in range(layers) for head in range(heads)]
        axes.set_yticks(range(layers * heads), names, fontsize=8)
        for layer in range(1, layers):
            axes.axhline(layer * heads - 0.5, color="white", linewidth=2)
        axes.tick_params(length=0)
        _name_tokens(axes.xaxis, self.tokens, 8)
        axes.set_xlabel("key", fontsize=9)
        name = drawn_label(self.tokens[query])
        axes.set_title(f"what {name}, place {query}, looks at", fontsize=10, loc="left")
        plots.scale(figure, picture, axes, "weight", aspect=12)
        return figure


def _name_tokens(axis, tokens: Sequence[str], size: float) -> None:
    """The tokens along an axis, where they can be read; else their places are there."""
    axis.set_tick_params(labelsize=7)
    if len(tokens) > _NAMED or size < 4:
        return
    names = [drawn_label(token) for token in tokens]
    turned = 90 if axis.axis_name == "x" and max(map(len, names)) > 2 else 0
    axis.set_ticks(range(len(names)), names, fontsize=min(8, size), rotation=turned)
    axis.set_tick_params(length=0)


def attention(source: Source | Subject, prompt: str, *, steps: int = 5) -> Attention:
    """How much each token of a prompt looks at each other one, in the first model of a source.

        jaxgpt.lab.attention("runs/addition", "71421+92471=").plot()

    Args:
      source: of a run, the steps that were kept; `Subject.of(run)` is one of them alone.
      steps: of those kept, at most so many, spread over them; the last is one of them.

    Raises:
      ValueError: for a prompt that the tokenizer or the model cannot read, a model that is no decoder or has
        a layer without attention weights, or steps below 1.
    """
    return _mean(source, [prompt], steps)


def mean_attention(source: Source | Subject, prompts: Sequence[str], *, steps: int = 1) -> Attention:
    """The same, averaged over prompts with equally many tokens: what each place looks at.

    Args:
      source, steps: as of `attention`.

    Raises:
      ValueError: as `attention`, and without a prompt, or for prompts of several lengths.
    """
    if isinstance(prompts, str) or not prompts:
        raise ValueError(f"prompts={prompts!r}: give a list of at least one prompt")
    return _mean(source, prompts, steps)


def _mean(source: Source | Subject, prompts: Sequence[str], steps: int) -> Attention:
    subjects = spread(source, steps)
    last = subjects[-1].decoder()
    rows = [last.encode(prompt) for prompt in prompts]
    short, long = min(map(len, rows)), max(map(len, rows))
    if short != long:
        raise ValueError(f"the prompts have {short} to {long} tokens; give prompts of one length")
    if not short:
        raise ValueError("the prompt is empty; give at least one character")
    tokens = np.asarray(rows, np.int32)
    found = np.stack([_of_many(subject, tokens) for subject in subjects])
    same = (tokens == tokens[0]).all(axis=0)
    names = tuple(name if same[place] else f"#{place}" for place, name in enumerate(last.shown(rows[0])))
    return Attention(names, tuple(s.step or 0 for s in subjects), found, len(rows))


def _of_many(subject: Subject, tokens: np.ndarray) -> np.ndarray:
    """The mean over texts, read some at a time. [L, H, T, T]"""
    config = subject.models[0].config
    structure, weights = split(subject.models[0])
    most = max(1, _WEIGHTS // (config.num_layers * config.num_heads * tokens.shape[1] ** 2))
    most = min(most, len(tokens))
    total = 0.0
    for begin in range(0, len(tokens), most):
        part = tokens[begin : begin + most]
        rows, counted = np.zeros((most, tokens.shape[1]), np.int32), np.zeros(most, np.float32)
        rows[: len(part)], counted[: len(part)] = part, 1  # one shape, so one program
        total = total + np.asarray(_summed(structure, weights, rows, counted), np.float64)
    return total / len(tokens)


@functools.partial(jax.jit, static_argnames="structure")
def _summed(
    structure: Structure, weights: Weights, tokens: Int[Array, "B T"], counted: Float[Array, " B"]
) -> Float[Array, "L H T T"]:
    """The weights of the texts that count, summed over them."""
    found = capture(structure.model(weights), tokens).weights
    return jnp.stack([jnp.einsum("b,bhts->hts", counted, layer.astype(jnp.float32)) for layer in found])
