"""Muon against a Newton-Schulz iteration written here (Jordan et al. 2024)."""

import numpy as np
import pytest
from test_optimizers import trained
from variants import often

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.mixers.concat import ConcatMixer
from jaxgpt.models.template import Template
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.base import matrix_sides
from jaxgpt.training.optimizers.muon import Muon

CONFIG = Muon(learning_rate=0.1, schedule="constant", warmup_steps=0, weight_decay=0.2, clip_norm=None)


def newton_schulz(matrix):
    """Five quintic iterations from the matrix over its Frobenius norm, in float64."""
    x = matrix.astype(np.float64)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / np.linalg.norm(x)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x


def matrix_shape(name, shape):
    """Inputs and outputs of a kernel: the width of the model is one side, all else the other."""
    if ".out." in name:
        return shape[0] * shape[1], shape[2]
    return shape[0], int(np.prod(shape[1:]))


@pytest.mark.parametrize("layers", often(["unrolled", "scanned"], ("scanned",)))
def test_one_update(layers):
    config = ModelConfig(vocab_size=7, num_layers=2, d_model=8, num_heads=2, d_ff=12, layers=layers)
    template = Template(config)
    generator = np.random.default_rng(0)
    params, gradient = (
        {name: generator.normal(size=shape).astype(np.float32) for name, shape in template.shapes.items()}
        for _ in range(2)
    )
    after = trained(CONFIG, params, [gradient], axes=template.axes)
    adamw = trained(
        AdamW(learning_rate=0.1, schedule="constant", warmup_steps=0, weight_decay=0.2, clip_norm=None),
        params,
        [gradient],
        axes=template.axes,
    )
    kernels = [name for name in params if name.endswith(".kernel")]
    assert len(kernels) == (6 if layers == "scanned" else 12)
    for name, before in params.items():
        if name not in kernels:
            np.testing.assert_array_equal(after[name], adamw[name], err_msg=name)
            continue
        stacked = before.ndim - len(template.axes[name])
        assert stacked == (layers == "scanned")
        expected = np.empty(before.shape)
        for layer in range(2) if stacked else [...]:
            shape = matrix_shape(name, before[layer].shape)
            direction = newton_schulz(gradient[name][layer].reshape(shape)) * 0.2 * np.sqrt(max(shape))
            expected[layer] = before[layer] - 0.1 * (
                direction.reshape(before[layer].shape) + 0.2 * before[layer]
            )
        np.testing.assert_allclose(after[name], expected, atol=2e-5, err_msg=name)
        assert np.abs(after[name] - adamw[name]).max() > 1e-2


def test_an_update_has_singular_values_near_one():
    shapes = {"a.kernel": (6, 3, 4)}
    axes = {"a.kernel": ("embed", "heads", "head")}
    generator = np.random.default_rng(1)
    params, gradient = ({n: generator.normal(size=s) for n, s in shapes.items()} for _ in range(2))
    params = {"a.kernel": np.zeros((6, 3, 4), np.float32)}
    after = trained(CONFIG, params, [{n: g.astype(np.float32) for n, g in gradient.items()}], axes=axes)
    update = after["a.kernel"].reshape(6, 12) / (0.1 * 0.2 * np.sqrt(12))
    singular = np.linalg.svd(update, compute_uv=False)
    assert singular.min() > 0.5 and singular.max() < 1.3


@pytest.mark.parametrize(
    ("names", "inputs", "outputs"),
    [
        (("embed", "heads", "head"), (0,), (1, 2)),
        (("heads", "head", "embed"), (0, 1), (2,)),
        (("embed", "mlp"), (0,), (1,)),
        (("mlp", "embed"), (0,), (1,)),
        (("embed", "gates", "mlp"), (0,), (1, 2)),
        ((None, "embed", "mlp"), (0, 1), (2,)),
        (("mlp", None), (0,), (1,)),
    ],
)
def test_the_sides_of_a_kernel(names, inputs, outputs):
    assert matrix_sides(names, len(names)) == (inputs, outputs)
    behind = tuple(tuple(i + 1 for i in side) for side in (inputs, outputs))
    assert matrix_sides(names, len(names) + 1) == behind  # layers stand first


def test_the_last_words_side_by_side_are_one_input():
    config = ModelConfig(vocab_size=7, num_layers=1, d_model=8, num_heads=2, mixer=ConcatMixer(window=3))
    template, name = Template(config), "decoder.blocks.0.kernel"
    assert template.shapes[name] == (3, 8, 8)
    gradient = {name: np.random.default_rng(0).normal(size=(3, 8, 8)).astype(np.float32)}
    before = {name: np.zeros((3, 8, 8), np.float32)}
    after = trained(CONFIG, before, [gradient], axes=template.axes)
    expected = -0.1 * 0.2 * np.sqrt(24) * newton_schulz(gradient[name].reshape(24, 8))
    np.testing.assert_allclose(after[name].reshape(24, 8), expected, atol=2e-5)
