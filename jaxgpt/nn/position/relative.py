"""T5's relative bias: a learned number for each bucket of distances (Raffel et al. 2020, section 2.1)."""

import dataclasses
import math
from typing import Annotated, Literal

import jax.numpy as jnp
import numpy as np

from jaxgpt.nn.position.base import Position, Table

#: A table on the host has an entry for each distance.
_FARTHEST = 2**20


def buckets(direction: str, count: int, max_distance: int) -> np.ndarray:
    """The bucket of each distance key - query from -max_distance to max_distance.

    Half of a direction's buckets are exact, the others grow logarithmically. Computed in numpy so that a
    device's rounding of the logarithm cannot move an edge.
    """
    distance = np.arange(-max_distance, max_distance + 1)
    if direction == "both":
        count //= 2
        offset = np.where(distance > 0, count, 0)
        far = np.abs(distance)
    else:
        offset = np.zeros_like(distance)
        far = np.maximum(-distance, 0)
    exact = count // 2
    scale = (count - exact) / math.log(max_distance / exact)
    logarithmic = exact + (np.log(np.maximum(far, 1).astype(np.float32) / exact) * scale).astype(np.int64)
    return (offset + np.where(far < exact, far, np.minimum(logarithmic, count - 1))).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class Relative(Position):
    """One bias a bucket and head, shared by all layers of a stack."""

    direction: Annotated[Literal["past", "both"], "past in decoders, both in encoders"] = "past"
    num_buckets: Annotated[int, "distances told apart"] = 32
    max_distance: Annotated[int, "beyond it all distances share a bucket"] = 128

    def in_encoder(self):
        return dataclasses.replace(self, direction="both")

    def check(self, *, head_dim, num_heads):
        least = 4 if self.direction == "both" else 2
        if self.num_buckets < least or self.num_buckets % least:
            raise ValueError(f"position.num_buckets={self.num_buckets} must be a multiple of {least}")
        for name in ("num_buckets", "max_distance"):
            if getattr(self, name) > _FARTHEST:
                raise ValueError(f"position.{name}={getattr(self, name)} must be at most {_FARTHEST}")
        if self.max_distance <= self.num_buckets // least:
            raise ValueError(
                f"position.max_distance={self.max_distance} must exceed the exact buckets "
                f"({self.num_buckets // least})"
            )

    def tables(self, *, d_model, num_heads, max_length):
        return {"bias": Table((self.num_buckets, num_heads), (None, "heads"), std=d_model**-0.5)}

    def bias(self, params, q, k, q_positions, k_positions):
        bucket_of = jnp.asarray(buckets(self.direction, self.num_buckets, self.max_distance))
        distance = k_positions[:, None, :] - q_positions[:, :, None]  # [B, T, S]
        index = jnp.clip(distance, -self.max_distance, self.max_distance) + self.max_distance
        return jnp.moveaxis(params["bias"][bucket_of[index]], -1, 1)
