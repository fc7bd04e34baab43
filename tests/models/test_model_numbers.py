"""Number tokens in a model: with a cache as without, nothing looks ahead."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import build

from jaxgpt.core.nested import made
from jaxgpt.data.numbers import feature_array
from jaxgpt.models import ModelConfig
from jaxgpt.models.token_features import Features
from jaxgpt.nn.number import NumberEncoding
from jaxgpt.tokenizers import build as build_tokenizer
from jaxgpt.tokenizers.tokenizer import Tokenizer

SPECS = {"xval": "xval", "fone": "fone:5", "bittokens": "bittokens"}
TEXTS = ["12+345=357", "7+6=13a", "98+1=99a"]


@partial(jax.jit, static_argnums=0)
def run(graph, state, tokens, given):
    return nnx.merge(graph, state)(tokens, **given)


def call(net, tokens, **given):
    """The model compiled as a whole, which is quicker than operation by operation."""
    return run(*nnx.split(net), tokens, given)


def tokenizer(name) -> Tokenizer:
    return build_tokenizer(SPECS[name], lambda: TEXTS)


def model(name, **fields):
    own = tokenizer(name)
    config = made(
        ModelConfig, max_length=24, d_model=12, num_heads=4, d_ff=20, **fields, **{"attention.head_dim": 6}
    )
    return build(config.for_vocabulary(own.vocabulary()))


def batch(name):
    """Tokens [3, 6] and their features."""
    own = tokenizer(name)
    rows = [own.encode(text) for text in TEXTS]
    tokens = np.zeros((3, 6), np.int32)
    numbers = np.zeros((3, 6, own.number_features), own.feature_type)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = row
        numbers[i, : len(row)][np.asarray(row) == own.number_id] = feature_array(
            row, own.number_features, own.feature_type
        )
    return jnp.asarray(tokens), jnp.asarray(numbers)


@pytest.mark.parametrize("name", SPECS)
def test_the_tokenizer_and_the_model_agree_on_features(name):
    own, encoding = tokenizer(name), model(name).config.number
    assert (own.number_features, own.feature_type, own.number_id) == (
        encoding.size,
        encoding.dtype,
        encoding.token_id,
    )
    assert type(encoding) is NumberEncoding.named(name)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("xval", {}),
        pytest.param(
            *("fone", {"layers": "scanned", "wiring": "post", "embedding.scale": 3.0}),
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            *("bittokens", {"dtype": "bfloat16", "param_dtype": "bfloat16"}), marks=pytest.mark.thorough
        ),
    ],
)
def test_a_cache_changes_nothing(name, fields):
    net = model(name, **fields)
    tokens, numbers = batch(name)
    whole = call(net, tokens, features=Features(numbers=numbers))
    cache, said, logits = net.init_cache(3, 6), [], []
    for cut in (slice(0, 3), slice(3, 4), slice(4, 6)):
        out = call(net, tokens[:, cut], features=Features(numbers=numbers[:, cut]), cache=cache)
        cache = out.cache
        said.append(out.numbers)
        logits.append(out.logits)
    near = {"rtol": 1e-4, "atol": 1e-4} if net.config.dtype == "float32" else {"rtol": 0.05, "atol": 0.3}
    np.testing.assert_allclose(jnp.concatenate(logits, axis=1), whole.logits, **near)
    np.testing.assert_allclose(jnp.concatenate(said, axis=1), whole.numbers, **near)
    assert whole.numbers.dtype == whole.logits.dtype == jnp.float32


@pytest.mark.thorough
@pytest.mark.parametrize("name", SPECS)
def test_a_number_changes_what_comes_after_it_and_nothing_before(name):
    net = model(name)
    tokens, numbers = batch(name)
    own = tokenizer(name)
    (other,) = own.encode("24")
    before = call(net, tokens, features=Features(numbers=numbers))
    place = 2  # of the second operand
    assert (tokens[:, place] == own.number_id).all()
    changed = numbers.at[:, place].set(jnp.asarray(list(other.features), numbers.dtype))
    after = call(net, tokens, features=Features(numbers=changed))
    for old, new in ((before.logits, after.logits), (before.numbers, after.numbers)):
        np.testing.assert_array_equal(old[:, :place], new[:, :place])
        assert (np.abs(old[:, place:] - new[:, place:]).max(axis=-1) > 1e-4).all()


@pytest.mark.parametrize("name", SPECS)
def test_features_of_other_tokens_mean_nothing(name):
    net = model(name)
    tokens, numbers = batch(name)
    elsewhere = (tokens != tokenizer(name).number_id)[..., None]
    noisy = jnp.where(elsewhere, jnp.ones_like(numbers), numbers)
    np.testing.assert_array_equal(
        call(net, tokens, features=Features(numbers=numbers)).logits,
        call(net, tokens, features=Features(numbers=noisy)).logits,
    )


@pytest.mark.thorough
def test_the_encoder_reads_numbers_too():
    net = model("fone", kind="encoder_decoder")
    tokens, numbers = batch("fone")
    own = tokenizer("fone")
    answer = jnp.full((3, 1), own.bos_id)
    blank = jnp.zeros((3, 1, own.number_features), numbers.dtype)

    def said(source_numbers):
        out = call(
            net, answer, source=tokens, features=Features(numbers=blank, source_numbers=source_numbers)
        )
        return np.asarray(out.numbers)

    assert np.abs(said(numbers) - said(numbers[:, ::-1])).max() > 1e-3
    order = jnp.asarray([[0, 1, 2, 3, -1, -1]] * 3)
    padded = call(
        net,
        answer,
        source=tokens,
        source_order=order,
        features=Features(numbers=blank, source_numbers=numbers),
    )
    short = call(
        net, answer, source=tokens[:, :4], features=Features(numbers=blank, source_numbers=numbers[:, :4])
    )
    np.testing.assert_allclose(padded.numbers, short.numbers, rtol=1e-4, atol=1e-4)


@pytest.mark.thorough
def test_a_model_without_numbers_has_no_parameters_for_them():
    net = build(ModelConfig(vocab_size=5, max_length=8, d_model=16, num_heads=4))
    assert not [path for path, _ in nnx.to_flat_state(nnx.state(net)) if path[0] == "number"]
    assert net(jnp.asarray([[1, 2]])).numbers is None
    with pytest.raises(ValueError, match="no number encoding and takes no numbers"):
        net(jnp.asarray([[1, 2]]), features=Features(numbers=jnp.zeros((1, 2, 1))))


def test_numbers_that_are_missing_or_of_another_form():
    net = model("fone")
    tokens, numbers = batch("fone")
    with pytest.raises(ValueError, match=r"number=fone needs numbers of shape \[3, 6, 5\].*there are none"):
        net(tokens)
    with pytest.raises(ValueError, match=r"there are of shape \[3, 6, 4\]"):
        net(tokens, features=Features(numbers=numbers[..., :4]))


def test_the_tokenizer_decides_on_the_encoding():
    own = tokenizer("fone")
    narrow = ModelConfig(d_model=8, num_heads=2)
    with pytest.raises(ValueError, match="5 places of a number take 2 dimensions each"):
        narrow.for_vocabulary(own.vocabulary())
    resolved = ModelConfig().for_vocabulary(own.vocabulary())
    assert resolved.for_vocabulary(own.vocabulary()) == resolved
    assert dataclasses.replace(resolved, number=None, vocab_size=0) == ModelConfig()
