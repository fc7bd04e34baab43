"""Rows of several documents: each is read as if it stood alone in a padded row."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from model_building import TEXTS, build, config, ids, scheme
from variants import often

from jaxgpt import tokenizers
from jaxgpt.data.packing import pack
from jaxgpt.data.rows import Rows, build_rows
from jaxgpt.models.mixers.gru import GRU
from jaxgpt.nn.document_order import draw_each, order_of, preceding
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.learned import Learned
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.sparse.reformer import Reformer
from jaxgpt.objectives.batches import widened
from jaxgpt.objectives.losses import token_losses
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example

#: Documents that begin and end with digits, so that what is counted over their border shows.
ROWS = (["12+34=64", "5=5", "9+1=01", "777"], ["3", "=12", "45+=+77a", "1"])
WIDTH = 22

#: Schemes that count in ways of their own.
EVERY_TIME = ("learned", "relative", "rotary", "coupled", "alibi")

pytestmark = pytest.mark.usefixtures("quick_compilation")


def whole():
    """All documents, packed: tokens and documents [2, 22]."""
    tokens, documents = np.full((2, WIDTH), 14, np.int32), np.zeros((2, WIDTH), np.int32)
    for row, texts in enumerate(ROWS):
        read = ids("".join(texts))
        tokens[row, : len(read)] = read
        documents[row, : len(read)] = np.repeat(range(1, 5), [len(text) for text in texts])
    return tokens, documents


def alone():
    """Each document in a padded row, and where it stands packed: tokens [8, 8], [(row, slice), ...]."""
    tokens, places = np.full((8, 8), 14, np.int32), []
    for row, texts in enumerate(ROWS):
        at = 0
        for text in texts:
            tokens[len(places), : len(text)] = ids(text)
            places.append((row, slice(at, at + len(text))))
            at += len(text)
    return tokens, places


def assert_same_gradients(found, expected):
    """That no entry differs by more than 1e-5 of the largest of all."""
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(expected))
    for (path, one), other in zip(
        jax.tree_util.tree_leaves_with_path(expected), jax.tree.leaves(found), strict=True
    ):
        np.testing.assert_allclose(other, one, atol=1e-5 * scale, err_msg=jax.tree_util.keystr(path))


def assert_same_logits(model):
    """That the logits are those of padded rows."""
    (tokens, documents), (padded, places) = whole(), alone()
    packed = np.asarray(model(tokens, documents=documents).logits)
    single = np.asarray(model(padded).logits)
    for index, (row, place) in enumerate(places):
        length = place.stop - place.start
        np.testing.assert_allclose(packed[row, place], single[index, :length], atol=2e-5)


def assert_trains_alike(model):
    """That gradients are those of padded rows, for targets drawn at random."""
    (tokens, documents), (padded, places) = whole(), alone()
    said = np.random.default_rng(0).integers(0, len(TEXTS), padded.shape)
    targets, weights = np.zeros_like(tokens), np.zeros(tokens.shape, np.float32)
    its_weights = np.zeros(padded.shape, np.float32)
    for index, (row, place) in enumerate(places):
        length = place.stop - place.start
        targets[row, place], weights[row, place] = said[index, :length], 1
        its_weights[index, :length] = 1
    graph, state = nnx.split(model)

    # Outside of jit, since operations are compiled once for all schemes.
    @jax.grad
    def gradients(state, tokens, documents, targets, weights):
        logits = nnx.merge(graph, state)(tokens, documents=documents).logits
        return (token_losses(logits, targets) * weights).sum()

    found = gradients(state, tokens, documents, targets, weights)
    assert_same_gradients(found, gradients(state, padded, None, said, its_weights))


def assert_apart(model, tokens, documents):
    """That what changes in one document changes no bit of another."""
    before = np.asarray(model(tokens, documents=documents).logits)
    for number in range(5):  # of padding, too
        own = documents == number
        changed = np.where(own, (tokens + 3) % len(TEXTS), tokens)
        after = np.asarray(model(changed, documents=documents).logits)
        others = ~own & (documents > 0)
        np.testing.assert_array_equal(after[others], before[others])
        assert number == 0 or not np.allclose(after[own], before[own])


@pytest.mark.thorough
@pytest.mark.parametrize("name", EVERY_TIME)
def test_each_document_reads_as_alone(name):
    model = build(config(position=scheme(name), num_layers=1))
    assert_same_logits(model)
    assert_trains_alike(model)
    assert_apart(model, *whole())


@pytest.mark.parametrize(
    "fields",
    [
        {"window": 3},  # by blocks, since rows are long
        pytest.param({"window": 7}, marks=pytest.mark.thorough),  # by masks, since they are not
        pytest.param(
            {"window": 2, "window_layers": (True, False), "window_position": Rotary()},
            marks=pytest.mark.thorough,
        ),
        pytest.param({"layers": "scanned", "remat": "block"}, marks=pytest.mark.thorough),
        pytest.param({"wiring": "reversible", "head.weights": "separate"}, marks=pytest.mark.thorough),
        {"loops": 2, "injection": True, "attention.softcap": 3.0},
        {"position": Learned(), "max_length": 8},  # which is less than a row has
    ],
    ids=["blocks", "window", "window-layers", "scanned", "reversible", "looped", "short"],
)
def test_every_kind_of_layer_tells_documents_apart(fields):
    model = build(config(**{"num_layers": 2, **fields}))
    assert_same_logits(model)
    if "wiring" in fields:  # which has a backward pass of its own
        assert_trains_alike(model)


def examples(count=9):
    """A padded table of sums over `TEXTS` with an end token, 13; its longest row has 12 tokens."""
    rng, rows, start = np.random.default_rng(0), [], []
    for _ in range(count):
        prompt = ids(f"{rng.integers(1, 10 ** rng.integers(1, 4))}+{rng.integers(1, 100)}=")
        rows.append([14, *prompt, *rng.integers(0, 10, rng.integers(0, 4)).tolist(), 13])
        start.append(1 + len(prompt))
    length = np.asarray([len(row) for row in rows], np.int32)
    tokens = np.full((count, max(length)), 14, np.uint8)
    for row, found in enumerate(rows):
        tokens[row, : len(found)] = found
    return Rows(tokens, np.asarray(start, np.int32), length)


def summed(model, batch, which="answer"):
    """Loss and weight summed over a batch, and the gradients of the loss."""
    graph, state = nnx.split(model)

    @jax.jit
    def run(state, batch):
        def loss(state):
            objective = NextToken(tokens=which, end_weight=0.5)
            losses = objective.losses(nnx.merge(graph, state), batch)
            weights = objective.weights(batch)
            return (losses * weights).sum(), weights.sum()

        return jax.value_and_grad(loss, has_aux=True)(state)

    (loss, weight), gradients = run(state, widened(batch))
    return float(loss), float(weight), gradients


def assert_same_training(model, rows, table, which="answer"):
    """That both tables give the same loss, weights and gradients."""
    loss, weight, gradients = summed(model, rows.arrays(), which)
    its_loss, its_weight, its_gradients = summed(model, table.arrays(), which)
    assert its_weight == weight
    assert its_loss == pytest.approx(loss, rel=1e-5)
    assert_same_gradients(its_gradients, gradients)


@pytest.mark.thorough
@pytest.mark.parametrize("which", often(["completion", "all"], ("completion",)))
def test_loss_weights_and_gradients_are_those_of_the_padded_table(which):
    rows = examples()
    table = pack(rows, 24, 14)
    assert table.num_examples < rows.num_examples
    assert_same_training(build(config(position=scheme("abacus"), num_layers=1)), rows, table, which)


def test_order_and_what_precedes():
    documents = jnp.asarray([[1, 1, 1, 2, 2, 3, 0], [1, 0, 2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
    order = order_of(documents)
    assert order.tolist() == [[0, 1, 2, 0, 1, 0, -1], [0, -1, 0, -1, -1, -1, -1], [-1] * 7]
    assert preceding(order)[0].tolist() == [0, 0, 0, 3, 3, 5, 5]
    # Rows of one document, padded anywhere, and what goes on from an earlier chunk.
    others = jnp.asarray([[-1, -1, 0, 1, 2], [0, -1, 1, -1, -1], [4, 5, 6, -1, 7]])
    assert preceding(others).tolist() == [[0] * 5] * 3


@pytest.mark.thorough
def test_each_document_draws_for_itself():
    order = jnp.asarray([[0, 1, 2, 0, 1, 0, 1, -1]] * 300)

    def draw(key):
        return jax.random.randint(key, (300,), 0, 5)

    key = jax.random.key(0)
    found = np.asarray(draw_each(draw, key, order))
    np.testing.assert_array_equal(found[:, 0], draw(key))  # as of a row of one
    for part in (slice(0, 3), slice(3, 5), slice(5, 7)):
        assert (found[:, part] == found[:, part][:, :1]).all()
        assert np.bincount(found[:, part][:, 0], minlength=5).min() > 30  # of 60 each
    pairs = np.bincount(5 * found[:, 0] + found[:, 3], minlength=25)
    assert pairs.min() > 2  # of 12 each: one says nothing of the other
    np.testing.assert_array_equal(draw_each(draw, key, jnp.arange(1)[None]), np.asarray(draw(key))[:, None])


@pytest.mark.thorough
@pytest.mark.parametrize("kind", [Abacus, Coupled])
def test_random_offsets_of_one_row_differ(kind):
    own = kind(max_position=40, max_offset=20).resolve(TEXTS)
    tokens, documents = whole()
    tokens, order = jnp.asarray(tokens), order_of(jnp.asarray(documents))
    plain, _ = own.assign(tokens, order, own.start(2), None)
    offsets = set()
    for seed in range(12):
        drawn, _ = own.assign(tokens, order, own.start(2), jax.random.key(seed))
        moved = np.asarray(drawn - plain)[0]
        first, second = moved[documents[0] == 1], moved[documents[0] == 2]
        offsets.add((int(first.max()), int(second.max())))
    assert len(offsets) > 6 and any(one != other for one, other in offsets)


def test_random_positions_of_a_row_are_as_many_as_its_longest_document_needs():
    own = scheme("randomized", max_position=30)
    tokens, documents = whole()
    tokens, order = jnp.asarray(tokens), order_of(jnp.asarray(documents))
    means = []
    for seed in range(40):
        drawn = np.asarray(own.assign(tokens, order, (), jax.random.key(seed))[0])
        for number in range(1, 5):
            assert (np.diff(drawn[0][documents[0] == number]) > 0).all()
        means.append(drawn[0][:8].mean())
    assert np.mean(means) == pytest.approx(14.5, abs=1.5)  # not the lowest of as many as the row has


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "encoder"}, "kind=encoder"),
        ({"mixer": GRU()}, "mixer=gru"),
        ({"sparse": Reformer(), "attention.num_kv_heads": None}, "sparse=reformer.*use window"),
        ({"memory": 4}, "memory=4.*set memory=none"),
        ({"labels": 2, "labels_from": "last"}, "labels=2.*as a whole"),
    ],
)
def test_models_that_cannot_tell_documents_apart_refuse_them(fields, told):
    model = build(config(num_layers=1, **fields))
    tokens, documents = whole()
    with pytest.raises(ValueError, match=f"documents: {told}"):
        model(tokens, documents=documents)


@pytest.mark.thorough
def test_documents_bring_their_order_and_take_no_cache():
    model = build(config(num_layers=1))
    tokens, documents = whole()
    with pytest.raises(ValueError, match="no order, no cache"):
        model(tokens, documents=documents, order=documents)
    with pytest.raises(ValueError, match="no order, no cache"):
        model(tokens, documents=documents, cache=model.init_cache(2, WIDTH))
    with pytest.raises(ValueError, match=r"documents of shape \[1, 22\] must be \[2, 22\]"):
        model(tokens, documents=documents[:1])


def test_a_document_longer_than_the_model_reads_is_refused():
    model = build(config(num_layers=1, max_length=8, position=Learned()))
    tokens, documents = whole()
    model(tokens, documents=documents)  # of 8 tokens at most, in rows of 22
    longer = np.where(documents == 2, 1, documents)  # 8 tokens and 3 more
    with pytest.raises(ValueError) as error:
        model(tokens, documents=longer)
    assert str(error.value) == (
        "documents: one of 11 tokens exceeds model.max_length=8; shorten it or train with a larger max_length"
    )
    shape = jax.eval_shape(lambda documents: model(tokens, documents=documents).logits, longer).shape
    assert shape == (2, WIDTH, len(TEXTS))  # inside of jit no number is known


@pytest.mark.thorough
def test_numbers_that_are_one_token():
    own = tokenizers.build("xval", lambda: ["0123456789+=1"])
    rows = build_rows(
        [Example(f"{7 * i}+{i}=" + f"{i}+" * (i % 3), str(8 * i)) for i in range(7)],
        own,
        encoder_decoder=False,
        max_length=12,
    )
    plain = dataclasses.replace(config(num_layers=1), vocab_size=0)
    model = build(plain.for_vocabulary(own.vocabulary()))
    table = pack(rows, 24, own.pad_id)
    assert table.num_examples < rows.num_examples
    assert_same_training(model, rows, table, which="all")
