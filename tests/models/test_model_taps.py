"""Taps: every documented name, changes that matter, and no trace when unused."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import SOURCE, TOKENS, build, config, scanned
from variants import often

import jaxgpt.nn.tap
from jaxgpt.nn.tap import below, identity, recorder

ATTENTION = ("input", "query", "key", "value", "scores", "weights", "mixed", "output")


def names(kind, depth=2):
    """What the documentation promises."""
    expected = {"logits"}
    for stack in ("encoder", "decoder"):
        if stack in kind:
            expected |= {f"{stack}.embedding", f"{stack}.norm"}
            for layer in range(depth):
                parts = [f"attention.{name}" for name in ATTENTION] + ["mlp.hidden", "mlp.output", "residual"]
                if kind == "encoder_decoder" and stack == "decoder":
                    parts += [f"cross_attention.{name}" for name in ATTENTION]
                expected |= {f"{stack}.{layer}.{part}" for part in parts}
    return expected


def run(model, **given):
    source = {"source": SOURCE} if model.config.kind == "encoder_decoder" else {}
    return model(TOKENS, **source, **given)


@pytest.mark.parametrize("layers", ["unrolled", "scanned"])
@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder_decoder"])
def test_every_name_is_seen(kind, layers):
    model = build(config(kind=kind, layers=layers))
    seen, tap = recorder()
    jax.eval_shape(lambda: run(model, tap=tap))
    assert set(seen) == names(kind)


def test_the_documentation_lists_these_names():
    documented = re.findall(r"^    ([\w.]+)(?:, \.(\w+))?", jaxgpt.nn.tap.__doc__, flags=re.MULTILINE)
    full = {first for first, _ in documented}
    full |= {f"{first.rpartition('.')[0]}.{second}" for first, second in documented if second}
    assert full - {"decoder.0.cross_attention.query"} == names("decoder", depth=1)


def test_a_post_norm_stack_has_no_final_norm_to_see():
    seen, tap = recorder()
    jax.eval_shape(lambda: run(build(config(wiring="post")), tap=tap))
    assert set(seen) == names("decoder") - {"decoder.norm"}


def test_recorded_values_are_what_they_are_called():
    model = build(config())
    seen, tap = recorder()
    output = run(model, tap=tap)
    assert (seen["logits"] == output.logits).all() and (seen["decoder.norm"] == output.hidden).all()
    weights = seen["decoder.1.attention.weights"]
    assert weights.shape == (6, 4, 6, 6)  # [B, H, T, S]
    assert np.allclose(weights.sum(-1), 1, atol=1e-6)
    assert (weights[..., 0, 1:] == 0).all()
    assert seen["decoder.0.attention.query"].shape == (6, 6, 4, 6)  # [B, T, H, K]
    assert seen["decoder.0.attention.key"].shape == (6, 6, 2, 6)  # [B, S, G, K]
    assert seen["decoder.0.mlp.hidden"].shape == (6, 6, 20)


@pytest.mark.thorough
def test_scanned_layers_show_the_same_values():
    model = build(config(kind="encoder_decoder"))
    (one, tap_one), (two, tap_two) = recorder(), recorder()
    run(model, tap=tap_one)
    run(scanned(model), tap=tap_two)
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert np.allclose(value, two[name], rtol=1e-5, atol=1e-5), name


@pytest.mark.parametrize("kind", often(["decoder", "encoder_decoder"], ("decoder",)))
def test_changing_any_activation_changes_the_logits(kind):
    model = build(config(kind=kind, num_layers=1))
    plain = run(model).logits
    for name in sorted(names(kind, depth=1)):

        def tap(found, value, name=name):
            return value * jnp.linspace(0.5, 2, value.size).reshape(value.shape) if found == name else value

        assert not np.allclose(run(model, tap=tap).logits, plain, atol=1e-4), name


@pytest.mark.thorough
def test_adding_a_zero_gives_the_derivative_by_an_activation():
    model = build(config())
    name = "decoder.0.mlp.hidden"

    def loss(delta):
        return run(model, tap=lambda n, v: v + delta if n == name else v).logits[0, 3, 5]

    zero = jnp.zeros((6, 6, 20))
    gradient = np.asarray(jax.jit(jax.grad(loss))(zero))
    assert np.abs(gradient[0]).max() > 0 and (gradient[1:] == 0).all()  # rows of a batch are apart
    direction = jnp.asarray(np.random.default_rng(0).normal(size=zero.shape), jnp.float32)
    step = 1e-2
    measured = float(loss(step * direction) - loss(-step * direction)) / (2 * step)
    assert measured == pytest.approx(float((gradient * direction).sum()), rel=2e-2)


def test_a_tap_can_write_what_another_run_read():
    # Activation patching: with the other run's last residual, the logits are the other run's.
    model = build(config())
    seen, tap = recorder()
    other = model(TOKENS[::-1], tap=tap).logits
    patched = model(TOKENS, tap=lambda n, v: seen[n] if n == "decoder.1.residual" else v).logits
    assert (patched == other).all()


def program(model, **given):
    graph, state = nnx.split(model)
    return str(jax.make_jaxpr(lambda state: run(nnx.merge(graph, state), **given).logits)(state))


@pytest.mark.parametrize("layers", ["unrolled", "scanned"])
@pytest.mark.parametrize("remat", ["none", "block"])
def test_the_identity_leaves_no_trace(layers, remat):
    model = build(config(layers=layers, remat=remat))
    assert program(model) == program(model, tap=identity)
    if layers == "unrolled" and remat == "none":
        assert program(model) == program(model, tap=lambda name, value: value)
        assert program(model) != program(model, tap=lambda name, value: value + 0.0)
    else:
        assert program(model) != program(model, tap=lambda name, value: value)  # written out for the tap


def test_below_keeps_the_identity():
    assert below(identity, "decoder") is identity
    seen, tap = recorder()
    below(below(tap, "a"), "b")("c", jnp.ones(1))
    assert list(seen) == ["a.b.c"]
