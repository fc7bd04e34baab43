"""Schemes made for texts longer than those trained on: FIRE and randomized positions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.fire import FIRE
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.randomized import Randomized
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.position.transformer_xl import TransformerXL


def fire_params(scheme, seed=0, heads=3):
    rng = np.random.default_rng(seed)
    tables = scheme.tables(d_model=8, num_heads=heads, max_length=9)
    return {name: jnp.asarray(rng.normal(0, 0.5, table.shape), jnp.float32) for name, table in tables.items()}


def test_fire_is_the_formula_of_the_paper():
    scheme = FIRE(hidden=5, slope=0.3, threshold=4.0)
    params = fire_params(scheme)
    q = jnp.zeros((1, 9, 3, 4))
    places = jnp.arange(9)[None]
    found = np.asarray(scheme.bias(params, q, q, places, places))[0]
    p = {name: np.asarray(value, np.float64) for name, value in params.items()}
    c, least = 0.3 * np.exp(p["log_slope"]), 4.0 * np.exp(p["log_threshold"])
    for i in range(9):
        for j in range(i + 1):
            share = np.log(c * (i - j) + 1) / np.log(c * max(i, least) + 1)
            wanted = np.maximum(share * p["up"] + p["up_bias"], 0) @ p["down"]
            assert np.allclose(found[:, i, j], wanted, atol=1e-5)


def test_fire_reads_shares_of_the_length_beyond_its_threshold():
    # At a query twice as far, a key twice as far away looks almost the same: that is what lets it go on.
    scheme = FIRE(slope=100.0, threshold=1.0)
    params = fire_params(scheme)
    q = jnp.zeros((1, 1, 3, 4))
    at = [scheme.bias(params, q, q, jnp.full((1, 1), n), jnp.full((1, 1), n // 2)) for n in (2000, 4000)]
    near = scheme.bias(params, q, q, jnp.full((1, 1), 4000), jnp.full((1, 1), 3999))
    assert np.abs(at[0] - at[1]).max() < 0.02 < np.abs(at[0] - near).max()


@pytest.mark.parametrize("fields", [{"hidden": 0}, {"slope": 0.0}, {"threshold": float("inf")}])
def test_fire_errors_name_the_field(fields):
    with pytest.raises(ValueError, match=rf"position\.{next(iter(fields))}="):
        FIRE(**fields).check(head_dim=4, num_heads=2)


def test_drawn_positions_are_different_increasing_and_reach_everywhere():
    scheme = Randomized(base=Rotary(), max_position=12)
    tokens = jnp.zeros((4000, 5), jnp.int32)
    positions, _ = scheme.assign(tokens, jnp.arange(5)[None], (), jax.random.key(1))
    positions = np.asarray(positions)
    assert (np.diff(positions, axis=1) > 0).all()
    # Every position is drawn equally often: 5 of 12 in each row.
    share = np.bincount(positions.ravel(), minlength=12) / len(positions)
    assert share.shape == (12,) and np.abs(share - 5 / 12).max() < 5 * np.sqrt(5 / 12 * 7 / 12 / 4000)


def test_padding_does_not_use_up_positions():
    scheme = Randomized(base=Rotary(), max_position=6)
    order = jnp.asarray([[-1, 0, -1, 1, 2]])
    positions, _ = scheme.assign(jnp.zeros((1, 5), jnp.int32), order, (), jax.random.key(0))
    real = np.asarray(positions)[0][[1, 3, 4]]
    assert (np.diff(real) > 0).all()


def test_the_longest_document_of_a_row_decides_how_many_positions_are_drawn():
    scheme, tokens = Randomized(base=Rotary(), max_position=4, spacing=1), jnp.zeros((600, 8), jnp.int32)
    order = jnp.tile(jnp.asarray([0, 1, 2, 0, 1, 0, 1, 2]), (600, 1))  # twice as many tokens as positions
    for assign in (scheme.assign, jax.jit(scheme.assign)):
        drawn = np.asarray(assign(tokens, order, (), jax.random.key(0))[0])
        assert (np.diff(drawn[:, :3]) > 0).all() and drawn.min() == 0 and drawn.max() == 3
        for part in (slice(3, 5), slice(5, 8)):
            np.testing.assert_array_equal(drawn[:, part], drawn[:, : part.stop - part.start])
        # The four choices of three out of four are drawn equally often.
        left_out = 6 - drawn[:, :3].sum(axis=1)
        assert np.abs(np.bincount(left_out, minlength=4) / 600 - 1 / 4).max() < 5 * np.sqrt(3 / 16 / 600)
    longer = jnp.tile(jnp.asarray([0, 1, 2, 3, 4, 0, 1, 2]), (600, 1))
    with pytest.raises(ValueError, match=r"position\.max_position=4 is too small for 5 different positions"):
        scheme.assign(tokens, longer, (), jax.random.key(0))


def test_an_order_of_all_rows_is_checked_inside_of_jit():
    scheme = Randomized(base=Rotary(), max_position=4, spacing=1)
    with pytest.raises(ValueError, match=r"position\.max_position=4 is too small for 5 different positions"):
        jax.jit(scheme.assign)(jnp.zeros((2, 5), jnp.int32), jnp.arange(5)[None], (), jax.random.key(0))


def test_without_a_key_neighbours_lie_apart_by_the_spacing():
    scheme = Randomized(max_position=100, spacing=7)
    positions, _ = scheme.assign(jnp.zeros((1, 4), jnp.int32), jnp.asarray([[0, 1, 2, -1]]), (), None)
    assert positions.tolist() == [[0, 7, 14, 0]]


def test_tables_of_the_base_have_a_row_for_every_position():
    tables = Randomized(base=Learned(), max_position=40).tables(d_model=8, num_heads=2, max_length=10)
    assert tables["table"].shape == (40, 8)


def test_randomized_errors():
    with pytest.raises(ValueError, match=r"position\.base=coupled counts digits"):
        Randomized(base=Coupled()).check(head_dim=8, num_heads=2)
    with pytest.raises(
        ValueError, match=r"position\.base=transformer_xl cannot read positions that lie apart"
    ):
        Randomized(base=TransformerXL()).check(head_dim=8, num_heads=2)
    with pytest.raises(ValueError, match=r"max_position=2048 is more than position\.base=axial has, 512"):
        Randomized(base=Axial(), max_position=2048).check(head_dim=8, num_heads=2)
    with pytest.raises(ValueError, match=r"position\.spacing=9 .* max_position=9"):
        Randomized(max_position=9, spacing=9).check(head_dim=8, num_heads=2)
    with pytest.raises(ValueError, match=r"position\.max_position=3 is too small for 4"):
        Randomized(max_position=3, spacing=1).assign(
            jnp.zeros((1, 4), jnp.int32), jnp.arange(4)[None], (), jax.random.key(0)
        )
