"""What is made for long texts: blocks, tokens that see all, hashing, two streams, memory, clusters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from variants import often

import jaxgpt
from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.token_features import Features
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.attention.hashed import hashed_attention, rotations
from jaxgpt.nn.number.xval import XVal
from jaxgpt.nn.position.alibi import ALiBi
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.coupled_rotary import CoupledRotary
from jaxgpt.nn.position.fire import FIRE
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.randomized import Randomized
from jaxgpt.nn.position.relative import Relative
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.position.transformer_xl import TransformerXL
from jaxgpt.nn.sparse.base import Hashing
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer
from jaxgpt.nn.tap import recorder
from jaxgpt.objectives.written import segmented

CONFIG = ModelConfig(
    vocab_size=20, num_layers=2, d_model=16, num_heads=2, max_length=64, init_std=None, position=Learned()
)
TOKENS = np.random.default_rng(0).integers(0, 20, (2, 29))


def build(**changes):
    """The small model with some fields changed, all weights random."""
    model = Transformer(replaced(CONFIG, changes), rngs=nnx.Rngs(0))
    graph, state = nnx.split(model)
    leaves, tree = jax.tree.flatten(state)
    rng = np.random.default_rng(1)
    drawn = [jnp.asarray(v + 0.3 * rng.standard_normal(v.shape), v.dtype) for v in leaves]
    return nnx.merge(graph, jax.tree.unflatten(tree, drawn))


def dense(model, **arguments):
    """The logits with every pair of query and key computed: a tap sees whole masks."""
    return model(TOKENS, tap=recorder()[1], **arguments).logits


def close(found, expected, share):
    """That gradients differ by at most a share of the largest entry of all."""
    largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(expected))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=share * largest), found, expected)


# Windows


@pytest.mark.thorough
@pytest.mark.parametrize(
    "position", often([Learned(), Rotary(), ALiBi(), Relative()], (Rotary(), Relative()))
)
@pytest.mark.parametrize("kind", often(["decoder", "encoder"], ("decoder",)))
def test_a_window_by_blocks_is_the_window_by_its_mask(kind, position):
    model = build(kind=kind, position=position, window=3)
    np.testing.assert_allclose(model(TOKENS).logits, dense(model), atol=2e-5)


@pytest.mark.thorough
def test_a_window_by_blocks_leaves_padding_out():
    model = build(window=3)
    order = np.stack([np.arange(29), np.r_[-np.ones(9), np.arange(20)]]).astype(int)
    found, expected = model(TOKENS, order=order).logits, dense(model, order=order)
    np.testing.assert_allclose(found[0], expected[0], atol=2e-5)
    np.testing.assert_allclose(found[1, 9:], expected[1, 9:], atol=2e-5)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"window": 3}, "window=3"),
        ({"window": 3, "kind": "encoder"}, "window=3"),
        ({"window": 3, "window_layers": (False, True)}, "window=3"),
        ({"sparse": Longformer((6, 4)), "kind": "encoder"}, "sparse=longformer"),
    ],
)
def test_padding_between_tokens_is_refused_where_keys_are_found_by_place(changes, named):
    within = np.stack([np.arange(29), np.r_[np.arange(15), -np.ones(4), np.arange(15, 25)]]).astype(int)
    with pytest.raises(ValueError) as error:
        build(**changes)(TOKENS, order=within)
    assert str(error.value) == (
        f"order has padding between the tokens of a row, but {named} finds keys by their distance in the "
        "row; put padding at the ends"
    )


def test_padding_between_the_tokens_of_a_short_row_moves_no_window():
    model = build(window=10)  # as long as a third of the row, so that a mask is made
    order = np.tile(np.r_[np.arange(15), -np.ones(4), np.arange(15, 25)].astype(int), (2, 1))
    real = order[0] >= 0
    found = np.asarray(model(TOKENS, order=order).logits)[:, real]
    np.testing.assert_allclose(found, model(TOKENS[:, real]).logits, atol=2e-5)


@pytest.mark.thorough
def test_gradients_through_blocks_are_those_of_the_mask():
    model = build(window=4, window_layers=(True, False))
    graph, state = nnx.split(model)

    def loss(state, **arguments):
        return (nnx.merge(graph, state)(TOKENS, **arguments).logits ** 2).mean()

    one = jax.jit(jax.grad(loss))(state)
    other = jax.jit(jax.grad(lambda s: loss(s, tap=recorder()[1])))(state)
    close(one, other, 1e-4)


# Longformer


def longformer(**changes):
    return build(kind="encoder", sparse=Longformer((6, 4)), wiring="post", **changes)


def longformer_by_definition(model, tokens, global_tokens, order):
    """Its closed form, pair by pair, in numpy: Beltagy et al. 2020, section 3.1."""
    at = {(row, place) for row, places in enumerate(global_tokens) for place in places if place >= 0}
    x = np.asarray(model.embedding.table[...])[tokens]
    x = x + np.asarray(model.encoder.tables["table"][...])[np.maximum(order, 0)]
    for index, block in enumerate(model.encoder.blocks):
        half = (6, 4)[index] // 2
        attention = block.attention

        def project(linear, x):
            return np.einsum("btd,dhk->bthk", x, linear.kernel[...]) + np.asarray(linear.bias[...])

        near = [project(getattr(attention, name), x) for name in ("query", "key", "value")]
        far = [project(attention.second[name], x) for name in ("query", "key", "value")]
        mixed = np.zeros_like(near[0])
        for row in range(len(tokens)):
            real = [j for j in range(tokens.shape[1]) if order[row, j] >= 0]
            for i in real:
                q, k, v = far if (row, i) in at else near
                seen = [
                    j
                    for j in real
                    if (row, i) in at or (row, j) in at or abs(order[row, i] - order[row, j]) <= half
                ]
                scores = np.einsum("hk,jhk->hj", q[row, i], k[row, seen]) / np.sqrt(q.shape[-1])
                weights = np.exp(scores - scores.max(-1, keepdims=True))
                weights /= weights.sum(-1, keepdims=True)
                mixed[row, i] = np.einsum("hj,jhk->hk", weights, v[row, seen])
        y = np.einsum("bthk,hkd->btd", mixed, attention.out.kernel[...]) + np.asarray(attention.out.bias[...])
        x = np.asarray(block.norms[0](jnp.asarray(x + y)))
        x = np.asarray(block.norms[1](jnp.asarray(x) + block.mlp(jnp.asarray(x))))
    return x


@pytest.mark.parametrize(
    "places", often([[[0, 7], [3, -1]], [[-1], [-1]], [[28, 0, 4], [10, 11, 12]]], ([[0, 7], [3, -1]],))
)
def test_a_longformer_is_its_dense_definition(places):
    model = longformer()
    order = np.stack([np.arange(29), np.r_[np.arange(24), -np.ones(5)]]).astype(int)
    places = np.asarray(places)
    found = model(TOKENS, order=order, features=Features(global_tokens=places)).hidden
    expected = longformer_by_definition(model, TOKENS, places, order)
    real = order >= 0
    np.testing.assert_allclose(np.asarray(found)[real], expected[real], atol=2e-4)


def without_sparse(model):
    """The same model with dense attention, by the weights that both have."""
    graph, state = nnx.split(Transformer(replaced(model.config, {"sparse": None}), rngs=nnx.Rngs(0)))
    flat = dict(nnx.to_flat_state(nnx.state(model)))
    return nnx.merge(graph, nnx.from_flat_state([(path, flat[path]) for path, _ in nnx.to_flat_state(state)]))


@pytest.mark.thorough
def test_a_longformer_with_a_wide_window_attends_to_all():
    model = build(kind="encoder", sparse=Longformer((64,)))
    np.testing.assert_allclose(model(TOKENS).logits, without_sparse(model)(TOKENS).logits, atol=2e-5)


@pytest.mark.thorough
def test_tokens_that_see_all_are_seen_from_afar():
    model = longformer()
    other = TOKENS.copy()
    other[0, 0] = (other[0, 0] + 1) % 20
    for places, moved in (([[0], [0]], True), ([[5], [0]], True), ([[-1], [0]], False)):
        a, b = (
            model(t, features=Features(global_tokens=np.asarray(places))).hidden[0, -1]
            for t in (TOKENS, other)
        )
        assert (np.abs(np.asarray(a - b)).max() > 1e-4) == moved


@pytest.mark.parametrize(
    "changes",
    [
        {"position": Rotary()},
        {"position": ALiBi()},
        {"position": Relative()},
        {"attention.qk_norm": True},
        {"attention.qk_norm": True, "attention.qk_norm_over": "all"},
    ],
    ids=["rotary", "alibi", "relative", "norms", "norms-over-all"],
)
def test_tokens_that_see_all_have_the_positions_and_norms_of_others(changes):
    """With second maps that equal the first, it is dense attention by a mask."""
    model = build(kind="encoder", sparse=Longformer((6,)), **changes)
    for block in model.encoder.blocks:
        for name in ("query", "key", "value"):
            first, second = getattr(block.attention, name), block.attention.second[name]
            second.kernel[...], second.bias[...] = first.kernel[...], first.bias[...]
    places, place = np.asarray([[0, 7], [20, -1]]), np.arange(29)
    seen = np.tile(np.abs(place[:, None] - place) <= 3, (2, 1, 1))
    for row, column in ((0, 0), (0, 7), (1, 20)):
        seen[row, column] = seen[row, :, column] = True
    found = model(TOKENS, features=Features(global_tokens=places)).logits
    expected = without_sparse(model)(TOKENS, features=Features(visible=seen)).logits
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "places", "said"),
    [
        ({}, [[0], [0]], "sparse=longformer"),
        ({"kind": "encoder", "sparse": Longformer()}, [[40], [0]], "place 40 of 29"),
        ({"kind": "encoder", "sparse": Longformer()}, [[0]], r"\[B, G\]"),
    ],
)
def test_places_that_do_not_fit_are_refused(changes, places, said):
    with pytest.raises(ValueError, match=said):
        build(**changes)(TOKENS, features=Features(global_tokens=np.asarray(places)))


# Reformer

REFORMER = {
    "position": Axial(rows=8, columns=8),
    "wiring": "reversible",
    "head.weights": "separate",
    "attention.bias": False,
}


@pytest.mark.thorough
def test_one_chunk_is_attention_to_all_others_before():
    rng = np.random.default_rng(2)
    shared, value = (rng.standard_normal((2, 7, 3, 4)).astype(np.float32) for _ in range(2))
    order = np.tile(np.arange(7), (2, 1))
    hashing = Hashing(size=8, before=1, after=0, rounds=2, buckets=(4,), seed=0)
    found = hashed_attention(
        jnp.asarray(shared), jnp.asarray(value), jnp.asarray(order), hashing, causal=True
    )
    keys = shared / np.linalg.norm(shared, axis=-1, keepdims=True)
    for i in range(7):
        seen = list(range(i)) or [0]  # itself only where there is no other
        scores = np.einsum("bhk,bjhk->bhj", shared[:, i], keys[:, seen])
        weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        np.testing.assert_allclose(
            found[:, i], np.einsum("bhj,bjhk->bhk", weights, value[:, seen]), atol=1e-4
        )


def test_a_chunk_on_both_sides_counts_once():
    rng = np.random.default_rng(2)
    shared, value = (rng.standard_normal((2, 8, 3, 4)).astype(np.float32) for _ in range(2))
    order = np.tile(np.arange(8), (2, 1))
    hashing = Hashing(size=4, before=1, after=1, rounds=1, buckets=(4,), seed=0)  # two chunks
    arrays = jnp.asarray(shared), jnp.asarray(value), jnp.asarray(order)
    found = hashed_attention(*arrays, hashing, causal=False)
    keys = shared / np.linalg.norm(shared, axis=-1, keepdims=True)
    scores = np.einsum("bihk,bjhk->bhij", shared, keys)
    scores[:, :, range(8), range(8)] = -np.inf  # all see all others
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(found, np.einsum("bhij,bjhk->bihk", weights, value), atol=1e-4)


def test_hashed_attention_is_its_definition_token_by_token():
    rng = np.random.default_rng(3)
    length, size, rounds = 12, 3, 2
    shared, value = (rng.standard_normal((1, length, 1, 4)).astype(np.float32) for _ in range(2))
    order = np.r_[np.arange(11), -1][None]
    hashing = Hashing(size=size, before=1, after=0, rounds=rounds, buckets=(2, 4), seed=5)
    found = hashed_attention(
        jnp.asarray(shared), jnp.asarray(value), jnp.asarray(order), hashing, causal=True
    )[0, :, 0]
    turn = np.asarray(rotations((1, 4, rounds, 3), jnp.float32, 5, None))[0]
    x, v = shared[0, :, 0], value[0, :, 0]
    keys = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) / 2
    sorted_ = []
    for r in range(rounds):
        turned = x @ turn[:, r]
        first, second = (np.concatenate([t, -t], 1).argmax(1) for t in (turned[:, :1], turned[:, 1:]))
        bucket = first + 2 * second
        bucket[11] = 8  # padding comes last
        sorted_ += sorted(range(length), key=lambda i, b=bucket: (b[i], i))
    chunks = np.asarray(sorted_).reshape(-1, size)
    out, mass = np.zeros((length, rounds, 4)), np.zeros((length, rounds))
    for c, chunk in enumerate(chunks):
        for i in chunk:
            seen = [*chunks[c - 1], *chunk]
            scores = np.array(
                [
                    -1e5
                    if i == j
                    else x[i] @ keys[j]
                    if order[0, j] >= 0 and order[0, i] >= order[0, j]
                    else -1e9
                    for j in seen
                ]
            )
            weights = np.exp(scores - scores.max())
            r = c * size // length
            mass[i, r] = scores.max() + np.log(weights.sum())
            out[i, r] = (weights / weights.sum()) @ v[seen]
    share = np.exp(mass - mass.max(1, keepdims=True))
    expected = (out * (share / share.sum(1, keepdims=True))[..., None]).sum(1)
    np.testing.assert_allclose(found[:11], expected[:11], atol=1e-3)


@pytest.mark.thorough
def test_two_streams_have_the_gradients_of_plain_ones():
    model = build(**REFORMER, sparse=Reformer(chunk=4, local_chunk=6, rounds=2), num_layers=4)
    graph, state = nnx.split(model)

    def loss(state, **arguments):
        return (nnx.merge(graph, state)(TOKENS, **arguments).logits ** 2).mean()

    plain = jax.jit(jax.grad(lambda s: loss(s, tap=recorder()[1])))(
        state
    )  # a tap must see all, so all is kept
    found = jax.jit(jax.grad(loss))(state)
    close(found, plain, 2e-3)


@pytest.mark.thorough
def test_two_streams_need_no_more_memory_for_more_layers():
    tokens = jnp.zeros((4, 64), jnp.int32)

    def temporary(layers, **changes):
        sizes = {"num_layers": layers, "d_model": 64, "d_ff": 256}
        config = replaced(CONFIG, REFORMER | sizes | changes)
        model = Transformer(config, rngs=nnx.Rngs(0))
        graph, state = nnx.split(model)

        def loss(state):
            return (nnx.merge(graph, state)(tokens).logits ** 2).mean()

        compiled = jax.jit(jax.grad(loss)).lower(state).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    grown = temporary(12) - temporary(4)
    plain = temporary(12, wiring="pre", **{"head.weights": "tied"}) - temporary(
        4, wiring="pre", **{"head.weights": "tied"}
    )
    assert grown < 0.25 * plain


@pytest.mark.thorough
def test_dropout_of_two_streams_is_drawn_once_for_both_passes():
    model = build(**REFORMER, dropout=0.3)
    graph, state = nnx.split(model)
    key = jax.random.key(3)

    def loss(state, **arguments):
        return (nnx.merge(graph, state)(TOKENS, key=key, **arguments).logits ** 2).mean()

    plain = jax.jit(jax.grad(lambda s: loss(s, tap=recorder()[1])))(state)
    found = jax.jit(jax.grad(loss))(state)
    close(found, plain, 2e-3)


@pytest.mark.parametrize("chunks", [2, 3])
def test_two_or_three_local_chunks_that_see_both_sides_see_all_once(chunks):
    model = build(kind="encoder", sparse=Reformer(layers=("local",), local_chunk=4, local_after=1))
    plain, tokens = without_sparse(model), TOKENS[:, : 4 * chunks]
    np.testing.assert_allclose(model(tokens).logits, plain(tokens).logits, atol=2e-5)


def test_the_last_local_chunk_of_a_decoder_does_not_see_the_first():
    model = build(sparse=Reformer(layers=("local",), local_chunk=4, local_after=1), num_layers=1)
    tokens = TOKENS[:, :12]
    other = tokens.copy()
    other[:, 0] = (other[:, 0] + 1) % 20
    one, two = (np.asarray(model(given).logits) for given in (tokens, other))
    np.testing.assert_array_equal(one[:, 8:], two[:, 8:])
    assert np.abs(one[:, 4:8] - two[:, 4:8]).max() > 1e-4


@pytest.mark.thorough
@pytest.mark.parametrize("after", [0, 1])
def test_local_layers_are_the_same_token_by_token(after):
    model = build(**REFORMER, sparse=Reformer(layers=("local",), local_chunk=5, local_after=after))
    cache, parts = model.init_cache(2, 29), []
    for index in range(29):
        out = model(TOKENS[:, index : index + 1], cache=cache)
        cache = out.cache
        parts.append(out.logits)
    np.testing.assert_allclose(jnp.concatenate(parts, 1), model(TOKENS).logits, atol=2e-5)


@pytest.mark.thorough
def test_a_reformer_writes():
    model = build(**REFORMER, sparse=Reformer(chunk=4, local_chunk=4))
    new = jaxgpt.generate(model, [[1, 2, 3], [4]], max_new_tokens=20)
    assert new.shape == (2, 20)


def test_axial_positions_are_a_row_and_a_column():
    scheme = Axial(rows=3, columns=4, row_features=2)
    tables = {
        n: jnp.asarray(np.random.default_rng(0).standard_normal(t.shape), jnp.float32)
        for n, t in scheme.tables(d_model=5, num_heads=1, max_length=12).items()
    }
    found = scheme.embed(tables, jnp.zeros((1, 12, 5)), jnp.arange(12)[None])[0]
    for place in range(12):
        expected = np.concatenate([tables["rows"][place // 4], tables["columns"][place % 4]])
        np.testing.assert_array_equal(found[place], expected)


# Transformer-XL

XL = {
    "position": TransformerXL(),
    "wiring": "post",
    "attention.bias": False,
    "attention.out_bias": False,
    "memory": 7,
}


def xl_by_definition(model, tokens, memory):
    """Scores of the first layer by the closed form, with `memory` zeros before the text."""
    attention = model.decoder.blocks[0].attention
    x = np.asarray(model.embedding(jnp.asarray(tokens)))
    x = np.concatenate([np.zeros((len(x), memory, x.shape[-1])), x], axis=1)
    q, k = (np.einsum("btd,dhk->bthk", x, getattr(attention, n).kernel[...]) for n in ("query", "key"))
    u, v, maps = (np.asarray(attention.tables[n][...]) for n in ("u", "v", "distance"))
    width, total = maps.shape[0], x.shape[1]
    scores = np.full((len(x), q.shape[2], tokens.shape[1], total), -np.inf)
    for i in range(tokens.shape[1]):
        for j in range(i + memory + 1):
            angles = (i + memory - j) / 10000 ** (np.arange(0, width, 2) / width)
            waves = np.concatenate([np.sin(angles), np.cos(angles)])[:width]
            r = np.einsum("d,dhk->hk", waves, maps)
            content = np.einsum("bhk,bhk->bh", q[:, i + memory] + u, k[:, j])
            scores[:, :, i, j] = content + np.einsum("bhk,hk->bh", q[:, i + memory] + v, r)
    return scores / np.sqrt(q.shape[-1])


@pytest.mark.parametrize("changes", [{}, {"d_model": 15, "num_heads": 3}], ids=["even", "odd"])
def test_scores_of_a_transformer_xl_are_its_closed_form(changes):
    model = build(**XL, **changes)
    seen, tap = recorder()
    model(TOKENS, tap=tap)
    scores = np.asarray(seen["decoder.0.attention.scores"])
    expected = xl_by_definition(model, TOKENS, 7)
    visible = np.isfinite(expected)
    assert (scores[~visible] < -1e29).all()
    np.testing.assert_allclose(scores[visible], expected[visible], atol=2e-4)


@pytest.mark.thorough
def test_segments_remember_as_many_tokens_as_the_memory_is_long():
    model = build(**XL, num_layers=1)

    def last(tokens):
        cache = model.init_cache(2, 29)
        for first in range(0, 29, 5):
            out = model(tokens[:, first : first + 5], cache=cache)
            cache = out.cache
        return np.asarray(out.logits[:, 0])  # of token 25; its segment began there, and it sees 18 and later

    for place, seen in ((18, True), (17, False)):
        other = TOKENS.copy()
        other[:, place] = (other[:, place] + 1) % 20
        assert (np.abs(last(TOKENS) - last(other)).max() > 1e-5) == seen


@pytest.mark.parametrize(
    "changes",
    [
        {"memory": 4, "position": Rotary(), "number": XVal()},
        {"memory": 4, "position": CoupledRotary()},
        {"memory": 4, "position": CoupledRotary(max_offset=0), "segment": 4},
    ],
    ids=["numbers", "offsets", "no-offset"],
)
def test_memory_without_segments_takes_what_segments_do_not(changes):
    replaced(CONFIG, changes)


def test_messages_count_tokens_without_the_memory():
    model = build(**XL, max_length=8, num_layers=1)
    cache = model(TOKENS[:, :5], cache=model.init_cache(2, 20)).cache
    with pytest.raises(ValueError, match=r"^10 tokens exceed model\.max_length=8; "):
        model(TOKENS[:, 5:10], cache=cache)
    with pytest.raises(ValueError, match=r"^5 tokens do not fit: 0 of the cache's 4 slots are used; "):
        model(TOKENS[:, :5], cache=model.init_cache(2, 4))
    model(TOKENS[:, 5:8], cache=cache)  # the last that fits


def test_no_gradient_flows_into_what_is_remembered():
    graph, state = nnx.split(build(**XL, segment=10, num_layers=1))
    tokens = jnp.arange(20)[None]  # each segment has ids of its own

    def second(state):
        return segmented(nnx.merge(graph, state), tokens, None)[0, 10:, 19].sum()

    by_id = np.abs(np.asarray(jax.grad(second)(state)["embedding"]["table"][...])).max(axis=1)
    assert (by_id[:10] == 0).all()
    assert (by_id[10:] > 0).all()


@pytest.mark.thorough
def test_a_transformer_xl_writes_what_it_would_read():
    model = build(**XL)
    new = jaxgpt.generate(model, [TOKENS[0, :4].tolist()], max_new_tokens=30)[0]
    tokens, cache = TOKENS[:1, :4], model.init_cache(1, 64)
    for expected in new:
        out = model(jnp.asarray(tokens), cache=cache)
        cache = out.cache
        assert int(out.logits[0, -1].argmax()) == expected
        tokens = np.asarray([[expected]])


# Clusters


@pytest.mark.thorough
@pytest.mark.parametrize("factor", [1, 2])
def test_an_adaptive_softmax_gives_probabilities(factor):
    model = build(
        **{"embedding.kind": "adaptive", "embedding.cutoffs": (5, 12), "embedding.cutoff_factor": factor}
    )
    logits = model(TOKENS).logits
    np.testing.assert_allclose(jnp.exp(logits).sum(-1), 1, atol=1e-5)


@pytest.mark.thorough
def test_one_cluster_is_a_tied_softmax():
    model = build(**{"embedding.kind": "adaptive"})
    out = model(TOKENS)
    logits = out.hidden @ model.embedding.tables[0][...].T + model.embedding.biases[0][...]
    np.testing.assert_allclose(out.logits, jax.nn.log_softmax(logits, axis=-1), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sparse": Longformer(), "window": 4}, "window=4"),
        ({"sparse": Reformer(), "layers": "scanned"}, "layers=scanned"),
        (
            {"sparse": Longformer(), "position": TransformerXL(), "kind": "encoder"},
            "position=transformer_xl knows near ones alone; use another",
        ),
        ({"sparse": Reformer(), "position": ALiBi()}, "do not go with position=alibi, which .*; leave the"),
        ({"sparse": Reformer(), "position": TransformerXL()}, "position=transformer_xl, which adds"),
        ({"sparse": Reformer(), "position": Randomized(base=FIRE())}, "position=randomized, which adds"),
        ({"sparse": Reformer(), "attention.scale": 0.5}, "do not go with attention.scale=0.5; leave"),
        ({"sparse": Reformer(), "attention.factor": 2.0}, "do not go with attention.factor=2.0; leave"),
        ({"sparse": Reformer(), "attention.qk_norm": True}, "do not go with attention.qk_norm=True; leave"),
        ({"wiring": "reversible"}, "head.weights=separate"),
        ({"memory": 4}, "without end|counts on"),
        ({"segment": 4}, "needs memory"),
        ({"segment": 4, "memory": 4, "position": Rotary(), "number": XVal()}, "^segment=4 .*number=xval has"),
        (
            {"segment": 4, "memory": 4, "position": CoupledRotary()},
            "^segment=4 .* position=coupled_rotary draw another offset .*; set position.max_offset=0 or",
        ),
        ({"sparse": Reformer(), "num_layers": 3, "loops": 2}, "^with loops=2 layer 0 .*the number of layers"),
        ({"sparse": Reformer(), "num_layers": 2, "loops": 3, "loop_blocks": 1}, "loop_blocks a multiple"),
        ({"embedding.cutoffs": (3,)}, "embedding.kind=adaptive"),
        ({"embedding.kind": "adaptive", "embedding.cutoffs": (9, 3)}, "must rise"),
        ({"embedding.kind": "adaptive", "embedding.cutoffs": (30,)}, "below vocab_size=20"),
    ],
)
def test_fields_that_do_not_fit_together_are_named(changes, said):
    changes = {"position": Axial()} | changes if "memory" in changes else changes
    with pytest.raises(ValueError, match=said):
        replaced(CONFIG, changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"sparse": Reformer(), "position": Randomized(base=Rotary())},
        {"sparse": Reformer(), "attention.scale": 8**-0.5},
        {"sparse": Reformer(layers=("local",)), "position": ALiBi(), "attention.factor": 2.0},
        {"sparse": Reformer(), "num_layers": 2, "loops": 2},
        {"sparse": Reformer(layers=("lsh",)), "num_layers": 3, "loops": 2, "loop_blocks": 1},
    ],
    ids=["rotated", "same-scale", "local", "looped", "looped-one-by-one"],
)
def test_layers_that_hash_take_what_they_read(changes):
    assert np.isfinite(build(**changes)(TOKENS).logits).all()
