"""Numbers less their mean, over their standard deviation: the inside of a norm.

Its backward pass is written out, so that it starts from the result and not from what lies between. On a GPU
it keeps the statistics too, which XLA else computes again for all that the backward pass sums up.
`benchmarks/kernels.py` measures it beside `reference`.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxgpt.nn.kernels.platform import on_gpu


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def standardized(centred: bool, epsilon: float, x: Float[Array, "... D"]) -> Float[Array, "... D"]:
    """(x - mean) / sqrt(variance + epsilon) over the last dimension; without `centred` the mean is 0."""
    return reference(centred, epsilon, x)


def reference(centred: bool, epsilon: float, x: Float[Array, "... D"]) -> Float[Array, "... D"]:
    """The same, for JAX to differentiate."""
    return _with_factor(centred, epsilon, x)[0]


@standardized.defjvp
def _standardized_jvp(centred, epsilon, primals, tangents):
    """With r the factor, y' = r (x' - mean x' - y mean(y x')), the mean of x' where x was centred."""
    y, factor = _with_factor(centred, epsilon, *primals, apart=on_gpu())
    (slope,) = tangents
    along = y * (y * slope).mean(-1, keepdims=True)
    if centred:
        slope = slope - slope.mean(-1, keepdims=True)
    return y, factor * (slope - along)


def _with_factor(centred, epsilon, x, *, apart=False):
    mean = x.mean(-1, keepdims=True) if centred else jnp.zeros((), x.dtype)
    factor = lax.rsqrt(jnp.square(x - mean).mean(-1, keepdims=True) + epsilon)
    if apart:
        mean, factor = lax.optimization_barrier((mean, factor))
    return (x - mean) * factor, factor
