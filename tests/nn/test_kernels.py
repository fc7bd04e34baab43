"""What is computed in another way on a GPU, against the plain reference beside it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.kernels import log_sum, standardized, wide_matmul

RNG = np.random.default_rng(2)


def total(function):
    """Value and gradients of one number made of a function's results."""
    return lambda *arrays: jax.value_and_grad(
        lambda *xs: jnp.sin(function(*xs)).sum(), tuple(range(len(arrays)))
    )(*arrays)


def same(found, expected, tolerance=1e-4):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.thorough
def test_columns_filled_up_change_nothing(monkeypatch):
    """As on a GPU, for many rows."""
    x, kernel = (jnp.asarray(RNG.normal(size=shape), jnp.float32) for shape in ((2, 600, 8), (8, 150)))
    monkeypatch.setattr(wide_matmul, "on_gpu", lambda: True)
    assert "f32[8,256]" in str(jax.make_jaxpr(wide_matmul.wide_matmul)(x, kernel))
    same(total(wide_matmul.wide_matmul)(x, kernel), total(wide_matmul.reference)(x, kernel))


@pytest.mark.thorough
def test_the_sum_of_exponentials_in_one_pass_is_that_of_two(monkeypatch):
    logits = RNG.normal(0, 4, size=(3, 4, 999)).astype(np.float32)
    logits[0, 0], logits[0, 1] = 90, -90
    monkeypatch.setattr(log_sum, "on_gpu", lambda: True)
    assert "reduce_max" not in str(jax.make_jaxpr(log_sum.log_sum)(logits))
    same(total(log_sum.log_sum)(logits), total(log_sum.reference)(logits), 1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("centred", [True, False])
def test_norms_with_kept_statistics_are_those_without(centred, monkeypatch):
    x = RNG.normal(2, 3, size=(2, 5, 8)).astype(np.float32)
    monkeypatch.setattr(standardized, "on_gpu", lambda: True)

    def ours(x):
        return standardized.standardized(centred, 0.3, x)

    assert "optimization_barrier" in str(jax.make_jaxpr(jax.grad(lambda x: ours(x).sum()))(x))
    same(total(ours)(x), total(lambda x: standardized.reference(centred, 0.3, x))(x), 1e-5)
