"""The bias of coupled weights and rotary positions together: each part as it is alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.position.coupled_relative import CoupledRelative
from jaxgpt.nn.position.coupled_relative_rotary import CoupledRelativeRotary
from jaxgpt.nn.position.rotary import Rotary

TEXTS = (*"0123456789", "+", "=")
BOTH = CoupledRelativeRotary(reach=2).resolve(TEXTS)
BIAS = CoupledRelative(reach=2).resolve(TEXTS)
ROWS = ["653+49=207", "1+2=3", "98765+4=96789"]
LENGTH = max(map(len, ROWS))
ORDER = jnp.asarray([[i if i < len(row) else -1 for i in range(LENGTH)] for row in ROWS])
TOKENS = jnp.asarray([[TEXTS.index(c) for c in row.ljust(LENGTH, "+")] for row in ROWS])
TABLE = jax.random.normal(jax.random.key(0), (6, 2))
FIRST, SECOND = jax.random.normal(jax.random.key(1), (2, 3, LENGTH, 2, 8))


@pytest.mark.thorough
def test_the_bias_is_that_of_weights_and_rotations_are_those_of_places():
    positions, carry = BOTH.assign(TOKENS, ORDER, BOTH.start(3), None)
    weights, other = BIAS.assign(TOKENS, ORDER, BIAS.start(3), None)
    assert all((a == b).all() for a, b in zip(carry, other, strict=True))
    params = {"bias": TABLE}
    found = BOTH.bias(params, FIRST, SECOND, positions, positions)
    expected = BIAS.bias(params, FIRST, SECOND, weights, weights)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert len(np.unique(found)) > 4
    real = np.asarray(ORDER) >= 0
    turned = BOTH.rotate(params, FIRST, SECOND, positions, positions)
    for ours, theirs in zip(turned, Rotary().rotate(params, FIRST, SECOND, ORDER, ORDER), strict=True):
        np.testing.assert_array_equal(np.asarray(ours)[real], np.asarray(theirs)[real])


def test_larger_weights_share_the_last_one_and_keep_their_places():
    scheme = CoupledRelativeRotary(max_weight=4).resolve(TEXTS)
    tokens = jnp.asarray([[9, 8, 7, 6, 5, 10]])
    positions, _ = scheme.assign(tokens, jnp.arange(6)[None], scheme.start(1), None)
    assert (positions % 4).tolist() == [[3, 3, 3, 2, 1, 0]]
    assert (positions // 4).tolist() == [[0, 1, 2, 3, 4, 5]]


def test_what_either_refuses_is_refused():
    for scheme, words in (
        (CoupledRelativeRotary(reach=0), "reach=0"),
        (CoupledRelativeRotary(max_weight=1), "max_weight=1"),
    ):
        with pytest.raises(ValueError, match=words):
            scheme.check(head_dim=8, num_heads=2)
    with pytest.raises(ValueError, match="rotary_dim=7"):
        CoupledRelativeRotary().check(head_dim=7, num_heads=2)
