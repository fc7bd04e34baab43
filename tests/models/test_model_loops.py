"""A looped stack is a deep one whose blocks share their weights."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import SOURCE, TOKENS, arrays, build, config, scanned, scheme
from variants import often

from jaxgpt.models import Transformer
from jaxgpt.nn.attention.inputs import AttentionInputs
from jaxgpt.nn.tap import recorder


def unrolled(looped):
    """A model without loops that holds a copy of every block for each loop."""
    description = dataclasses.replace(
        looped.config, num_layers=looped.config.num_layers * looped.config.loops, loops=1
    )
    model = build(description)
    pure = arrays(looped)
    for role in ("encoder", "decoder"):
        if role in pure:
            blocks = pure[role]["blocks"]
            count = len(blocks)
            pure[role]["blocks"] = {i: blocks[i % count] for i in range(description.num_layers)}
    state = nnx.state(model)
    nnx.replace_by_pure_dict(state, jax.tree.map(jnp.asarray, pure))
    nnx.update(model, state)
    return model


def logits(model, **given):
    source = {"source": SOURCE} if model.config.kind == "encoder_decoder" else {}
    with jax.disable_jit():
        return np.asarray(model(TOKENS, **source, **given).logits)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", often(["decoder", "encoder", "encoder_decoder"], ("decoder",)))
def test_loops_are_shared_layers(kind):
    looped = build(config(kind=kind, num_layers=2, loops=3, position=scheme("relative")))
    assert len(arrays(looped)["encoder" if kind == "encoder" else "decoder"]["blocks"]) == 2
    expected, found = logits(unrolled(looped)), logits(looped)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.thorough
@pytest.mark.parametrize("injection", often([False, True], (True,)))
def test_scanned_and_cached_loops_are_loops(injection):
    looped = build(config(num_layers=2, loops=2, injection=injection))
    expected = logits(looped)
    size = np.abs(expected).max()
    for model in (looped, scanned(looped)):
        assert np.abs(logits(model) - expected).max() < 1e-5 * size
        cache = model.init_cache(len(TOKENS), TOKENS.shape[1])
        pieces = []
        with jax.disable_jit():
            for token in TOKENS.T:
                output = model(token[:, None], cache=cache)
                pieces.append(np.asarray(output.logits))
                cache = output.cache
        assert np.abs(np.concatenate(pieces, axis=1) - expected).max() < 1e-5 * size


@pytest.mark.thorough
def test_injection_adds_the_embeddings_before_each_further_loop():
    model = build(config(num_layers=1, loops=2, injection=True, position=scheme("none")))
    seen, tap = recorder()
    logits(model, tap=tap)
    embedding, first = seen["decoder.embedding"], seen["decoder.0.residual"]
    block = nnx.split(model.decoder.blocks[0])
    order = jnp.arange(TOKENS.shape[1])[None]
    with jax.disable_jit():
        mask = model.decoder.mask(order, order)
        inputs = AttentionInputs(
            model.config.resolved_attention, model.decoder.position, {}, order, order, sees=mask
        )
        second, _ = nnx.merge(*block)(first + embedding, inputs)
    assert np.abs(np.asarray(second) - np.asarray(seen["decoder.1.residual"])).max() < 1e-5


def test_loops_add_no_weights():
    def count(**fields):
        state = nnx.state(nnx.eval_shape(lambda: Transformer(config(**fields), rngs=nnx.Rngs(0))))
        return sum(leaf.size for leaf in jax.tree.leaves(state))

    assert count(loops=5) == count(loops=1)
    with pytest.raises(ValueError, match="loops=0 must be at least 1"):
        config(loops=0)
