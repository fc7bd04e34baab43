"""The order of examples: a function of the seed and the step alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.data.order import Order

SIZES = {"num_examples": st.integers(1, 40), "batch_size": st.integers(1, 50), "seed": st.integers(0, 2**40)}


def sequence(order: Order, first: int, last: int) -> np.ndarray:
    """The items of the batches first, ..., last - 1."""
    return np.concatenate([order.batch(step) for step in range(first, last)])


@settings(deadline=None, max_examples=50)
@given(**SIZES)
def test_every_epoch_is_a_permutation(num_examples, batch_size, seed):
    steps = -(-3 * num_examples // batch_size)
    items = sequence(Order(num_examples, batch_size, seed), 0, steps)[: 3 * num_examples]
    for epoch in items.reshape(3, num_examples):
        assert sorted(epoch) == list(range(num_examples))


@settings(deadline=None, max_examples=50)
@given(**SIZES, step=st.integers(0, 200))
def test_a_batch_follows_from_seed_and_step(num_examples, batch_size, seed, step):
    walked = Order(num_examples, batch_size, seed)
    for earlier in (step + 3, 0, step // 2):  # what was asked before has no influence
        walked.batch(earlier)
    np.testing.assert_array_equal(
        walked.batch(step), Order(num_examples, batch_size, seed).batch(step), strict=True
    )


def test_resuming_in_a_later_epoch_gives_the_remaining_order():
    whole = sequence(Order(10, 4, 5), 0, 20)
    resumed = sequence(Order(10, 4, 5), 7, 20)  # step 7 starts in the middle of epoch 2
    np.testing.assert_array_equal(resumed, whole[7 * 4 :])


def test_epochs_and_seeds_are_shuffled_differently():
    epochs = sequence(Order(50, 50, 0), 0, 4).tolist()
    other = Order(50, 50, 1).batch(0).tolist()
    rows = [tuple(epochs[i : i + 50]) for i in range(0, 200, 50)]
    assert len({*rows, tuple(other)}) == 5
    assert tuple(range(50)) not in rows


def test_a_batch_may_be_larger_than_the_data():
    batch = Order(3, 8, 0).batch(1)  # items 8, ..., 15: the end of epoch 2, then 3, 4 and the first of 5
    assert batch.shape == (8,)
    assert sorted(batch[1:4]) == sorted(batch[4:7]) == [0, 1, 2]


def test_one_example():
    assert Order(1, 4, 9).batch(10**6).tolist() == [0, 0, 0, 0]


def test_no_examples():
    with pytest.raises(ValueError, match="no examples"):
        Order(0, 4, 0)
