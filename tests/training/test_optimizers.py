"""Schedules, decay, clipping and AdamW against formulas written out here."""

import math
import re
from typing import get_type_hints

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.base import Position
from jaxgpt.nn.position.learned import Learned
from jaxgpt.training.optimizers import Optimizer
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.base import decay_mask

SHAPES = {"a.kernel": (3, 4), "a.bias": (4,), "norm.scale": (3,), "embedding.table": (5, 3)}
AXES = {
    "a.kernel": ("embed", "mlp"),
    "a.bias": ("mlp",),
    "norm.scale": ("norm",),
    "embedding.table": ("vocab", "embed"),
}


def values(seed, shapes=SHAPES):
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def trained(config, params, gradients, axes=AXES, steps=10):
    """The weights after one update for each gradient."""
    rule = config.build(steps, axes)
    update = jax.jit(rule.update)
    state, params = rule.init(params), jax.tree.map(jnp.asarray, params)
    for gradient in gradients:
        updates, state = update(gradient, state, params)
        params = jax.tree.map(jnp.add, params, updates)
    return jax.tree.map(np.asarray, params)


@pytest.mark.parametrize(
    ("kind", "last", "middle"),
    [
        ("constant", 0.5, 0.5),
        ("linear", 0.05 + 0.45 * 1 / 80, 0.05 + 0.45 * 0.5),
        ("cosine", 0.05 + 0.45 * 0.5 * (1 + math.cos(math.pi * 79 / 80)), 0.05 + 0.45 * 0.5),
    ],
)
def test_schedule(kind, last, middle):
    config = AdamW(learning_rate=0.5, schedule=kind, warmup_steps=20, final_fraction=0.1)
    rate = config.rate(100)
    assert float(rate(0)) == pytest.approx(0.5 / 20)  # the first step moves
    assert float(rate(9)) == pytest.approx(0.25)
    assert float(rate(19)) == pytest.approx(0.5)
    assert float(rate(20)) == pytest.approx(0.5)
    assert float(rate(60)) == pytest.approx(middle)
    assert float(rate(99)) == pytest.approx(last, rel=1e-4)


@pytest.mark.parametrize(("warmup", "steps"), [(0, 10), (1, 10), (10, 10), (50, 10), (1, 1), (0, 1)])
def test_schedule_is_positive_and_finite_at_every_step(warmup, steps):
    rate = AdamW(learning_rate=0.5, warmup_steps=warmup).rate(steps)
    found = [float(rate(step)) for step in range(steps)]
    assert all(0 < value <= 0.5 for value in found)
    if warmup >= steps > 1:
        assert found[-1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("layers", "weights"), [("unrolled", "tied"), ("scanned", "tied"), ("unrolled", "separate")]
)
def test_decay_leaves_out_norms_and_biases(layers, weights):
    config = ModelConfig(
        vocab_size=5,
        num_layers=2,
        d_model=8,
        num_heads=2,
        layers=layers,
        position=Learned(),
        head=HeadConfig(weights=weights, bias=True),
    )
    mask = decay_mask(Template(config).shapes)
    decayed = {name for name, yes in mask.items() if yes}
    own = {"head"} if weights == "separate" else set()
    assert decayed == {n for n in mask if n.endswith((".kernel", ".table"))} | own
    assert {n.rsplit(".", 1)[-1] for n in mask if n not in decayed} == {"bias", "scale", "head_bias"}


def test_decay_takes_the_matrices_of_an_adaptive_softmax_and_of_low_rank_additions():
    adaptive = EmbeddingConfig(kind="adaptive", cutoffs=(4, 8), cutoff_factor=2)
    config = ModelConfig(vocab_size=16, num_layers=1, d_model=8, num_heads=2, embedding=adaptive)
    shapes = Template(config).shapes
    mask = decay_mask(shapes)
    matrices = {name for name in shapes if name.startswith("embedding.") and len(shapes[name]) == 2}
    assert len(matrices) >= 6 and all(mask[name] for name in matrices)
    kernel = "lora.decoder.blocks.0.attention.query.kernel"
    assert all(decay_mask({f"{kernel}.down": 0, f"{kernel}.up": 0}).values())


def test_the_help_names_the_position_schemes_whose_weights_decay():
    """A rotary or relative variant of one has its table, or the bias of none."""
    decaying = set()
    for kind in Position.names():
        scheme = Position.named(kind)().resolve(["", *"0123456789", "=", "+"])
        own = scheme.tables(d_model=8, num_heads=2, max_length=16)
        own |= scheme.layer_tables(d_model=8, num_heads=2, head_dim=4)
        if any(decay_mask({f"decoder.tables.{name}": 0 for name in own}).values()):
            decaying.add(kind)
    told = get_type_hints(Optimizer, include_extras=True)["decay"].__metadata__[0]
    named = set(re.findall(r"\w+", told)) & set(Position.names())
    assert named == {"learned", "abacus", "coupled"} == decaying - {"coupled_rotary", "learned_relative"}


def test_vectors_of_segments_and_axial_positions_do_not_decay():
    axial = Axial(rows=4, columns=4)
    config = ModelConfig(vocab_size=5, num_layers=1, d_model=8, max_length=16, segments=2, position=axial)
    mask = decay_mask(Template(config).shapes)
    others = {name for name, yes in mask.items() if not yes and not name.endswith(("bias", "scale"))}
    assert others == {"segments", "decoder.tables.rows", "decoder.tables.columns"}


@pytest.mark.parametrize("name", ["adamw", "muon"])
@pytest.mark.parametrize("decay", ["matrices", "all"])
def test_what_decays(name, decay):
    """The difference between training with and without weight decay, where gradients are zero."""
    config = Optimizer.named(name)(
        weight_decay=0.5, decay=decay, learning_rate=0.1, schedule="constant", warmup_steps=0
    )
    params = values(0)
    after = trained(config, params, [jax.tree.map(np.zeros_like, params)])
    for key, before in params.items():
        matrix = key.endswith(("kernel", "table"))
        factor = 1 - 0.1 * 0.5 if matrix or decay == "all" else 1
        np.testing.assert_allclose(after[key], factor * before, rtol=1e-6, err_msg=key)


def test_adamw_against_the_paper():
    config = AdamW(
        learning_rate=0.1, weight_decay=0.3, warmup_steps=2, schedule="linear", beta2=0.95, clip_norm=None
    )
    params, gradients = values(0), [values(seed) for seed in (1, 2, 3)]
    after = trained(config, params, gradients)
    rate = config.rate(10)
    for name, start in params.items():
        weight = start.astype(np.float64)
        first, second = np.zeros_like(weight), np.zeros_like(weight)
        for step, gradient in enumerate(gradients, 1):
            first = 0.9 * first + 0.1 * gradient[name]
            second = 0.95 * second + 0.05 * gradient[name] ** 2
            direction = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.95**step)) + 1e-8)
            decay = 0.3 * weight if name.endswith(("kernel", "table")) else 0
            weight = weight - float(rate(step - 1)) * (direction + decay)
        np.testing.assert_allclose(after[name], weight, rtol=2e-5, atol=1e-6, err_msg=name)


def test_clipping_is_by_the_norm_of_all_gradients():
    config = AdamW(clip_norm=0.5, epsilon=1.0, weight_decay=0.0, warmup_steps=0)
    loose = AdamW(clip_norm=None, epsilon=1.0, weight_decay=0.0, warmup_steps=0)
    params, gradient = values(0), values(1)
    norm = math.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradient.values()))
    assert norm > 0.5
    scaled = {name: (g * 0.5 / norm).astype(np.float32) for name, g in gradient.items()}
    clipped, expected = trained(config, params, [gradient]), trained(loose, params, [scaled])
    free = trained(loose, params, [gradient])
    for name in params:
        np.testing.assert_allclose(clipped[name], expected[name], rtol=1e-5, atol=1e-7)
        assert np.abs(free[name] - clipped[name]).max() > 1e-5
    small = {name: g * 0.1 / norm for name, g in gradient.items()}  # below the limit: untouched
    unclipped, same = trained(config, params, [small]), trained(loose, params, [small])
    for name in params:
        np.testing.assert_array_equal(unclipped[name], same[name])
