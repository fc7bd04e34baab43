"""Position schemes one by one: published numbers, formulas, and what each promises."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.position import Position
from jaxgpt.nn.position.alibi import ALiBi, slopes
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.learned_relative import LearnedRelative
from jaxgpt.nn.position.relative import Relative, buckets
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.position.sinusoidal import Sinusoidal

DISTANCES = [-200, -128, -64, -20, -16, -8, -1, 0, 1, 8, 16, 64, 200]


def draw(seed, shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        # key - query, from the authors' code by way of Hugging Face's T5.
        ("both", [15, 15, 14, 10, 10, 8, 1, 0, 17, 24, 26, 30, 31]),
        ("past", [31, 31, 26, 17, 16, 8, 1, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_t5_buckets(direction, expected):
    table = buckets(direction, 32, 128)
    assert [int(table[min(max(d, -128), 128) + 128]) for d in DISTANCES] == expected
    # The same through the hook, which clips what lies beyond the table.
    scheme = Relative(direction=direction)
    bias = scheme.bias(
        {"bias": jnp.arange(32.0)[:, None] * jnp.asarray([1.0, 10.0])},
        jnp.zeros((1, 1, 2, 4)),
        jnp.zeros((1, 13, 2, 4)),
        jnp.asarray([[300]]),
        jnp.asarray([DISTANCES]) + 300,
    )
    assert bias.shape == (1, 2, 1, 13)
    assert bias[0, 0, 0].tolist() == expected
    assert bias[0, 1, 0].tolist() == [10.0 * b for b in expected]


def test_t5_uses_every_bucket_and_never_goes_back():
    past = buckets("past", 32, 128)[:129][::-1]
    assert sorted(set(past.tolist())) == list(range(32))
    assert (np.diff(past) >= 0).all()
    assert sorted(set(buckets("both", 32, 128).tolist())) == [b for b in range(32) if b != 16]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_buckets": 7}, "position.num_buckets=7 must be a multiple of 2"),
        ({"num_buckets": 6, "direction": "both"}, "position.num_buckets=6 must be a multiple of 4"),
        ({"max_distance": 16}, "position.max_distance=16 must exceed the exact buckets (16)"),
    ],
)
def test_t5_errors(fields, message):
    with pytest.raises(ValueError) as error:
        Relative(**fields).check(head_dim=8, num_heads=2)
    assert str(error.value) == message


def test_alibi_slopes():
    # Press et al. 2022, section 3: for 8 heads 1/2, 1/4, ..., 1/256.
    assert slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    assert slopes(16)[:4] == pytest.approx([2**-0.5, 2**-1, 2**-1.5, 2**-2], rel=1e-12)
    # The authors' get_slopes(12): the eight of 8 heads, then every second one of 16 heads.
    more = [0.70710678, 0.35355339, 0.17677670, 0.08838835]
    assert slopes(12) == pytest.approx([2.0**-i for i in range(1, 9)] + more, rel=1e-7)
    assert slopes(1).tolist() == [2.0**-8]


def test_alibi_falls_with_the_distance_on_either_side():
    q = jnp.zeros((1, 1, 8, 4))
    bias = ALiBi().bias({}, q, q, jnp.asarray([[5]]), jnp.asarray([[5, 4, 1, 7]]))
    assert bias[0, 0, 0].tolist() == [0.0, -0.5, -2.0, -1.0]
    assert bias[0, 7, 0].tolist() == [-d / 256 for d in (0, 1, 4, 2)]


@pytest.mark.parametrize("layout", ["interleaved", "split"])
@pytest.mark.parametrize("width", [8, 7])
def test_sinusoids_follow_the_formula(layout, width):
    positions = [0, 1, 5, 100]
    added = Sinusoidal(layout=layout).embed({}, jnp.zeros((1, 4, width)), jnp.asarray([positions]))[0]
    half = (width + 1) // 2
    for row, t in zip(np.asarray(added), positions, strict=True):
        for i in range(half):
            angle = t / 10000 ** (2 * i / width)
            sine, cosine = (2 * i, 2 * i + 1) if layout == "interleaved" else (i, half + i)
            assert row[sine] == pytest.approx(math.sin(angle), abs=2e-5)
            if cosine < width:
                assert row[cosine] == pytest.approx(math.cos(angle), abs=2e-5)


@pytest.mark.parametrize("pairing", ["half", "interleaved"])
@pytest.mark.parametrize("rotary_dim", [None, 4])
def test_rotary_scores_depend_on_the_distance_alone(pairing, rotary_dim):
    scheme = Rotary(pairing=pairing, rotary_dim=rotary_dim)
    q, k = draw(0, (1, 1, 1, 8)), draw(1, (1, 1, 1, 8))

    def score(t, s):
        turned_q, turned_k = scheme.rotate({}, q, k, jnp.asarray([[t]]), jnp.asarray([[s]]))
        return float((turned_q * turned_k).sum())

    assert score(7, 3) == pytest.approx(score(24, 20), abs=1e-5)
    assert abs(score(7, 3) - score(7, 4)) > 1e-2
    assert abs(score(3, 7) - score(7, 3)) > 1e-2  # the sign of the distance matters
    assert score(0, 0) == pytest.approx(float((q * k).sum()), abs=1e-6)


def test_rotary_keeps_lengths_and_leaves_the_rest_alone():
    x = draw(2, (2, 3, 4, 8))
    positions = jnp.asarray([[0, 1, 2], [5, 6, 7]])
    turned, _ = Rotary(rotary_dim=6).rotate({}, x, x, positions, positions)
    assert (turned[..., 6:] == x[..., 6:]).all()
    assert not np.allclose(turned[:, 1:, :, :6], x[:, 1:, :, :6], atol=0.1)
    assert np.linalg.norm(turned, axis=-1) == pytest.approx(np.linalg.norm(x, axis=-1), rel=1e-5)


def test_interleaved_is_half_split_after_permuting_the_features():
    x = draw(3, (1, 5, 2, 8))
    positions = jnp.arange(5)[None]
    order = np.array([0, 2, 4, 6, 1, 3, 5, 7])  # even features first: a half-split layout of the same pairs
    half, _ = Rotary(pairing="half").rotate({}, x[..., order], x, positions, positions)
    interleaved, _ = Rotary(pairing="interleaved").rotate({}, x, x, positions, positions)
    assert np.allclose(half, interleaved[..., order], atol=1e-6)
    assert not np.allclose(half, interleaved, atol=1e-1)


def test_rotary_queries_and_keys_turn_each_by_their_own_position():
    q, k = draw(4, (1, 2, 4, 6)), draw(5, (1, 3, 2, 6))
    some, other = jnp.asarray([[4, 9]]), jnp.asarray([[1, 2, 3]])
    turned_q, turned_k = Rotary().rotate({}, q, k, some, other)
    assert (turned_q == Rotary().rotate({}, q, q, some, some)[0]).all()
    assert (turned_k == Rotary().rotate({}, k, k, other, other)[1]).all()


@pytest.mark.parametrize(("rotary_dim", "head_dim"), [(3, 8), (10, 8), (None, 7)])
def test_rotary_errors(rotary_dim, head_dim):
    with pytest.raises(ValueError) as error:
        Rotary(rotary_dim=rotary_dim).check(head_dim=head_dim, num_heads=2)
    assert str(error.value) == (
        f"position.rotary_dim={rotary_dim or head_dim} must be even and at most head_dim={head_dim}; "
        "change rotary_dim, d_model or num_heads"
    )


def test_learned_adds_one_row_a_position():
    table = draw(6, (9, 4))
    x = draw(7, (2, 3, 4))
    positions = jnp.asarray([[0, 1, 2], [6, 7, 8]])
    assert (Learned().embed({"table": table}, x, positions) == x + table[positions]).all()
    assert Learned().tables(d_model=4, num_heads=2, max_length=9)["table"].shape == (9, 4)


def test_learned_relative_adds_what_learned_and_what_relative_add():
    both, alone = LearnedRelative(num_buckets=8, max_distance=20), Relative(num_buckets=8, max_distance=20)
    sizes = {"d_model": 4, "num_heads": 2, "max_length": 40}
    assert both.tables(**sizes) == {**alone.tables(**sizes), **Learned().tables(**sizes)}
    params = {"table": draw(10, (40, 4)), "bias": draw(11, (8, 2))}
    positions, x, q = jnp.asarray([[0, 3, 39]]), draw(12, (2, 3, 4)), draw(13, (2, 3, 2, 4))
    assert (both.embed(params, x, positions) == Learned().embed(params, x, positions)).all()
    found = both.bias(params, q, q, positions, positions)
    assert (found == alone.bias(params, q, q, positions, positions)).all() and both.biased


@pytest.mark.parametrize("name", Position.names())
def test_schemes_are_found_by_name_and_hash_by_value(name):
    member = Position.named(name)
    assert member.kind() == name
    assert member() == member() and hash(member()) == hash(member())
    assert member.__doc__ and not member.__doc__.startswith(member.__name__ + "(")


def test_rotation_in_half_precision_is_computed_in_single():
    x = draw(8, (1, 1, 1, 8))
    positions = jnp.asarray([[1001]])
    exact, _ = Rotary().rotate({}, x, x, positions, positions)
    half, _ = Rotary().rotate({}, x.astype(jnp.bfloat16), x, positions, positions)
    assert half.dtype == jnp.bfloat16
    assert np.abs(np.asarray(half - exact)).max() < 2**-7 * float(jnp.abs(x).max())


def test_positions_carry_over_jit():
    q = draw(9, (1, 3, 2, 6))
    positions = jnp.arange(3)[None]
    plain = Rotary().rotate({}, q, q, positions, positions)[0]
    compiled = jax.jit(lambda q, p: Rotary().rotate({}, q, q, p, p)[0])(q, positions)
    assert np.allclose(plain, compiled, atol=1e-6)
