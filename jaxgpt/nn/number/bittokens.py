"""BitTokens: the 64 bits of a number in double precision (Kreitner et al. 2025, arXiv 2510.06824)."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxgpt.nn.kernels.wide_matmul import wide_matmul
from jaxgpt.nn.number.base import NumberEncoding
from jaxgpt.nn.position import Table

_BITS = 64


@dataclasses.dataclass(frozen=True)
class BitTokens(NumberEncoding):
    """Sign, exponent and fraction as IEEE 754 has them, each bit in and each bit out.

    The features are the bits, the sign first. They enter as -1 and 1 through a learned linear map; a linear
    head gives each bit a logit, and the loss is binary cross-entropy.

    Deviation: the loss is summed over bits, not averaged, which makes it -log p of the number. The paper's
    optional reciprocal, which is for divisions, is left out.
    """

    @property
    def size(self):
        return _BITS

    def tables(self, *, d_model):
        return {
            "table": Table((_BITS, d_model), (None, "embed")),
            "head": Table((d_model, _BITS), ("embed", None)),
            "bias": Table((_BITS,), (None,), std=0.0),
        }

    def embed(self, params, features):
        table = params["table"]
        return jnp.matmul(2 * features.astype(table.dtype) - 1, table)

    def predict(self, params, hidden):
        return wide_matmul(hidden, params["head"].astype(hidden.dtype)) + params["bias"]

    def loss(self, outputs, features):
        # -log sigmoid(z) where the bit is 1, -log sigmoid(-z) where it is 0.
        signs = 2 * features.astype(outputs.dtype) - 1
        return jax.nn.softplus(-signs * outputs).sum(axis=-1)

    def choose(self, outputs):
        return (outputs > 0).astype(jnp.uint8)
