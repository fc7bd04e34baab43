"""Linear probes: what can be read off the residual, at which layer and at which token.

A linear classifier is fitted to the activations of one layer at one place (Alain and Bengio 2016, arXiv
1610.01644). A control task tells how much of its accuracy is the classifier's own: the same classifier learns
labels that were drawn at random for each type of input, which no model can know. Selectivity is the accuracy
minus that of the control (Hewitt and Liang 2019, arXiv 1909.03368).
"""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from jaxtyping import Int

from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, proportion
from jaxgpt.lab.linear_probe import Parts, probe_accuracy
from jaxgpt.lab.part import Part, drawn_label
from jaxgpt.lab.probe_inputs import Labels, Positions, activations, control_labels, numbered, places_of
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models import Transformer
from jaxgpt.pages.blocks import Block, Chooser, Picture
from jaxgpt.pages.token_text import label as token_label

#: Fewer texts tell too little of a probe.
_LEAST = 50


@dataclasses.dataclass(frozen=True)
class Probes(Part):
    """How well a linear classifier tells labels, by layer and place; R models, a seed each, and Q labels.

    Attributes:
      labels: their names. [Q]
      layers: `embedding`, and each layer, of which the output is read. [L + 1]
      places: where in the texts it is read: the token, where all texts have the same there, else `#5`. [P]
      example: the tokens of the first text at these places. [P]
      right: the share of the test texts whose label was told. [R, Q, L + 1, P]
      control: the same of the control task; NaN where it would be one label for all. [R, Q, L + 1, P]
      chance: the share of the test texts with the label that most training texts have. [Q]
      asked: how many test texts there are.
    """

    labels: tuple[str, ...]
    layers: tuple[str, ...]
    places: tuple[str, ...]
    example: tuple[str, ...]
    right: np.ndarray
    control: np.ndarray
    chance: np.ndarray
    asked: int

    @property
    def accuracy(self) -> np.ndarray:
        """The mean over models. [Q, L + 1, P]"""
        return self.right.mean(axis=0)

    @property
    def selectivity(self) -> np.ndarray:
        """Accuracy minus that of the control task. [Q, L + 1, P]"""
        return (self.right - self.control).mean(axis=0)

    def estimate(self, label: int, layer: int, place: int) -> Estimate:
        """An accuracy with its interval: over models, or, of one model, over the test texts."""
        return proportion(self.right[:, label, layer, place].tolist(), self.asked)

    def best(self, label: int) -> tuple[int, int]:
        """The layer and place of the highest accuracy; being the highest, it is a little too high."""
        found = self.accuracy[label]
        layer, place = np.unravel_index(int(np.argmax(found)), found.shape)
        return int(layer), int(place)

    def rows(self):
        header = ("label", "layer", "place", "accuracy", "low", "high", "control", "selectivity", "chance")
        return header, (
            (
                name,
                layer,
                place,
                (estimate := self.estimate(q, x, p)).mean,
                *(estimate.interval or ("", "")),
                float(self.control[:, q, x, p].mean()),
                float(self.selectivity[q, x, p]),
                float(self.chance[q]),
            )
            for q, name in enumerate(self.labels)
            for x, layer in enumerate(self.layers)
            for p, place in enumerate(self.places)
        )

    def summary(self) -> str:
        told = "; ".join(self._told(q) for q in range(min(len(self.labels), 4)))
        left = len(self.labels) - 4
        return f"Where each label is read best. {told}{f'; and {left} labels more' if left > 0 else ''}."

    def _told(self, label: int) -> str:
        layer, place = self.best(label)
        estimate = self.estimate(label, layer, place)
        low, high = estimate.interval or (estimate.mean, estimate.mean)
        control = self.control[:, label, layer, place].mean()
        beside = "" if np.isnan(control) else f"control {control:.0%}, "
        where = f"from {'' if layer else 'the '}{self.layers[layer]} at {token_label(self.places[place])}"
        return (
            f"{self.labels[label]}: {estimate.mean:.0%} ({low:.0%} to {high:.0%}) {where}; "
            f"{beside}the most frequent label {self.chance[label]:.0%}"
        )

    def blocks(self) -> list[Block]:
        frames = [[Picture(self.picture(q), f"{self._told(q)}.")] for q in range(len(self.labels))]
        if len(frames) == 1:
            return list(frames[0])
        return [Picture(self.plot(), self.summary()), Chooser({"label": self.labels}, frames)]

    def plot(self):
        """The accuracy of every label: a panel each, layers down and places across."""
        count, size = len(self.labels), self._size()
        figure, panels = plots.new_figure(size[0], 0.6 + count * (size[1] + 0.3), rows=count)
        for q, axes in enumerate(panels):
            picture = self._map(axes, self.accuracy[q], "Blues", (0, 1), named=q == count - 1)
            axes.set_title(
                f"{plots.label(self.labels[q])}: chance {self.chance[q]:.0%}", fontsize=8, loc="left"
            )
        plots.scale(figure, picture, panels, "accuracy", aspect=15 * count)
        return figure

    def picture(self, label: int):
        """Accuracy and selectivity of one label, layers down and places across."""
        width, height = self._size()
        figure, panels = plots.new_figure(width, 1.0 + 2 * (height + 0.3), rows=2)
        name = plots.label(self.labels[label])
        panels[0].set_title(f"{name}: accuracy, chance {self.chance[label]:.0%}", fontsize=9, loc="left")
        panels[1].set_title("selectivity: above the control task", fontsize=9, loc="left")
        accuracy = self._map(panels[0], self.accuracy[label], "Blues", (0, 1), named=False)
        plots.scale(figure, accuracy, [panels[0]], "", aspect=15)
        selectivity = self._map(panels[1], self.selectivity[label], "RdBu", (-1, 1))
        plots.scale(figure, selectivity, [panels[1]], "", aspect=15)
        return figure

    def _size(self) -> tuple[float, float]:
        return min(2.4 + 0.36 * len(self.places), 16), 0.24 * len(self.layers) + 0.1

    def _map(self, axes, values: np.ndarray, colors: str, ends: tuple[float, float], *, named: bool = True):
        picture = axes.imshow(values, cmap=colors, vmin=ends[0], vmax=ends[1], aspect="auto")
        if len(self.places) <= 36:
            for (layer, place), value in np.ndenumerate(values):
                if not np.isnan(value):
                    color = "white" if abs(value) > 0.6 else "black"
                    axes.text(
                        place, layer, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color=color
                    )
        axes.set_yticks(range(len(self.layers)), self.layers, fontsize=8)
        axes.tick_params(length=0)
        if named:
            names = zip(self.places, self.example, strict=True)
            shown = [drawn_label(a) if a == b else f"{drawn_label(b)}\n{drawn_label(a)}" for a, b in names]
            axes.set_xticks(range(len(shown)), shown, fontsize=7)
            axes.set_xlabel("token that is read, of one of the texts", fontsize=8)
        return picture


def probes(
    source: Source | Subject,
    texts: Sequence[str],
    labels: Labels,
    *,
    positions: Positions | None = None,
    types: Labels | None = None,
    seed: int = 0,
) -> Probes:
    """How well a linear classifier tells labels of texts from the residual of each layer.

        jaxgpt.lab.probes(run, ["12+34=", ...], {"carry": [0, ...]}, positions=[-1]).picture(0)

    Three texts of five are learned, one chooses the regularization, one is asked. Repeated texts count once.

    Args:
      labels: of every text; several kinds by their names, of which each has a probe.
      positions: of the tokens that are read, counted from 0 with the token that begins a text, or from -1 at
        the end. None: all places that every text has.
      types: by which the control task draws its labels at random, the kinds named as in `labels`: what the
        label could be memorized by, such as the pair of digits that it follows from. None: the token read.
      seed: of the parts, and of the control task's labels.

    Raises:
      ValueError: for less than 50 texts, labels or types that are not one a text, a label that all texts
        share, a position that a text lacks, or what the tokenizer or the model cannot read.
    """
    subject = Subject.of(source).decoder()
    labels = _by_name(labels)
    types = {} if types is None else _by_name(types)
    if unknown := [name for name in types if name not in labels]:
        raise ValueError(f"types of {unknown[0]!r}: there is no such label; there are {', '.join(labels)}")
    for kind, values in [*(("labels", v) for v in labels.values()), *(("types", v) for v in types.values())]:
        if len(values) != len(texts):
            raise ValueError(f"{len(values)} {kind} for {len(texts)} texts; give one for each")
    tokens = [subject.encode(text) for text in texts]
    places, names = places_of(subject, tokens, positions)
    kept = sorted({text: i for i, text in reversed(list(enumerate(texts)))}.values())
    tokens, places = [tokens[i] for i in kept], places[kept]
    if len(kept) < _LEAST:
        raise ValueError(f"{len(kept)} different texts; a probe needs at least {_LEAST}")
    read = np.asarray([[row[p] for p in at] for row, at in zip(tokens, places, strict=True)])  # [N, P]
    parts = Parts.of(len(kept), seed)
    real = {name: numbered([values[i] for i in kept]) for name, values in labels.items()}
    for name, values in real.items():
        if len(set(values[parts.train].tolist())) < 2:
            raise ValueError(f"label {name!r}: all training texts have the same; there is nothing to tell")
    control = {
        name: control_labels(
            real[name], [types[name][i] for i in kept] if name in types else None, read, seed
        )
        for name in real
    }
    found = [_probed(model, subject, tokens, places, real, control, parts) for model in subject.models]
    right, controlled = (np.stack(each) for each in zip(*found, strict=True))
    return Probes(
        tuple(real),
        ("embedding", *(f"layer {layer}" for layer in range(right.shape[2] - 1))),
        names,
        tuple(subject.shown(read[0].tolist())),
        right,
        controlled,
        np.asarray([_most_frequent(values, parts) for values in real.values()]),
        len(parts.test),
    )


def _by_name(values: Labels) -> Mapping[str, Sequence[Hashable]]:
    return values if isinstance(values, Mapping) else {"label": values}


def _most_frequent(labels: Int[np.ndarray, " N"], parts: Parts) -> float:
    return float((labels[parts.test] == np.bincount(labels[parts.train]).argmax()).mean())


def _probed(
    model: Transformer, subject: Subject, tokens, places, real, control, parts
) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies of one model, and those of the control task. Both [Q, L + 1, P]"""
    layers = activations(model, subject.tokenizer.pad_id, tokens, places)
    shape = (len(real), len(layers), places.shape[1])
    right, controlled = np.zeros(shape), np.full(shape, np.nan)
    for (q, layer, place), _ in np.ndenumerate(right):
        name, x = tuple(real)[q], layers[layer][:, place]
        right[q, layer, place] = probe_accuracy(x, real[name], parts)
        if (labels := control[name][place]) is not None:
            controlled[q, layer, place] = probe_accuracy(x, labels, parts)
    return right, controlled
