"""What is written of parameters is read back as them, whatever their shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgpt.huggingface.tensors import Entry

SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=3)


@given(
    form=st.sampled_from(["linear", "conv", "vector", "row", "table"]),
    shape=SIZES,
    count=st.integers(1, 3),
    skip=st.integers(0, 2),
)
def test_entries_read_what_they_write(form, shape, count, skip):
    inputs = len(shape) - 1
    entry = Entry("k", tuple("abc"[:count]), form, inputs, skip)
    if form == "table":
        entry = Entry("k", ("a",), form, skip=skip)
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=shape) for _ in entry.paths]
    tensor = entry.write(parts)
    assert tensor.shape == entry.shape(tuple(shape))
    for part, again in zip(parts, entry.read(tensor, tuple(shape)), strict=True):
        np.testing.assert_array_equal(part, again)


def test_a_linear_map_of_heads_is_what_pytorch_has():
    """[outputs, inputs], heads one after another."""
    kernel = np.arange(2 * 3 * 4).reshape(2, 3, 4)  # D, H, K
    tensor = Entry("k", ("a",)).write([kernel])
    x = np.asarray([1.0, 10.0])
    np.testing.assert_array_equal(tensor @ x, np.einsum("d,dhk->hk", x, kernel).reshape(-1))


@pytest.mark.parametrize(("form", "shape"), [("linear_by_head", (5, 2, 3)), ("vector_by_head", (2, 3))])
def test_heads_stand_one_after_another_each_with_all_its_maps(form, shape):
    entry = Entry("k", ("q", "k", "v"), form)
    parts = [np.full(shape, float(index)) + 10 * np.arange(2)[:, None] for index in range(3)]
    tensor = entry.write(parts)
    assert tensor.shape == entry.shape(shape) == ((18, 5) if len(shape) == 3 else (18,))
    outputs = tensor.reshape(18, -1)[:, 0]
    assert outputs[::3].tolist() == [0, 1, 2, 10, 11, 12]
    for part, again in zip(parts, entry.read(tensor, shape), strict=True):
        np.testing.assert_array_equal(part, again)


def test_rows_that_are_skipped_are_zeros():
    tensor = Entry("k", ("a",), "table", skip=2).write([np.ones((3, 2))])
    assert tensor.shape == (5, 2) and (tensor[:2] == 0).all() and (tensor[2:] == 1).all()


@pytest.mark.parametrize("form", ["linear", "conv"])
def test_maps_with_other_numbers_of_heads_stand_side_by_side(form):
    parts = [np.full((2, heads, 3), float(heads)) for heads in (4, 2, 1)]
    entry = Entry("k", ("a", "b", "c"), form, sizes=(4, 2, 1))
    tensor = entry.write(parts)
    assert tensor.shape == entry.shape((2, 4, 3)) == ((21, 2) if form == "linear" else (2, 21))
    for part, again in zip(parts, entry.read(tensor, (2, 4, 3)), strict=True):
        np.testing.assert_array_equal(part, again)


@pytest.mark.parametrize("form", ["linear", "conv"])
def test_maps_side_by_side_share_the_outputs(form):
    parts = [np.full((2, 3), i) for i in range(3)]
    tensor = Entry("k", ("a", "b", "c"), form).write(parts)
    outputs = tensor[:, 0] if form == "linear" else tensor[0]
    assert outputs.tolist() == [0] * 3 + [1] * 3 + [2] * 3
