"""Ways to run a model that must not change what it computes, and the ones that must."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import SOURCE, TOKENS, build, config, scanned, scheme
from variants import often

from jaxgpt.models import Transformer
from jaxgpt.nn.tap import recorder

#: Small programs run once: compiling them quickly matters more than running them quickly.
FAST = {"xla_backend_optimization_level": 0}


def compiled(model, *, key=None, **given):
    """Logits through jit."""
    graph, state = nnx.split(model)
    run = jax.jit(lambda s: nnx.merge(graph, s)(TOKENS, key=key, **given).logits, compiler_options=FAST)
    return run(state)


def compiled_gradient(model, *, key=None):
    """Logits, and the gradient of a weighted sum of them, through jit."""
    graph, state = nnx.split(model)
    weights = jnp.cos(jnp.arange(model.config.vocab_size))

    def loss(state):
        logits = nnx.merge(graph, state)(TOKENS, key=key).logits
        return (logits * weights).sum(), logits

    gradient, logits = jax.jit(jax.grad(loss, has_aux=True), compiler_options=FAST)(state)
    return logits, jax.tree.leaves(gradient)


def source_of(model):
    return {"source": SOURCE} if model.config.kind == "encoder_decoder" else {}


@pytest.mark.thorough
@pytest.mark.parametrize("kind", often(["decoder", "encoder", "encoder_decoder"], ("decoder",)))
def test_scan_is_loop(kind):
    model = build(config(kind=kind, dropout=0.3, position=scheme("relative")))
    other, given = scanned(model), source_of(model)
    key = jax.random.key(5)
    one, two = compiled(model, key=key, **given), compiled(other, key=key, **given)
    assert np.abs(np.asarray(one - two)).max() < 1e-5 * np.abs(np.asarray(one)).max()


@pytest.mark.thorough
def test_scanned_layers_start_from_the_same_draws():
    description = config()
    unrolled = Transformer(description, rngs=nnx.Rngs(7))
    stacked = Transformer(dataclasses.replace(description, layers="scanned"), rngs=nnx.Rngs(7))
    expected, found = nnx.state(scanned(unrolled)), nnx.state(stacked)
    assert jax.tree.structure(expected) == jax.tree.structure(found)
    assert all((a == b).all() for a, b in zip(*map(jax.tree.leaves, (expected, found)), strict=True))


@pytest.mark.thorough
@pytest.mark.parametrize("layers", often(["unrolled", "scanned"], ("scanned",)))
def test_remat_changes_neither_values_nor_gradients(layers):
    sizes = {"layers": layers, "num_layers": 2 if layers == "scanned" else 1, "dropout": 0.3}
    model, other = build(config(**sizes)), build(config(**sizes, remat="block"))
    key = jax.random.key(1)
    (logits, gradient), (other_logits, other_gradient) = (
        compiled_gradient(m, key=key) for m in (model, other)
    )
    assert np.abs(np.asarray(logits - other_logits)).max() < 1e-5 * np.abs(np.asarray(logits)).max()
    for one, two in zip(gradient, other_gradient, strict=True):
        assert np.abs(np.asarray(one - two)).max() <= 1e-5 * np.abs(np.asarray(one)).max()


@pytest.mark.thorough
@pytest.mark.parametrize("layers", ["unrolled", "scanned"])
def test_remat_keeps_less(layers):
    def kept(remat):
        """Numbers that the forward pass leaves for the backward pass."""
        graph, state = nnx.split(build(config(layers=layers, remat=remat, num_layers=3)))
        _, backward = jax.eval_shape(
            lambda state: jax.vjp(lambda s: nnx.merge(graph, s)(TOKENS).logits, state), state
        )
        return sum(leaf.size for leaf in jax.tree.leaves(backward))

    assert kept("block") < 0.75 * kept("none")


def test_remat_is_in_the_program():
    def program(remat):
        graph, state = nnx.split(build(config(remat=remat)))
        return str(jax.make_jaxpr(lambda s: nnx.merge(graph, s)(TOKENS).logits)(state))

    # Activations are recomputed in any case, one in each of two blocks.
    assert program("none").count("remat") == 2
    assert program("block").count("remat") == 4


@pytest.mark.thorough
def test_jit_is_eager():
    model = build(config(kind="encoder_decoder"))
    given = source_of(model)
    one, two = model(TOKENS, **given).logits, compiled(model, **given)
    assert np.abs(np.asarray(one - two)).max() < 1e-5 * np.abs(np.asarray(one)).max()


def test_two_models_of_one_configuration_are_compiled_once():
    graphs = [nnx.split(build(config(window=3)))[0] for _ in range(2)]
    assert graphs[0] == graphs[1] and hash(graphs[0]) == hash(graphs[1])


@pytest.mark.thorough
def test_dropout_follows_its_key():
    model = build(config(dropout=0.2))
    plain = model(TOKENS).logits
    assert (plain == model(TOKENS).logits).all()
    first, again, second = (model(TOKENS, key=jax.random.key(k)).logits for k in (1, 1, 2))
    assert (first == again).all()
    assert not np.allclose(first, second) and not np.allclose(first, plain)


@pytest.mark.thorough
def test_dropout_at_rate_zero_needs_no_key():
    model = build(config(dropout=0.0))
    assert (model(TOKENS).logits == model(TOKENS, key=jax.random.key(0)).logits).all()


@pytest.mark.thorough
def test_attention_dropout_is_its_own():
    key = jax.random.key(0)
    only_inside = build(config(**{"attention.dropout": 0.5}))
    assert not np.allclose(only_inside(TOKENS, key=key).logits, only_inside(TOKENS).logits)
    only_outside = build(config(dropout=0.5, num_layers=1, **{"attention.dropout": 0.0}))
    seen, tap = recorder()
    only_outside(TOKENS, key=key, tap=tap)
    weights, values = seen["decoder.0.attention.weights"], seen["decoder.0.attention.value"]
    mixed = jnp.einsum("bhts,bshk->bthk", weights, jnp.repeat(values, 2, axis=2))
    assert np.allclose(mixed, seen["decoder.0.attention.mixed"], atol=1e-5)


@pytest.mark.thorough
def test_encoder_and_decoder_do_not_drop_the_same_entries():
    model = build(config(kind="encoder_decoder", num_layers=1, dropout=0.5, position=scheme("none")))
    for block in (model.encoder.blocks[0], model.decoder.blocks[0]):
        for part in (block.attention, block.cross, block.mlp):
            if part is not None:  # silence the sublayers, so that the residual is the dropped embedding
                last = part.down if part is block.mlp else part.out
                last.kernel[...], last.bias[...] = 0 * last.kernel[...], 0 * last.bias[...]
    seen, tap = recorder()
    model(TOKENS, source=TOKENS, key=jax.random.key(0), tap=tap)
    one, two = (np.asarray(seen[f"{stack}.0.residual"]) == 0 for stack in ("encoder", "decoder"))
    assert 0.3 < one.mean() < 0.7 and 0.3 < two.mean() < 0.7
    assert 0.3 < (one == two).mean() < 0.7


@pytest.mark.thorough
def test_random_positions_are_drawn_alike_in_both_stacks_and_only_with_a_key():
    model = build(config(kind="encoder_decoder", position=scheme("coupled")))
    outputs = [model(TOKENS, source=TOKENS, key=k).logits for k in (None, *map(jax.random.key, range(3)))]
    assert len({np.asarray(o).tobytes() for o in outputs}) > 2
    assert (outputs[1] == model(TOKENS, source=TOKENS, key=jax.random.key(0)).logits).all()


@pytest.mark.thorough
@pytest.mark.parametrize("layers", ["unrolled", "scanned"])
def test_half_precision_computes_logits_in_single(layers):
    exact = build(config())
    rough = build(config(dtype="bfloat16"))
    rough = scanned(rough) if layers == "scanned" else rough
    output = rough(TOKENS)
    assert output.logits.dtype == jnp.float32 and output.hidden.dtype == jnp.bfloat16
    expected = np.asarray(exact(TOKENS).logits)
    assert np.abs(np.asarray(output.logits) - expected).max() < 0.1 * np.abs(expected).max()
    # Logits that had passed through bfloat16 would all be its numbers.
    assert (output.logits.astype(jnp.bfloat16).astype(jnp.float32) != output.logits).any()


@pytest.mark.thorough
def test_half_precision_with_a_separate_head():
    output = build(config(dtype="bfloat16", **{"head.weights": "separate", "head.bias": True}))(TOKENS)
    assert output.logits.dtype == jnp.float32


@pytest.mark.parametrize("kind", ["decoder", "encoder_decoder"])
def test_parameters_have_the_type_asked_for(kind):
    description = config(kind=kind, param_dtype="bfloat16", **{"head.weights": "separate", "head.bias": True})
    model = nnx.eval_shape(lambda: Transformer(description, rngs=nnx.Rngs(0)))
    assert {leaf.dtype for leaf in jax.tree.leaves(nnx.state(model))} == {jnp.dtype("bfloat16")}


def test_all_state_is_parameters_with_named_axes():
    model = nnx.eval_shape(
        lambda: Transformer(config(kind="encoder_decoder", position=scheme("learned")), rngs=nnx.Rngs(0))
    )
    _, params, rest = nnx.split(model, nnx.Param, ...)
    assert not jax.tree.leaves(rest)
    for path, variable in nnx.to_flat_state(params):
        assert len(variable.get_metadata()["axes"]) == variable.get_value().ndim, path


@pytest.mark.thorough
def test_initial_weights_into_the_residual_shrink_with_depth():
    plain, shrunk = (Transformer(config(residual_init=r), rngs=nnx.Rngs(0)) for r in ("plain", "scaled"))
    for part in ("attention.out", "mlp.down"):
        stds = []
        for model in (plain, shrunk):
            module = model.decoder.blocks[0]
            for name in part.split("."):
                module = getattr(module, name)
            stds.append(float(module.kernel[...].std()))
        assert stds[1] == pytest.approx(stds[0] / 2, rel=1e-5)  # 1 / sqrt(2 * 2 layers)
