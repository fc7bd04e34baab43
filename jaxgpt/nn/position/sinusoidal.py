"""Fixed sinusoids added to the token embeddings (Vaswani et al. 2017, section 3.5)."""

import dataclasses
from typing import Annotated, Literal

import jax.numpy as jnp

from jaxgpt.nn.position.base import Position, check_theta


@dataclasses.dataclass(frozen=True)
class Sinusoidal(Position):
    """sin and cos of position / theta^(2i / d).

    `interleaved` puts sin in the even and cos in the odd features (the paper), `split` puts all the sines
    first (tensor2tensor, Marian).
    """

    layout: Annotated[Literal["interleaved", "split"], "where sines and cosines stand"] = "interleaved"
    theta: Annotated[float, "base of the wavelengths"] = 10_000.0

    def check(self, *, head_dim, num_heads):
        check_theta(self.theta)

    def embed(self, params, x, positions):
        d_model = x.shape[-1]
        half = (d_model + 1) // 2
        wide = jnp.promote_types(x.dtype, jnp.float32)
        frequencies = self.theta ** (-2 * jnp.arange(half, dtype=wide) / d_model)
        angles = positions[..., None].astype(wide) * frequencies  # [B, T, half]
        sin, cos = jnp.sin(angles), jnp.cos(angles)
        if self.layout == "split":
            waves = jnp.concatenate([sin, cos], axis=-1)
        else:
            waves = jnp.stack([sin, cos], axis=-1).reshape(*angles.shape[:-1], 2 * half)
        return x + waves[..., :d_model].astype(x.dtype)
