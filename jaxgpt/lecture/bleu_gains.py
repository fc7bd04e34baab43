"""How much BLEU one arm gains over another, by the length of the source, with intervals."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate, Interval, student_t
from jaxgpt.evaluation.questions import Question, select
from jaxgpt.evaluation.scoring import answers
from jaxgpt.evaluation.translation_scores import bleu_gain
from jaxgpt.lab.part import Part
from jaxgpt.runs.run import Run
from jaxgpt.task import Example


class Translated(NamedTuple):
    """Held-out sentences, and what every seed's model made of them.

    Attributes:
      examples: [N]
      texts: [R][N]
      references: [N]
    """

    examples: tuple[Example, ...]
    texts: tuple[tuple[str, ...], ...]
    references: tuple[tuple[str, ...], ...]

    def of_group(self, group: str) -> "Translated":
        """Those of one group; all without a name."""
        kept = [i for i, example in enumerate(self.examples) if not group or example.group == group]
        return Translated(
            tuple(self.examples[i] for i in kept),
            tuple(tuple(texts[i] for i in kept) for texts in self.texts),
            tuple(self.references[i] for i in kept),
        )


def translated(run: Run, examples: Sequence[Example] | None = None) -> Translated:
    """The answers of a run of the task `translation`, as they are scored.

    Args:
      examples: None: those that the run was asked at its end.
    """
    training, task = run.experiment.training, run.task
    if examples is None:
        asked = select(task, "test", n=training.test_examples, n_extra=0, data_seed=training.data_seed)
        examples = [question.example for question in asked]
    questions = [Question(example) for example in examples]
    found = answers(run.models, run.tokenizer, task, questions, run.experiment.objective)
    texts = tuple(
        tuple(task.answer(e.prompt, text) for e, text in zip(examples, seed, strict=True)) for seed in found
    )
    return Translated(tuple(examples), texts, tuple(task.references(example) for example in examples))


@dataclasses.dataclass(frozen=True)
class Gain:
    """What one arm gains over another on the sentences of a group.

    Attributes:
      group: empty: all.
      count: sentences.
      over_sentences: the mean over seeds, with its interval over other sentences, and each seed's gain.
    """

    group: str
    count: int
    over_sentences: Estimate

    @property
    def over_seeds(self) -> Interval | None:
        """The interval of the mean over other seeds: Student's, of the differences seed by seed."""
        return student_t(self.over_sentences.per_seed, bounds=(-100.0, 100.0))


@dataclasses.dataclass(frozen=True)
class BleuGains(Part):
    """The gains of an arm over another, over all sentences and of each length."""

    arm: str
    baseline: str
    gains: tuple[Gain, ...]

    def rows(self):
        header = ("sentences", "count", "gain in BLEU", "low over seeds", "high over seeds")
        header += ("low over sentences", "high over sentences", "each seed")
        return header, (
            (
                gain.group or "all",
                gain.count,
                gain.over_sentences.mean,
                *(gain.over_seeds or ("", "")),
                *gain.over_sentences.interval,
                " ".join(map(repr, gain.over_sentences.per_seed)),
            )
            for gain in self.gains
        )

    def table(self) -> Table:
        """A row each length."""
        rows = tuple(
            (
                Entry(gain.group or "all"),
                Entry(f"{gain.count:,}"),
                Entry(f"{gain.over_sentences.mean:+.1f}"),
                _entry(gain.over_seeds),
                _entry(gain.over_sentences.interval),
            )
            for gain in self.gains
        )
        seeds = len(self.gains[0].over_sentences.per_seed)
        over_seeds = (
            f"means of {seeds} seeds, paired. Over seeds: Student's interval at 95 %, for other seeds on "
            "these sentences."
            if seeds > 1
            else "one seed."
        )
        caption = (
            f"BLEU of {self.arm} minus that of {self.baseline}: {over_seeds} Over sentences: the paired "
            "bootstrap at 95 %, for these models on other sentences; it takes sources as independent, also "
            "where joined ones share a sentence. Bold ones exclude 0."
        )
        header = ("sentences", "count", "gain", "over seeds", "over sentences")
        return Table("Gain in BLEU", caption, header, rows)

    def summary(self) -> str:
        last = self.gains[-1]
        seeds = "" if last.over_seeds is None else " ({:+.1f} to {:+.1f} over seeds)".format(*last.over_seeds)
        told = ", ".join(
            f"{gain.over_sentences.mean:+.1f} on {gain.group or 'all'}" for gain in self.gains[:-1]
        )
        return (
            f"{self.arm} minus {self.baseline}, in BLEU: {told}, and {last.over_sentences.mean:+.1f}{seeds} "
            f"on sources of {last.group}."
        )

    def blocks(self):
        return [*super().blocks(), self.table()]

    def plot(self):
        """Each length a line: seeds as small dots, the mean with both intervals."""
        figure, (axes,) = plots.new_figure(6.4, 0.9 + 0.42 * len(self.gains))
        for height, gain in enumerate(reversed(self.gains)):
            found = gain.over_sentences
            bounds = {"over seeds": (gain.over_seeds, 0.1, plots.BLUE)}
            bounds["over sentences"] = (found.interval, -0.1, plots.ORANGE)
            for name, (interval, shift, color) in bounds.items():
                if interval is not None:
                    axes.plot(interval, [height + shift] * 2, color=color, label=name if not height else None)
            axes.plot(found.per_seed, [height] * len(found.per_seed), ".", color=plots.GREY, markersize=4)
            axes.plot(found.mean, height, "ko", markersize=5)
        axes.axvline(0, color=plots.GREY, linewidth=1, linestyle=":")
        names = [plots.label(gain.group or "all") for gain in reversed(self.gains)]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_xlabel("gain in BLEU")
        axes.legend(frameon=False, fontsize=8)
        return figure


def bleu_gains(
    arm: tuple[str, Translated], baseline: tuple[str, Translated], groups: Sequence[str]
) -> BleuGains:
    """The gains over all sentences, then over those of each group.

    Args:
      arm, baseline: a name, and what it made of the same sentences.
    """
    gains = []
    for group in ("", *groups):
        own, other = arm[1].of_group(group), baseline[1].of_group(group)
        found = bleu_gain(own.texts, other.texts, own.references)
        gains.append(Gain(group, len(own.examples), found))
    return BleuGains(arm[0], baseline[0], tuple(gains))


def _entry(interval: Interval | None) -> Entry:
    if interval is None:
        return Entry("")
    low, high = interval
    sure = "better" if low > 0 else "worse" if high < 0 else ""
    return Entry(f"{low:+.1f} to {high:+.1f}", sure)
