"""Which weights a run trains: all of them, the heads, or low-rank additions to some maps."""

import math

import jax
import jax.numpy as jnp

from jaxgpt.training.optimizers.base import matrix_sides
from jaxgpt.training.training_config import TuningConfig

Params = dict[str, jax.Array]

#: The parts of a model behind its stacks, by the first part of a weight's name.
HEADS = ("head", "head_bias", "head_transform", "labels", "pooler")
#: Before the names of additions.
_ADDED = "lora."


class Tuning:
    """Divides a model's weights into those that are trained and those that are kept, and joins them again.

    Args:
      shapes, axes: of the weights by their names (`Template`).

    Raises:
      ValueError: if the model has nothing of what is to be trained.
    """

    def __init__(self, config: TuningConfig, shapes: dict[str, tuple], axes: dict[str, tuple]):
        self.config = config
        self._shapes, self._axes = shapes, axes
        if config.weights == "head":
            self._trained = [name for name in shapes if name.split(".")[0] in HEADS]
            if not self._trained:
                raise ValueError(
                    "training.tuning.weights=head: the model has no weights in its head, which is its "
                    "embeddings; set model.head.weights=separate or model.labels"
                )
        elif config.weights == "lora":
            self._maps = [n for n in shapes if n.endswith(".kernel") and n.split(".")[-2] in config.maps]
            known = sorted({n.split(".")[-2] for n in shapes if n.endswith(".kernel")})
            for name in config.maps:
                if name not in known:
                    raise ValueError(
                        f"training.tuning.maps={name}: no map of the model is called so; known: "
                        f"{', '.join(known)}"
                    )
            heads = [name for name in shapes if name.split(".")[0] in ("labels", "pooler")]
            self._trained = heads  # new heads are trained whole: a low rank of noise would say nothing

    @property
    def all(self) -> bool:
        """Whether every weight is trained."""
        return self.config.weights == "all"

    def split(self, params: Params, key: jax.Array) -> tuple[Params, Params]:
        """The weights to train and those to keep; fresh additions change nothing yet."""
        if self.all:
            return params, {}
        trained = {name: params[name] for name in self._trained}
        kept = {name: value for name, value in params.items() if name not in trained}
        if self.config.weights == "lora":
            for index, name in enumerate(self._maps):
                layers, inputs, outputs = self._sides(name)
                down = jax.random.normal(
                    jax.random.fold_in(key, index), (*layers, inputs, self.config.rank), params[name].dtype
                )
                trained[f"{_ADDED}{name}.down"] = down * inputs**-0.5
                trained[f"{_ADDED}{name}.up"] = jnp.zeros(
                    (*layers, self.config.rank, outputs), params[name].dtype
                )
        return trained, kept

    def join(self, trained: Params, kept: Params) -> Params:
        """All weights of the model."""
        if self.all:
            return trained
        params = kept | {name: v for name, v in trained.items() if not name.startswith(_ADDED)}
        if self.config.weights == "lora":
            factor = self.config.alpha / self.config.rank
            for name in self._maps:
                product = trained[f"{_ADDED}{name}.down"] @ trained[f"{_ADDED}{name}.up"]
                params[name] = params[name] + factor * product.reshape(params[name].shape)
        return params

    def _sides(self, name: str) -> tuple[tuple[int, ...], int, int]:
        """Layers of a kernel that stand in one array, its inputs, its outputs."""
        shape = self._shapes[name]
        inputs, outputs = matrix_sides(self._axes[name], len(shape))
        count = [math.prod(shape[i] for i in side) for side in (inputs, outputs)]
        return shape[: min(inputs)], *count
