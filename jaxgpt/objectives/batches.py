"""The examples of a step, from the arrays that lie on a device."""

import jax.numpy as jnp
from jaxtyping import Array, Int

Batch = dict[str, Array]


def gather(data: Batch, index: Int[Array, "B"], window: int) -> Batch:
    """The batch of some examples, from the arrays of `Rows`, `Packed` or `Stream`."""
    if "stream" in data:
        tokens = data["stream"][index[:, None] + jnp.arange(window + 1)]
        return {"tokens": tokens.astype(jnp.int32)}
    return widened({name: value[index] for name, value in data.items()})


def widened(batch: Batch) -> Batch:
    """The batch with ids and lengths as int32; features of numbers stay as they are."""
    return {
        name: value if name.endswith("numbers") else value.astype(jnp.int32) for name, value in batch.items()
    }
