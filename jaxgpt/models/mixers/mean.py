"""The mean of all tokens so far: makemore's bag of words (karpathy/makemore)."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from jaxgpt.models.building import build_norm, weight_spec
from jaxgpt.models.mixers.base import Mixer
from jaxgpt.models.state_stack import StateStack
from jaxgpt.nn.mlp import MLP
from jaxgpt.nn.tap import Tap, below


@dataclasses.dataclass(frozen=True)
class MeanMixer(Mixer):
    """A bag of words: each block adds the mean of all tokens so far."""

    def build(self, config, role, rngs):
        return StateStack(config, lambda: [Bag(config, rngs) for _ in range(config.num_layers)], rngs=rngs)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Sum:
    """The sum of what a layer has seen, and of how much, in float32 or wider: bfloat16 counts to 256."""

    total: Float[Array, "B D"]
    count: Float[Array, "B 1"]


class Bag(nnx.Module):
    """x + the mean of x so far, and then x + mlp(x)."""

    def __init__(self, config, rngs: nnx.Rngs):
        self.width, self.dtype = config.d_model, config.dtype
        self.norms = nnx.List([build_norm(config), build_norm(config)])
        weights = weight_spec(config)
        self.mlp = MLP(config.mlp, config.d_model, config.resolved_d_ff, weights=weights, rngs=rngs)

    def start(self, batch: int) -> Sum:
        """Nothing seen."""
        zeros = jnp.zeros((batch, self.width), jnp.promote_types(self.dtype, jnp.float32))
        return Sum(zeros, zeros[:, :1])

    def __call__(
        self, x: Float[Array, "B T D"], real: Bool[Array, "B T"], state: Sum, tap: Tap
    ) -> tuple[Float[Array, "B T D"], Sum]:
        h = jnp.where(real[..., None], self.norms[0](x), 0).astype(state.total.dtype)
        total = state.total[:, None] + jnp.cumsum(h, axis=1)
        count = state.count[:, None] + jnp.cumsum(real[..., None].astype(h.dtype), axis=1)
        x = x + tap("mean", (total / jnp.maximum(count, 1)).astype(x.dtype))
        x = x + self.mlp(self.norms[1](x), below(tap, "mlp"))
        return tap("residual", x), Sum(total[:, -1], count[:, -1])
