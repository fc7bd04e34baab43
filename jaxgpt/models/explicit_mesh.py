"""Models on a mesh with explicit axes, which is what `jax.make_mesh` makes unless told otherwise.

There the sharding of every array is a part of its type, and an operation whose result could lie in several
ways is an error. A model is written for one device and leaves such choices to the compiler, so it is called
with automatic axes, and its outputs get explicit types again.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import AxisType, PartitionSpec


def has_explicit_axes() -> bool:
    """Whether the mesh of the code around has an axis with explicit shardings."""
    return AxisType.Explicit in jax.sharding.get_abstract_mesh().axis_types


def call_with_automatic_axes(
    model: nnx.Module,
    tokens: jax.Array,
    arrays: dict[str, Any],
    settings: dict[str, Any],
    shardings: Callable[[PartitionSpec], Any],
) -> Any:
    """`model(tokens, **arrays, **settings)`, inside of which the compiler chooses shardings.

    Args:
      shardings: of the outputs, given that of an array with the batch first, which is the one of `tokens`.
    """
    graph, state = nnx.split(model)
    arrays = {name: value for name, value in arrays.items() if value is not None}
    tokens, state, arrays = jax.tree.map(jnp.asarray, (tokens, state, arrays))

    def call(state, tokens, arrays):
        return nnx.merge(graph, state)(tokens, **arrays, **settings)

    batch = PartitionSpec(*jax.typeof(tokens).sharding.spec[:1])
    return jax.sharding.auto_axes(call, out_sharding=shardings(batch))(state, tokens, arrays)
