"""Losses and weights against numpy loops."""

import jax
import numpy as np
import pytest
from flax import nnx
from variants import often

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.kernels import log_sum as kernel
from jaxgpt.objectives import losses as cross_entropy
from jaxgpt.objectives.batches import gather
from jaxgpt.objectives.denoising import Denoising
from jaxgpt.objectives.masked import Masked
from jaxgpt.objectives.multitask import Multitask
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.objectives.permuted import Permuted
from jaxgpt.task import Task

VOCAB = 11
ROWS = {
    "tokens": np.asarray([[1, 5, 6, 7, 2, 0, 0], [1, 3, 9, 4, 8, 10, 2], [1, 4, 2, 0, 0, 0, 0]], np.int32),
    "start": np.asarray([3, 4, 2], np.int32),
    "length": np.asarray([5, 7, 3], np.int32),
}
SOURCE = {
    "source": np.asarray([[5, 6, 2, 0], [3, 9, 4, 2], [4, 2, 0, 0]], np.int32),
    "source_length": np.asarray([3, 4, 2], np.int32),
}


def build(kind):
    config = ModelConfig(kind=kind, vocab_size=VOCAB, max_length=8, num_layers=1, d_model=16, num_heads=2)
    return nnx.jit(lambda: Transformer(config, rngs=nnx.Rngs(0)))()


MODELS = {kind: build(kind) for kind in ("decoder", "encoder_decoder")}
EVERYTHING = NextToken(tokens="all")
LOSSES = nnx.jit(NextToken().losses)
LOGITS = nnx.jit(lambda net, tokens, source: net(tokens, source=source).logits)


def slow(logits, tokens, start, length, which):
    """Losses of the tokens that carry one, as {place: nats}, in float64."""
    found = {}
    for place in range(1, length):
        if which == "all" or place >= start:
            row = np.asarray(logits[place - 1], np.float64)
            found[place] = np.log(np.exp(row - row.max()).sum()) + row.max() - row[tokens[place]]
    return found


@pytest.mark.parametrize("which", ["answer", "all"])
@pytest.mark.parametrize("kind", ["decoder", "encoder_decoder"])
def test_losses_and_weights(kind, which):
    batch = ROWS | (SOURCE | {"start": np.ones(3, np.int32)} if kind == "encoder_decoder" else {})
    net = MODELS[kind]
    losses, weights = np.asarray(LOSSES(net, batch)), np.asarray(NextToken(tokens=which).weights(batch))
    assert losses.shape == weights.shape == (3, 6)
    for i in range(3):
        length = int(batch["length"][i])
        tokens = batch["tokens"][i, :length]
        source = None
        if kind == "encoder_decoder":  # alone and without its padding
            source = batch["source"][i : i + 1, : batch["source_length"][i]]
        logits = np.asarray(LOGITS(net, tokens[None, :-1], source)[0])
        expected = slow(logits, tokens, int(batch["start"][i]), length, which)
        assert {int(p) + 1 for p in np.flatnonzero(weights[i])} == expected.keys()
        for place, loss in expected.items():
            assert losses[i, place - 1] == pytest.approx(loss, abs=2e-6)
    assert set(np.unique(weights)) <= {0.0, 1.0}


def test_completion_carries_less_than_all():
    completion = np.asarray(NextToken().weights(ROWS))
    everything = np.asarray(NextToken(tokens="all").weights(ROWS))
    for i, whole in enumerate((completion, everything)):
        light = np.asarray(NextToken(tokens=("answer", "all")[i], end_weight=0.25).weights(ROWS))
        ends = [(0, 3), (1, 5), (2, 1)]  # of each row, its end token as predicted one place before
        assert {tuple(map(int, place)) for place in np.argwhere(light != whole)} == set(ends)
        assert all(light[end] == 0.25 for end in ends)
    assert completion.sum(1).tolist() == [2, 3, 1]
    assert everything.sum(1).tolist() == [4, 6, 2]
    assert (completion <= everything).all()


@pytest.mark.thorough
def test_padding_has_no_gradient():
    net = MODELS["decoder"]

    def total(table, batch):
        graph, state = nnx.split(net)
        state["embedding"]["table"] = state["embedding"]["table"].replace(table)
        losses, weights = EVERYTHING.losses(nnx.merge(graph, state), batch), EVERYTHING.weights(batch)
        return (losses * weights).sum()

    table, gradient = net.embedding.table[...], jax.jit(jax.grad(total))
    other = ROWS | {"tokens": np.where(ROWS["tokens"] == 0, 10, ROWS["tokens"])}
    gradients = [np.asarray(gradient(table, batch)) for batch in (ROWS, other)]
    np.testing.assert_array_equal(*gradients)


def test_all_of_a_window_carries_loss():
    data = {"stream": np.arange(10, dtype=np.uint8)}
    batch = gather(data, np.asarray([0, 5]), 4)
    assert np.asarray(batch["tokens"]).tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    for which in ("answer", "all"):
        np.testing.assert_array_equal(NextToken(tokens=which).weights(batch), np.ones((2, 4)))


def test_the_sum_of_exponentials_in_one_pass(monkeypatch):
    logits = np.random.default_rng(3).normal(0, 4, size=(3, 4, 999)).astype(np.float32)
    logits[0, 0], logits[0, 1], logits[0, 2] = 90, -90, np.linspace(-1e30, 1e30, 999)
    targets = np.arange(12).reshape(3, 4)
    exact = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    log_sums = np.log(exact.sum(-1)) + logits.max(-1)
    expected = log_sums - np.take_along_axis(logits, targets[..., None], -1)[..., 0]
    slopes = exact / exact.sum(-1, keepdims=True) - np.eye(999)[targets]
    monkeypatch.setattr(kernel, "on_gpu", lambda: True)
    np.testing.assert_allclose(cross_entropy.token_losses(logits, targets), expected, rtol=1e-5)
    found = jax.grad(lambda x: cross_entropy.token_losses(x, targets).sum())(logits)
    np.testing.assert_allclose(found, slopes, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("objective", "kind", "layout"),
    [
        (NextToken(), "decoder", "rows"),
        (Denoising(), "encoder_decoder", "stream"),
        (Masked(), "encoder", "rows"),
        (Multitask(), "encoder", "stream"),
        (Permuted(), "encoder", "stream"),
    ],
)
def test_without_logits_no_token_is_learned(objective, kind, layout):
    task = type("Asked", (Task,), {"layout": layout})()
    objective.check(ModelConfig(kind=kind), task)
    model = ModelConfig(kind=kind, head=HeadConfig(weights="none"))
    with pytest.raises(
        ValueError, match=r"\Amodel\.head\.weights=none gives no logits to train; set it to tied"
    ):
        objective.check(model, task)


def test_losses_are_computed_in_float32():
    logits = np.asarray([[8.0, 0.5, -3.0]])
    narrow = cross_entropy.token_losses(jax.numpy.asarray(logits, jax.numpy.bfloat16), np.asarray([1]))
    assert narrow.dtype == np.float32
    assert float(narrow[0]) == pytest.approx(np.log(np.exp(logits[0]).sum()) - 0.5, rel=1e-6)


@pytest.mark.parametrize("kind", often(["decoder", "encoder_decoder"], ("decoder",)))
@pytest.mark.parametrize("most", [VOCAB, 40, 100])
def test_logits_piece_by_piece_are_all_logits(kind, most):
    batch = ROWS | (SOURCE if kind == "encoder_decoder" else {})
    graph, state = nnx.split(MODELS[kind])

    def loss(state, most):
        model = nnx.merge(graph, state)
        losses = NextToken().losses(model, batch, loss=squared, most_logits=most)
        return (losses * NextToken().weights(batch)).sum(), losses

    def squared(logits, targets):
        return cross_entropy.token_losses(logits, targets) + 0.01 * jax.numpy.square(logits).sum(axis=-1)

    both = jax.jit(jax.value_and_grad(loss, has_aux=True), static_argnums=1)
    (total, losses), gradient = both(state, most)
    (expected, whole), exact = both(state, None)
    np.testing.assert_allclose(losses, whole, atol=1e-6)
    np.testing.assert_allclose(total, expected, rtol=1e-6)
    for a, b in zip(jax.tree.leaves(gradient), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.thorough
def test_the_logits_of_a_batch_are_never_whole():
    """Of 64 x 96 x 1,009 logits, 24 MB, the step holds a fraction; all at once it holds them."""
    config = ModelConfig(vocab_size=1009, max_length=96, num_layers=1, d_model=16, num_heads=2)
    graph, state = nnx.split(nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0))))
    batch = {"tokens": jax.ShapeDtypeStruct((64, 97), np.int32)}

    def loss(state, batch, most):
        return EVERYTHING.losses(nnx.merge(graph, state), batch, most_logits=most).sum()

    def temporary(most):
        step = jax.jit(jax.grad(loss), static_argnums=2).lower(state, batch, most).compile()
        return step.memory_analysis().temp_size_in_bytes

    logits = 64 * 96 * 1009 * 4
    assert temporary(64 * 1009) < temporary(None) - 0.9 * logits
