"""Where each place of a text looks when it is written: the mean attention over texts of one length.

The heatmaps of Wagner's lecture "Transformers and makemore" (2023): what is written downwards, what is looked
at across.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from jaxgpt.evaluation import plots
from jaxgpt.lab.attention_maps import Attention, mean_attention
from jaxgpt.lab.part import Part
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.pages.blocks import Block, Picture
from jaxgpt.task.attended import Attended

#: What the axes say: the token at one place decides the symbol at the next.
_WRITTEN = "when the symbol at this place is written"
_LOOKED_AT = "the model looks at the symbol at this place"
#: The same where places are named.
_OTHER_ORDER = "in the order of writing; -1 is the last place"
#: Inches of all panels side by side, or one below the other.
_SPACE = 12.5
#: Panels of steps side by side.
_BESIDE = 3
#: Rows that the scale of colours does not heed.
_FIRST = 8


@dataclasses.dataclass(frozen=True)
class PlaceMap(Part):
    """Where each place looks, in the mean over texts of N symbols.

    Place i is written by the token before it, so row i has the weights of the query before place i; the last
    row is that of the end. Column 0 is the token that begins the text, column i + 1 the symbol at place i.

    Attributes:
      attention: the weights, each token a place; the first begins the text.
      first: number of the first place.
      seeds: models of the source, of which the first is shown.
      called: the places in the order of writing, where that is not from the first to the last.
    """

    attention: Attention
    first: int = 0
    seeds: int = 1
    called: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[int, ...]:
        return self.attention.steps

    @property
    def by_layer(self) -> Float[np.ndarray, "S L N+1 N+1"]:
        """The mean over the heads of each layer."""
        return self.attention.over_steps.mean(axis=2)

    @property
    def mean(self) -> Float[np.ndarray, "S N+1 N+1"]:
        """The mean over all layers and heads."""
        return self.by_layer.mean(axis=1)

    @property
    def names(self) -> tuple[list[str], list[str]]:
        """What each row and each column is called."""
        places = self.called or [str(self.first + place) for place in range(len(self.attention.tokens) - 1)]
        return [*places, "end"], ["start", *places]

    def rows(self):
        written, looked_at = self.names
        return ("step", "layer", "written", "looked at", "weight, mean over heads"), (
            (step, layer, written[row], looked_at[column], float(weights[row, column]))
            for step, layers in zip(self.steps, self.by_layer, strict=True)
            for layer, weights in enumerate(layers)
            for row in range(len(written))
            for column in range(row + 1)
        )

    def summary(self) -> str:
        weights, heads = self.mean[-1], self.attention.weights
        row, column = np.unravel_index(np.argmax(_lift(weights)), weights.shape)
        layer, head, *best = np.unravel_index(np.argmax(_lift(heads)), heads.shape)
        weight, times = weights[row, column], _lift(weights)[row, column]
        return (
            f"{self._pair(row, column)} most, compared with an equal share: {weight:.0%} of its weight, "
            f"{times:.1f} times as much, in the mean over all layers and heads. Of single heads, head {head} "
            f"of layer {layer} stands out. {self._pair(*best)} with {heads[layer, head, *best]:.0%}."
        )

    def _pair(self, row: int, column: int) -> str:
        written, looked_at = self.names
        return f"Place {written[row]} looks at place {looked_at[column]}"

    def blocks(self) -> list[Block]:
        told = f"Downwards: {_WRITTEN}. Across: {_LOOKED_AT}."
        told += f" Both {_OTHER_ORDER}." if self.called else ""
        return [
            Picture(self.plot(), self.summary(), f"{self.summary()} {told}"),
            Picture(self.layers(), "The mean over the heads of each layer."),
            Picture(self.heads(), "Each head by itself, at the last step."),
        ]

    def plot(self):
        """A panel each step: the mean over all layers and heads."""
        columns = min(len(self.steps), _BESIDE)
        titles = list(map(_when, self.steps))
        return self._panels(self.mean, titles, columns, f"{self._over()}, all layers and heads")

    def layers(self):
        """A row of panels each layer, a column each step: the mean over heads."""
        maps = self.by_layer.swapaxes(0, 1)
        steps = [f", {_when(step)}".rstrip(", ") for step in self.steps]
        titles = [f"layer {layer}{step}" for layer in range(len(maps)) for step in steps]
        return self._panels(maps, titles, len(self.steps), f"{self._over()}, heads of a layer together")

    def heads(self, step: int = -1):
        """A row of panels each layer, a column each head.

        Args:
          step: one of the steps, by its place among them.
        """
        maps = self.attention.over_steps[step]
        layers, heads = maps.shape[:2]
        titles = [f"layer {layer}, head {head}" for layer in range(layers) for head in range(heads)]
        return self._panels(maps, titles, heads, f"{self._over()}, {_when(self.steps[step])}".rstrip(", "))

    def _over(self) -> str:
        of_seeds = "" if self.seeds == 1 else f" (the first of {self.seeds} seeds)"
        count = len(self.attention.tokens) - 1
        return f"mean attention{of_seeds} over {self.attention.prompts:,} texts of {count} symbols"

    def _axis(self, said: str) -> str:
        return f"{said}\n({_OTHER_ORDER})" if self.called else said

    def _panels(self, maps: Float[np.ndarray, "*P N+1 N+1"], titles: list[str], columns: int, title: str):
        count = maps.shape[-1]
        shown = np.where(np.tri(count, dtype=bool), maps, np.nan).reshape(-1, count, count)
        rows = -(-len(shown) // columns)
        side = min(3.1, _SPACE / max(rows, columns))
        width, height = (side + 0.1) * columns + 1.2, (side + 0.25) * rows + 0.8
        figure, panels = plots.new_panels(width, height, rows, columns)
        # The first rows have little to look at, and so large weights.
        top = float(np.nanmax(shown[:, min(_FIRST, count - 1) :]))
        for axes in panels[len(shown) :]:
            axes.set_visible(False)
        for axes, weights, name in zip(panels, shown, titles, strict=False):
            picture = axes.imshow(weights, cmap=blues(), vmin=0, vmax=top, interpolation="nearest")
            axes.set_title(name, fontsize=9)
            axes.spines[:].set_visible(False)
            self._ticks(axes, count, side)
        size = {"shrink": min(0.8, 2 / rows), "aspect": 25, "fraction": 0.05}
        plots.scale(figure, picture, panels, "weight", extend="max", **size)
        figure.suptitle(title, fontsize=10)
        figure.supxlabel(self._axis(_LOOKED_AT), fontsize=9)
        figure.supylabel(self._axis(_WRITTEN), fontsize=9)
        return figure

    def _ticks(self, axes, count: int, side: float) -> None:
        """Round numbers of places, as many as there is room for."""
        room = max(2.0, 4.5 * side)
        every = next(every for every in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**6) if count / every <= room)
        (written, looked_at), half = self.names, every // 2
        # Named places may alternate between both ends: every second one is shifted, so that both are named.
        first, shift = (0, int(every > 1)) if self.called else (self.first, 0)
        for axis, names, whole in ((axes.xaxis, looked_at, 0), (axes.yaxis, written, count - 1)):
            begin = 1 if whole == 0 else 0
            at = [
                i
                for i in range(count)
                if i != whole and (i - begin + first) % (2 * every) in (0, every + shift)
            ]
            at = sorted([whole, *(i for i in at if abs(i - whole) > half)])
            axis.set_ticks(at, [names[i] for i in at], fontsize=7)
        axes.tick_params(length=2, color=plots.GREY)


def _when(step: int) -> str:
    """A step in words; 0 stands for one that is not known."""
    return f"step {step:,}" if step else ""


def _lift(weights: Float[np.ndarray, "*P N+1 N+1"]) -> Float[np.ndarray, "*P N+1 N+1"]:
    """Each weight over an equal share of what there is to look at; 0 for the text's begin and end."""
    lift = weights * np.arange(1, weights.shape[-1] + 1)[:, None]
    lift[..., 0], lift[..., -1, :] = 0, 0
    return lift


def blues():
    """The colours of weights; where nothing can be looked at is grey."""
    from matplotlib import colormaps

    return colormaps["Blues"].with_extremes(bad="#f1f1f1")


def place_map(source: Source | Subject, attended: Attended, *, steps: int = 5) -> PlaceMap:
    """Where each place of a task's texts looks, in the first model of a source.

        lab.place_map("runs/equal_places", jaxgpt.load("runs/equal_places").task.attended()).plot()

    Args:
      source: of a run, the steps that were kept; `Subject.of(run)` is one of them alone.
      steps: of those kept, at most so many, spread over them; the last is one of them.

    Raises:
      ValueError: as `mean_attention`, and if the tokenizer does not write a token a symbol behind one that
        begins the text.
    """
    subject = Subject.of(source)
    tokens = {len(subject.encode(text)) for text in attended.texts}
    if tokens != {attended.length + 1}:
        raise ValueError(
            f"{attended.length} symbols are {min(tokens)} to {max(tokens)} tokens; this needs a token that "
            "begins the text and one for each symbol, as the tokenizer characters writes them"
        )
    found = mean_attention(source, attended.texts, steps=steps)
    return PlaceMap(found, attended.first, len(subject.models), attended.names)
