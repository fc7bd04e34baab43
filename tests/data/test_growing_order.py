"""Batches of the shortest examples first: which may be drawn at each step, and all of them afterwards."""

import numpy as np
import pytest

from jaxgpt.core.nested import replaced
from jaxgpt.data.growing_order import GrowingOrder
from jaxgpt.data.order import Order
from jaxgpt.runs import experiments
from jaxgpt.training.prepare import prepare

LENGTHS = np.random.default_rng(0).integers(5, 105, size=1000)


def test_a_step_draws_from_its_share_of_the_shortest():
    order = GrowingOrder(LENGTHS, 20, seed=3, growing=50)
    ranked = np.sort(LENGTHS)
    for step in range(50):
        most = max(20, round(1000 * ((step + 1) / 50) ** 4))
        assert LENGTHS[order.batch(step)].max() <= ranked[most - 1]
    drawn = LENGTHS[order.batches(40, 10)]
    assert drawn.min() < 10 and drawn.max() > 80  # the short ones stay in


def test_what_is_let_in_is_drawn_equally_often():
    order = GrowingOrder(np.arange(100), 2000, seed=0, growing=2)
    counts = np.bincount(order.batch(1), minlength=100)
    assert counts.min() > 0 and abs(counts - 20).max() < 5 * 20**0.5


def test_two_steps_draw_independently():
    order = GrowingOrder(np.arange(10_000), 4000, seed=1, growing=2000)
    one, other = order.batches(1998, 2)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_after_growing_it_is_the_order_without():
    order, plain = GrowingOrder(LENGTHS, 20, seed=3, growing=50), Order(1000, 20, seed=3)
    np.testing.assert_array_equal(order.batches(50, 80), plain.batches(50, 80))


def test_batches_follow_from_seed_and_step_alone():
    whole = GrowingOrder(LENGTHS, 20, seed=3, growing=50).batches(0, 60)
    again = GrowingOrder(LENGTHS, 20, seed=3, growing=50)
    np.testing.assert_array_equal(again.batches(30, 30), whole[30:])
    np.testing.assert_array_equal(again.batches(0, 30), whole[:30])
    assert (GrowingOrder(LENGTHS, 20, seed=4, growing=50).batch(49) != whole[49]).any()


def test_an_experiment_lets_the_shortest_in_first():
    small = {"training.train_examples": 300, "training.test_examples": 0, "training.batch_size": 8}
    experiment = replaced(experiments.find("equal-places"), small | {"training.growing": 100})
    ready = prepare(experiment)
    order = ready.feed.orders[0]
    first, last = (ready.table.length[order.batch(step)] for step in (0, 99))
    assert first.max() == ready.table.length.min() and last.max() > first.max()


def test_rows_that_have_no_length_are_refused():
    experiment = replaced(experiments.find("equal-places"), {"training.train_examples": 300})
    with pytest.raises(ValueError, match=r"growing=5 needs an example a row.*packing=none.*set it to 0"):
        prepare(replaced(experiment, {"training.growing": 5, "training.packing": 64}))
