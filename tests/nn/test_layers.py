"""Norms, activations and linear maps by themselves."""

import math

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from flax import nnx

from jaxgpt.nn.kernels import standardized
from jaxgpt.nn.linear import Embedding, Linear, WeightSpec, dropout, fold
from jaxgpt.nn.mlp import MLP, activated, function
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.norm import Norm

TYPES = {"dtype": "float32", "param_dtype": "float32"}


def normalized(x, epsilon=1e-5):
    x = x.astype(np.float64)
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)


def test_layer_norm_of_inputs_with_a_large_mean():
    x = (100 + np.random.default_rng(0).normal(size=(16, 64))).astype(np.float32)
    norm = Norm(64, kind="layer", epsilon=1e-5, bias=True, **TYPES)
    exact = normalized(x)
    assert np.abs(np.asarray(norm(jnp.asarray(x))) - exact).max() < 1e-5 * np.abs(exact).max()
    # What the bound is there to catch: the variance as E[x^2] - E[x]^2.
    once = (x - x.mean(-1, keepdims=True)) / np.sqrt((x**2).mean(-1) - x.mean(-1) ** 2 + 1e-5)[:, None]
    assert np.abs(once - exact).max() > 1e-4


def test_rms_norm_keeps_the_mean_and_has_no_bias():
    x = np.random.default_rng(1).normal(3, 1, size=(4, 8)).astype(np.float32)
    norm = Norm(8, kind="rms", epsilon=0.5, bias=True, **TYPES)
    assert norm.bias is None
    expected = x / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True) + 0.5)
    assert np.abs(np.asarray(norm(jnp.asarray(x))) - expected).max() < 1e-6


def test_no_norm_is_the_identity_and_has_no_parameters():
    x = np.random.default_rng(1).normal(3, 1, size=(4, 8)).astype(np.float32)
    norm = Norm(8, kind="none", epsilon=0.5, bias=True, **TYPES)
    assert not jax.tree.leaves(nnx.state(norm))
    np.testing.assert_array_equal(np.asarray(norm(jnp.asarray(x))), x)


def test_norm_statistics_are_computed_in_single_precision():
    x = jnp.asarray(np.random.default_rng(2).normal(8, 1, size=(4, 256)), jnp.bfloat16)
    norm = Norm(256, kind="layer", epsilon=1e-5, bias=True, dtype="bfloat16", param_dtype="float32")
    y = norm(x)
    assert y.dtype == jnp.bfloat16
    assert np.abs(np.asarray(y, np.float64) - normalized(np.asarray(x, np.float64))).max() < 2**-7


@pytest.mark.parametrize(
    ("activation", "at_one", "at_minus_two"),
    [
        ("relu", 1.0, 0.0),
        ("gelu", 0.8413447460685429, -0.04550026389635842),  # x * Phi(x)
        ("gelu_tanh", 0.8411919906082768, -0.04540230591222225),
        ("silu", 0.7310585786300049, -0.2384058440442351),
    ],
)
def test_activations_have_their_published_values(activation, at_one, at_minus_two):
    mlp = MLP(MLPConfig(activation), 1, 1, weights=WeightSpec(), rngs=nnx.Rngs(0))
    mlp.up.kernel[...] = mlp.down.kernel[...] = jnp.ones((1, 1))
    found = mlp(jnp.asarray([[[1.0], [-2.0]]]))[0, :, 0]
    assert found.tolist() == pytest.approx([at_one, at_minus_two], abs=1e-6)


def test_gated_units_gate():
    mlp = MLP(MLPConfig("swiglu"), 1, 1, weights=WeightSpec(), rngs=nnx.Rngs(0))
    mlp.up.kernel[...], mlp.gate.kernel[...] = jnp.asarray([[3.0]]), jnp.asarray([[-1.0]])
    mlp.down.kernel[...] = jnp.ones((1, 1))
    assert float(mlp(jnp.asarray([[[2.0]]]))[0, 0, 0]) == pytest.approx(6 * -2 / (1 + math.exp(2)), rel=1e-6)


def test_linear_over_two_dimensions():
    layer = Linear({"heads": 3, "head": 4}, {"embed": 5}, std=None, bias=True, rngs=nnx.Rngs(0), **TYPES)
    layer.bias[...] = jnp.arange(5.0)
    x = np.random.default_rng(3).normal(size=(2, 7, 3, 4)).astype(np.float32)
    expected = np.einsum("bthk,hkd->btd", x, np.asarray(layer.kernel[...])) + np.arange(5)
    assert np.abs(np.asarray(layer(jnp.asarray(x))) - expected).max() < 1e-5
    assert layer.kernel.get_metadata()["axes"] == ("heads", "head", "embed")


@pytest.mark.parametrize(
    ("std", "gain", "expected"), [(None, 1.0, 1 / 20), (0.02, 1.0, 0.02), (0.02, 0.5, 0.01)]
)
def test_initial_weights_have_their_standard_deviation(std, gain, expected):
    axes = {"embed": 400}, {"mlp": 300}
    layer = Linear(*axes, std=std, gain=gain, bias=True, rngs=nnx.Rngs(0), **TYPES)
    assert float(layer.kernel[...].std()) == pytest.approx(expected, rel=0.02)
    assert not layer.bias[...].any()


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["layer", "rms", "rms_plus_one"])
@pytest.mark.parametrize("place", ["anywhere", "gpu"])
def test_gradients_of_norms_are_those_of_their_formula(kind, place, monkeypatch):
    monkeypatch.setattr(standardized, "on_gpu", lambda: place == "gpu")
    random = np.random.default_rng(5)
    with jax.enable_x64(True):
        layer = Norm(8, kind=kind, epsilon=0.3, bias=True, dtype="float64", param_dtype="float64")
        layer.scale[...] = scale = jnp.asarray(random.normal(size=8))
        x, weights = jnp.asarray(random.normal(2, 3, size=(2, 5, 8)))

        def plain(x, scale):
            x = x - x.mean(-1, keepdims=True) if kind == "layer" else x
            y = x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 0.3)
            return (weights * y * (1 + scale if kind == "rms_plus_one" else scale)).sum()

        graph, state = nnx.split(layer)

        def ours(x, scale):
            return (weights * nnx.merge(graph, state | {"scale": state["scale"].replace(scale)})(x)).sum()

        state = dict(state)
        for order in (jax.grad, lambda f, argnums: jax.grad(lambda *a: jax.grad(f)(*a).sum(), argnums)):
            for found, expected in zip(
                order(ours, argnums=(0, 1))(x, scale), order(plain, argnums=(0, 1))(x, scale), strict=True
            ):
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh", "silu", "tanh"])
def test_gradients_of_activations_are_those_of_their_functions(activation):
    random = np.random.default_rng(6)
    with jax.enable_x64(True):
        y, weights = jnp.asarray(random.normal(size=(2, 4, 6)))
        bias = jnp.asarray(random.normal(size=6))
        found = jax.grad(lambda y, b: (weights * activated(activation, y, b)).sum(), (0, 1))(y, bias)
        plain = jax.grad(lambda y, b: (weights * function(activation)(y + b)).sum(), (0, 1))(y, bias)
        for own, expected in zip(found, plain, strict=True):
            np.testing.assert_allclose(own, expected, rtol=1e-12)


def test_activations_are_computed_in_single_precision():
    y = jnp.asarray(np.random.default_rng(7).normal(0, 2, size=(64, 64)), jnp.bfloat16)
    exact = jax.nn.gelu(np.asarray(y, np.float32), approximate=True)
    found = activated("gelu_tanh", y, None)
    assert found.dtype == jnp.bfloat16
    np.testing.assert_array_equal(found, exact.astype(jnp.bfloat16))  # one rounding
    assert (found != jax.nn.gelu(y, approximate=True)).any()  # what it is there to catch


@pytest.mark.parametrize("width", [1, 7, 64])
def test_dropout_of_any_width(width):
    dropped = np.asarray(dropout(jnp.ones((20_000 // width, width)), 0.1, jax.random.key(1))) == 0
    assert dropped.mean() == pytest.approx(0.1, abs=0.01)
    if width > 1:  # entries that share a number drawn are independent
        half = -(-width // 2)
        both = dropped[:, : width - half] & dropped[:, half:]
        assert both.mean() == pytest.approx(0.01, abs=0.004)


def test_dropout():
    x = jnp.ones((200, 200))
    assert dropout(x, 0.5, None) is x and dropout(x, 0.0, jax.random.key(0)) is x
    y = np.asarray(dropout(x, 0.25, jax.random.key(0)))
    assert set(np.unique(y).tolist()) == {0.0, np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert fold(None, 3) is None


def test_tied_logits_are_inner_products_in_single_precision():
    table = Embedding(9, 64, std=1.0, dtype="bfloat16", param_dtype="float32", rngs=nnx.Rngs(0))
    x = jnp.asarray(np.random.default_rng(4).normal(size=(1, 2, 64)), jnp.bfloat16)
    logits = table.attend(x)
    rounded = np.asarray(table.table[...].astype(jnp.bfloat16), np.float64)
    assert logits.dtype == jnp.float32
    assert np.abs(np.asarray(logits) - np.asarray(x, np.float64) @ rounded.T).max() < 1e-4


def test_shape_annotations_are_checked():
    mlp = MLP(MLPConfig("relu"), 4, 8, weights=WeightSpec(), rngs=nnx.Rngs(0))
    with pytest.raises(jaxtyping.TypeCheckError):
        mlp(jnp.ones((3, 4)))  # no batch


@pytest.mark.thorough
def test_gradients_that_sum_over_tokens_are_sums_in_single_precision():
    """bfloat16 cannot count beyond 256: there the sum of 4,000 ones would stay at it."""
    types = {"dtype": "bfloat16", "param_dtype": "float32", "rngs": nnx.Rngs(0)}
    linear = Linear({"embed": 4}, {"mlp": 3}, std=None, bias=True, **types)
    table = Embedding(5, 4, std=1.0, **types)
    x, tokens = jnp.zeros((4000, 4)), jnp.full((1, 4000), 2)

    graphs, states = zip(*(nnx.split(module) for module in (linear, table)), strict=True)

    def total(states):
        given = zip(graphs, states, (x, tokens), strict=True)
        return sum(nnx.merge(g, state)(i).astype(jnp.float32).sum() for g, state, i in given)

    of_linear, of_table = jax.jit(jax.grad(total))(states)
    np.testing.assert_array_equal(of_linear["bias"][...], 4000)
    np.testing.assert_array_equal(of_table["table"][...][2], 4000)
