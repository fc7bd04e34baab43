"""The fused kernel computes what attention written out computes, and is taken where it can be alone."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import TOKENS, build, config, scheme
from variants import often

from jaxgpt.core.nested import replaced
from jaxgpt.nn.kernels import fused

#: Kinds of layer that have the kernel.
FUSIBLE = {
    "learned": {"position": scheme("learned")},
    "rotary, few keys": {"position": scheme("rotary")},
    "window": {"position": scheme("none"), "window": 2},
    "some windows": {"window": 2, "window_layers": (False, True)},
    "scanned": {"layers": "scanned", "remat": "block"},
    "scale": {"attention.scale": 0.3, "attention.qk_norm": True},
}
#: Kinds that have not, and what they lack.
OTHERS = {
    "bias": {"position": scheme("alibi")},
    "softcap": {"attention.softcap": 5.0},
    "factor": {"attention.factor": 1.5},
    "dropped": {"attention.dropout": 0.2},
    "encoder": {"kind": "encoder"},
    "refused": {"attention.kernel": "explicit"},
}


@pytest.fixture
def kernel(monkeypatch):
    """JAX's own implementation in the kernel's place; returns the windows it was called with."""
    calls, mix = [], fused.mix

    def counted(*given, **more):
        calls.append(more["window"])
        return mix(*given, **more)

    monkeypatch.setattr(fused, "KERNEL", "xla")
    monkeypatch.setattr(fused, "available", lambda dtype, head_dim: True)
    monkeypatch.setattr(fused, "mix", counted)
    return calls


def run(model, tokens=TOKENS, **given):
    """Logits, and the gradient of a weighted sum of them."""
    graph, state = nnx.split(model)
    weights = jnp.cos(jnp.arange(model.config.vocab_size))

    def loss(state):
        logits = nnx.merge(graph, state)(tokens, **given).logits
        return (logits * weights).sum(), logits

    gradient, logits = jax.jit(jax.grad(loss, has_aux=True))(state)
    return [logits, *jax.tree.leaves(gradient)]


def explicit(model):
    """The same model without the kernel."""
    other = build(replaced(model.config, {"attention.kernel": "explicit"}))
    nnx.update(other, nnx.state(model))
    return other


def close(found, expected, tolerance):
    # Some gradients are nothing but rounding errors (a bias on all keys changes no weight).
    largest = max(np.linalg.norm(np.asarray(b, np.float64)) for b in expected)
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        assert np.linalg.norm(a - b) <= tolerance * (np.linalg.norm(b) + 0.01 * largest)


@pytest.mark.parametrize(
    ("name", "length"),
    [
        pytest.param(name, length, marks=() if name == "window" else pytest.mark.thorough)
        for name in FUSIBLE
        for length in ((5, 6) if name == "window" else (6,))
    ],
)
def test_the_kernel_is_attention_written_out(kernel, name, length):
    model = build(config(**FUSIBLE[name]))
    found = run(model, TOKENS[:, :length])
    assert kernel, "the kernel was not called"
    assert (2 in kernel) == ("window" in name) and (None in kernel) == (name != "window")
    called = len(kernel)
    close(found, run(explicit(model), TOKENS[:, :length]), 1e-5)
    assert len(kernel) == called


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(OTHERS, ("bias", "refused")))
def test_layers_without_it_do_without(kernel, name):
    run(build(config(**OTHERS[name])), key=jax.random.key(0))
    assert not kernel


@pytest.mark.thorough
def test_padding_a_cache_and_taps_do_without(kernel):
    model = build(config())
    order = jnp.broadcast_to(jnp.arange(6), TOKENS.shape)
    run(model, order=order)
    run(model, cache=model.init_cache(len(TOKENS), 8))
    run(model, tap=lambda name, value: value * 1)
    assert not kernel


def test_this_processor_has_none():
    if jax.default_backend() == "cpu":
        assert not fused.available(jnp.dtype("bfloat16"), 64)


@pytest.mark.gpu
@pytest.mark.parametrize("name", FUSIBLE)
@pytest.mark.parametrize("length", [63, 64])
def test_the_kernel_of_a_gpu(name, length):
    fields = {"dtype": "bfloat16", "max_length": 64, "attention.head_dim": 16} | FUSIBLE[name]
    fields["window"] = 20 if "window" in fields else None
    model = build(config(**fields))
    assert fused.available(jnp.dtype("bfloat16"), 16)
    tokens = jax.random.randint(jax.random.key(0), (3, length), 0, model.config.vocab_size)
    # Against float32, in which attention is written out; bfloat16 itself is off by as much as is allowed.
    wide = build(dataclasses.replace(model.config, dtype="float32"))
    expected = run(wide, tokens)
    found, narrow = run(model, tokens), run(explicit(model), tokens)
    largest = max(np.linalg.norm(np.asarray(c, np.float64)) for c in expected)
    for a, b, c in zip(found, narrow, expected, strict=True):
        a, b, c = (np.asarray(x, np.float64) for x in (a, b, c))
        allowed = 1.5 * np.linalg.norm(b - c) + 1e-3 * (np.linalg.norm(c) + largest)
        assert np.linalg.norm(a - c) <= allowed
