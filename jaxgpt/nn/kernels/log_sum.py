"""The logarithm of a sum of exponentials, on a GPU by one pass over what it reads.

XLA for GPUs reads the logits twice for `reference`, once for the largest and once for the sum.
`benchmarks/kernels.py` measures both.
"""

import jax
import jax.numpy as jnp

from jaxgpt.nn.kernels.platform import on_gpu


@jax.custom_jvp
def log_sum(logits):
    """log sum exp over the last dimension: [*B, V] to [*B]."""
    return _one_pass(logits) if on_gpu() else reference(logits)


def reference(logits):
    """The same as JAX has it."""
    return jax.nn.logsumexp(logits, axis=-1)


def _one_pass(logits):
    def join(one, other):  # a largest number, and the sum of exponentials over its own
        (most, total), (other_most, other_total) = one, other
        less = jnp.exp(-jnp.abs(most - other_most))
        kept, joined = total + other_total * less, total * less + other_total
        return jnp.maximum(most, other_most), jnp.where(most >= other_most, kept, joined)

    least = jnp.array(jnp.finfo(logits.dtype).min, logits.dtype)
    nothing = (least, jnp.zeros((), logits.dtype))
    most, total = jax.lax.reduce((logits, jnp.ones_like(logits)), nothing, join, (logits.ndim - 1,))
    return most + jnp.log(total)


@log_sum.defjvp
def _log_sum_jvp(primals, tangents):
    found = log_sum(*primals)
    return found, (jnp.exp(primals[0] - found[..., None]) * tangents[0]).sum(axis=-1)
