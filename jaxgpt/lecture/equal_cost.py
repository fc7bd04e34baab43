"""As many steps as cost what another training costs, counted in operations."""

import dataclasses
import functools

from jaxgpt.models.template import Template
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.flops import training_flops
from jaxgpt.training.prepare import prepare


@functools.lru_cache(maxsize=16)  # several arms are compared with one
def step_flops(experiment: Experiment) -> int:
    """The operations of a step of one seed on running text (`jaxgpt.training.flops`).

    Raises:
      ValueError: for a task of questions, whose rows differ in length; and as `prepare`.
    """
    if experiment.task.layout != "stream":
        raise ValueError(
            f"task={type(experiment.task).kind()} is no running text, whose rows have one length"
        )
    model = prepare(experiment).model
    one = training_flops(model, Template(model).shapes, tokens=model.max_length)
    return one * experiment.training.batch_size


def at_equal_cost(experiment: Experiment, other: Experiment) -> Experiment:
    """The experiment with as many steps as cost the operations of the other one's training, at least one."""
    steps = max(1, round(other.training.steps * step_flops(other) / step_flops(experiment)))
    training = dataclasses.replace(
        experiment.training,
        steps=steps,
        chunk=min(experiment.training.chunk, steps),
        keep_spaced=min(experiment.training.keep_spaced, steps),
    )
    return dataclasses.replace(experiment, training=training)
