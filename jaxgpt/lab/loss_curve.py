"""The loss of a run on texts, at every step that was kept."""

import dataclasses
from collections.abc import Mapping

from jaxgpt.core.wording import shown
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab.part import Part, band, step_axis
from jaxgpt.lab.subject import Source, steps_of
from jaxgpt.lab.text_loss import TextLoss, Unknown, text_loss


@dataclasses.dataclass(frozen=True)
class LossCurve(Part):
    """Losses over training, from checkpoints.

    Attributes:
      steps: [S]
      texts: their names, such as training and held out. [N]
      losses: [N][S]
    """

    steps: tuple[int, ...]
    texts: tuple[str, ...]
    losses: tuple[tuple[TextLoss, ...], ...]

    @property
    def nats(self) -> tuple[tuple[Estimate, ...], ...]:
        """A character. [N][S]"""
        return tuple(tuple(loss.nats for loss in row) for row in self.losses)

    def rows(self):
        header = ("step", "text", "nats a character", "low", "high", "bits a byte", "left out", "seeds")
        return header, (
            (
                step,
                name,
                loss.nats.mean,
                *(loss.nats.interval or ("", "")),
                loss.bits_a_byte.mean,
                loss.left_out,
                " ".join(map(repr, loss.nats.per_seed)),
            )
            for name, row in zip(self.texts, self.losses, strict=True)
            for step, loss in zip(self.steps, row, strict=True)
        )

    def summary(self) -> str:
        told = "; ".join(
            f"{name}: {row[0].mean:.3f} at step {self.steps[0]}, {row[-1].mean:.3f} at step {self.steps[-1]}"
            for name, row in zip(self.texts, self.nats, strict=True)
        )
        return f"Loss in nats a character. {told}."

    def plot(self):
        figure, (axes,) = plots.new_figure(6.4, 3.8)
        colors = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.GREY)
        for index, (name, row) in enumerate(zip(self.texts, self.nats, strict=True)):
            band(axes, self.steps, row, plots.label(name), colors[index % len(colors)])
        step_axis(axes, self.steps)
        axes.set_ylabel("loss, nats a character")
        axes.legend(frameon=False)
        return figure


def loss_curve(source: Source, texts: Mapping[str, str], *, unknown: Unknown = "skip") -> LossCurve:
    """How well a run predicts texts, at every step that was kept.

        jaxgpt.lab.loss_curve("runs/plays", {"training": seen, "held out": unseen}).plot()

    Args:
      source: a run or its directory; of models with their tokenizer there is one step, called 0.
      texts: by name.
      unknown: as of `loss_matrix`.

    Raises:
      ValueError: without a text, for one that does not fill a window, or a run of which fewer than two steps
        were kept.
    """
    if not texts:
        raise ValueError("texts={}: give at least one, by its name")
    subjects = steps_of(source)
    subjects[-1].decoder()
    found: list[tuple[TextLoss, ...]] = []
    for name, text in texts.items():
        try:
            found.append(tuple(text_loss(subject, text, unknown) for subject in subjects))
        except ValueError as error:
            raise ValueError(f"{shown(name)}: {error}") from error
    return LossCurve(tuple(subject.step or 0 for subject in subjects), tuple(texts), tuple(found))
