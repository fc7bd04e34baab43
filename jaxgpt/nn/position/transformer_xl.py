"""Relative positions of Transformer-XL (Dai et al. 2019, arXiv 1901.02860, section 3.3)."""

import dataclasses
import math
from typing import Annotated

import jax.numpy as jnp

from jaxgpt.nn.position.base import Position, Table


@dataclasses.dataclass(frozen=True)
class TransformerXL(Position):
    """Adds u k_j + (q_i + v) W r_(i-j) to q_i k_j, all times scale; r are sinusoids of the distance.

    u, v and W are each layer's own. In an encoder, which the paper has not, every key ahead counts as the
    token itself, distance 0.
    """

    takes_gaps = False  # distances are below the number of keys

    clamp: Annotated[int | None, "distances beyond it count as it; none: each counts as it is"] = None
    scale: Annotated[float | None, "factor on what is added, as on the scores; none: head_dim^-1/2"] = None

    def check(self, *, head_dim, num_heads):
        if self.clamp is not None and self.clamp < 1:
            raise ValueError(f"position.clamp={self.clamp} must be at least 1, or none")
        if self.scale is not None and not math.isfinite(self.scale):
            raise ValueError(f"position.scale={self.scale} must be finite, or none")

    def layer_tables(self, *, d_model, num_heads, head_dim):
        heads = ("heads", "head")
        return {
            "u": Table((num_heads, head_dim), heads, std=0.02),
            "v": Table((num_heads, head_dim), heads, std=0.02),
            "distance": Table((d_model, num_heads, head_dim), ("embed", *heads), std=d_model**-0.5),
        }

    def bias(self, params, q, k, q_positions, k_positions):
        k = jnp.repeat(k, q.shape[2] // k.shape[2], axis=2)  # heads that share keys
        u, v, maps = (params[name].astype(q.dtype) for name in ("u", "v", "distance"))
        count = k.shape[1]  # keys stand at different places, so distances are below their number
        far = jnp.arange(count)
        if self.clamp is not None:
            far = jnp.minimum(far, self.clamp)
        width = maps.shape[0]
        angles = far[:, None] * 10_000.0 ** (-jnp.arange(0, width, 2) / width)
        waves = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1)[:, :width].astype(q.dtype)
        mapped = jnp.einsum("ld,dhk->lhk", waves, maps)
        by_distance = jnp.einsum("bthk,lhk->bhtl", q + v, mapped)
        distance = q_positions[:, :, None] - k_positions[:, None, :]  # [B, T, S]; keys ahead are hidden
        index = jnp.broadcast_to(jnp.clip(distance, 0, count - 1)[:, None], (*by_distance.shape[:3], count))
        placed = jnp.take_along_axis(by_distance, index, axis=3)
        scale = q.shape[-1] ** -0.5 if self.scale is None else self.scale
        return scale * (jnp.einsum("hk,bshk->bhs", u, k)[:, :, None] + placed)
