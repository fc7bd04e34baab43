"""Feeds from the host on several meshes of 8 simulated devices; prints what it found as JSON.

A program of its own, since the number of devices is fixed when JAX starts.
"""

import json

import numpy as np

from jaxgpt.data.feed import Batches, HostFeed
from jaxgpt.data.order import Order
from jaxgpt.data.stream import Stream
from jaxgpt.parallel.mesh_config import MeshConfig
from jaxgpt.parallel.sharding import local_mesh, make_mesh

#: Seeds x data x fsdp.
MESHES = ["1x8x1", "1x2x2", "2x4x1"]


class Watched(Stream):
    """A stream that notes which examples are asked for."""

    def batch(self, index):
        ASKED.append(index.tolist())
        return super().batch(index)


ASKED = []


def main():
    table = Stream(np.random.default_rng(0).integers(0, 250, 500).astype(np.uint8), 6)
    orders = [Order(table.num_examples, 8, seed) for seed in (0, 1)]
    alone = HostFeed(table, orders, 4, local_mesh())(9, 4)[0]["batches"]["tokens"]
    answer = {}
    for name in MESHES:
        seeds, data, fsdp = map(int, name.split("x"))
        mesh = make_mesh(MeshConfig(seeds=seeds, data=data, fsdp=fsdp), 8, 2)
        found = HostFeed(table, orders, 4, mesh)(9, 4)[0]["batches"]["tokens"]
        devices = mesh.devices.reshape(-1)
        halves = [set(half) for half in np.split(devices, 2)]
        rows = [HostFeed(table, orders, 4, mesh, devices=half).rows for half in halves]
        watched = Watched(table.stream, table.window)
        Batches(watched, orders, rows[1])[9]
        asked = np.concatenate([order.batch(9) for order in orders])
        answer[name] = {
            "equal": bool((np.asarray(found) == np.asarray(alone)).all()),
            "shard": found.addressable_shards[0].data.shape,
            "rows": [part.tolist() for part in rows],
            "read": ASKED.pop(),
            "expected": asked[rows[1]].tolist(),
        }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
