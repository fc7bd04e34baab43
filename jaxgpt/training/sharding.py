"""One table from logical axis names to mesh axes; the models know nothing of devices."""

import math
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxgpt.training.config import MeshConfig

#: Logical axis of a parameter -> mesh axis. Names that are missing here stay whole on every device.
RULES: dict[str, str] = {
    "embed": "fsdp",
    "heads": "tensor",
    "kv_heads": "tensor",
    "mlp": "tensor",
    "vocab": "tensor",
}

#: Mesh axes over which a batch is split.
BATCH_AXES = ("data", "fsdp")


def make_mesh(config: MeshConfig, batch_size: int) -> Mesh:
    """The mesh of a run over all devices of all processes.

    Raises:
      ValueError: if the axes do not multiply to the number of devices, or do not divide the batch.
    """
    count = jax.device_count()
    rest = config.fsdp * config.tensor
    data = config.data
    if data == -1:
        # What is left, but no more than the batch can be split into.
        data = math.gcd(count // rest, max(1, batch_size // config.fsdp)) if count % rest == 0 else 0
    used = data * rest
    if used < 1 or used > count or (jax.process_count() > 1 and used != count):
        raise ValueError(
            f"training.mesh data={config.data} x fsdp={config.fsdp} x tensor={config.tensor} does not fit "
            f"{count} devices; make their product {count}"
        )
    if batch_size % (data * config.fsdp):
        raise ValueError(
            f"training.batch_size={batch_size} is not divisible by mesh data x fsdp = {data * config.fsdp}"
        )
    devices = np.asarray(jax.devices()[:used]).reshape(data, config.fsdp, config.tensor)
    return Mesh(devices, ("data", "fsdp", "tensor"), axis_types=(AxisType.Auto,) * 3)


def local_mesh() -> Mesh:
    """The first device of this process alone."""
    devices = np.asarray(jax.local_devices()[:1]).reshape(1, 1, 1)
    return Mesh(devices, ("data", "fsdp", "tensor"), axis_types=(AxisType.Auto,) * 3)


def spec(shape: tuple[int, ...], axes: tuple[str | None, ...], mesh: Mesh) -> PartitionSpec:
    """How one parameter is split; a dimension that a mesh axis does not divide stays whole.

    Leading dimensions that `axes` does not name (layers, seeds) stay whole.
    """
    axes = (None,) * (len(shape) - len(axes)) + tuple(axes)
    entries: list[str | None] = []
    for size, axis in zip(shape, axes, strict=True):
        target = RULES.get(axis) if axis else None
        fits = target is not None and target not in entries and size % mesh.shape[target] == 0
        entries.append(target if fits else None)
    return PartitionSpec(*entries)


def replicated(mesh: Mesh) -> NamedSharding:
    """Whole on every device."""
    return NamedSharding(mesh, PartitionSpec())


def state_shardings(state: Any, axes: dict[str, tuple], mesh: Mesh) -> Any:
    """A sharding for every leaf: parameters by the table, optimizer moments as their parameter.

    Args:
      state: a tree whose parameters, and whatever mirrors them, are dictionaries keyed by parameter name.
      axes: logical axes by parameter name.
    """

    def leaf(path, value):
        name = next((k.key for k in reversed(path) if isinstance(k, jax.tree_util.DictKey)), None)
        names = axes.get(name)
        if names is None or len(value.shape) < len(names):
            return replicated(mesh)
        return NamedSharding(mesh, spec(value.shape, names, mesh))

    return jax.tree_util.tree_map_with_path(leaf, state)


def put(value: Any, sharding: NamedSharding) -> jax.Array:
    """A host array, equal in every process, as one global array."""
    value = np.asarray(value)
    if jax.process_count() == 1:
        return jax.device_put(value, sharding)
    return jax.make_array_from_callback(value.shape, sharding, lambda index: value[index])
