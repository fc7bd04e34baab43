"""Rotary positions: queries and keys turn with their position (Su et al. 2021, arXiv 2104.09864)."""

import dataclasses
import math
from typing import Annotated, Literal

import jax.numpy as jnp

from jaxgpt.nn.position.base import Position, check_theta


@dataclasses.dataclass(frozen=True)
class Rotary(Position):
    """Pairs of features rotate by position * theta^(-2i / d), section 3.4.2 of the paper.

    `half` pairs feature i with i + d/2 (Llama), `interleaved` pairs 2i with 2i + 1 (the paper, GPT-J).

    A model that was trained on shorter texts reads longer ones with `factor` above 1: positions are divided
    by it (Chen et al. 2023, arXiv 2306.15595), or, with `trained_length`, only in the features whose
    wavelength exceeds trained_length / low, not in those below trained_length / high, and in part between
    (Llama 3.1).
    """

    theta: Annotated[float, "base of the wavelengths"] = 10_000.0
    rotary_dim: Annotated[int | None, "features of a head that rotate; none: all"] = None
    factor: Annotated[float, "positions are divided by it"] = 1.0
    trained_length: Annotated[int | None, "tokens before the factor came; none: it is for all features"] = (
        None
    )
    low: Annotated[float, "trained_length / low: longer waves are divided by the factor"] = 1.0
    high: Annotated[float, "trained_length / high: shorter waves are not"] = 4.0
    pairing: Annotated[Literal["half", "interleaved"], "which two features turn together"] = "half"

    def check(self, *, head_dim, num_heads):
        width = head_dim if self.rotary_dim is None else self.rotary_dim
        if width % 2 or width > head_dim or width < 2:
            raise ValueError(
                f"position.rotary_dim={width} must be even and at most head_dim={head_dim}; "
                "change rotary_dim, d_model or num_heads"
            )
        check_theta(self.theta)
        if not 0 < self.factor < math.inf:
            raise ValueError(f"position.factor={self.factor} must be positive and finite")
        if self.trained_length is not None and self.trained_length < 1:
            raise ValueError(f"position.trained_length={self.trained_length} must be at least 1, or none")
        if not 0 < self.low < self.high < math.inf:
            raise ValueError(
                f"position.low={self.low} must be positive and below position.high={self.high}, both finite"
            )

    def rotate(self, params, q, k, q_positions, k_positions):
        return self._turn(q, q_positions), self._turn(k, k_positions)

    def _turn(self, x, positions):
        width = self.rotary_dim or x.shape[-1]
        wide = jnp.promote_types(x.dtype, jnp.float32)
        frequencies = self._slowed(self.theta ** (-jnp.arange(0, width, 2, dtype=wide) / width))
        angles = positions[..., None, None].astype(wide) * frequencies  # [B, T, 1, width/2]
        cos, sin = jnp.cos(angles), jnp.sin(angles)
        part = x[..., :width].astype(wide)
        if self.pairing == "half":
            a, b = jnp.split(part, 2, axis=-1)
            turned = jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)
        else:
            a, b = part[..., 0::2], part[..., 1::2]
            turned = jnp.stack([a * cos - b * sin, b * cos + a * sin], axis=-1).reshape(part.shape)
        return jnp.concatenate([turned.astype(x.dtype), x[..., width:]], axis=-1)

    def _slowed(self, frequencies):
        if self.factor == 1:
            return frequencies
        slow = frequencies / self.factor
        if self.trained_length is None:
            return slow
        turns = self.trained_length * frequencies / (2 * math.pi)  # in a text of the trained length
        kept = jnp.clip((turns - self.low) / (self.high - self.low), 0.0, 1.0)
        return (1 - kept) * slow + kept * frequencies
