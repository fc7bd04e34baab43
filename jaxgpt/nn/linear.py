"""Dense maps and embeddings whose weights name their logical axes."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from jaxtyping import Array, Float, Int

from jaxgpt.nn.kernels.product import product
from jaxgpt.nn.kernels.wide_matmul import wide_matmul

Axes = tuple[str | None, ...]


def normal(key: jax.Array, shape: tuple[int, ...], std: float, axes: Axes, dtype) -> nnx.Param:
    """A parameter drawn from N(0, std^2). `axes` names each dimension for the sharding table."""
    # Behind the barrier the key is data, and XLA compiles the draws of equal shapes once.
    data = jax.lax.optimization_barrier(jax.random.key_data(key))
    key = jax.random.wrap_key_data(data, impl=jax.random.key_impl(key))
    return nnx.Param(std * jax.random.normal(key, shape, dtype), axes=axes)


def constant(value: float, shape: tuple[int, ...], axes: Axes, dtype) -> nnx.Param:
    """A parameter that starts as one value everywhere."""
    return nnx.Param(jnp.full(shape, value, dtype), axes=axes)


def read(tables: nnx.Module) -> dict[str, Array]:
    """The arrays of named parameters."""
    # Not by `items`: `nnx.tabulate` takes public methods for computations, and adds attributes of its own.
    return {name: value[...] for name, value in vars(tables).items() if isinstance(value, nnx.Variable)}


@dataclasses.dataclass(frozen=True)
class WeightSpec:
    """How the weights of a layer are drawn, and in which types it computes.

    Attributes:
      std: of the initial weights; None means fan_in^-1/2.
      out_gain: factor on it in the map into the residual stream.
      dtype: of the computation; param_dtype: of the weights.
    """

    std: float | None = None
    out_gain: float = 1.0
    dtype: str = "float32"
    param_dtype: str = "float32"


class Linear(nnx.Module):
    """y = x W + b over the last `len(inputs)` dimensions of x.

    Args:
      inputs, outputs: `{axis name: size}` in order, such as `{"embed": 64}` and `{"heads": 4, "head": 16}`;
        None is the name of an axis that is never divided.
      std: of the initial weights; None means fan_in^-1/2.
      gain: factor on `std`.
      bias: whether there is a bias.
      dtype: of the computation; param_dtype: of the weights.
    """

    def __init__(
        self,
        inputs: dict[str | None, int],
        outputs: dict[str | None, int],
        *,
        std: float | None,
        gain: float = 1.0,
        bias: bool,
        dtype,
        param_dtype,
        rngs: nnx.Rngs,
    ):
        shape = (*inputs.values(), *outputs.values())
        std = math.prod(inputs.values()) ** -0.5 if std is None else std
        self.kernel = normal(rngs.params(), shape, gain * std, (*inputs, *outputs), param_dtype)
        self.bias = constant(0.0, tuple(outputs.values()), tuple(outputs), param_dtype) if bias else None
        self.contracted = len(inputs)
        self.dtype = jnp.dtype(dtype)

    def __call__(self, x: Array) -> Array:
        y = self.product(x)
        return y if self.bias is None else add_bias(y, self.offset)

    @property
    def offset(self) -> Array | None:
        """The bias, if there is one."""
        return None if self.bias is None else self.bias[...]

    def product(self, x: Array) -> Array:
        """x W, without the bias."""
        kernel = self.kernel[...].astype(self.dtype)
        return product(x.astype(self.dtype), kernel, summed=self.contracted)


@jax.custom_jvp
def add_bias(y: Array, bias: Array) -> Array:
    """y + bias in the type of y, which a matrix product can do on its way out.

    The bias's gradient, a sum over all tokens, is nevertheless one of numbers of at least float32.
    """
    return y + bias.astype(y.dtype)


@add_bias.defjvp
def _add_bias_jvp(primals, tangents):
    (y, bias), (y_dot, bias_dot) = primals, tangents
    wide = jnp.promote_types(y.dtype, jnp.float32)
    return add_bias(y, bias), (y_dot.astype(wide) + bias_dot.astype(wide)).astype(y.dtype)


class Embedding(nnx.Module):
    """One vector an id; `attend` gives the logits of a tied head.

    Args:
      features: fixed numbers of each id, [V, C]; what is learned is then [C, D], which maps them to vectors.
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        *,
        features: np.ndarray | None = None,
        std: float,
        dtype,
        param_dtype,
        rngs: nnx.Rngs,
    ):
        shape, axes = (vocab_size, d_model), ("vocab", "embed")
        if features is not None:
            shape, axes = (features.shape[1], d_model), (None, "embed")
        self.table = normal(rngs.params(), shape, std, axes, param_dtype)
        # Nested tuples, so that the module's structure hashes by value.
        self.features = None if features is None else tuple(map(tuple, features.tolist()))
        self.dtype = jnp.dtype(dtype)

    def vectors(self) -> Float[Array, "V D"]:
        """The vector of every id; of features in float32 or wider, where those of near numbers differ."""
        if self.features is None:
            return self.table[...].astype(self.dtype)
        wide = jnp.promote_types(self.dtype, jnp.float32)
        return jnp.asarray(self.features, wide) @ self.table[...].astype(wide)

    def __call__(self, tokens: Int[Array, "B T"]) -> Float[Array, "B T D"]:
        if self.features is not None:
            return self.vectors()[tokens].astype(self.dtype)
        # Cast behind the look-up: its gradient sums over equal tokens in the type of the weights.
        return self.table[...][tokens].astype(self.dtype)

    def attend(self, x: Float[Array, "B T D"]) -> Float[Array, "B T V"]:
        """Inner products with every vector, accumulated in float32 or wider."""
        vectors = self.vectors()
        return wide_matmul(x.astype(jnp.promote_types(x.dtype, vectors.dtype)), vectors.T)


def dropout(x: Array, rate: float, key: jax.Array | None) -> Array:
    """Zeroes entries with probability `rate`, to 1/65,536, and scales the rest; nothing without a key."""
    dropped = round(rate * 2**16)
    if key is None or dropped == 0 or x.size == 0:
        return x
    # Two entries of a number drawn: drawing is what dropout costs.
    *outer, width = x.shape
    drawn = lax.optimization_barrier(jax.random.bits(key, (*outer, -(-width // 2)), jnp.uint32))
    lots = jnp.concatenate([drawn & 0xFFFF, drawn >> 16], axis=-1)[..., :width]
    return jnp.where(lots >= dropped, x / (1 - dropped / 2**16), jnp.zeros_like(x))


def fold(key: jax.Array | None, index: int | Array) -> jax.Array | None:
    """`jax.random.fold_in` that lets no key stay no key."""
    return None if key is None else jax.random.fold_in(key, index)
