"""What a call of `evaluate` may say beside models, task and number of questions."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from jaxgpt.objectives.base import Objective
from jaxgpt.task import Example, Task


@dataclasses.dataclass(frozen=True)
class TrainedOn:
    """What the models were trained on.

    Attributes:
      examples: for the task's summary, and for the loss beside the held-out one; None: drawn from the task.
      task: of the examples, if it is not the one that asks; it tells which questions were trained on in other
        words.
      objective: what was learned of them, which is how a model answers; None: what its heads tell.
      data_seed: that the examples were drawn with, and the questions are.
    """

    examples: Sequence[Example] | None = None
    task: Task | None = None
    objective: Objective | None = None
    data_seed: int = 0


@dataclasses.dataclass(frozen=True)
class Kept:
    """What is kept of the answers, beside their scores.

    Attributes:
      mistakes: wrong answers of the first model.
      samples: texts sampled at temperature 1 from a task that writes text; sample_tokens: of each.
      gallery: where the task's own picture of the first model's answers goes, if it draws one.
    """

    mistakes: int = 10
    samples: int = 50
    sample_tokens: int = 200
    gallery: Path | None = None
