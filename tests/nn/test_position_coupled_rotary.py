"""Coupled and rotary positions together: each part as it is alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.coupled_rotary import CoupledRotary
from jaxgpt.nn.position.rotary import Rotary

TEXTS = (*"0123456789", "+", "=")
BOTH = CoupledRotary(max_position=20, max_offset=8).resolve(TEXTS)
COUPLED = Coupled(max_position=20, max_offset=8).resolve(TEXTS)
ROWS = ["653+49=207", "1+2=3", "98765+4=96789"]
LENGTH = max(map(len, ROWS))
ORDER = np.asarray([[i if i < len(row) else -1 for i in range(LENGTH)] for row in ROWS])
TOKENS = jnp.asarray([[TEXTS.index(c) for c in row.ljust(LENGTH, "+")] for row in ROWS])
TABLE = jax.random.normal(jax.random.key(0), (20, 8))
FIRST, SECOND = jax.random.normal(jax.random.key(1), (2, 3, LENGTH, 2, 8))


@pytest.mark.thorough
@pytest.mark.parametrize("key", [None, jax.random.key(5)], ids=["asked", "trained"])
@pytest.mark.parametrize("order", [jnp.asarray(ORDER), jnp.arange(LENGTH)[None]], ids=["padded", "shared"])
def test_embeddings_are_those_of_coupled_and_rotations_those_of_rotary(key, order):
    positions, carry = BOTH.assign(TOKENS, order, BOTH.start(3), key)
    weights, other = COUPLED.assign(TOKENS, order, COUPLED.start(3), key)
    assert all((a == b).all() for a, b in zip(carry, other, strict=True))
    params, x = {"table": TABLE}, FIRST[:, :, 0]
    assert (BOTH.embed(params, x, positions) == COUPLED.embed(params, x, weights)).all()
    real = np.broadcast_to(order >= 0, TOKENS.shape)
    found = BOTH.rotate(params, FIRST, SECOND, positions, positions)
    expected = Rotary().rotate(params, FIRST, SECOND, order, order)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(
            np.asarray(ours)[real], np.asarray(jnp.broadcast_to(theirs, FIRST.shape))[real]
        )


def test_a_longer_number_shares_the_last_vector_and_keeps_its_place():
    scheme = CoupledRotary(max_position=4, max_offset=0).resolve(TEXTS)
    tokens = jnp.asarray([[9, 8, 7, 6, 5, 10]])
    positions, _ = scheme.assign(tokens, jnp.arange(6)[None], scheme.start(1), None)
    assert (positions % 4).tolist() == [[3, 3, 3, 2, 1, 0]]
    assert (positions // 4).tolist() == [[0, 1, 2, 3, 4, 5]]
    assert scheme.size is None


def test_what_either_refuses_is_refused():
    with pytest.raises(ValueError, match="max_offset=20"):
        CoupledRotary(max_offset=20, max_position=20).check(head_dim=8, num_heads=2)
    with pytest.raises(ValueError, match="rotary_dim=7"):
        CoupledRotary().check(head_dim=7, num_heads=2)
