"""A model apart from its weights, which are named by where they stand in it."""

import math

import jax
from flax import nnx
from jaxtyping import Array

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer

Params = dict[str, Array]


class Template:
    """A model's structure apart from its weights, which are a flat dictionary `path.to.kernel: array`."""

    def __init__(self, config: ModelConfig):
        self.config = config
        abstract = nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0)))
        self.graph, self._state = nnx.split(abstract)
        flat = nnx.to_flat_state(self._state)
        self._paths = {".".join(map(str, path)): path for path, _ in flat}
        self.axes = {".".join(map(str, path)): variable.axes for path, variable in flat}
        self.shapes = {".".join(map(str, path)): variable.shape for path, variable in flat}

    def init(self, key: jax.Array) -> Params:
        """Fresh weights."""
        return self.params(Transformer(self.config, rngs=nnx.Rngs(key)))

    def params(self, model: Transformer) -> Params:
        """The weights of a model."""
        flat = nnx.to_flat_state(nnx.state(model))
        return {".".join(map(str, path)): variable[...] for path, variable in flat}

    def model(self, params: Params) -> Transformer:
        """The model with these weights."""
        flat = [
            (path, variable.replace(params[".".join(map(str, path))]))
            for path, variable in nnx.to_flat_state(self._state)
        ]
        return nnx.merge(self.graph, nnx.from_flat_state(flat))

    @property
    def num_params(self) -> int:
        """Trainable numbers in one replica."""
        return sum(map(math.prod, self.shapes.values()))
