"""Decoding with a cache gives the logits of each row alone, without a cache and without padding.

The schemes are found by name, so that a new one is tested without being added here.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import build, config, ids, padded, scanned, scheme
from variants import often

from jaxgpt.nn.position import Position

VARIANTS = {name: {} for name in Position.names()} | {
    "rotary:interleaved": {"pairing": "interleaved", "rotary_dim": 4},
    "sinusoidal:split": {"layout": "split"},
    "relative:short": {"num_buckets": 8, "max_distance": 6},
}

#: Prompts and what follows them, one token more for each step below. What couples an operand's digits to
#: their weight needs the whole operand at once, so the prompts end after their `=`.
PROMPTS = [ids("12+345="), ids("7+6="), ids("$98+1="), ids("-4+55=")]
ANSWERS = [ids("753$a"), ids("31$aa"), ids("99$6+"), ids("15$-2")]
SOURCES = [ids("12+345"), ids("7+6"), ids("$98+01"), ids("4+5")]
PLACES = ["left", "right", "middle", "left"]
LENGTH = 8
SLOTS = LENGTH + 7

STEPS = {
    # (tokens of the step, their order within it): one at a time, then two at once, padded for half the rows.
    "one": ([[a[0]] for a in ANSWERS], [[0]] * 4),
    "next": ([[a[1]] for a in ANSWERS], [[0]] * 4),
    "two": ([a[2:4] for a in ANSWERS], [[0, 1]] * 4),
    "uneven": ([[a[4], 3] if i % 2 else [3, a[4]] for i, a in enumerate(ANSWERS)], [[-1, 0], [0, -1]] * 2),
}


def alone(model):
    """Logits of every row by itself: the prompt, then the answer. list of [T, V]

    What follows is of no consequence, because nothing looks ahead; it gives all rows one shape.
    """
    found = []
    for prompt, answer, source in zip(PROMPTS, ANSWERS, SOURCES, strict=True):
        given = {"source": jnp.asarray([source])} if model.config.kind == "encoder_decoder" else {}
        row = prompt + answer
        tokens = jnp.asarray([row + ids("a") * (SLOTS - len(row))])
        found.append(np.asarray(model(tokens, **given).logits[0, : len(row)]))
    return found


def cached(model):
    """Logits of the batch: a padded prompt, then the steps; padding dropped. list of [T, V]"""
    given = {}
    if model.config.kind == "encoder_decoder":
        source, source_order = padded(SOURCES, ["right", "left", "middle", "left"], LENGTH)
        given = {"source": source, "source_order": source_order}
    rows = [[] for _ in PROMPTS]
    cache = model.init_cache(len(PROMPTS), SLOTS)
    calls = [padded(PROMPTS, PLACES, LENGTH), *((jnp.asarray(t), jnp.asarray(o)) for t, o in STEPS.values())]
    for tokens, order in calls:
        out = model(tokens, order=order, cache=cache, **given)
        logits, cache = out.logits, out.cache
        given = {}
        for index, row in enumerate(rows):
            row.append(np.asarray(logits[index])[np.asarray(order[index]) >= 0])
    assert int(cache.used) == SLOTS - 1 and cache.seen.tolist() == [
        len(p) + len(a) for p, a in zip(PROMPTS, ANSWERS, strict=True)
    ]
    return [np.concatenate(row) for row in rows]


#: Every time; with a window and in an encoder-decoder are tried what adds to tokens and what adds to scores.
EVERY_TIME = ("learned", "coupled")
CASES = [
    pytest.param(
        *(variant, window, kind),
        id=f"{variant}-{'causal' if window is None else 'window'}-{kind}",
        marks=() if variant in EVERY_TIME and (window, kind) == (None, "decoder") else pytest.mark.thorough,
    )
    for variant in VARIANTS
    for window, kind in ((None, "decoder"), (3, "decoder"), (None, "encoder_decoder"))
    if (window, kind) == (None, "decoder") or variant in ("coupled", "relative")
]


@pytest.mark.parametrize(("variant", "window", "kind"), CASES)
def test_cache_gives_the_same_logits(variant, window, kind):
    position = scheme(variant.split(":")[0], **VARIANTS[variant])
    model = build(config(kind=kind, window=window, position=position))
    with jax.disable_jit():  # operations one by one are compiled once for all schemes; scans become loops
        expected = alone(model)
        found = {"unrolled": cached(model), "scanned": cached(scanned(model))}
    largest = max(np.abs(row).max() for row in expected)
    for layers, rows in found.items():
        for index, (row, wanted) in enumerate(zip(rows, expected, strict=True)):
            assert row.shape == wanted.shape
            assert np.abs(row - wanted).max() < 1e-5 * largest, (layers, index)


@pytest.mark.thorough
@pytest.mark.parametrize("layers", often(["unrolled", "scanned"], ("scanned",)))
def test_a_compiled_step_gives_the_same_logits(layers):
    model = build(config(position=scheme("rotary")))
    expected = np.asarray(model(jnp.asarray([PROMPTS[0]])).logits[0])
    graph, state = nnx.split(model if layers == "unrolled" else scanned(model))

    @jax.jit
    def step(state, token, cache):
        out = nnx.merge(graph, state)(token, cache=cache)
        logits, cache = out.logits, out.cache
        return logits[0], cache

    cache = model.init_cache(1, SLOTS) if layers == "unrolled" else scanned(model).init_cache(1, SLOTS)
    for token, wanted in zip(PROMPTS[0], expected, strict=True):
        logits, cache = step(state, jnp.asarray([[token]]), cache)
        assert np.abs(np.asarray(logits[0]) - wanted).max() < 1e-5 * np.abs(expected).max()
    assert step._cache_size() == 1


@pytest.mark.thorough
@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "none"])
def test_every_scheme_makes_a_difference(variant):
    # Without this, a scheme that does nothing at all would pass everything above.
    position = scheme(variant.split(":")[0], **VARIANTS[variant])
    with_position, without = build(config(position=position)), build(config(position=scheme("none")))
    blank = nnx.to_pure_dict(nnx.state(without))
    tables = nnx.to_pure_dict(nnx.state(with_position))["decoder"].get("tables", {})
    blank["decoder"]["tables"] = tables
    state = nnx.state(with_position)
    nnx.replace_by_pure_dict(state, blank)
    nnx.update(with_position, state)
    tokens = jnp.asarray([PROMPTS[0]])
    difference = np.abs(np.asarray(with_position(tokens).logits - without(tokens).logits)).max()
    assert difference > 1e-2


@pytest.mark.thorough
def test_the_source_is_read_once():
    model = build(config(kind="encoder_decoder", num_layers=1))
    source, order = padded(SOURCES, PLACES, LENGTH)
    tokens = jnp.asarray([[a[0]] for a in ANSWERS])
    with jax.disable_jit():
        cache = model.init_cache(len(PROMPTS), SLOTS)
        cache = model(tokens, source=source, source_order=order, cache=cache).cache
        again = model(tokens, source=source, source_order=order, cache=cache).logits
        assert (again == model(tokens, cache=cache).logits).all()
        other = model(tokens, source=source[::-1], source_order=order[::-1], cache=cache).logits
        assert not np.allclose(again, other)


@pytest.mark.thorough
def test_a_call_leaves_the_old_cache_alone():
    model = build(config())
    empty = model.init_cache(1, 8)
    full = model(jnp.asarray([PROMPTS[0]]), cache=empty).cache
    assert int(empty.used) == 0 and empty.order.tolist() == [[-1] * 8]
    assert int(full.used) == 7 and full.order.tolist() == [[0, 1, 2, 3, 4, 5, 6, -1]]


@pytest.mark.thorough
def test_cache_holds_the_type_of_the_computation():
    model = build(config(dtype="bfloat16"))
    assert model.init_cache(2, 4).layers[0].key.dtype == jnp.bfloat16
    assert model.init_cache(2, 4).capacity == 4
