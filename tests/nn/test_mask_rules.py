"""Masks by themselves: what each rule says, and what `&` and `|` make of two."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.attention.masks import causal, full, prefix, window

ORDER = jnp.arange(4)[None]


def table(mask, q=ORDER, k=ORDER):
    """The mask of the first row as 0 and 1, a string a query."""
    return ["".join(str(int(v)) for v in row) for row in np.asarray(mask(q, k))[0]]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (full(), ["1111", "1111", "1111", "1111"]),
        (causal(), ["1000", "1100", "1110", "1111"]),
        (window(2), ["1000", "1100", "0110", "0011"]),
        (window(2, 1), ["1100", "1110", "0111", "0011"]),
        (prefix(2), ["1100", "1100", "1100", "1100"]),
        (causal() | prefix(2), ["1100", "1100", "1110", "1111"]),
        (causal() & prefix(2), ["1000", "1100", "1100", "1100"]),
        (window(1, 3) & causal(), ["1000", "0100", "0010", "0001"]),
        ((causal() | prefix(3)) & window(2, 9), ["1110", "1110", "0110", "0011"]),
    ],
    ids=repr,
)
def test_rules(mask, expected):
    assert table(mask) == expected


def test_names_show_how_a_mask_was_made():
    assert repr((causal() | prefix(3)) & window(2)) == "((causal | prefix(3)) & window(2, 0))"


@pytest.mark.parametrize("mask", [full(), causal(), window(2), prefix(2), causal() | prefix(2)], ids=repr)
def test_padding_is_hidden_wherever_it_stands(mask):
    order = jnp.asarray([[-1, 0, -1, 1]])
    seen = np.asarray(mask(order, order))[0]
    assert not seen[:, [0, 2]].any()
    assert (seen[np.ix_([1, 3], [1, 3])] == np.asarray(mask(ORDER[:, :2], ORDER[:, :2]))[0]).all()


@pytest.mark.parametrize("mask", [full(), causal(), window(2), prefix(2), causal() | prefix(2)], ids=repr)
def test_a_chunk_of_queries_gets_its_rows_of_the_whole(mask):
    assert table(mask, ORDER[:, 2:], ORDER) == table(mask)[2:]


def test_rows_of_a_batch_are_apart():
    order = jnp.asarray([[0, 1, 2], [-1, 0, 1]])
    assert np.asarray(causal()(order, order)).astype(int).tolist() == [
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]],
        [[0, 0, 0], [0, 1, 0], [0, 1, 1]],
    ]


def test_equal_masks_are_equal_values():
    # A mask is a static part of a model: otherwise two models of one configuration would be compiled twice.
    assert causal() & window(3) == causal() & window(3)
    assert hash(causal() & window(3)) == hash(causal() & window(3))
    assert window(3) != window(4)
    assert causal() & full() != causal() | full()


@pytest.mark.parametrize("arguments", [(0,), (2, -1)])
def test_a_window_must_hold_something(arguments):
    with pytest.raises(ValueError, match=r"^window\(left=.*left must be at least 1 and right at least 0$"):
        window(*arguments)
