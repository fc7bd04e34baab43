"""ALiBi: scores fall linearly with distance (Press et al. 2022, arXiv 2108.12409, section 3)."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from jaxgpt.nn.position.base import Position


def slopes(num_heads: int) -> np.ndarray:
    """The paper's geometric sequence; for other head counts its published rule (every second of 2n)."""
    power = 2 ** int(np.floor(np.log2(num_heads)))
    first = 2.0 ** (-8.0 * np.arange(1, power + 1) / power)
    second = 2.0 ** (-8.0 * np.arange(1, 2 * power + 1) / (2 * power))
    return np.concatenate([first, second[::2][: num_heads - power]])


@dataclasses.dataclass(frozen=True)
class ALiBi(Position):
    """A fixed slope a head times the distance; nothing is learned.

    The paper is causal; with a mask that shows both sides the distance is taken without its sign.
    """

    def bias(self, params, q, k, q_positions, k_positions):
        distance = jnp.abs(q_positions[:, :, None] - k_positions[:, None, :])  # [B, T, S]
        wide = jnp.promote_types(q.dtype, jnp.float32)
        return -jnp.asarray(slopes(q.shape[2]), wide)[:, None, None] * distance[:, None].astype(wide)
