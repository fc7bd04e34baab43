"""A model apart from its weights, which are named by where they stand in it."""

import math

import jax
from flax import nnx
from jaxtyping import Array

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.structure import Structure
from jaxgpt.models.transformer import Transformer

Params = dict[str, Array]


class Template:
    """The structure of a configuration's model, and a name for each weight, `path.to.kernel`.

    Attributes:
      axes, shapes: of each weight.
    """

    def __init__(self, config: ModelConfig):
        self.config = config
        abstract = nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0)))
        self.structure = Structure(abstract)
        variables = [variable for _, variable in nnx.to_flat_state(nnx.state(abstract))]
        self._names = [".".join(map(str, path)) for path in self.structure.paths]
        self.axes = {name: each.axes for name, each in zip(self._names, variables, strict=True)}
        self.shapes = {name: each.shape for name, each in zip(self._names, variables, strict=True)}

    def init(self, key: jax.Array) -> Params:
        """Fresh weights."""
        return self.params(Transformer(self.config, rngs=nnx.Rngs(key)))

    def params(self, model: Transformer) -> Params:
        """The weights of a model."""
        flat = nnx.to_flat_state(nnx.state(model))
        return {".".join(map(str, path)): variable[...] for path, variable in flat}

    def model(self, params: Params) -> Transformer:
        """The model with these weights."""
        return self.structure.model(tuple(params[name] for name in self._names))

    @property
    def num_params(self) -> int:
        """Trainable numbers in one replica."""
        return sum(map(math.prod, self.shapes.values()))
