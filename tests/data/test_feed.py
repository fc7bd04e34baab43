"""Both ways in which examples reach the step give the same batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from data_building import DIGITS, corpus, sums
from tiny_runs import REPOSITORY, STRICT

from jaxgpt.data.feed import DeviceFeed, HostFeed, make_feed
from jaxgpt.data.order import Order
from jaxgpt.data.packing import pack
from jaxgpt.data.rows import build_rows
from jaxgpt.data.stream import Stream
from jaxgpt.objectives.batches import gather, widened
from jaxgpt.parallel.sharding import local_mesh

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
            if "batches" in data:
                steps = jax.tree.map(lambda value, i=i: value[i], data["batches"])
                given = [jax.tree.map(lambda v, r=r: v[r], steps) for r in range(indices.shape[1])]
                found[first + i] = [jax.tree.map(np.asarray, widened(batch)) for batch in given]
                continue
            found[first + i] = [jax.tree.map(np.asarray, gather(data, index, window)) for index in indices[i]]
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


def test_what_lies_in_files_is_fed_from_the_host(tmp_path):
    table = corpus(tmp_path).windows("train", 6)
    orders = [Order(table.num_examples, 3, seed) for seed in (0, 1)]
    feed = make_feed(table, orders, CHUNK, local_mesh(), on_device_mib=10**6)
    assert type(feed) is HostFeed
    stream = table.stream[:]
    for step, found in batches(feed, 6, [(0, 4), (50, 2), (4, 1)]).items():
        for batch, order in zip(found, orders, strict=True):
            expected = np.stack([stream[6 * i : 6 * i + 7] for i in order.batch(step)])
            np.testing.assert_array_equal(batch["tokens"], expected)


def test_more_examples_than_an_index_counts_stay_on_the_host():
    class Large(Stream):
        num_examples = 2**31

        def batch(self, index):
            return {"tokens": np.zeros((len(index), 7), np.uint8)}

    table = Large(np.zeros(10, np.uint8), 6)
    orders = [Order(table.num_examples, 3, 0)]
    assert type(make_feed(table, orders, CHUNK, local_mesh(), on_device_mib=1)) is HostFeed


@pytest.fixture(scope="module")
def spread():
    """What `spread_feed.py` found on 8 simulated devices."""
    script = Path(__file__).with_name("spread_feed.py")
    variables = {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests" / "data")]),
    }
    done = subprocess.run(
        [sys.executable, *STRICT, script],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("mesh", ["1x8x1", "1x2x2", "2x4x1"])
def test_each_device_holds_its_own_rows_of_a_batch(spread, mesh):
    found = spread[mesh]
    assert found["equal"], "the batches are not those of one device"
    seeds, data, fsdp = map(int, mesh.split("x"))
    assert found["shard"] == [CHUNK, 2 // seeds, 8 // (data * fsdp), 7]


@pytest.mark.parametrize("mesh", ["1x8x1", "1x2x2", "2x4x1"])
def test_each_process_reads_the_rows_of_its_own_devices(spread, mesh):
    """Two processes of half the devices each read every row once together, and those of their devices."""
    found = spread[mesh]
    first, second = map(set, found["rows"])
    assert not first & second and first | second == set(range(16))
    assert found["read"] == found["expected"]  # nothing else is asked of the table
