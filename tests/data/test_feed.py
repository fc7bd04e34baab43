"""Both ways in which examples reach the step give the same batches."""

import jax
import numpy as np
import pytest
from data_building import DIGITS, sums

from jaxgpt import objectives
from jaxgpt.data.feed import DeviceFeed, HostFeed, make_feed
from jaxgpt.data.order import Order
from jaxgpt.data.packing import pack
from jaxgpt.data.rows import build_rows
from jaxgpt.data.stream import Stream
from jaxgpt.training.sharding import local_mesh

CHUNK = 4


def tables():
    """A table of each kind, by name."""
    stream = np.random.default_rng(0).integers(0, 15, 60).astype(np.uint8)
    return {
        "rows": build_rows(sums(11), DIGITS, encoder_decoder=False, max_length=20),
        "pairs": build_rows(sums(11), DIGITS, encoder_decoder=True, max_length=20),
        "packed": pack(build_rows(sums(40), DIGITS, encoder_decoder=False, max_length=20), 50, 0),
        "stream": Stream(stream, 6),
    }


def batches(feed, window, plan):
    """What every step of the plan `[(first, count), ...]` trains on, a batch a replica."""
    found = {}
    for first, count in plan:
        data, indices = feed(first, count)
        assert indices.shape[0] == CHUNK
        for i in range(count):
            found[first + i] = [
                jax.tree.map(np.asarray, objectives.gather(data, index, window)) for index in indices[i]
            ]
    return found


@pytest.mark.parametrize("kind", ["rows", "pairs", "packed", "stream"])
def test_device_and_host_give_the_same_batches(kind):
    table = tables()[kind]
    orders = [Order(table.num_examples, 3, seed) for seed in (0, 1)]
    plan = [(0, 4), (4, 1), (5, 4), (9, 2), (2, 3), (1000, 2)]  # also going back, as a resumed run does
    window = getattr(table, "window", 0)
    device = batches(DeviceFeed(table, orders, CHUNK, local_mesh()), window, plan)
    host = batches(HostFeed(table, orders, CHUNK, local_mesh()), window, plan)
    assert device.keys() == host.keys()
    for step in device:
        for ours, theirs, order in zip(device[step], host[step], orders, strict=True):
            assert ours.keys() == theirs.keys()
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name], err_msg=f"{step} {name}")
            index = order.batch(step)
            if kind == "stream":
                expected = np.stack([table.stream[i : i + 7] for i in index])
            else:
                expected = table.tokens[index]
            np.testing.assert_array_equal(ours["tokens"], expected)


def test_a_feed_that_starts_in_the_middle():
    table = tables()["rows"]
    orders = [Order(table.num_examples, 3, 0)]
    late = batches(HostFeed(table, orders, CHUNK, local_mesh()), 0, [(7, 4)])
    whole = batches(HostFeed(table, orders, CHUNK, local_mesh()), 0, [(0, 4), (4, 4), (8, 4)])
    for step in late:
        np.testing.assert_array_equal(late[step][0]["tokens"], whole[step][0]["tokens"])


def test_the_size_decides():
    table = tables()["rows"]
    orders = [Order(table.num_examples, 3, 0)]
    made = [make_feed(table, orders, CHUNK, local_mesh(), on_device_mib=mib) for mib in (0, 1)]
    assert [type(feed) for feed in made] == [HostFeed, DeviceFeed]
