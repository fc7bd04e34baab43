"""What a token may see, found out by changing tokens and by differentiating."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import SOURCE, TOKENS, build, config, ids, scheme

from jaxgpt.models.token_features import Features
from jaxgpt.nn.attention.masks import causal, full, prefix
from jaxgpt.nn.position import Position

LENGTH = TOKENS.shape[1]


def influence(model, *, order=None, source=None, visible=None, stack="decoder"):
    """Whether the logits of token t change, if only by a bit, with the embedding of token s. [T, S]"""
    push = jnp.eye(LENGTH)[:, :, None] * jnp.linspace(-1, 1, model.config.d_model)  # [S, S, D]

    def logits(amount):
        def tap(name, value):
            return value + amount * push if name == f"{stack}.embedding" else value

        tokens = jnp.broadcast_to(TOKENS[0], TOKENS.shape)
        given = {} if source is None else {"source": jnp.broadcast_to(source, TOKENS.shape)}
        features = Features(visible=visible)
        return np.asarray(model(tokens, order=order, tap=tap, features=features, **given).logits)

    return (logits(1.0) != logits(0.0)).any(-1).T


def band(left, right):
    """[T, T] of |distance| within bounds."""
    distance = np.arange(LENGTH)[None] - np.arange(LENGTH)[:, None]
    return (distance > -left) & (distance <= right)


@pytest.mark.thorough
@pytest.mark.parametrize("wiring", ["pre", "post", "parallel"])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, band(LENGTH, 0)),
        ({"window": 3}, band(3, 0)),
        ({"window": 1}, band(1, 0)),
        ({"window": 99}, band(LENGTH, 0)),
        ({"kind": "encoder"}, band(LENGTH, LENGTH)),
        ({"kind": "encoder", "window": 3}, band(3, 2)),
    ],
    ids=["decoder", "window-3", "window-1", "window-99", "encoder", "encoder-window-3"],
)
def test_one_layer_sees_exactly_its_mask(fields, expected, wiring):
    model = build(config(num_layers=1, wiring=wiring, **fields))
    stack = "encoder" if fields.get("kind") == "encoder" else "decoder"
    assert (influence(model, stack=stack) == expected).all()


@pytest.mark.thorough
def test_windows_add_up_over_layers():
    assert (influence(build(config(num_layers=2, window=3))) == band(5, 0)).all()


@pytest.mark.thorough
@pytest.mark.parametrize("name", Position.names())
def test_a_later_token_changes_nothing_before_it(name):
    if name.startswith("coupled"):
        pytest.skip("the digits of an operand are weighted from its right end, which is its meaning")
    model = build(config(position=scheme(name)))
    before = np.asarray(model(TOKENS).logits)
    for place in range(1, LENGTH):
        changed = np.array(TOKENS)
        changed[:, place] = 14
        after = np.asarray(model(jnp.asarray(changed)).logits)
        assert (before[:, :place] == after[:, :place]).all()
        assert not np.allclose(before[:, place:], after[:, place:])


def test_coupling_looks_ahead_within_a_number_of_the_prompt_only():
    model = build(config(position=scheme("coupled")))

    def logits(text):
        return np.asarray(model(jnp.asarray([ids(text)] * 6)).logits[0])

    assert not np.allclose(logits("12+3=4")[0], logits("1++3=4")[0])  # the tens became ones
    assert (logits("2+3=45")[:5] == logits("2+3=4+")[:5]).all()  # the answer is read from its left


@pytest.mark.parametrize("place", [0, 3, 5], ids=["left", "middle", "right"])
@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_padding_is_seen_by_none_and_moves_none(kind, place):
    model = build(config(kind=kind))
    order = np.arange(LENGTH) - (np.arange(LENGTH) > place)
    order[place] = -1
    order = jnp.broadcast_to(order, TOKENS.shape)
    seen = influence(model, order=order, stack=kind)
    real = np.arange(LENGTH) != place
    assert not seen[real, place].any()
    tokens = np.array(TOKENS)
    tokens[:, place] = 14
    first, second = (np.asarray(model(t, order=order).logits) for t in (TOKENS, jnp.asarray(tokens)))
    assert (first[:, real] == second[:, real]).all()


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["decoder", "encoder"])
def test_a_row_of_padding_alone_is_finite_and_has_finite_gradients(kind):
    graph, state = nnx.split(build(config(kind=kind, num_layers=1)))
    tokens, order = jnp.asarray([[1, 2, 3], [1, 2, 3]]), jnp.asarray([[0, 1, 2], [-1, -1, -1]])

    @jax.jit
    @jax.value_and_grad
    def loss(state):
        return nnx.merge(graph, state)(tokens, order=order).logits.sum()

    value, gradients = loss(state)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


@pytest.mark.thorough
def test_every_target_token_sees_the_whole_source_and_no_padding_of_it():
    model = build(config(kind="encoder_decoder", num_layers=1))
    assert influence(model, source=TOKENS[0], stack="encoder").all()
    order = jnp.broadcast_to(jnp.asarray([0, -1, 1]), SOURCE.shape)
    one = model(TOKENS, source=SOURCE, source_order=order).logits
    other = model(TOKENS, source=SOURCE.at[:, 1].set(14), source_order=order).logits
    alone = model(TOKENS, source=SOURCE[:, ::2]).logits
    assert (one == other).all()
    assert np.abs(np.asarray(one - alone)).max() < 1e-5 * np.abs(np.asarray(alone)).max()


def test_a_prefix_is_read_from_both_sides():
    model = build(config(num_layers=1))
    model.decoder.mask = causal() | prefix(3)
    expected = band(LENGTH, 0)
    expected[:, :3] = True
    assert (influence(model) == expected).all()


def test_a_model_whose_mask_is_full_sees_everything():
    model = build(config(num_layers=1))
    model.decoder.mask = full()
    assert influence(model).all()


@pytest.mark.parametrize("window", [None, 3])
def test_an_encoder_sees_what_is_visible(window):
    seen = np.eye(LENGTH, dtype=bool) | (np.random.default_rng(0).random((LENGTH, LENGTH)) < 0.5)
    model = build(config(num_layers=1, kind="encoder", window=window))
    found = influence(model, visible=jnp.broadcast_to(seen, (6, LENGTH, LENGTH)), stack="encoder")
    assert (found == seen & band(window or LENGTH, (window or LENGTH) - 1)).all()


@pytest.mark.thorough
def test_where_all_is_visible_nothing_is_hidden():
    model = build(config(kind="encoder", window=1))
    every = jnp.ones((6, LENGTH, LENGTH), bool)
    found = model(TOKENS, features=Features(visible=every)).logits
    np.testing.assert_allclose(found, model(TOKENS).logits, atol=1e-4)  # which are computed in blocks


@pytest.mark.parametrize("name", ["none", "rotary"])
def test_without_positions_the_order_of_the_tokens_before_is_lost(name):
    """In one layer; of two the second knows more, since the mask of the first is causal."""
    model = build(config(num_layers=1, position=scheme(name)))
    permuted = TOKENS[:, jnp.asarray([3, 0, 4, 2, 1, 5])]
    assert (permuted != TOKENS).any(axis=1).all() and (permuted[:, -1] == TOKENS[:, -1]).all()
    before, after = (np.asarray(model(tokens).logits[:, -1]) for tokens in (TOKENS, permuted))
    if name == "none":
        np.testing.assert_allclose(after, before, atol=1e-4)
    else:
        assert (np.abs(after - before).max(axis=-1) > 1e-3).all()


def test_several_tokens_may_stand_at_one_place():
    model = build(config(kind="encoder", max_length=LENGTH, position=scheme("learned")))
    twice, order = jnp.tile(TOKENS, (1, 2)), jnp.tile(jnp.arange(LENGTH), (6, 2))
    apart = jnp.asarray(np.kron(np.eye(2, dtype=bool), np.ones((LENGTH, LENGTH), bool)))
    visible = jnp.broadcast_to(apart, (6, *apart.shape))
    found = model(twice, order=order, features=Features(visible=visible)).logits
    np.testing.assert_allclose(found, jnp.tile(model(TOKENS).logits, (1, 2, 1)), atol=1e-4)


def test_without_an_order_each_token_has_a_place_of_its_own():
    model = build(config(kind="encoder", max_length=LENGTH, position=scheme("learned")))
    every = jnp.ones((6, 2 * LENGTH, 2 * LENGTH), bool)
    with pytest.raises(ValueError, match=r"^12 tokens exceed model\.max_length=6; "):
        model(jnp.tile(TOKENS, (1, 2)), features=Features(visible=every))


@pytest.mark.parametrize(
    ("kind", "size", "said"),
    [("decoder", LENGTH, "of an encoder"), ("encoder", LENGTH + 1, r"\[6, 6, 7\] must be \[6, 6, 6\]")],
)
def test_what_is_visible_has_to_fit(kind, size, said):
    with pytest.raises(ValueError, match=said):
        build(config(kind=kind))(TOKENS, features=Features(visible=jnp.ones((6, LENGTH, size), bool)))
