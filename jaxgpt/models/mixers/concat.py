"""The last few tokens side by side (Bengio et al. 2003; makemore's MLP)."""

import dataclasses
from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxgpt.models.mixers.base import Mixer
from jaxgpt.models.state_stack import StateStack
from jaxgpt.nn.linear import Linear, dropout, fold, normal
from jaxgpt.nn.tap import below


@dataclasses.dataclass(frozen=True)
class ConcatMixer(Mixer):
    """One layer over the last tokens' embeddings, side by side."""

    window: Annotated[int, "tokens that are joined, the newest included"] = 16

    layered: ClassVar[bool] = False

    def __post_init__(self):
        if self.window < 1:
            raise ValueError(f"mixer.window={self.window} must be at least 1")

    def build(self, config, role, rngs):
        return ConcatStack(config, self.window, rngs)


class ConcatStack(StateStack):
    """tanh of one map of the last `window` real embeddings, the newest first; blanks stand before a text."""

    def __init__(self, config, window: int, rngs: nnx.Rngs):
        width, self.window = config.d_model, window
        types = {"dtype": config.dtype, "param_dtype": config.param_dtype, "rngs": rngs}
        sides = {None: window, "embed": width}, {"mlp": width}
        super().__init__(config, lambda: [Linear(*sides, std=config.init_std, bias=True, **types)], rngs=rngs)
        self.blank = normal(rngs.params(), (width,), config.embedding_std, ("embed",), config.param_dtype)

    def start(self, batch: int) -> tuple[Float[Array, "B W D"]]:
        """Blanks: nothing has been read."""
        blank = self.blank[...].astype(self.config.dtype)
        return (jnp.broadcast_to(blank, (batch, self.window - 1, self.config.d_model)),)

    def mix(self, x, real, states, key, tap):
        def step(before, xs):
            new, real = xs
            window = jnp.concatenate([before, new[:, None]], axis=1)
            return jnp.where(real[:, None, None], window[:, 1:], before), window[:, ::-1]

        xs = jnp.moveaxis(x, 1, 0), jnp.moveaxis(real, 1, 0)
        before, windows = jax.lax.scan(step, states[0], xs)
        windows = jnp.moveaxis(windows, 0, 1)  # [B, T, window, D]
        x = below(tap, "0")("residual", jnp.tanh(self.blocks[0](windows)))
        return dropout(x, self.config.dropout, fold(key, 2)), (before,)
