"""What the families of transformers brought: caches, layers and heads that differ from each other.

Their outputs are compared with those of transformers in tests/huggingface.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import SOURCE, TOKENS, build, config, scheme

from jaxgpt.generation import generate
from jaxgpt.models.token_features import Features
from jaxgpt.nn.position.rotary import Rotary

VARIANTS = {
    "sandwich": {"wiring": "sandwich", "norm": "rms_plus_one"},
    "soft-caps": {"attention.softcap": 2.0, "head.softcap": 3.0},
    "qk-norm": {"attention.qk_norm": True, "norm": "rms"},
    "qk-norm-over-all": {
        "attention.qk_norm": True,
        "attention.qk_norm_over": "all",
        "norm": "rms",
        "wiring": "res_post",
    },
    "no-maps": {"attention.maps": "none", "num_heads": 2},
    "windows": {"window": 2, "window_layers": (True, False), "window_position": Rotary(theta=10.0)},
    "groups": {"num_layers": 4, "loops": 2, "loop_blocks": 2},
    "wide": {"embedding.width": 5, "head.transform": True, "embedding.norm": True},
    "factor": {"head.factor": 0.5, "position": Rotary(factor=4.0, trained_length=6)},
}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "decoder") for name in VARIANTS), ("windows", "encoder_decoder")]
)
def test_decoding_with_a_cache_is_decoding_without(name, kind):
    model = build(config(kind=kind, **VARIANTS[name]))
    source = {"source": SOURCE} if kind == "encoder_decoder" else {}
    whole = model(TOKENS, **source).logits
    cache = model.init_cache(TOKENS.shape[0], 10)
    first = model(TOKENS[:, :3], cache=cache, **source)
    rest = model(TOKENS[:, 3:], cache=first.cache)
    stepwise = jnp.concatenate([first.logits, rest.logits], axis=1)
    np.testing.assert_allclose(stepwise, whole, atol=2e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("name", VARIANTS)
def test_a_decoder_never_looks_ahead(name):
    model = build(config(**VARIANTS[name]))
    changed = TOKENS.at[:, 4].set((TOKENS[:, 4] + 1) % 10)
    before, after = (np.asarray(model(tokens).logits) for tokens in (TOKENS, changed))
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert not np.allclose(before[:, 4], after[:, 4])


@pytest.mark.thorough
def test_the_layers_that_have_a_window_are_those_that_are_named():
    """One layer of two looks back: what lies beyond the window reaches the output through it alone."""
    fields = {"num_layers": 2, "window": 2, "position": scheme("none")}
    far = TOKENS.at[:, 0].set((TOKENS[:, 0] + 1) % 10)
    for layers, reached in (((True, True), False), ((True, False), True), ((False, True), True)):
        model = build(config(window_layers=layers, **fields))
        last = [np.asarray(model(tokens).logits)[:, -1] for tokens in (TOKENS, far)]
        assert np.array_equal(*last) is not reached, layers


def test_looping_blocks_one_after_another_is_looping_each():
    """Blocks 0 and 1, each twice: 0 0 1 1, which a stack of four with those weights computes, too."""
    looped = build(config(num_layers=2, loops=2, loop_blocks=1))
    four = build(config(num_layers=4))
    state = nnx.to_pure_dict(nnx.state(four))
    given = nnx.to_pure_dict(nnx.state(looped))
    state |= {name: value for name, value in given.items() if name != "decoder"}
    blocks = {index: given["decoder"]["blocks"][index // 2] for index in range(4)}
    state["decoder"] |= {"norm": given["decoder"]["norm"], "blocks": blocks}
    nnx.update(four, _state(four, state))
    np.testing.assert_allclose(looped(TOKENS).logits, four(TOKENS).logits, atol=1e-5)
    assert len(jax.tree.leaves(looped.init_cache(1, 8).layers)) == 8


def _state(model, pure):
    state = nnx.state(model)
    nnx.replace_by_pure_dict(state, pure)
    return state


def test_soft_caps_bound_what_they_cap():
    model = build(config(**{"head.softcap": 0.25}))
    assert np.abs(np.asarray(model(TOKENS).logits)).max() <= 0.25  # tanh rounds to 1
    free = build(config())
    capped = 0.25 * np.tanh(np.asarray(free(TOKENS).logits) / 0.25)
    np.testing.assert_allclose(model(TOKENS).logits, capped, atol=1e-6)


@pytest.mark.thorough
def test_labels_are_read_from_the_token_that_is_named():
    order = jnp.asarray([[-1, 0, 1, 2, 3, -1]] * 6)
    for name, index in (("first", 1), ("last", 4)):
        model = build(config(kind="encoder", labels=3, labels_from=name, pooler=True))
        out = model(TOKENS, order=order)
        pooled = jnp.tanh(model.pooler(out.hidden[:, index]))
        np.testing.assert_allclose(out.pooled, pooled, atol=1e-6)
        np.testing.assert_allclose(out.labels, model.labels(pooled), atol=1e-6)
    each = build(config(kind="encoder", labels=3, labels_from="each", **{"head.weights": "none"}))(TOKENS)
    assert each.labels.shape == (*TOKENS.shape, 3) and each.logits is None and each.pooled is None


def test_segments_are_told_apart():
    model = build(config(kind="encoder", segments=2))
    default, zeros = model(TOKENS), model(TOKENS, features=Features(segments=jnp.zeros_like(TOKENS)))
    np.testing.assert_array_equal(default.logits, zeros.logits)
    assert not np.allclose(
        default.logits, model(TOKENS, features=Features(segments=jnp.ones_like(TOKENS))).logits
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"loop_blocks": 3, "num_layers": 4}, "num_layers=4 is not divisible by loop_blocks=3"),
        ({"loop_blocks": 1, "loops": 2, "injection": True}, "set loop_blocks=none"),
        ({"window_layers": (True,)}, "window_layers says where the window is, and there is none"),
        ({"window": 2, "window_layers": (True,), "layers": "scanned"}, "set layers=unrolled"),
        ({"window": 2, "window_position": Rotary()}, "set window_layers, or position"),
        (
            {"window": 2, "window_layers": (True,), "window_position": scheme("learned")},
            "window_position=learned has learned tables",
        ),
        (
            {"window": 2, "window_layers": (True,), "window_position": scheme("transformer_xl")},
            "window_position=transformer_xl has learned tables; use one without, such as rotary",
        ),
        (
            {"window": 2, "window_layers": (True,), "window_position": scheme("sinusoidal")},
            "window_position=sinusoidal adds to the embeddings, which all layers share; use one that acts",
        ),
        (
            {"window": 2, "window_layers": (True,), "window_position": scheme("coupled")},
            "window_position=coupled does not count tokens alone",
        ),
        ({"embedding.width": 5}, "embedding.width=5 needs head.transform=true"),
        ({"attention.softcap": 0.0}, "attention.softcap=0.0 must be positive"),
        ({"labels": -1}, "labels=-1 must be at least 0"),
        ({"pooler": True, "labels_from": "each"}, "pooler=true needs one token"),
        ({"position": Rotary(factor=0.0)}, "position.factor=0.0 must be positive"),
        ({"position": Rotary(trained_length=8, low=4.0, high=2.0)}, "position.low=4.0 must be positive"),
    ],
)
def test_fields_that_do_not_fit(fields, words):
    with pytest.raises(ValueError, match=words):
        config(**fields)


def test_a_model_without_logits_generates_nothing():
    with pytest.raises(ValueError, match=r"head\.weights=none has no logits"):
        generate(build(config(**{"head.weights": "none"})), TOKENS, max_new_tokens=2)
