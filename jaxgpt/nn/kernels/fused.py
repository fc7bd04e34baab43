"""Causal attention in one kernel, which never holds the scores (Dao et al. 2022, arXiv 2205.14135; cuDNN)."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgpt.nn.attention.cache import KeyValue
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.kernels.platform import on_gpu
from jaxgpt.nn.tap import Tap, identity

#: Whose kernel it is, by the name that `jax.nn.dot_product_attention` has for it.
KERNEL = "cudnn"


@dataclasses.dataclass(frozen=True)
class Triangle:
    """Tokens in order, without padding, that see themselves and what comes before them.

    Attributes:
      window: keys that a query sees backwards, itself included; None: all.
    """

    window: int | None = None


def fused(
    q: Float[Array, "B T H K"],
    kv: KeyValue,
    inputs: AttentionInputs,
    *,
    key: jax.Array | None = None,
    tap: Tap = identity,
) -> Float[Array, "B T H K"]:
    """The weighted values, where `inputs.sees` is a `Triangle`.

    There is no bias, cap or factor, nothing is dropped and no tap looks on: `models.layer_inputs` sees to it.
    """
    return mix(q, kv.key, kv.value, scale=inputs.config.resolved_scale, window=inputs.sees.window)


def mix(
    q: Float[Array, "B T H K"],
    k: Float[Array, "B T G K"],
    v: Float[Array, "B T G K"],
    *,
    scale: float,
    window: int | None,
) -> Float[Array, "B T H K"]:
    """The weighted values."""
    # Causal in any case: cuDNN takes a window that ends at the query for one that sees what is ahead.
    near = None if window is None else (window - 1, 0)
    odd = q.shape[1] % 2  # which the kernel refuses; one more token at the end is seen by none
    q, k, v = (jnp.pad(x.astype(q.dtype), ((0, 0), (0, odd), (0, 0), (0, 0))) for x in (q, k, v))
    mixed = jax.nn.dot_product_attention(
        q, k, v, scale=scale, is_causal=True, local_window_size=near, implementation=KERNEL
    )
    return mixed[:, :-1] if odd else mixed


def available(dtype: jnp.dtype, head_dim: int) -> bool:
    """Whether the device that computes by default has the kernel for heads of this type and width."""
    return on_gpu() and dtype in (jnp.bfloat16, jnp.float16) and _compiles(dtype, head_dim)


@functools.cache
def _compiles(dtype: jnp.dtype, head_dim: int) -> bool:
    """Whether the kernel takes a small input, forwards and backwards.

    So whatever it refuses (an old card, an old cuDNN, a width) is found before it is relied on.
    """
    heads = jax.ShapeDtypeStruct((1, 64, 1, head_dim), dtype)

    def loss(q, k, v):
        return mix(q, k, v, scale=1.0, window=None).astype(jnp.float32).sum()

    try:
        jax.jit(jax.grad(loss)).lower(heads, heads, heads).compile()
    except (RuntimeError, ValueError, NotImplementedError):
        return False
    return True
