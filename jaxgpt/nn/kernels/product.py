"""Products of bfloat16 on a CPU, in the form that XLA has matrix units for (AMX, AVX512-BF16).

It uses them where the result is float32 and what is summed comes last in the left operand. In all other cases
it computes in float32, from copies of both operands (`benchmarks/products.py` measures what that costs). So
gradients are products of bfloat16 here, where JAX would take them of float32.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

from jaxgpt.nn.kernels.platform import on_cpu


def product(a: Array, b: Array, *, shared: int = 0, summed: int = 1, wide: bool = False) -> Array:
    """The product [*S, *M, *N] of a [*S, *M, *K] and b [*S, *K, *N].

    Of bfloat16 on a CPU it has no forward-mode derivative.

    Args:
      shared: how many dimensions S are. summed: how many K are, which are summed over.
      wide: whether the result is at least float32; else it has the type of the operands.
    """
    if a.dtype == b.dtype == jnp.bfloat16 and on_cpu():
        found = _product(shared, summed, a, b)
        return found if wide else found.astype(a.dtype)
    preferred = jnp.promote_types(a.dtype, jnp.float32) if wide else None
    return _dot(a, b, range(a.ndim - summed, a.ndim), range(shared, shared + summed), shared, preferred)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _product(shared, summed, a, b):
    return _apart(a, b, range(a.ndim - summed, a.ndim), range(shared, shared + summed), shared)


def _forward(shared, summed, a, b):
    return _product(shared, summed, a, b), (a, b)


def _backward(shared, summed, operands, slope):
    a, b = operands
    rows, columns = a.ndim - shared - summed, b.ndim - shared - summed
    slope = slope.astype(a.dtype)
    by_a = _apart(slope, b, range(shared + rows, slope.ndim), range(shared + summed, b.ndim), shared)
    # A second summed dimension, of size 1, makes XLA turn the operand, so that what is summed comes last.
    a, slope = jnp.expand_dims(a, shared), jnp.expand_dims(slope, shared)
    at = range(shared, shared + rows + 1)
    if a.size <= slope.size:
        by_b = _apart(a, slope, at, at, shared)
    else:
        by_b = jnp.moveaxis(
            _apart(slope, a, at, at, shared),
            range(shared, shared + columns),
            range(shared + summed, b.ndim),
        )
    return by_a.astype(b.dtype), by_b.astype(b.dtype)


_product.defvjp(_forward, _backward)


def _apart(a, b, a_summed, b_summed, shared):
    """In float32, and behind a barrier.

    Without it XLA sees where the result is transposed and exchanges the operands, for which it then has
    nothing that computes them (jaxlib 0.10 to 0.12).
    """
    return lax.optimization_barrier(_dot(a, b, a_summed, b_summed, shared, jnp.float32))


def _dot(a, b, a_summed, b_summed, shared, preferred):
    batch = tuple(range(shared))
    dims = ((tuple(a_summed), tuple(b_summed)), (batch, batch))
    return lax.dot_general(a, b, dims, preferred_element_type=preferred)
