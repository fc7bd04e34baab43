"""A permutation that is computed item by item."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.data import order
from jaxgpt.data.order import Order
from jaxgpt.data.permutation import Permutation

KEYS = st.tuples(st.integers(0, 2**40), st.integers(0, 2**40))


@settings(max_examples=100)
@given(size=st.integers(1, 3000), key=KEYS)
def test_it_is_a_bijection(size, key):
    assert sorted(Permutation(size, key)(np.arange(size)).tolist()) == list(range(size))


@settings(max_examples=50)
@given(size=st.integers(2**31, 2**62), key=KEYS, places=st.lists(st.integers(0, 2**31 - 1), unique=True))
def test_different_places_of_a_large_one_have_different_items(size, key, places):
    items = Permutation(size, key)(np.asarray(places, np.int64))
    assert len(set(items.tolist())) == len(places)
    assert all(0 <= item < size for item in items.tolist())


def test_seeds_and_epochs_shuffle_differently():
    orders = [Permutation(1000, key)(np.arange(1000)) for key in [(0, 0), (0, 1), (1, 0), (1, 1)]]
    for first in range(4):
        for second in range(first):
            # Of two independent orders about one place in 1,000 agrees.
            assert (orders[first] == orders[second]).sum() < 10


@pytest.mark.parametrize("size", [2**17 + 1, 2**27 - 1, 2**40])
def test_neighbours_are_torn_apart_as_by_chance(size):
    """Chi-square of where items land, and of how far apart neighbours do: 64 classes, 99.99 % at 121."""
    for seed in (0, 7):
        where = np.stack([Permutation(size, (seed, epoch))(np.arange(4096)) for epoch in range(64)])
        for values in (where, np.diff(where) % size, np.diff(where, axis=0) % size):
            found = np.bincount(values.reshape(-1) * 64 // size, minlength=64)
            expected = values.size / 64
            assert ((found - expected) ** 2 / expected).sum() < 121


def test_every_epoch_of_many_examples_has_each_once(monkeypatch):
    monkeypatch.setattr(order, "MOST_IN_MEMORY", 10)
    few, many = Order(10, 4, 3), Order(11, 4, 3)
    items = np.concatenate([many.batch(step) for step in range(11)])
    for epoch in items.reshape(4, 11):
        assert sorted(epoch) == list(range(11))
    assert len({tuple(epoch) for epoch in items.reshape(4, 11).tolist()}) == 4
    np.testing.assert_array_equal(Order(11, 4, 3).batches(5, 3), many.batches(5, 3))
    # What fits keeps the order that runs have been begun with.
    np.testing.assert_array_equal(few.batches(0, 5).reshape(2, 10)[1], _table(10, seed=3, epoch=1))


def _table(size: int, *, seed: int, epoch: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(size)


def test_billions_take_no_memory():
    huge = Order(5_000_000_000, 64, 0)
    assert huge.batch(10**9).max() > 2**31
    assert not huge._permutation.cache_info().currsize
