"""xVal: a direction scaled by the number's value (Golkar et al. 2023, arXiv 2310.02989, section 2)."""

import dataclasses
import math
from typing import Annotated

import jax.numpy as jnp

from jaxgpt.nn.kernels.wide_matmul import wide_matmul
from jaxgpt.nn.number.base import NumberEncoding
from jaxgpt.nn.position import Table

#: The paper scales numbers so that the largest become this (section 2.2).
_RANGE = 5.0
#: Powers of ten beyond are no float32.
_MOST_DECIMALS = 38


@dataclasses.dataclass(frozen=True)
class XVal(NumberEncoding):
    """One learned vector times the value, and a head of one output with a squared error.

    The one feature is the value. Numbers enter and leave as 5 value / largest, so that the largest of the
    training text becomes 5.

    Deviation: the paper multiplies the number token's embedding itself and adds learned positions, which
    keep normalization from dividing the value out again. Here the scaled vector is one of its own and is
    added to the token's embedding, which does that under every position scheme. Its loss is no likelihood.
    """

    largest: Annotated[float, "value that enters as 5; filled in from the tokenizer"] = 1.0
    decimals: Annotated[int, "places that answers are rounded to; filled in from the tokenizer"] = 0

    def __post_init__(self):
        if not 0 < self.largest < math.inf:
            raise ValueError(f"number.largest={self.largest} must be positive and finite")
        if not 0 <= self.decimals <= _MOST_DECIMALS:
            raise ValueError(f"number.decimals={self.decimals} must be between 0 and {_MOST_DECIMALS}")

    dtype = "float32"
    likelihood = False

    @property
    def size(self):
        return 1

    def tables(self, *, d_model):
        return {
            "table": Table((1, d_model), (None, "embed")),
            "head": Table((d_model, 1), ("embed", None)),
            "bias": Table((1,), (None,), std=0.0),
        }

    def embed(self, params, features):
        table = params["table"]
        return jnp.matmul(self._scaled(features).astype(table.dtype), table)

    def predict(self, params, hidden):
        return wide_matmul(hidden, params["head"].astype(hidden.dtype)) + params["bias"]

    def loss(self, outputs, features):
        return jnp.square(outputs - self._scaled(features))[..., 0]

    def choose(self, outputs):
        value = jnp.maximum(outputs * (self.largest / _RANGE), 0.0)
        return jnp.round(value, self.decimals).astype(jnp.float32)

    def _scaled(self, features):
        return features * (_RANGE / self.largest)
