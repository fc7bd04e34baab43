"""How training examples reach the step: from a table on the device, or batch by batch from the host."""

import math
from collections.abc import Collection

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

from jaxgpt.data.corpus import Windows
from jaxgpt.data.order import Order
from jaxgpt.data.packing import Packed
from jaxgpt.data.rows import Rows
from jaxgpt.data.stream import Stream
from jaxgpt.parallel import sharding

Indices = np.ndarray  # [C, R, B]


class DeviceFeed:
    """The whole table on every device; a chunk of steps needs only the indices of its examples.

    Args:
      orders: one a replica.
      chunk: steps a dispatch, the first dimension of the indices.
    """

    def __init__(self, table: Rows | Packed | Stream, orders: list[Order], chunk: int, mesh: Mesh):
        self.orders, self._chunk, self._where = orders, chunk, sharding.replicated(mesh)
        self.data = {name: sharding.put(value, self._where) for name, value in table.arrays().items()}

    def __call__(self, first: int, count: int) -> tuple[dict[str, jax.Array], jax.Array]:
        """The data and the indices of steps first, ..., first + count - 1."""
        indices = np.zeros((self._chunk, len(self.orders), self.orders[0].batch_size), np.int32)
        for replica, order in enumerate(self.orders):
            indices[:count, replica] = order.batches(first, count)
        return self.data, sharding.put(indices, self._where)


class HostFeed:
    """A table that stays on the host: each chunk brings its own examples, read ahead by grain.

    Element k of the pipeline is the batch of step k, a function of (seed, k) alone, so that training may
    start at any step and grain keeps no state of ours.

    A batch is spread over the mesh as the step wants it, and each process reads the rows that its own devices
    hold, no others. The data is `{"batches": {name: [C, R, B, ...]}}`, from which a step takes its part
    without any index; the indices say the same as those of a `DeviceFeed`, and nobody reads them.

    Args:
      devices: whose rows are read; those of this process.
    """

    def __init__(
        self,
        table: Rows | Packed | Stream,
        orders: list[Order],
        chunk: int,
        mesh: Mesh,
        *,
        devices: Collection[jax.Device] | None = None,
    ):
        import grain

        self.orders, self._chunk = orders, chunk
        self._whole = sharding.replicated(mesh)
        self._where = sharding.batches(mesh)
        self._shape = (chunk, len(orders), orders[0].batch_size)
        if devices is None:
            devices = self._where.addressable_devices
        self.rows = rows_of(self._where, self._shape, devices)
        self._place = np.full(self._shape[1:], -1)  # in what is read, of each row of a batch
        self._place.reshape(-1)[self.rows] = np.arange(len(self.rows))
        self._pipeline = grain.MapDataset.source(Batches(table, orders, self.rows))
        # Files may be slow to answer, and several can be asked at once.
        threads = 8 if isinstance(table, Windows) else 1
        self._options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=2 * chunk)
        self._next, self._iterator = None, None
        self.data, _ = self(0, 1)

    def __call__(self, first: int, count: int) -> tuple[dict[str, dict[str, jax.Array]], jax.Array]:
        """The examples of `count` steps, and indices that nobody reads."""
        if first != self._next:
            rest = self._pipeline[first:]
            self._iterator = iter(rest.to_iter_dataset(read_options=self._options))
        batches = [next(self._iterator) for _ in range(count)]
        self._next = first + count
        batches += [batches[-1]] * (self._chunk - count)
        data = {name: self._spread(np.stack([batch[name] for batch in batches])) for name in batches[0]}
        indices = np.arange(math.prod(self._shape), dtype=np.int32).reshape(self._shape)
        return {"batches": data}, sharding.put(indices, self._whole)

    def _spread(self, read: np.ndarray) -> jax.Array:
        """What was read, [C, rows, ...], as one array over all processes, [C, R, B, ...]."""
        shape = (*self._shape, *read.shape[2:])

        def part(index: tuple[slice, ...]) -> np.ndarray:
            return read[index[0]][:, self._place[index[1:3]]]

        return jax.make_array_from_callback(shape, self._where, part)


def rows_of(where: NamedSharding, shape: tuple[int, int, int], devices: Collection[jax.Device]) -> np.ndarray:
    """Which rows of a batch some devices hold, of all replicas' rows one behind the other.

    Args:
      where: the sharding of `shape`, which is [C, R, B].
    """
    held = np.zeros(shape[1:], bool)
    for device, index in where.devices_indices_map(shape).items():
        if device in devices:
            held[index[1:3]] = True
    return np.flatnonzero(held)


class Batches:
    """Random access to whole batches, which is what makes reading fast; of each, the rows that are asked."""

    def __init__(self, table: Rows | Packed | Stream, orders: list[Order], rows: np.ndarray):
        self._table, self._orders, self._rows = table, orders, rows

    def __len__(self) -> int:
        return 2**31 - 1

    def __getitem__(self, step: int) -> dict[str, np.ndarray]:
        index = np.concatenate([order.batch(int(step)) for order in self._orders])
        return self._table.batch(index[self._rows])


def make_feed(
    table: Rows | Packed | Stream, orders: list[Order], chunk: int, mesh: Mesh, *, on_device_mib: int
) -> DeviceFeed | HostFeed:
    """A feed from the device if the table has at most `on_device_mib` MiB, otherwise from the host.

    What lies in files is fed from the host, as is what has more examples than a device's indices count.
    """
    size = sum(value.nbytes for value in table.arrays().values())
    large = size > on_device_mib * 2**20 or table.num_examples >= 2**31
    kind = HostFeed if large or isinstance(table, Windows) else DeviceFeed
    return kind(table, orders, chunk, mesh)
