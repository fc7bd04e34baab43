"""One table from logical axis names to mesh axes; the models know nothing of devices."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxgpt.parallel.mesh_config import MeshConfig

#: Logical axis of a parameter -> mesh axis. Names that are missing here stay whole on every device.
RULES: dict[str, str] = {
    "embed": "fsdp",
    "heads": "tensor",
    "kv_heads": "tensor",
    "mlp": "tensor",
    "vocab": "tensor",
}

#: The mesh axis over which replicas of different seeds are spread.
SEEDS_AXIS = "seeds"
#: Mesh axes over which a batch is split.
BATCH_AXES = ("data", "fsdp")
#: The mesh axis over which the tokens of a row are split.
SEQUENCE_AXIS = "sequence"
MESH_AXES = (SEEDS_AXIS, *BATCH_AXES, SEQUENCE_AXIS, "tensor")


def make_mesh(
    config: MeshConfig, batch_size: int, seeds: int = 1, devices: Sequence[jax.Device] | None = None
) -> Mesh:
    """The mesh of a run over all devices of all processes.

    Args:
      batch_size: rows that are computed at once.
      devices: others, such as those of a machine that is not there.

    Raises:
      ValueError: if the axes do not multiply to the number of devices, or do not divide seeds and batch.
    """
    devices = jax.devices() if devices is None else devices
    count, processes = len(devices), len({device.process_index for device in devices})
    fixed = config.fsdp * config.sequence * config.tensor
    spread, data = config.seeds, config.data
    # What is left, but no more than seeds, and then the batch, can be split into.
    if spread == -1:
        left = count // (fixed * max(data, 1))
        spread = math.gcd(left, seeds) if left else 1
    if data == -1:
        left, rest = divmod(count, fixed * spread)
        data = math.gcd(left, max(1, batch_size // config.fsdp)) if not rest else 0
    used = spread * data * fixed
    rows = f"training.batch_size / training.accumulation = {batch_size}"
    if used < 1 or used > count or (processes > 1 and used != count):
        drawn = f", where -1 is what divides {seeds} seeds, or {rows}" * (-1 in (config.seeds, config.data))
        raise ValueError(
            f"training.mesh seeds={config.seeds} x data={config.data} x fsdp={config.fsdp} x "
            f"sequence={config.sequence} x tensor={config.tensor} does not fit {count} devices; make their "
            f"product {count}{drawn}"
        )
    if batch_size % (data * config.fsdp):
        raise ValueError(f"{rows} is not divisible by mesh data x fsdp = {data * config.fsdp}")
    if seeds % spread:
        raise ValueError(f"seeds={seeds} is not divisible by training.mesh.seeds={spread}")
    shape = (spread, data, config.fsdp, config.sequence, config.tensor)
    grid = np.asarray(devices[:used]).reshape(shape)
    return Mesh(grid, MESH_AXES, axis_types=(AxisType.Auto,) * len(MESH_AXES))


def local_mesh() -> Mesh:
    """The first device of this process alone."""
    devices = np.asarray(jax.local_devices()[:1]).reshape((1,) * len(MESH_AXES))
    return Mesh(devices, MESH_AXES, axis_types=(AxisType.Auto,) * len(MESH_AXES))


def spec(
    shape: tuple[int, ...], axes: tuple[str | None, ...], mesh: Mesh, *, replicas: bool = False
) -> PartitionSpec:
    """How one parameter is split; a dimension that a mesh axis does not divide stays whole.

    Leading dimensions that `axes` does not name (layers) stay whole; of several `replicas` the first
    dimension is spread over the mesh's seeds.
    """
    entries: list[str | None] = [SEEDS_AXIS] if replicas else []
    shape = shape[len(entries) :]
    axes = (None,) * (len(shape) - len(axes)) + tuple(axes)
    for size, axis in zip(shape, axes, strict=True):
        target = RULES.get(axis) if axis else None
        fits = target is not None and target not in entries and size % mesh.shape[target] == 0
        entries.append(target if fits else None)
    return PartitionSpec(*entries)


def replicated(mesh: Mesh) -> NamedSharding:
    """Whole on every device."""
    return NamedSharding(mesh, PartitionSpec())


def batches(mesh: Mesh) -> NamedSharding:
    """Batches of several steps and replicas, [C, R, B, ...], each split over the mesh."""
    return NamedSharding(mesh, PartitionSpec(None, SEEDS_AXIS, BATCH_AXES))


def state_shardings(state: Any, axes: dict[str, tuple], mesh: Mesh, *, replicas: bool = False) -> Any:
    """A sharding for every leaf: parameters by the table, optimizer moments as their parameter.

    Args:
      state: a tree whose parameters, and whatever mirrors them, are dictionaries keyed by parameter name.
      axes: logical axes by parameter name.
      replicas: whether every leaf has a leading dimension, one entry a seed.
    """

    def leaf(path, value):
        name = next((k.key for k in reversed(path) if isinstance(k, jax.tree_util.DictKey)), None)
        names = axes.get(name)
        if names is None or len(value.shape) < len(names) + replicas:
            return replicated(mesh)
        return NamedSharding(mesh, spec(value.shape, names, mesh, replicas=replicas))

    return jax.tree_util.tree_map_with_path(leaf, state)


def lay_rows(mesh: Mesh, x: jax.Array) -> jax.Array:
    """Activations [B, T, D] split as a batch is; a token's features stay together."""
    where = NamedSharding(mesh, PartitionSpec(BATCH_AXES, SEQUENCE_AXIS))
    return jax.lax.with_sharding_constraint(x, where)


class OverSequence:
    """A model that reads rows whose tokens are spread over devices (`mesh.sequence`).

    Its inputs and outputs are laid out so, and XLA lays out what is between: queries and activations stay
    where their tokens are, keys and values go to all devices. Each holds T/N of every activation.
    """

    def __init__(self, model: Any, mesh: Mesh, *, batch: bool):
        self._model, self._mesh, self._rows = model, mesh, BATCH_AXES if batch else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, tokens: jax.Array, **inputs: Any) -> Any:
        """What the model returns; only inputs and outputs with a row and a token dimension are laid out."""
        lengths = {tokens.shape[1]} | {v.shape[1] for v in (inputs.get("source"),) if v is not None}
        count = self._mesh.shape[SEQUENCE_AXIS]
        if odd := [length for length in lengths if length % count]:
            raise ValueError(
                f"training.mesh.sequence={count} does not divide the {odd[0]} tokens of a row; of a text set "
                f"model.max_length to a multiple of {count}; where an objective makes rows of other lengths, "
                "set training.mesh.sequence=1"
            )

        def lay(value):
            if getattr(value, "ndim", 0) < 2 or value.shape[1] not in lengths:
                return value
            where = NamedSharding(self._mesh, PartitionSpec(self._rows, SEQUENCE_AXIS))
            return jax.lax.with_sharding_constraint(value, where)

        key, cache = inputs.pop("key", None), inputs.pop("cache", None)
        tokens, inputs = jax.tree.map(lay, (tokens, inputs))
        output = self._model(tokens, key=key, cache=cache, **inputs)
        return output._replace(logits=lay(output.logits), hidden=lay(output.hidden))


def over_sequence(model: Any, mesh: Mesh, *, batch: bool = True) -> Any:
    """The model as it is, or spread over the mesh's sequence axis if that has several devices.

    Args:
      batch: whether the rows are spread, too.
    """
    return model if mesh.shape[SEQUENCE_AXIS] == 1 else OverSequence(model, mesh, batch=batch)


def put(value: Any, sharding: NamedSharding) -> jax.Array:
    """A host array, equal in every process, as one global array."""
    value = np.asarray(value)
    if jax.process_count() == 1:
        return jax.device_put(value, sharding)
    return jax.make_array_from_callback(value.shape, sharding, lambda index: value[index])
