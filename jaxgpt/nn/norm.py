"""LayerNorm (Ba et al. 2016, arXiv 1607.06450) and RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467).

Statistics are computed in float32 or wider, the variance in two passes: E[x^2] - E[x]^2 loses three
digits where the mean is large.
"""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxgpt.nn.kernels.standardized import standardized
from jaxgpt.nn.linear import constant


class Norm(nnx.Module):
    """Normalization over the last dimension.

    Args:
      kind: `layer` subtracts the mean, `rms` does not; `rms_plus_one` multiplies by 1 + scale, so that weight
        decay pulls to the identity (Gemma); `none` is the identity and has no parameters.
      bias: whether a layer norm adds a bias; an RMS norm never does.
    """

    def __init__(self, d_model: int, *, kind: str, epsilon: float, bias: bool, dtype, param_dtype):
        start = 0.0 if kind == "rms_plus_one" else 1.0
        self.scale = None if kind == "none" else constant(start, (d_model,), ("norm",), param_dtype)
        self.bias = constant(0.0, (d_model,), ("norm",), param_dtype) if bias and kind == "layer" else None
        self.kind = kind
        self.epsilon = epsilon
        self.dtype = jnp.dtype(dtype)

    def __call__(self, x: Float[Array, "... D"]) -> Float[Array, "... D"]:
        if self.scale is None:
            return x.astype(self.dtype)
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        y = standardized(self.kind == "layer", self.epsilon, wide)
        scale = self.scale[...].astype(y.dtype)
        y = y * (1 + scale if self.kind == "rms_plus_one" else scale)
        if self.bias is not None:
            y = y + self.bias[...].astype(y.dtype)
        return y.astype(self.dtype)
