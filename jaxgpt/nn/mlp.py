"""The feed-forward part of a block (Vaswani et al. 2017, section 3.3; Shazeer 2020, arXiv 2002.05202)."""

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from jaxgpt.nn.linear import Linear
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
    """The function of an activation, which a gated one applies to its gate.

    Its backward pass starts from its input: what lies between would cost more to keep than to compute.
    """
    return jax.checkpoint(_FUNCTIONS[_GATED.get(activation, activation)])


class MLP(nnx.Module):
    """f(x W1) W2, or (f(x Wg) * x W1) W2 for the activations that end in glu.

    Args:
      activation: relu, gelu (erf), gelu_tanh, silu, tanh, or a gated one: reglu, geglu, geglu_tanh, swiglu.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        *,
        activation: str,
        bias: bool = True,
        std: float | None = None,
        out_gain: float = 1.0,
        dtype="float32",
        param_dtype="float32",
        rngs: nnx.Rngs,
    ):
        types = {"bias": bias, "dtype": dtype, "param_dtype": param_dtype, "rngs": rngs}
        inner, outer = {"mlp": d_ff}, {"embed": d_model}
        self.up = Linear(outer, inner, std=std, **types)
        self.gate = Linear(outer, inner, std=std, **types) if activation in _GATED else None
        self.down = Linear(inner, outer, std=std, gain=out_gain, **types)
        self.activation = activation

    def __call__(self, x: Float[Array, "B T D"], tap: Tap = identity) -> Float[Array, "B T D"]:
        f = function(self.activation)
        up = self.up(x)
        hidden = f(up) if self.gate is None else f(self.gate(x)) * up
        return tap("output", self.down(tap("hidden", hidden)))
