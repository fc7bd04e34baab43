"""Whether an attribution names the tokens that matter: they are taken away, or given back, in its order.

The embeddings of the tokens with the highest scores are put to zero, a tenth of the prompt after the other
(deletion), or all are zero and those come back first (insertion); each time the probability of the target is
read (Petsiuk et al. 2018, arXiv 1806.07421). A method that is right lets it fall early, and rise early. What
counts is the area between the two curves, beside that of random orders of the same prompt.
"""

import dataclasses
import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from jaxgpt.core.tables import Entry, Table, columns
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, mean_score
from jaxgpt.lab.attribution import METHODS, Method, checked_layer, scaled, scores
from jaxgpt.lab.part import Part
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.models.structure import split
from jaxgpt.pages.blocks import Block

#: Shares of the prompt that are taken away or given back.
SHARES = tuple(np.linspace(0, 1, 11).round(1).tolist())
RANDOM = "random"
#: Random orders of each prompt.
_ORDERS = 4
_HEADER = ("method", "deletion", "insertion", "area above random", "95 %", "to be trusted")


@dataclasses.dataclass(frozen=True)
class Faithfulness(Part):
    """Deletion and insertion curves of several methods over the same prompts.

    Attributes:
      methods: their names, `random` the last. [M]
      deletion: probability of the target with each of `SHARES` of the prompt taken away. [M, P, 11]
      insertion: with each of them given back. [M, P, 11]
    """

    methods: tuple[str, ...]
    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def areas(self) -> np.ndarray:
        """Of each prompt, between its insertion and its deletion curve. [M, P]"""
        return np.trapezoid(self.insertion, dx=0.1) - np.trapezoid(self.deletion, dx=0.1)

    def better_than_random(self) -> dict[str, Estimate]:
        """Of each method its mean area less that of random orders, over prompts; the best one first.

        The interval is of the mean over other prompts like these, at 95 %.
        """
        gained = self.areas[:-1] - self.areas[-1]
        found = {name: _mean(values) for name, values in zip(self.methods, gained, strict=False)}
        return dict(sorted(found.items(), key=lambda item: -item[1].mean))

    def table(self) -> str:
        """A row a method, the one to trust most first."""
        return "\n".join(columns([_HEADER, *self._told()]))

    def summary(self) -> str:
        trusted = [row[0] for row in self._told() if row[-1] == "yes"]
        told = ", ".join(trusted) if trusted else "none of them"
        return f"Over {self.areas.shape[1]} prompts, surely better than a random order: {told}."

    def blocks(self) -> list[Block]:
        caption = (
            "Areas under the curve of deletion (small is good) and of insertion (large is good), means over "
            "prompts; a method is to be trusted where its interval lies above that of random orders."
        )
        rows = tuple(tuple(Entry(text) for text in row) for row in self._told())
        return [*super().blocks(), Table("Which method to trust", caption, _HEADER, rows)]

    def _told(self) -> list[tuple[str, ...]]:
        rows = []
        for name, gained in self.better_than_random().items():
            index = self.methods.index(name)
            # One prompt gives no interval, and so do prompts that all gain alike.
            low, high = gained.interval or (-math.inf, math.inf)
            told = "yes" if low > 0 else "no" if high < 0 else "not sure"
            rows.append(
                (
                    name,
                    *(
                        f"{np.trapezoid(each[index], dx=0.1).mean():.4f}"
                        for each in (self.deletion, self.insertion)
                    ),
                    f"{gained.mean:+.4f}",
                    "none" if gained.interval is None else f"{low:+.4f} to {high:+.4f}",
                    told,
                )
            )
        last = [f"{np.trapezoid(each[-1], dx=0.1).mean():.4f}" for each in (self.deletion, self.insertion)]
        return [*rows, (RANDOM, *last, "", "", "")]

    def rows(self):
        return ("method", "prompt", "curve", "share", "probability"), (
            (method, prompt, name, share, float(curves[index, prompt, place]))
            for index, method in enumerate(self.methods)
            for name, curves in (("deletion", self.deletion), ("insertion", self.insertion))
            for prompt in range(curves.shape[1])
            for place, share in enumerate(SHARES)
        )

    def plot(self):
        figure, panels = plots.new_panels(8.4, 4.2, 1, 2)
        for axes, curves, title in zip(
            panels, (self.deletion, self.insertion), ("taken away", "given back"), strict=False
        ):
            for index, name in enumerate(self.methods):
                style = {"color": plots.GREY, "linestyle": "--"} if name == RANDOM else {}
                axes.plot(SHARES, curves[index].mean(axis=0), label=name, **style)
            axes.set_xlabel(f"share of the prompt {title}, highest scores first")
        panels[0].set_ylabel("probability of the target")
        figure.legend(
            *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False
        )
        return figure


def faithfulness(
    source: Source | Subject,
    asked: Sequence[tuple[str, str]],
    *,
    methods: Sequence[Method] = METHODS,
    seed: int = 0,
) -> Faithfulness:
    """How well each method names the tokens that matter, over prompts with a target each.

        jaxgpt.lab.faithfulness(run, [("Once upon a time", ","), ...]).table()

    Args:
      asked: prompts and targets, as `attribute` takes them; fewer than 50 say little.
      seed: of the random orders.

    Raises:
      ValueError: as `attribute`; without a prompt.
    """
    if not asked:
        raise ValueError("asked=(): give at least one prompt with its target")
    subject = Subject.of(source).decoder()
    model = subject.models[0]
    structure, weights = split(model)
    rng = np.random.default_rng(seed)
    deletion = np.zeros((len(methods) + 1, len(asked), len(SHARES)))
    insertion = np.zeros_like(deletion)
    layers = {method: checked_layer(model, method, None) for method in methods}
    for place, (prompt, text) in enumerate(asked):
        tokens, target = np.asarray(subject.encode(prompt)), subject.token(text)
        orders = []
        for method in methods:
            signed, _, _ = scores(model, tokens, target, method, layers[method])
            orders.append(np.argsort(-signed, kind="stable"))
        orders += [rng.permutation(len(tokens)) for _ in range(_ORDERS)]
        factors = np.concatenate([_kept(order, len(tokens)) for order in orders])
        _, found = scaled(structure, weights, jnp.asarray(tokens)[None], target, factors)
        curves = found.reshape(len(orders), 2, len(SHARES))
        for index in range(len(methods)):
            deletion[index, place], insertion[index, place] = curves[index]
        deletion[-1, place], insertion[-1, place] = curves[len(methods) :].mean(axis=0)
    return Faithfulness((*methods, RANDOM), deletion, insertion)


def _kept(order: np.ndarray, count: int) -> np.ndarray:
    """What each token is multiplied by at every share, of a deletion and then of an insertion. [22, T]"""
    rank = np.empty(count, int)
    rank[order] = np.arange(count)
    changed = np.rint(np.asarray(SHARES) * count)[:, None]
    return np.concatenate([rank >= changed, rank < changed]).astype(np.float32)


def _mean(values: np.ndarray) -> Estimate:
    """The mean over prompts, whose differences may be of either sign, with its interval."""
    return mean_score(np.asarray(values)[None])
