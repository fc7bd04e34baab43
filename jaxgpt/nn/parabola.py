"""Numbers on a parabola: an embedding of three weights, however many numbers there are."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.nn.linear import Embedding

#: The weights are kept so much larger than they are used. Adam moves every weight by about the learning rate;
#: as fast as the others, these shrink to nothing before the model can use them.
_SLOWED = 10.0
#: At the beginning numbers lie near the arc (sin x, cos x).
_BEGIN = (1.0, -0.5, 1.0)


class Parabola(Embedding):
    """The number v has the vector (a x, b x^2 + c, 0, ...), with x = v over the standard deviation of all
    numbers; every other token has the vector 0.

    So a sum of two vectors holds the sum of their numbers, and two directions of a hidden state are enough to
    give any one number the largest inner product.

    Args:
      values: the number that each id spells, -1 where it is none. [V]
    """

    def __init__(self, values: Sequence[int], d_model: int, *, dtype, param_dtype):
        known = np.asarray(values, np.float64)
        number = known >= 0
        x = np.where(number, known, 0.0) / known[number].std()
        begin = jnp.asarray([_SLOWED * value for value in _BEGIN], param_dtype)
        self.table = nnx.Param(begin, axes=(None,))
        # Nested tuples, so that the module's structure hashes by value.
        self.features = tuple(map(tuple, np.stack([number, x, x * x], axis=1).tolist()))
        self.width = d_model
        self.dtype = jnp.dtype(dtype)

    def vectors(self):
        wide = jnp.promote_types(self.dtype, jnp.float32)
        number, x, square = jnp.asarray(self.features, wide).T
        a, b, c = self.table[...].astype(wide) / _SLOWED
        curve = jnp.stack([a * x, b * square + c * number], axis=1)
        return jnp.pad(curve, ((0, 0), (0, self.width - 2)))
