"""What a user can get wrong: one line each, with the values and the way out."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import TEXTS, build, config, scheme

from jaxgpt.models import ModelConfig, Transformer
from jaxgpt.nn.position import Position
from jaxgpt.tokenizers.vocabulary import Vocabulary

TOKENS = jnp.asarray([[1, 2, 3]])


def message(function, *arguments, **named):
    """The one line of the ValueError that a call ends in."""
    with pytest.raises(ValueError) as error:
        function(*arguments, **named)
    text = str(error.value)
    assert "\n" not in text and len(text) < 250
    return text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"d_model": 130, "attention.head_dim": None},
            "d_model=130 is not divisible by num_heads=4; change one of them",
        ),
        ({"attention.num_kv_heads": 3}, "num_heads=4 is not divisible by attention.num_kv_heads=3"),
        ({"num_layers": 0}, "num_layers=0 must be at least 1"),
        ({"max_length": 0}, "max_length=0 must be at least 1"),
        ({"window": 0}, "window=0 must be at least 1, or none"),
        ({"d_ff": -4}, "d_ff=-4 must be at least 1, or none"),
        ({"dropout": 1.0}, "dropout=1.0 must be at least 0 and below 1"),
        ({"attention.dropout": -0.1}, "attention.dropout=-0.1 must be at least 0 and below 1"),
        ({"dropout": float("nan")}, "dropout=nan must be at least 0 and below 1"),
        ({"norm_epsilon": float("nan")}, "norm_epsilon=nan must be at least 0 and finite"),
        ({"init_std": -1.0}, "init_std=-1.0 must be at least 0 and finite, or none"),
        ({"embedding.std": -1.0}, "embedding.std=-1.0 must be at least 0 and finite, or none"),
        ({"embedding.scale": float("inf")}, "embedding.scale=inf must be finite"),
        ({"vocab_size": -1}, "vocab_size=-1 must be positive, or 0 for the tokenizer's"),
        (
            {"attention.maps": "none", "attention.head_dim": 3},
            "attention.maps=none does not go with attention.num_kv_heads=2; leave the default",
        ),
        ({"attention.qk_norm_over": "all"}, "attention.qk_norm_over=all needs qk_norm=true"),
        ({"pooler_activation": "relu"}, "pooler_activation=relu needs pooler=true"),
        ({"encoder_layers": 2}, "encoder_layers=2 needs kind=encoder_decoder, not decoder"),
        ({"attention.head_dim": 5}, "position.rotary_dim=5 must be even and at most head_dim=5; change"),
    ],
)
def test_fields_that_do_not_fit(fields, expected):
    assert message(config, **fields).startswith(expected)


def test_the_scheme_of_the_encoder_is_checked_as_well():
    position = scheme("relative", num_buckets=2, max_distance=8)
    config(position=position)
    assert message(config, position=position, kind="encoder") == (
        "position.num_buckets=2 must be a multiple of 4"
    )


def test_a_model_without_a_vocabulary():
    text = message(Transformer, ModelConfig(), rngs=nnx.Rngs(0))
    assert text == "vocab_size=0: give the model a vocabulary with config.for_vocabulary(...)"


@pytest.mark.parametrize("name", ["abacus", "coupled"])
def test_digit_positions_without_a_vocabulary(name):
    text = message(Transformer, config(position=Position.named(name)()), rngs=nnx.Rngs(0))
    assert text == f"position={name} does not know the tokenizer's digits; use config.for_vocabulary(...)"


def test_for_vocabulary():
    given = dataclasses.replace(config(position=Position.named("coupled")()), vocab_size=0)
    resolved = given.for_vocabulary(Vocabulary(TEXTS))
    assert resolved.vocab_size == len(TEXTS)
    assert resolved.position.digit_ids == tuple(range(10)) and resolved.position.marker_id == 12
    larger = dataclasses.replace(given, vocab_size=64).for_vocabulary(Vocabulary(TEXTS))
    assert larger.vocab_size == 64
    small = dataclasses.replace(given, vocab_size=3)
    assert message(small.for_vocabulary, Vocabulary(TEXTS)) == (
        f"vocab_size=3 is smaller than the tokenizer's {len(TEXTS)} ids; leave it at 0"
    )


@pytest.mark.parametrize("bad", [15, -1])
def test_ids_outside_the_vocabulary(bad):
    model = build(config())
    tokens = TOKENS.at[0, 1].set(bad)
    expected = f"tokens hold id {bad}, outside the vocabulary of 15; was another tokenizer used?"
    assert message(model, tokens) == expected
    assert message(model, np.asarray(tokens)) == expected
    # In a traced function ids that are constants are known as well, and those that are not pass.
    assert message(jax.eval_shape, lambda: model(tokens).logits) == expected
    assert jax.eval_shape(lambda t: model(t).logits, tokens).shape == (1, 3, 15)
    both = build(config(kind="encoder_decoder"))
    assert message(both, TOKENS, source=tokens).startswith(f"source hold id {bad}, outside")


@pytest.mark.parametrize("tokens", [jnp.ones((1, 3)), jnp.ones(3, jnp.int32), jnp.ones((1, 1, 3), jnp.int32)])
def test_tokens_of_the_wrong_shape_or_type(tokens):
    assert re.match(r"tokens must be integers of shape \[B, T\], not \w+\[", message(build(config()), tokens))


def test_too_long_a_sequence():
    model = build(config(max_length=4))
    text = message(model, jnp.ones((1, 5), jnp.int32))
    assert text == "5 tokens exceed model.max_length=4; shorten them or train with a larger max_length"
    both = build(config(max_length=4, kind="encoder_decoder"))
    long = jnp.ones((1, 5), jnp.int32)
    assert message(both, TOKENS, source=long).startswith("5 source exceed model.max_length=4")
    cache = both.init_cache(1, 8)
    assert message(both, TOKENS, source=long, cache=cache).startswith("5 source exceed model.max_length=4")


def test_a_source_where_there_is_none_to_read():
    assert message(build(config()), TOKENS, source=TOKENS) == "kind=decoder takes no source"
    assert message(build(config(kind="encoder")), TOKENS, source=TOKENS) == "kind=encoder takes no source"


def test_a_missing_source():
    model = build(config(kind="encoder_decoder"))
    expected = "kind=encoder_decoder needs source=, the tokens of its encoder"
    assert message(model, TOKENS) == expected
    assert message(model, TOKENS, cache=model.init_cache(1, 4)) == expected


def test_an_encoder_has_no_cache():
    model = build(config(kind="encoder"))
    expected = "cache: it reads all tokens at once"
    assert message(model.init_cache, 1, 4) == f"kind=encoder has no {expected}"
    assert (
        message(model, TOKENS, cache=build(config()).init_cache(1, 4)) == f"kind=encoder takes no {expected}"
    )


@pytest.mark.thorough
def test_a_cache_that_is_full():
    model = build(config())
    cache = model(TOKENS, cache=model.init_cache(1, 5)).cache
    assert message(model, TOKENS, cache=cache) == (
        "3 tokens do not fit: 3 of the cache's 5 slots are used; make a larger one with init_cache"
    )
    assert int(model(TOKENS[:, :2], cache=cache).cache.used) == 5


@pytest.mark.thorough
def test_a_cache_does_not_lift_the_limit_of_the_length():
    model = build(config(max_length=4, position=scheme("learned")))
    padded = jnp.asarray([[-1, 0, 1]])
    cache = model(TOKENS, order=padded, cache=model.init_cache(1, 9)).cache
    cache = model(TOKENS, order=padded, cache=cache).cache  # six slots, but four tokens
    assert message(model, TOKENS[:, :1], cache=cache) == (
        "5 tokens exceed model.max_length=4; stop earlier or train with a larger max_length"
    )


@pytest.mark.thorough
def test_a_number_too_long_for_its_scheme():
    model = build(config(position=Position.named("abacus")(max_position=4, max_offset=0).resolve(TEXTS)))
    model(TOKENS)
    assert message(model, jnp.asarray([[1, 2, 3, 4]])) == (
        "position 4 is beyond position.max_position=4; make max_position larger or the numbers shorter"
    )
