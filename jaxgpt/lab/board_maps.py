"""Where each cell of a board looks when it is written, and at which distances: a text is the board's rows."""

import dataclasses

import numpy as np
from jaxtyping import Float

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.lab.attention_maps import Attention
from jaxgpt.lab.board_offsets import Distance, Offsets, distances, offsets
from jaxgpt.lab.part import Part
from jaxgpt.lab.place_maps import blues, place_map
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.pages.blocks import Block, Picture
from jaxgpt.task.attended import Attended

#: A distance stands out above so many times the weight of equal attention.
_STANDS_OUT = 1.25
#: Distances that a table lists, and that a sentence names at most.
_LISTED, _NAMED = 8, 3
#: Layers times heads up to which each head has a small map of its own.
_SMALL_MAPS = 48
#: The label of the colour bar, and its options.
_COLOURS, _BAR = "weight over equal attention", {"aspect": 25, "fraction": 0.05, "pad": 0.02}


@dataclasses.dataclass(frozen=True)
class BoardMap(Part):
    """Where each cell of a board of R rows and C columns looks, in the mean over boards.

    A cell is written by the token before it. It may look at all earlier cells; the weight of the token that
    begins the text is left out.

    Attributes:
      attention: the weights, each token a cell, in reading order; the first begins the text.
      board: R and C.
      seeds: models of the source, of which the first is shown.
    """

    attention: Attention
    board: tuple[int, int]
    seeds: int = 1

    @property
    def weights(self) -> Float[np.ndarray, "L H N N"]:
        """How much each cell, N of them, looks at each earlier one, at the last step."""
        return self.attention.weights[:, :, :-1, 1:]

    def rows(self):
        columns = self.board[1]
        found = self.offsets()
        _, layers, heads, *_ = self.attention.over_steps.shape
        return ("layer", "head", "rows up", "columns right", "weight", "weight over equal"), (
            (layer, head, up, place - columns + 1, float(found.weight[layer, head, up, place]), float(lift))
            for layer in range(layers)
            for head in range(heads)
            for (up, place), lift in np.ndenumerate(found.lift[layer, head])
            if not np.isnan(lift)
        )

    def summary(self) -> str:
        named = [one for one in self.distances() if one.lift > _STANDS_OUT][:_NAMED]
        if not named:
            return f"No distance between two cells gets more than {_STANDS_OUT} times equal attention."
        at = ", ".join(one.name for one in named)
        lifts = ", ".join(f"{one.lift:.1f}" for one in named)
        layer, head = named[0].best
        return (
            f"When a cell is written, those at distance {at} stand out: they get {lifts} times the "
            f"weight of equal attention to all earlier cells, in the mean over layers and heads. Head {head} "
            f"of layer {layer} looks at distance {named[0].name} most, {named[0].by_head.max():.1f} times."
        )

    def table(self) -> Table:
        """The distances with the largest lift."""
        caption = (
            "Euclidean distances from the cell that is written, those that get most first. An equal share is "
            "what equal attention to all earlier cells would give."
        )
        texts = (
            (
                one.name,
                f"{one.pairs:,}",
                f"{one.weight:.3f}",
                f"{one.lift:.2f}",
                "layer {}, head {}".format(*one.best),
                f"{one.by_head.max():.2f}",
            )
            for one in self.distances()[:_LISTED]
        )
        rows = tuple(tuple(map(Entry, row)) for row in texts)
        header = ("distance", "pairs", "mean weight", "over equal", "most in", "over equal there")
        return Table("At which distances it looks", caption, header, rows)

    def blocks(self) -> list[Block]:
        told = "A small board each cell: where the model looks when it writes the outlined cell."
        return [
            Picture(self.plot(), told),
            Picture(self.plot_distances(), self.summary()),
            self.table(),
        ]

    def offsets(self) -> Offsets:
        """The attention by where the other cell lies."""
        return offsets(self.weights, self.board)

    def distances(self) -> list[Distance]:
        """The distances that two cells have but for rare ones, those with the largest lift first."""
        return distances(self.weights, self.board)

    def plot(self):
        """A small board each cell, arranged as a board: where the model looks when it writes that cell."""
        from matplotlib.patches import Rectangle

        (rows, columns), mean = self.board, self.weights.mean(axis=(0, 1))
        cells = len(mean)
        lift = np.where(np.tri(cells, k=-1, dtype=bool), mean * np.arange(cells)[:, None], np.nan)
        side = min(1.15, 11 / max(rows, columns))
        figure, axes = plots.new_panels(side * columns + 1.2, side * rows + 0.9, rows, columns)
        top = max(float(np.nanquantile(lift, 0.995)), 1.0)
        for cell, one in enumerate(axes):
            row, column = divmod(cell, columns)
            picture = one.imshow(lift[cell].reshape(rows, columns), cmap=blues(), vmin=0, vmax=top)
            outline = {"fill": False, "edgecolor": plots.ORANGE, "linewidth": 1.3, "clip_on": False}
            one.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **outline))
            one.spines[:].set_visible(False)
            one.set_xticks([])
            one.set_yticks([])
        plots.scale(figure, picture, axes, _COLOURS, **_BAR, shrink=0.5, extend="max")
        figure.suptitle(f"when the outlined cell is written: {self._over()}", fontsize=10)
        return figure

    def plot_distances(self):
        """The lift by rows up and columns to the side, and by distance; below, a small map each head."""
        found = self.offsets()
        layers, heads, rows, width = found.lift.shape
        small = layers * heads <= _SMALL_MAPS
        each = min(2.3, 11.5 / heads)
        below = (each * (rows + 1) / width + 0.4) * layers + 0.5 if small else 0
        figure = plots.empty_figure(12.5, 3.9 + below)
        parts = figure.subfigures(2 if small else 1, 1, height_ratios=[3.9, below] if small else None)
        above = parts[0] if small else figure
        left, right = above.subplots(1, 2, width_ratios=[1.25, 1])
        mean = found.weight.mean(axis=(0, 1)) / found.equal
        self._offset_map(left, mean, max(float(np.nanmax(mean)), 1.0), labels=15)
        left.set_title("where it lies from the cell that is written, all layers and heads", fontsize=9)
        left.set_xlabel("columns to the left (-) or right", fontsize=9)
        left.set_ylabel("rows up", fontsize=9)
        plots.scale(above, left.images[0], left, _COLOURS, **_BAR, shrink=0.8)
        self._stems(right)
        above.suptitle(self._over(), fontsize=10)
        if small:
            axes = parts[1].subplots(layers, heads, sharex=True, sharey=True, squeeze=False).ravel()
            top = max(float(np.nanquantile(found.lift, 0.99)), 1.0)
            for place, one in enumerate(axes):
                layer, head = divmod(place, heads)
                self._offset_map(one, found.lift[layer, head], top, labels=5)
                one.set_title(f"layer {layer}, head {head}", fontsize=8)
            plots.scale(parts[1], axes[0].images[0], list(axes), _COLOURS, **_BAR, shrink=0.6, extend="max")
        return figure

    def _offset_map(self, axes, lift: Float[np.ndarray, "R 2*C-1"], top: float, labels: int) -> None:
        """The cell that is written is outlined at the bottom; what is above it was written before."""
        from matplotlib.patches import Rectangle

        rows, width = lift.shape
        side = width // 2
        extent = (-side - 0.5, side + 0.5, -0.5, rows - 0.5)
        axes.imshow(lift, cmap=blues(), vmin=0, vmax=top, origin="lower", extent=extent)
        outline = {"fill": False, "edgecolor": plots.ORANGE, "linewidth": 1.3, "clip_on": False}
        axes.add_patch(Rectangle((-0.5, -0.5), 1, 1, **outline))
        axes.spines[:].set_visible(False)
        every = max(1, -(-width // labels))
        axes.set_xticks([i for i in range(-side, side + 1) if i % every == 0])
        axes.set_yticks([i for i in range(rows) if i % every == 0])
        axes.tick_params(length=2, labelsize=7, color=plots.GREY)

    def _stems(self, axes) -> None:
        """The lift of every distance; those that stand out are named."""
        found = self.distances()
        for one in found:
            axes.plot([one.distance] * 2, [1, one.lift], color=plots.BLUE, linewidth=1.2, alpha=0.5)
        axes.plot([d.distance for d in found], [d.lift for d in found], "o", color=plots.BLUE, markersize=5)
        axes.axhline(1, color=plots.GREY, linewidth=0.8)
        for one in found[:_NAMED]:
            if one.lift > _STANDS_OUT:
                at = (one.distance, one.lift)
                axes.annotate(one.name, at, (0, 6), textcoords="offset points", ha="center", fontsize=9)
        axes.set_ylim(0, max(one.lift for one in found) * 1.12)
        axes.set_xlabel("distance between the two cells", fontsize=9)
        axes.set_title("weight over equal attention, by distance", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)

    def _over(self) -> str:
        of_seeds = "" if self.seeds == 1 else f" (the first of {self.seeds} seeds)"
        step = f", step {self.attention.steps[-1]:,}" if self.attention.steps[-1] else ""
        return f"mean attention{of_seeds} over {self.attention.prompts:,} boards{step}"


def board_map(source: Source | Subject, attended: Attended) -> BoardMap:
    """Where each cell of a task's boards looks, in the first model of a source.

        lab.board_map("runs/grid", jaxgpt.load("runs/grid").task.attended()).plot()

    Raises:
      ValueError: as `place_map`, and if the texts are no boards.
    """
    if attended.board is None:
        raise ValueError("board=None: these texts are no boards; place_map shows where their places look")
    found = place_map(source, attended, steps=1)
    return BoardMap(found.attention, attended.board, found.seeds)
