"""The plain decoder: `Transformer` and its fast paths say what it says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import TOKENS, build, config, scanned, scheme
from variants import often

from jaxgpt.models import plain
from jaxgpt.nn.kernels import fused

#: Decoders that it can be.
DECODERS = {
    "gpt-2": {"position": scheme("learned"), "attention.num_kv_heads": None},
    "llama": {
        "position": scheme("rotary", theta=100.0),
        "norm": "rms",
        "mlp.activation": "swiglu",
        "mlp.bias": False,
        "attention.bias": False,
        "attention.out_bias": False,
        "head.weights": "separate",
    },
    "one key head": {"position": scheme("rotary"), "attention.num_kv_heads": 1, "mlp.activation": "gelu"},
    "without positions": {"position": scheme("none"), "head.bias": True, "norm_bias": False},
    "own widths": {"position": scheme("learned"), "mlp.activation": "geglu", "norm": "rms"},
}


@pytest.fixture(scope="module", params=often(DECODERS, ("gpt-2",)))
def decoder(request):
    """A model with random weights, and the plain decoder's logits."""
    model = build(config(num_layers=3, **DECODERS[request.param]))
    return model, plain.logits(model.config, plain.weights_of(model), TOKENS)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def call(model, *arguments, **named):
    graph, state = nnx.split(model)
    return jax.jit(lambda state, *given: nnx.merge(graph, state)(*given, **named))(state, *arguments)


def test_the_transformer_says_the_same(decoder):
    model, expected = decoder
    close(call(model, TOKENS).logits, expected)


@pytest.mark.thorough
def test_decoding_with_a_cache_says_the_same(decoder):
    model, expected = decoder
    first = model(TOKENS[:, :4], cache=model.init_cache(len(TOKENS), 6))
    rest = model(TOKENS[:, 4:], cache=first.cache)
    close(jnp.concatenate([first.logits, rest.logits], axis=1), expected)


@pytest.mark.thorough
def test_scanned_layers_say_the_same(decoder):
    model, expected = decoder
    close(call(scanned(model), TOKENS).logits, expected)


@pytest.mark.thorough
def test_one_kernel_says_the_same(decoder, monkeypatch):
    """JAX's own implementation stands in the kernel's place, which this device has not."""
    monkeypatch.setattr(fused, "KERNEL", "xla")
    monkeypatch.setattr(fused, "available", lambda dtype, head_dim: True)
    model, expected = decoder
    close(call(model, TOKENS).logits, expected)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"position": scheme("alibi")}, "position"),
        ({"wiring": "post", "attention.softcap": 3.0}, "wiring, attention.softcap"),
        ({"position": scheme("rotary", rotary_dim=2)}, "position"),
        (
            {
                "position": scheme("learned"),
                "attention.maps": "none",
                "attention.num_kv_heads": None,
                "attention.head_dim": None,
            },
            "attention.maps",
        ),
    ],
)
def test_more_than_a_plain_decoder_is_refused(fields, named):
    model = build(config(**fields))
    with pytest.raises(ValueError, match=f"no other {named}; use"):
        plain.logits(model.config, plain.weights_of(model), TOKENS)
