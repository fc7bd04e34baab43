"""How much a model's texts differ from each other, and how much they copy, beside real text."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, leave_one_out, student_t
from jaxgpt.evaluation.self_bleu import self_bleu
from jaxgpt.evaluation.variety import CopyIndex, distinct_n
from jaxgpt.lab.part import Part
from jaxgpt.lab.whole_words import share_known, share_repeated, vocabulary
from jaxgpt.pages.blocks import Block, Picture

_COPY_MEAN, _COPY_MOST = "longest copy, mean", "longest copy, most"


@dataclasses.dataclass(frozen=True)
class Variability(Part):
    """Measures of several texts of a model, and of as many passages of real text.

    Attributes:
      names: of the measures: shares, then lengths in characters. [M]
      model: with intervals over the texts; the longest copy of all has none. [M]
      real: the same measures of real text. [M]
      texts: of the model. [N]
      passages: of the real text, cut to the lengths of the texts. [N]
    """

    names: tuple[str, ...]
    model: tuple[Estimate, ...]
    real: tuple[Estimate, ...]
    texts: tuple[str, ...]
    passages: tuple[str, ...]

    def rows(self):
        return ("measure", "text", "value", "low", "high"), (
            (name, kind, estimate.mean, *(estimate.interval or ("", "")))
            for name, *both in zip(self.names, self.model, self.real, strict=True)
            for kind, estimate in zip(("model", "real"), both, strict=True)
        )

    def summary(self) -> str:
        told = "; ".join(
            f"{name} {_shown(name, model.mean)} (real text {_shown(name, real.mean)})"
            for name, model, real in zip(self.names, self.model, self.real, strict=True)
        )
        return f"Of {len(self.texts)} texts: {told}."

    def table(self) -> Table:
        """A row for each measure."""
        size = np.mean([*map(len, self.texts)])
        caption = (
            f"{len(self.texts)} texts of {size:.0f} characters on average, with intervals at 95 % from "
            "leaving out one text at a time. Real text is cut to the same lengths. Copies from the training "
            "text are in characters, all else are shares in [0, 1]."
        )
        rows = (
            (Entry(name), _entry(name, model), _entry(name, real))
            for name, model, real in zip(self.names, self.model, self.real, strict=True)
        )
        return Table("Variability", caption, ("measure", "model", "real text"), tuple(rows))

    def blocks(self) -> list[Block]:
        return [Picture(self.plot(), self.summary()), self.table()]

    def plot(self):
        """Each measure with its interval, the model's beside that of real text."""
        shares = [name for name in self.names if not _is_length(name)]
        groups = (shares, [name for name in self.names if _is_length(name)])
        figure, panels = plots.new_panels(6.4, 1.4 + 0.42 * len(self.names), 2, 1, sharex=False)
        panels[0].get_gridspec().set_height_ratios([len(group) + 0.5 for group in groups])
        for axes, group in zip(panels, groups, strict=True):
            for kind, row, color, shift in (
                ("model", self.model, plots.BLUE, -0.14),
                ("real text", self.real, plots.GREY, 0.14),
            ):
                found = dict(zip(self.names, row, strict=True))
                places = [place + shift for place in range(len(group))]
                for place, name in zip(places, group, strict=True):
                    axes.plot(
                        found[name].interval or (), (place,) * 2 if found[name].interval else (), color=color
                    )
                axes.plot([found[name].mean for name in group], places, "o", color=color, label=kind)
            axes.set_yticks(range(len(group)), group)
            axes.set_ylim(len(group) - 0.5, -0.5)
        panels[0].set_xlim(-0.02, 1.02)
        panels[1].set_xlim(0)
        panels[1].set_xlabel("characters")
        figure.legend(
            *panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False
        )
        return figure


def variability(texts: Sequence[str], training: str, real: str) -> Variability:
    """How varied the texts of a model are, and how much of them it has copied, beside real text.

        written = jaxgpt.lab.samples("runs/plays", ["ROMEO:"], seeds=range(20))
        jaxgpt.lab.variability(written.last, training_text, held_out_text).plot()

    - distinct-1, -2, -3: different n-grams over the number of words, of all texts together (`distinct_n`).
    - self-BLEU: BLEU-4 of each text against the others, the mean (`jaxgpt.evaluation.self_bleu`).
    - repeated 4-grams: the share of a text's runs of four words that came before in it, the mean.
    - words found: the share of a text's words that stand in the training text, the mean.
    - longest copy: characters of a text's longest stretch that stands in the training text, mean and most.

    The first four read words between white space; the last shares read runs of letters, case folded, without
    those at an end of the text. All of them depend on how many texts there are and how long they are, so they
    are compared with passages of real text, as many and as long, spread evenly over it. Intervals are those
    of the jackknife over texts (`leave_one_out`): what other texts of the same model would give.

    Args:
      texts: without their prompts; ten or more, all behind the same prompts.
      training: what the model was trained on.
      real: text of the same kind that was held out.

    Raises:
      ValueError: for fewer than two texts, texts without any character, or a real text shorter than all of
        them together.
    """
    if len(texts) < 2:
        raise ValueError(f"texts has {len(texts)}; give at least two, to be compared with each other")
    if not any(texts):
        raise ValueError("texts: all of them are empty; give what a model has written")
    passages = _passages(real, [*map(len, texts)])
    known, copies = vocabulary(training), CopyIndex([training])
    model, beside = (_measured(some, known, copies) for some in (texts, passages))
    return Variability(
        tuple(model), tuple(model.values()), tuple(beside.values()), tuple(texts), tuple(passages)
    )


def _passages(real: str, sizes: Sequence[int]) -> list[str]:
    """Passages of so many characters each, spread evenly over a text."""
    between = (len(real) - sum(sizes)) // len(sizes)
    if between < 0:
        raise ValueError(
            f"the real text has {len(real)} characters and the texts {sum(sizes)} together; give a longer one"
        )
    starts = np.cumsum([0, *sizes]) + between * np.arange(len(sizes) + 1)
    return [real[start : start + size] for start, size in zip(starts, sizes, strict=False)]


def _measured(texts: Sequence[str], known: frozenset[str], copies: CopyIndex) -> dict[str, Estimate]:
    found = {f"distinct-{n}": _together(texts, lambda some, n=n: distinct_n(some, n)) for n in (1, 2, 3)}
    bleu = self_bleu(texts)
    every = np.arange(len(texts))
    without = [bleu.without[every != j, j].mean() for j in every] if len(texts) > 2 else []
    mean = float(bleu.scores.mean())
    found["self-BLEU"] = Estimate(mean, leave_one_out(mean, without, bounds=(0, 1)), (mean,))
    found["repeated 4-grams"] = _mean([share_repeated(text) for text in texts], most=1)
    found["words found"] = _mean([share_known(text, known) for text in texts], most=1)
    lengths = copies.longest_copies(texts)
    most = float(max(lengths))
    return found | {_COPY_MEAN: _mean(lengths), _COPY_MOST: Estimate(most, None, (most,))}


def _together(texts: Sequence[str], measure: Callable[[Sequence[str]], float]) -> Estimate:
    """A measure of all texts together, with the interval from leaving out each."""
    value = measure(texts)
    without = [measure([*texts[:j], *texts[j + 1 :]]) for j in range(len(texts))]
    return Estimate(value, leave_one_out(value, without, bounds=(0, 1)), (value,))


def _mean(values: Sequence[float], most: float = np.inf) -> Estimate:
    mean = float(np.mean(values))
    return Estimate(mean, student_t(values, bounds=(0, most)), (mean,))


def _is_length(name: str) -> bool:
    return name in (_COPY_MEAN, _COPY_MOST)


def _shown(name: str, value: float) -> str:
    return f"{value:.1f}" if name == _COPY_MEAN else f"{value:.0f}" if _is_length(name) else f"{value:.3f}"


def _entry(name: str, estimate: Estimate) -> Entry:
    bounds = estimate.interval
    detail = "" if bounds is None else f"{_shown(name, bounds[0])}-{_shown(name, bounds[1])}"
    return Entry(_shown(name, estimate.mean), detail=detail)
