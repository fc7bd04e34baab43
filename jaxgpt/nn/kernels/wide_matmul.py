"""Products with a result of at least float32, as logits are.

A GPU's matrix units cannot be fed with a vocabulary of 50,257: the columns are filled up to a multiple of 128
and dropped again. On a CPU it is `product`. `benchmarks/kernels.py` measures it beside `reference`.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgpt.nn.kernels.platform import on_cpu, on_gpu
from jaxgpt.nn.kernels.product import product

#: Columns that a GPU's matrix product is filled up to a multiple of, where there are at least so many rows.
_COLUMNS, _ROWS = 128, 1024


def wide_matmul(x: Float[Array, "*B D"], kernel: Float[Array, "D V"]) -> Float[Array, "*B V"]:
    """x @ kernel with a result of at least float32; what comes back in the backward pass has x's type."""
    missing = -kernel.shape[-1] % _COLUMNS
    rows = math.prod(x.shape[:-1])
    # `jax.export` may leave the number of rows open: then it is no int, and there may be many.
    if missing and on_gpu() and (not isinstance(rows, int) or rows >= _ROWS):
        return _wide_matmul(True, x, jnp.pad(kernel, ((0, 0), (0, missing))))[..., :-missing]
    return product(x, kernel, wide=True) if on_cpu() else _wide_matmul(False, x, kernel)


def reference(x: Float[Array, "*B D"], kernel: Float[Array, "D V"]) -> Float[Array, "*B V"]:
    """The same as JAX has it, whose gradients are products of float32."""
    return jnp.matmul(x, kernel, preferred_element_type=jnp.promote_types(x.dtype, jnp.float32))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _wide_matmul(whole, x, kernel):
    y = reference(x, kernel)
    # Behind the barrier XLA does not see that some columns are dropped, and drop them before.
    return jax.lax.optimization_barrier(y) if whole else y


@_wide_matmul.defjvp
def _wide_matmul_jvp(whole, primals, tangents):
    (x, kernel), (x_dot, kernel_dot) = primals, tangents
    y = _wide_matmul(whole, x, kernel)
    return y, (x_dot @ kernel).astype(y.dtype) + (x @ kernel_dot).astype(y.dtype)
