"""What models that learned one text gain from a few steps on another, and what they forget.

Three curves say whether the first text helped: the new text from the given models, the same from fresh
weights, and the first text while the new one is learned.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab.part import Part, band
from jaxgpt.lab.subject import Source, Subject
from jaxgpt.lab.text_loss import TextLoss, text_loss
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.trainer import Trainer

#: Steps after which the texts are read, as far as there are so many.
LOOKS = (0, 1, 2, 5, 10, 20, 50, 100, 150, 200)


@dataclasses.dataclass(frozen=True)
class FineTuning(Part):
    """Losses while models that learned one text are trained on another.

    Attributes:
      learned: the name of what the models had learned.
      step: that they are of; 0 where it is not known.
      trained_on: of what they are trained on.
      steps: of this training. [S]
      gained: on the new text, from the given models. [S]
      scratch: on the new text, from fresh weights. [S]
      forgotten: on the first text, from the given models. [S]
    """

    learned: str
    step: int
    trained_on: str
    steps: tuple[int, ...]
    gained: tuple[TextLoss, ...]
    scratch: tuple[TextLoss, ...]
    forgotten: tuple[TextLoss, ...]

    @property
    def curves(self) -> dict[str, tuple[Estimate, ...]]:
        """Nats a character by what is read and where it began."""
        named = {
            f"{self.trained_on}, begun from {self.learned}": self.gained,
            f"{self.trained_on}, from fresh weights": self.scratch,
            f"{self.learned}, as it is forgotten": self.forgotten,
        }
        return {name: tuple(loss.nats for loss in row) for name, row in named.items()}

    def rows(self):
        header = ("step", "curve", "nats a character", "low", "high", "seeds")
        return header, (
            (
                step,
                name,
                estimate.mean,
                *(estimate.interval or ("", "")),
                " ".join(map(repr, estimate.per_seed)),
            )
            for name, row in self.curves.items()
            for step, estimate in zip(self.steps, row, strict=True)
        )

    def summary(self) -> str:
        ends = {name: (row[0].mean, row[-1].mean) for name, row in self.curves.items()}
        told = "; ".join(f"{name}: {first:.3f} to {last:.3f}" for name, (first, last) in ends.items())
        return f"Nats a character over {self.steps[-1]} steps. {told}."

    def plot(self):
        figure, (axes,) = plots.new_figure(6.4, 3.8)
        self.draw(axes)
        axes.legend(frameon=False, fontsize=8)
        return figure

    def draw(self, axes) -> None:
        """The three curves in axes of matplotlib."""
        colors = (plots.BLUE, plots.GREY, plots.ORANGE)
        for (name, row), color in zip(self.curves.items(), colors, strict=True):
            band(axes, self.steps, row, plots.label(name, 80), color)
        axes.set_xlabel(f"steps of training on {plots.label(self.trained_on)}")
        axes.set_ylabel("loss, nats a character")


def fine_tune(
    source: Source | Subject,
    experiment: Experiment,
    *,
    learned: tuple[str, str],
    trained_on: tuple[str, str],
    looks: Sequence[int] = LOOKS,
) -> FineTuning:
    """Train models further on another text, and fresh ones beside them. Nothing is written.

    Args:
      source: its models, one a seed, are what the training begins with.
      experiment: the training: its task has the new text, and its seeds are as many as there are models. The
        models' own tokenizer reads the text.
      learned, trained_on: a name, and text that was held out, of what the models had learned and of what they
        are trained on.
      looks: steps after which the losses are read; those beyond the training's end are left out.

    Raises:
      ValueError: as `jaxgpt.Trainer` and `Trainer.start_from`; for a text that does not fill a window.
    """
    subject = Subject.of(source).decoder()
    trainer = Trainer(experiment, tokenizer=subject.tokenizer)
    steps = sorted({step for step in looks if 0 <= step <= trainer.num_steps})
    if not steps:
        raise ValueError(f"looks={tuple(looks)}: none is within the {trainer.num_steps} steps of training")
    fresh = trainer.models
    trainer.start_from(subject.models)
    found = _followed(trainer, subject, steps, dict([learned, trained_on]))
    trainer.start_from(fresh)
    scratch = _followed(trainer, subject, steps, dict([trained_on]))
    curves = (found[trained_on[0]], scratch[trained_on[0]], found[learned[0]])
    return FineTuning(learned[0], subject.step or 0, trained_on[0], tuple(steps), *curves)


def _followed(
    trainer: Trainer, subject: Subject, steps: Sequence[int], texts: Mapping[str, str]
) -> dict[str, tuple[TextLoss, ...]]:
    """The losses on each text after each of the steps."""
    found: dict[str, list[TextLoss]] = {name: [] for name in texts}
    for step in steps:
        trainer.step(step - trainer.steps_done)
        now = dataclasses.replace(subject, models=tuple(trainer.models))
        for name, text in texts.items():
            found[name].append(text_loss(now, text))
    return {name: tuple(row) for name, row in found.items()}
