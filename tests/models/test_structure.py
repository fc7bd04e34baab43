"""A model in two parts: what is remembered of it, and what is noticed."""

import dataclasses
import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxgpt
from jaxgpt.models.structure import split

CONFIG = jaxgpt.ModelConfig(num_layers=2, d_model=16, num_heads=2, vocab_size=11, max_length=8)


@pytest.fixture
def model():
    return jaxgpt.Transformer(CONFIG, rngs=nnx.Rngs(0))


@pytest.mark.thorough
def test_parts_are_those_of_nnx(model):
    structure, weights = split(model)
    for own, other in zip(weights, jax.tree.leaves(nnx.split(model)[1]), strict=True):
        assert own is other
    tokens = jnp.arange(6)[None] % 11
    np.testing.assert_array_equal(structure.model(weights)(tokens).logits, model(tokens).logits)


@pytest.mark.thorough
def test_weights_are_those_of_now(model):
    split(model)
    model.decoder.norm.scale[...] = jnp.full((16,), 3.0)
    model.decoder.blocks[1].mlp.up.kernel = nnx.Param(jnp.full((16, 64), 2.0), axes=("embed", "mlp"))
    structure, weights = split(model)
    again = structure.model(weights)
    assert float(again.decoder.norm.scale[...].max()) == 3.0
    assert float(again.decoder.blocks[1].mlp.up.kernel[...].min()) == 2.0


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.decoder.blocks[0], "rate", 0.5),
        lambda model: setattr(model.decoder.blocks[0].mlp.up, "bias", None),
        lambda model: setattr(model, "config", dataclasses.replace(CONFIG, dropout=0.5)),
        lambda model: model.decoder.blocks.append(model.decoder.blocks[0]),
    ],
    ids=["rate", "bias", "config", "block"],
)
def test_a_changed_model_is_split_anew(model, change):
    before, _ = split(model)
    change(model)
    assert split(model)[0] != before
    assert split(model)[0] is split(model)[0]


def test_models_that_differ_in_weights_have_one_structure(model):
    other = jaxgpt.Transformer(CONFIG, rngs=nnx.Rngs(1))
    assert split(model)[0] == split(other)[0] and hash(split(model)[0]) == hash(split(other)[0])


def test_nothing_keeps_a_model_alive():
    model = jaxgpt.Transformer(CONFIG, rngs=nnx.Rngs(0))
    split(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
