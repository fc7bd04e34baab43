"""Training that starts from a run: what one run has learned, another goes on with."""

import dataclasses
from collections.abc import Mapping

import jax.numpy as jnp

from jaxgpt.models.template import Params, Template
from jaxgpt.runs.run import load
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.training import start
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.given_weights import GivenWeights

#: Fields of the second head, which a model that was trained without one leaves to the new experiment.
_LABELS = ("labels", "labels_from", "labels_bias", "pooler", "pooler_activation")


class RunWeights(GivenWeights):
    """The last weights of a run directory, whose replicas each seed finds its own among.

    Raises:
      ValueError: if the path holds no run that can be read.
    """

    def __init__(self, path: str, *, dtype: str | None = None):
        self.path, self._dtype = path, dtype
        self.experiment, self.tokenizer = RunDirectory(path).read()
        self.config = self.experiment.model_for(self.tokenizer)
        first = self.experiment.training.seed
        self.seeds = tuple(range(first, first + self.experiment.seeds))

    def read(self) -> list[Params]:
        models = load(self.path).models
        template, dtype = Template(self.config), self._dtype or self.config.param_dtype
        return [
            {name: jnp.asarray(value, dtype) for name, value in template.params(model).items()}
            for model in models
        ]

    def has_labels_of(self, model):
        return self.config.label_names == model.label_names


def weights_of(experiment: Experiment) -> RunWeights | None:
    """The weights of the run that `model.init` names; None where it names none.

    Raises:
      ValueError: as `RunWeights`.
    """
    path = experiment.model.init
    if not path or not RunDirectory(path).exists():
        return None
    return RunWeights(path, dtype=experiment.model.param_dtype)


def starting_from(experiment: Experiment, path: str) -> Experiment:
    """The experiment with the model of a run, or of a directory of transformers, to start from its weights.

    Text is read by the run's tokenizer. A run without labels leaves the fields of such a head as they are.

    Raises:
      ValueError: as `RunWeights`, or as `jaxgpt.training.start.starting_from`.
    """
    if not RunDirectory(path).exists():
        return start.starting_from(experiment, path)
    given = RunWeights(path)
    model = dataclasses.replace(given.experiment.model, init=path, label_names=())
    if not (given.config.num_labels or given.config.pooler):
        model = dataclasses.replace(model, **{name: getattr(experiment.model, name) for name in _LABELS})
    return dataclasses.replace(experiment, model=model, tokenizer=path)


def override(experiment: Experiment, values: Mapping[str, str], *, begin: bool = False) -> Experiment:
    """`jaxgpt.training.start.override`, whose `model.init` may name a run as well."""
    return start.override(experiment, values, begin=begin, starting=starting_from)
