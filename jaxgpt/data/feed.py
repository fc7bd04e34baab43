"""How training examples reach the step: from a table on the device, or batch by batch from the host."""

import jax
import numpy as np
from jax.sharding import Mesh

from jaxgpt.data.order import Order
from jaxgpt.data.packing import Packed
from jaxgpt.data.rows import Rows
from jaxgpt.data.stream import Stream
from jaxgpt.training import sharding

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
    """

    def __init__(self, table: Rows | Packed | Stream, orders: list[Order], chunk: int, mesh: Mesh):
        import grain

        self.orders, self._chunk, self._where = orders, chunk, sharding.replicated(mesh)
        self._size = len(orders) * orders[0].batch_size
        self._shape = (chunk, len(orders), orders[0].batch_size)
        self._pipeline = grain.MapDataset.source(_Batches(table, orders))
        self._options = grain.ReadOptions(num_threads=1, prefetch_buffer_size=2 * chunk)
        self._next, self._iterator = None, None
        self.data, _ = self(0, 1)

    def __call__(self, first: int, count: int) -> tuple[dict[str, jax.Array], jax.Array]:
        """The examples of `count` steps and where in them each step finds its own."""
        if first != self._next:
            rest = self._pipeline[first:]
            self._iterator = iter(rest.to_iter_dataset(read_options=self._options))
        batches = [next(self._iterator) for _ in range(count)]
        self._next = first + count
        batches += [batches[-1]] * (self._chunk - count)
        data = {
            name: sharding.put(np.concatenate([batch[name] for batch in batches]), self._where)
            for name in batches[0]
        }
        indices = np.arange(self._chunk * self._size, dtype=np.int32).reshape(self._shape)
        return data, sharding.put(indices, self._where)


class _Batches:
    """Random access to whole batches, which is what makes reading fast."""

    def __init__(self, table: Rows | Packed | Stream, orders: list[Order]):
        self._arrays, self._orders = table.arrays(), orders
        self._window = getattr(table, "window", 0)

    def __len__(self) -> int:
        return 2**31 - 1

    def __getitem__(self, step: int) -> dict[str, np.ndarray]:
        index = np.concatenate([order.batch(int(step)) for order in self._orders])
        if "stream" in self._arrays:
            return {"tokens": self._arrays["stream"][index[:, None] + np.arange(self._window + 1)]}
        return {name: value[index] for name, value in self._arrays.items()}


def make_feed(
    table: Rows | Packed | Stream, orders: list[Order], chunk: int, mesh: Mesh, *, on_device_mib: int
) -> DeviceFeed | HostFeed:
    """A feed from the device if the table has at most `on_device_mib` MiB, otherwise from the host."""
    size = sum(value.nbytes for value in table.arrays().values())
    kind = DeviceFeed if size <= on_device_mib * 2**20 else HostFeed
    return kind(table, orders, chunk, mesh)
