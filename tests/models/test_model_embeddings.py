"""Embeddings that are a function of a number's value, against the same table given freely."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import SOURCE, TEXTS, TOKENS, build, config, scheme

from jaxgpt.core.nested import replaced
from jaxgpt.models import Transformer
from jaxgpt.nn.linear import Embedding
from jaxgpt.nn.values import token_values, value_features
from jaxgpt.tokenizers.vocabulary import Vocabulary

VALUES = token_values(TEXTS)


def value_config(**fields):
    return config(token_values=VALUES, **fields, **{"embedding.kind": "value"})


def freed(model: Transformer) -> Transformer:
    """The same model with the vector of every token written out."""
    description = replaced(model.config, {"embedding.kind": "free", "token_values": ()})
    other = build(description)
    pure = nnx.to_pure_dict(nnx.state(model))
    weights = np.asarray(pure["embedding"]["table"])
    pure["embedding"]["table"] = jnp.asarray(value_features(VALUES) @ weights, jnp.float32)
    state = nnx.state(other)
    nnx.replace_by_pure_dict(state, pure)
    nnx.update(other, state)
    return other


@pytest.mark.thorough
@pytest.mark.parametrize("head", ["tied", "separate"])
@pytest.mark.parametrize("kind", ["decoder", "encoder", "encoder_decoder"])
def test_logits_are_those_of_the_table_it_stands_for(kind, head):
    model = build(value_config(kind=kind, **{"head.weights": head}))
    given = {"source": SOURCE} if kind == "encoder_decoder" else {}
    one, two = model(TOKENS, **given).logits, freed(model)(TOKENS, **given).logits
    np.testing.assert_allclose(one, two, atol=1e-4, rtol=1e-4)


@pytest.mark.thorough
def test_decoding_with_a_cache_is_decoding_without():
    model = build(value_config(position=scheme("coupled")))
    whole = model(TOKENS).logits
    cache = model.init_cache(len(TOKENS), TOKENS.shape[1])
    first = model(TOKENS[:, :4], cache=cache)
    second = model(TOKENS[:, 4:], cache=first.cache)
    np.testing.assert_allclose(jnp.concatenate([first.logits, second.logits], 1), whole, atol=1e-4)


@pytest.mark.thorough
def test_it_has_three_vectors_for_all_numbers_and_one_for_each_other_token():
    tables = [Transformer(d, rngs=nnx.Rngs(0)).embedding.table for d in (config(), value_config())]
    assert [table.shape for table in tables] == [(15, 12), (3 + 5, 12)]
    assert len(TEXTS) == 15


def test_neighbours_among_many_numbers_are_told_apart_in_bfloat16():
    features = value_features(range(2000))
    types = {"dtype": "bfloat16", "param_dtype": "float32"}
    embedding = Embedding(2000, 64, features=features, std=1.0, rngs=nnx.Rngs(0), **types)
    vectors = embedding(jnp.arange(2000)[None])
    assert vectors.dtype == jnp.bfloat16
    vectors = np.asarray(vectors[0].astype(jnp.float32))
    assert len(np.unique(vectors, axis=0)) == 2000
    exact = features @ np.asarray(embedding.table[...], np.float64)
    np.testing.assert_allclose(vectors, exact, rtol=2**-8, atol=1e-4)
    hidden = jnp.asarray(np.random.default_rng(0).standard_normal((1, 3, 64)), jnp.bfloat16)
    logits = embedding.attend(hidden)
    assert logits.dtype == jnp.float32
    expected = np.asarray(hidden.astype(jnp.float32), np.float64)[0] @ exact.T
    np.testing.assert_allclose(logits[0], expected, atol=1e-5 * np.abs(expected).max())


def test_numbers_lie_on_a_parabola_of_three_weights():
    model = build(config(token_values=VALUES, **{"embedding.kind": "parabola"}))
    a, b, c = np.asarray(model.embedding.table[...], np.float64) / 10
    vectors = np.asarray(model.embedding(jnp.arange(len(TEXTS))[None])[0], np.float64)
    known = np.array([value for value in VALUES if value >= 0])
    x = known / known.std()
    found = vectors[[i for i, value in enumerate(VALUES) if value >= 0]]
    np.testing.assert_allclose(found[:, 0], a * x, atol=1e-4)
    np.testing.assert_allclose(found[:, 1], b * x**2 + c, atol=1e-4)
    assert not found[:, 2:].any()
    assert not vectors[[i for i, value in enumerate(VALUES) if value < 0]].any()
    # The output matrix is the same.
    hidden = jnp.ones((1, 1, vectors.shape[1]))
    np.testing.assert_allclose(model.embedding.attend(hidden)[0, 0], vectors.sum(axis=1), atol=1e-4)


def test_the_parabola_begins_as_an_arc_whatever_the_seed():
    first, second = (
        Transformer(config(token_values=VALUES, **{"embedding.kind": "parabola"}), rngs=nnx.Rngs(seed))
        for seed in (0, 1)
    )
    assert first.embedding.table.shape == (3,)
    np.testing.assert_array_equal(first.embedding.vectors(), second.embedding.vectors())
    vectors = np.asarray(first.embedding.vectors())
    near = [i for i, value in enumerate(VALUES) if value in (0, 1, 2)]
    np.testing.assert_allclose(np.linalg.norm(vectors[near], axis=1), 1, atol=0.03)


def test_the_tokenizer_tells_the_values():
    told = config(vocab_size=0, **{"embedding.kind": "value"}).for_vocabulary(Vocabulary(["", *"0123", "12"]))
    assert told.token_values == (-1, 0, 1, 2, 3, 12) and told.vocab_size == 6
    assert config(vocab_size=0).for_vocabulary(Vocabulary(TEXTS)).token_values == ()
    # Ids beyond the tokenizer's are no numbers.
    assert dataclasses.replace(told, vocab_size=8).token_features.shape == (8, 3 + 3)


def test_two_models_of_one_description_have_one_structure():
    graphs = [nnx.split(build(value_config()))[0] for _ in range(2)]
    assert graphs[0] == graphs[1] and hash(graphs[0]) == hash(graphs[1])


def test_errors():
    with pytest.raises(
        ValueError, match=r"^embedding\.kind=value does not know the tokenizer's numbers; use config"
    ):
        Transformer(config(**{"embedding.kind": "value"}), rngs=nnx.Rngs(0))
    with pytest.raises(
        ValueError, match=r"^embedding\.kind=value needs tokens for three numbers or more; use"
    ):
        config(vocab_size=0, **{"embedding.kind": "value"}).for_vocabulary(Vocabulary(["a", "b", "7"]))
    with pytest.raises(ValueError, match=r"^embedding\.kind=parabola does not know the tokenizer's numbers"):
        Transformer(config(**{"embedding.kind": "parabola"}), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"^embedding\.kind=parabola has two dimensions"):
        config(d_model=1, **{"embedding.kind": "parabola"})
    with pytest.raises(ValueError, match=r"^embedding\.kind=value cannot tell the tokens '2' and '02' apart"):
        config(vocab_size=0, **{"embedding.kind": "value"}).for_vocabulary(Vocabulary([*"0123", "02"]))
