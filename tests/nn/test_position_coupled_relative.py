"""Position coupling as a bias: differences of weights, the same at every weight."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.position.coupled_relative import CoupledRelative

TEXTS = (*"0123456789", "+", "=", "$")
SCHEME = CoupledRelative(reach=2).resolve(TEXTS)


def positions(text):
    ids = jnp.asarray([[TEXTS.index(c) for c in text]])
    return SCHEME.assign(ids, jnp.arange(len(text))[None], SCHEME.start(1), None)[0]


def bias(text):
    """[T, T] of the first of two heads, with a table that holds its own index."""
    places = positions(text)
    q = jnp.zeros((1, len(text), 2, 4))
    table = jnp.stack([jnp.arange(6.0), -jnp.arange(6.0)], axis=1)
    found = np.asarray(SCHEME.bias({"bias": table}, q, q, places, places))[0]
    seen = found[0] > -1e6
    assert (found[1][seen] == -found[0][seen]).all() and (found[1][~seen] < -1e6).all()
    return np.where(seen, found[0], np.nan)


@pytest.mark.thorough
def test_weights_are_those_of_coupling():
    assert positions("653+049=2070").tolist() == [[3, 2, 1, 0, 3, 2, 1, 0, 1, 2, 3, 4]]


@pytest.mark.thorough
def test_each_difference_has_an_entry_and_so_has_what_is_no_digit():
    text = "653+049=2070"
    weights, found = np.asarray(positions(text))[0], bias(text)
    for i, q in enumerate(weights):
        for j, k in enumerate(weights):
            wanted = 5 if text[j] in "+=" else k - q + 2 if abs(k - q) <= 2 else np.nan
            assert np.array_equal(found[i, j], wanted, equal_nan=True)


@pytest.mark.thorough
def test_a_longer_number_adds_nothing_that_is_seen():
    # The last but one digit of the answer, 20 and 200 digits long: as many keys under the same biases.
    seen = []
    for n in (20, 200):
        row = bias("1" * n + "+" + "2" * n + "=" + "3" * n)[3 * n]
        seen.append(sorted(row[~np.isnan(row)].tolist()))
    assert seen[0] == seen[1] and len(seen[0]) < 16


@pytest.mark.thorough
def test_a_digit_is_read_alike_at_every_weight():
    # The answer's digit of weight 10^i sees digits of weight 10^(i+1) under one bias, near and far.
    n = 150
    found = bias("1" * n + "+" + "2" * n + "=" + "3" * n)
    answer, first = 2 * n + 2, 0
    seen = {(found[answer + i, n - 2 - i], found[answer + i, 2 * n - 1 - i]) for i in range(first, n - 1)}
    assert seen == {(3.0, 3.0)}


def test_marks_below_have_the_weight_before_the_ones():
    below = CoupledRelative(reach=1, marks="below").resolve(TEXTS)
    assert below.tables(d_model=4, num_heads=2, max_length=20)["bias"].shape == (3, 2)
    assert SCHEME.tables(d_model=4, num_heads=2, max_length=20)["bias"].shape == (6, 2)
    text = "53+49=20"
    places = positions(text)
    q, table = jnp.zeros((1, len(text), 1, 4)), jnp.arange(3.0)[:, None]
    found = np.asarray(below.bias({"bias": table}, q, q, places, places))[0, 0]
    # The marker sees the ones of both numbers as the next digits, and the marks as its own weight; the first
    # digit of the answer sees the marks as the weight below; the second sees them no more.
    ones, marks = [1, 4], [2, 5]
    assert (found[5][ones] == 2).all() and (found[5][marks] == 1).all() and found[5][0] < -1e6
    assert (found[6][ones] == 1).all() and (found[6][marks] == 0).all() and found[6][0] == 2
    assert (found[7][marks] < -1e6).all() and (found[7][ones] == 0).all()


def test_there_is_no_longest_number():
    assert SCHEME.size is None and SCHEME.largest_offset == 0


def test_errors():
    with pytest.raises(ValueError, match=r"position\.reach=0 must be at least 1"):
        CoupledRelative(reach=0).check(head_dim=4, num_heads=2)
    with pytest.raises(ValueError, match=r"position=coupled_relative finds no token '='"):
        CoupledRelative().resolve(tuple("0123456789+"))
    with pytest.raises(ValueError, match=r"position=coupled_relative needs tokens for single digits"):
        CoupledRelative().resolve(("=", "12"))
