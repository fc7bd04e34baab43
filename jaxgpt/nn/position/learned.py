"""Learned absolute positions, added to the token embeddings (Radford et al. 2018, section 4.1)."""

import dataclasses

from jaxgpt.nn.position.base import Position, Table


@dataclasses.dataclass(frozen=True)
class Learned(Position):
    """One vector a position, as many as the model's `max_length`."""

    def tables(self, *, d_model, num_heads, max_length):
        return {"table": Table((max_length, d_model), (None, "embed"))}

    def embed(self, params, x, positions):
        return x + params["table"].astype(x.dtype)[positions]
