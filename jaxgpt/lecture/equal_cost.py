"""As many steps as cost what another training costs, counted in operations."""

import dataclasses
import functools

from jaxgpt.training import step_cost
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.prepare import prepare


@functools.lru_cache(maxsize=16)  # several arms are compared with one
def step_flops(experiment: Experiment) -> int:
    """The operations of a step of one seed, by the rows that it reads.

    Raises:
      ValueError: as `prepare`.
    """
    return step_cost.step_flops(prepare(experiment))


def at_equal_cost(experiment: Experiment, other: Experiment) -> Experiment:
    """The experiment with as many steps as cost the operations of the other one's training, at least one."""
    steps = max(1, round(other.training.steps * step_flops(other) / step_flops(experiment)))
    return dataclasses.replace(experiment, training=experiment.training.of_steps(steps))
