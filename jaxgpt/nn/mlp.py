"""The feed-forward part of a block (Vaswani et al. 2017, section 3.3; Shazeer 2020, arXiv 2002.05202)."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxgpt.nn.linear import Linear, WeightSpec
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.tap import Tap, identity

_FUNCTIONS = {
    "relu": jax.nn.relu,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "gelu_tanh": partial(jax.nn.gelu, approximate=True),
    "silu": jax.nn.silu,
    "tanh": jnp.tanh,
}
_GATED = {"reglu": "relu", "geglu": "gelu", "geglu_tanh": "gelu_tanh", "swiglu": "silu"}


def function(activation: str):
    """The function of an activation, which a gated one applies to its gate."""
    return _FUNCTIONS[_GATED.get(activation, activation)]


@partial(jax.checkpoint, static_argnums=0)
def activated(
    activation: str, y: Float[Array, "... F"], bias: Float[Array, "F"] | None
) -> Float[Array, "... F"]:
    """f(y + bias) in the type of y, computed in float32 or wider.

    Its backward pass starts from y: what lies between would cost more to keep than to compute.
    """
    if bias is None:
        bias = jnp.zeros((), y.dtype)
    return _activated(activation, y, bias)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _activated(activation, y, bias):
    wide = jnp.promote_types(y.dtype, jnp.float32)
    return function(activation)(y.astype(wide) + bias.astype(wide)).astype(y.dtype)


@_activated.defjvp
def _activated_jvp(activation, primals, tangents):
    """The slope has the type of y, and so has what comes back: of a wide one XLA would write out both."""
    y, bias = primals
    wide = jnp.promote_types(y.dtype, jnp.float32)
    z = y.astype(wide) + bias.astype(wide)
    value, slope = jax.jvp(function(activation), (z,), (jnp.ones_like(z),))
    both = tangents[0].astype(wide) + tangents[1].astype(wide)
    return value.astype(y.dtype), slope.astype(y.dtype) * both.astype(y.dtype)


class MLP(nnx.Module):
    """f(x W1) W2, or (f(x Wg) * x W1) W2 for the activations that end in glu.

    Args:
      d_model: width of the inputs and outputs. d_ff: width between the maps.
    """

    def __init__(
        self,
        config: MLPConfig,
        d_model: int,
        d_ff: int,
        *,
        weights: WeightSpec,
        rngs: nnx.Rngs,
    ):
        inner, outer = {"mlp": d_ff}, {"embed": d_model}

        def linear(inputs, outputs, gain=1.0):
            types = {"dtype": weights.dtype, "param_dtype": weights.param_dtype, "rngs": rngs}
            return Linear(inputs, outputs, std=weights.std, gain=gain, bias=config.bias, **types)

        self.up = linear(outer, inner)
        self.gate = linear(outer, inner) if config.activation in _GATED else None
        self.down = linear(inner, outer, weights.out_gain)
        self.activation = config.activation

    def __call__(self, x: Float[Array, "B T D"], tap: Tap = identity) -> Float[Array, "B T D"]:
        inner = self.up if self.gate is None else self.gate
        hidden = activated(self.activation, inner.product(x), inner.offset)
        if self.gate is not None:
            hidden = hidden * self.up(x)
        return tap("output", self.down(tap("hidden", hidden)))
