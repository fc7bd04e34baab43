"""FoNE: a number as the angles it has at the periods 10, 100, ... (Zhou et al. 2025, arXiv 2502.09741)."""

import dataclasses
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt.nn.number.base import NumberEncoding
from jaxgpt.nn.position import Table


@dataclasses.dataclass(frozen=True)
class FoNE(NumberEncoding):
    """cos and sin of 2 pi x / 10^i for every place i, mapped to the model's width (section 3).

    The features are the decimal digits of x, lowest place first, from which the angles follow exactly. A
    digit is read from the two entries of the hidden state that belong to its place: its logits are their
    inner products with the ten points (cos 2 pi j / 10, sin 2 pi j / 10).

    The paper's figure 1 pads the angles with zeros to the model's width; the authors' code maps them there by
    a learned matrix, and so does this. Deviation: the loss is summed over places, not averaged, which makes
    it -log p(x).
    """

    places: Annotated[int, "decimal places a number has; filled in from the tokenizer"] = 12

    def __post_init__(self):
        if self.places < 1:
            raise ValueError(f"number.places={self.places} must be at least 1")

    @property
    def size(self):
        return self.places

    def check(self, *, d_model):
        if 2 * self.places > d_model:
            raise ValueError(
                f"{self.places} places of a number take 2 dimensions each, more than d_model={d_model} has; "
                "give the tokenizer fewer digits (fone:DIGITS) or widen the model"
            )

    def tables(self, *, d_model):
        return {"table": Table((2 * self.places, d_model), (None, "embed"))}

    def embed(self, params, features):
        table = params["table"]
        angles = 2 * jnp.pi * jnp.matmul(features.astype(jnp.float32), _turns(self.places))
        circles = jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=-1)
        circles = circles.reshape(*features.shape[:-1], 2 * self.places)
        return jnp.matmul(circles.astype(table.dtype), table)

    def predict(self, params, hidden):
        wide = hidden.astype(jnp.promote_types(hidden.dtype, jnp.float32))
        pairs = wide[..., : 2 * self.places].reshape(*hidden.shape[:-1], self.places, 2)
        logits = jnp.matmul(pairs, _points().astype(wide.dtype))  # [..., places, 10]
        return logits.reshape(*hidden.shape[:-1], 10 * self.places)

    def loss(self, outputs, features):
        logits = self._by_place(outputs)
        picked = jnp.take_along_axis(logits, features[..., None].astype(jnp.int32), axis=-1)[..., 0]
        return (jax.nn.logsumexp(logits, axis=-1) - picked).sum(axis=-1)

    def choose(self, outputs):
        return jnp.argmax(self._by_place(outputs), axis=-1).astype(jnp.uint8)

    def _by_place(self, outputs):
        return outputs.reshape(*outputs.shape[:-1], self.places, 10)


def _turns(places: int) -> np.ndarray:
    """What digit j adds to x / 10^(i+1): 10^(j-i-1), for j <= i; higher digits add whole turns."""
    j, i = np.indices((places, places))
    return np.where(j <= i, 10.0 ** (np.minimum(j - i, 0) - 1), 0.0).astype(np.float32)


def _points() -> np.ndarray:
    """The ten digits on the unit circle. [2, 10]"""
    angles = 2 * np.pi * np.arange(10) / 10
    return np.stack([np.cos(angles), np.sin(angles)])
