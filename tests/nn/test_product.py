"""Products of bfloat16 on a CPU: the numbers and gradients of wide ones, in a form that XLA can compute."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.nn.kernels.platform import aimed_at
from jaxgpt.nn.kernels.product import product
from jaxgpt.nn.kernels.wide_matmul import wide_matmul

# Dimensions of both operands, and how many of them are shared and summed.
SHAPES = {
    "a matrix": ((3, 5, 16), (16, 24), 0, 1),
    "to heads": ((3, 5, 16), (16, 4, 8), 0, 1),
    "from heads": ((3, 5, 4, 8), (4, 8, 16), 0, 2),
    "scores": ((2, 3, 1, 9, 8), (2, 3, 8, 11), 2, 1),
    "scores of groups": ((2, 3, 2, 9, 8), (2, 3, 8, 11), 2, 1),
    "one row": ((1, 16), (16, 24), 0, 1),
}


def operands(name, dtype):
    a_shape, b_shape, shared, summed = SHAPES[name]
    rng = np.random.default_rng(0)
    a, b = (jnp.asarray(rng.normal(size=shape), dtype) for shape in (a_shape, b_shape))
    return a, b, {"shared": shared, "summed": summed}


def einsum(a, b, *, shared, summed):
    """The same by NumPy, of float64."""
    letters = iter("abcdefghijklmnop")
    front = "".join(next(letters) for _ in range(shared))
    rows = "".join(next(letters) for _ in range(a.ndim - shared - summed))
    inner = "".join(next(letters) for _ in range(summed))
    columns = "".join(next(letters) for _ in range(b.ndim - shared - summed))
    form = f"{front}{rows}{inner},{front}{inner}{columns}->{front}{rows}{columns}"
    return np.einsum(form, np.asarray(a, np.float64), np.asarray(b, np.float64))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_it_is_the_product(name, dtype):
    a, b, dims = operands(name, dtype)
    expected = einsum(a, b, **dims)
    found = jax.jit(lambda a, b: product(a, b, **dims, wide=True))(a, b)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)  # products of bfloat16 are exact
    narrow = product(a, b, **dims)
    assert narrow.dtype == dtype
    np.testing.assert_array_equal(narrow, found.astype(dtype))


@pytest.mark.thorough
@pytest.mark.parametrize("name", SHAPES)
def test_gradients_are_those_of_wide_numbers(name):
    a, b, dims = operands(name, "bfloat16")
    weights = jnp.asarray(np.random.default_rng(1).normal(size=einsum(a, b, **dims).shape), jnp.bfloat16)

    def loss(a, b):
        return (product(a, b, **dims, wide=True) * weights.astype(jnp.float32)).sum()

    found = jax.jit(jax.grad(loss, (0, 1)))(a, b)
    wide = jax.grad(loss, (0, 1))(a.astype(jnp.float32), b.astype(jnp.float32))
    for ours, theirs in zip(found, wide, strict=True):
        assert ours.dtype == jnp.bfloat16
        np.testing.assert_array_equal(ours, theirs.astype(jnp.bfloat16))


def test_every_product_of_a_step_is_of_bfloat16_with_a_wide_result():
    a, b, dims = operands("to heads", "bfloat16")
    text = jax.jit(jax.grad(lambda a, b: product(a, b, **dims).sum(), (0, 1))).lower(a, b).as_text()
    products = re.findall(r"dot_general.*: \((.*)\) -> (.*)", text)
    assert len(products) == 2  # the loss itself is a sum that needs no product
    assert all(operands.count("bf16") == 2 and "f32" in result for operands, result in products)


@pytest.mark.thorough
@pytest.mark.parametrize("name", SHAPES)
def test_the_result_and_the_gradients_may_be_transposed(name):
    """XLA for CPUs fails where it sees a product of bfloat16 being transposed."""
    a, b, dims = operands(name, "bfloat16")

    def turned(a, b):
        return jnp.swapaxes(product(a, b, **dims, wide=True), -1, -2)

    np.testing.assert_allclose(
        jax.jit(turned)(a, b), np.swapaxes(einsum(a, b, **dims), -1, -2), rtol=1e-5, atol=1e-5
    )
    for slope in jax.jit(jax.grad(lambda a, b: turned(a, b).sum(), (0, 1)))(a, b):
        assert np.isfinite(jax.jit(lambda x: jnp.swapaxes(x, -1, -2).astype(jnp.float32))(slope)).all()


def test_logits_of_bfloat16_may_be_transposed():
    x, kernel, _ = operands("a matrix", "bfloat16")
    found = jax.jit(lambda x, k: wide_matmul(x, k).reshape(-1, 24).T)(x, kernel)
    np.testing.assert_allclose(
        found, einsum(x, kernel, shared=0, summed=1).reshape(-1, 24).T, rtol=1e-5, atol=1e-5
    )


def test_other_hardware_is_left_to_its_own_ways():
    a, b, dims = operands("to heads", "bfloat16")
    with aimed_at("tpu"):
        text = jax.jit(lambda a, b: product(a, b, **dims)).lower(a, b).as_text()
    assert "f32" not in text


@pytest.mark.thorough
def test_many_at_once_are_each_by_itself():
    a, b, dims = operands("to heads", "bfloat16")
    many = jnp.stack([b, 2 * b])

    def slopes(b):
        return jax.grad(lambda b: jnp.square(product(a, b, **dims, wide=True)).sum())(b)

    np.testing.assert_array_equal(jax.vmap(slopes)(many), jnp.stack([slopes(b) for b in many]))
