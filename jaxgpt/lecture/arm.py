"""One of the models that a row of the lecture compares."""

import dataclasses
import re
from collections.abc import Mapping

from jaxgpt.core.nested import replaced
from jaxgpt.runs import experiments, run_weights
from jaxgpt.task import Task
from jaxgpt.training.experiment import Experiment

#: `quick` divides the steps by this.
SHORTER = 20
#: The least steps of a quick training, and the most questions it asks.
_STEPS, _QUESTIONS = 20, 50


@dataclasses.dataclass(frozen=True)
class Arm:
    """One training, as `train.py` does it.

    Attributes:
      name: as figures show it.
      experiment: its name.
      values: the fields that differ from it, as text by dotted path.
      begins_from: the name of an earlier arm whose weights this one begins from, seed by seed; empty: from
        random ones.
      as_costly_as: the name of an earlier arm; this one takes as many steps as cost as much. Empty: its own.
    """

    name: str
    experiment: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    begins_from: str = ""
    as_costly_as: str = ""

    @property
    def folder(self) -> str:
        """What its run directory is called."""
        return file_name(self.name)

    def task(self) -> Task:
        """The task that it learns.

        Raises:
          ValueError: if a field does not fit.
        """
        own = {name: text for name, text in self.values.items() if name.split(".")[0] == "task"}
        return run_weights.override(experiments.find(self.experiment), own).task

    def training(self, values: Mapping[str, str], *, quick: bool) -> Experiment:
        """Its experiment.

        Args:
          values: more fields, such as `seeds`.
          quick: a twentieth of the steps and few questions, to see that all works.

        Raises:
          ValueError: if a field does not fit.
        """
        found = run_weights.override(experiments.find(self.experiment), {**self.values, **values})
        return shortened(found) if quick else found


def file_name(text: str) -> str:
    """What a file of such a name can be called everywhere."""
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")


def shortened(experiment: Experiment) -> Experiment:
    """The experiment with a twentieth of its steps, at least 20, and at most 50 questions."""
    training = experiment.training
    steps = min(training.steps, max(_STEPS, training.steps // SHORTER))
    fewer = {
        name: min(getattr(training, name), _QUESTIONS)
        for name in ("test_examples", "extra_examples", "eval_examples")
    }
    changed = {
        "steps": steps,
        "epochs": None,
        "chunk": min(training.chunk, steps),
        "eval_every": min(training.eval_every, steps),
        "looks": min(training.looks, 4),
        "keep_spaced": min(training.keep_spaced, 4),
        "sample_every": 0,
        **fewer,
    }
    return replaced(experiment, {f"training.{name}": value for name, value in changed.items()})
