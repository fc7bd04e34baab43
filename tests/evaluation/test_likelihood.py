"""Loss and bits per byte against slow loops over single tokens."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxgpt.evaluation import likelihood
from jaxgpt.evaluation.intervals import student_t
from jaxgpt.evaluation.likelihood import row_likelihoods, text_likelihood
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example

ROWS = [Example(f"{i}=", str(2 * i)) for i in (17, 23, 230, 499, 12, 404, 36)]
DOCUMENTS = ["abc abcd ab", "h", "gfed cba 0123456789 gfed cba", "a\nb"]


def scorer(model):
    """Gives -log p of every token of a row but the first, from the row alone, without padding."""
    forward = jax.jit(lambda tokens: model(tokens).logits[0])

    def nats(ids: list[int]) -> list[float]:
        logits = np.asarray(forward(jnp.asarray([ids[:-1]])), np.float64)
        pairs = zip(logits, ids[1:], strict=True)
        return [float(np.log(np.exp(row).sum()) - row[target]) for row, target in pairs]

    return nats


@pytest.fixture
def small_batches(monkeypatch):
    """Few rows a batch, so that the last one is not full."""
    monkeypatch.setattr(likelihood, "_LOGITS", 1000)


@pytest.mark.parametrize("which", ["answer", "all"])
def test_rows(build, tokenizer, small_batches, which):
    model = build()
    nats = scorer(model)
    losses, inside, size = [], [], 0
    for example in ROWS:
        prompt, target = tokenizer.encode(example.prompt), tokenizer.encode(example.target)
        each = nats([tokenizer.bos_id, *prompt, *target, tokenizer.eos_id])
        each = each if which == "all" else each[len(prompt) :]
        losses += each
        inside += each[:-1]
        size += len(example.target) + (len(example.prompt) if which == "all" else 0)
    found = row_likelihoods([model], tokenizer, ROWS, ROWS[:3], objective=NextToken(tokens=which))
    part = found["held_out"]
    assert (part.tokens, part.bytes) == (len(losses), size)
    assert part.loss.mean == pytest.approx(np.mean(losses), rel=1e-5)
    assert part.bits_per_byte.mean == pytest.approx(sum(inside) / size / math.log(2), rel=1e-5)
    low, high = part.loss.interval
    assert low < part.loss.mean < high
    assert found["train"].tokens < part.tokens


def test_the_weight_of_the_end_in_training_changes_no_likelihood(build, tokenizer):
    model = build()
    plain, light = (
        row_likelihoods([model], tokenizer, ROWS, [], objective=NextToken(end_weight=weight))["held_out"]
        for weight in (1.0, 0.01)
    )
    assert light.tokens == plain.tokens == sum(len(e.target) + 1 for e in ROWS)
    assert light.loss.mean == pytest.approx(plain.loss.mean, rel=1e-6)
    assert light.bits_per_byte.mean == pytest.approx(plain.bits_per_byte.mean, rel=1e-6)


def test_windows_predict_every_token_once(build, tokenizer, small_batches):
    model = build(max_length=10)
    nats = scorer(model)
    stream = [tokenizer.bos_id]
    for document in DOCUMENTS:
        stream += [*tokenizer.encode(document), tokenizer.eos_id]
    losses, inside = [], []
    for start in range(0, len(stream) - 1, 10):
        window = stream[start : start + 11]
        each = nats(window)
        losses += each
        inside += [n for n, token in zip(each, window[1:], strict=True) if token != tokenizer.eos_id]
    found = text_likelihood([model], tokenizer, DOCUMENTS)
    assert (found.tokens, found.bytes) == (len(stream) - 1, sum(map(len, DOCUMENTS)))
    assert found.loss.mean == pytest.approx(np.mean(losses), rel=1e-5)
    assert found.bits_per_byte.mean == pytest.approx(sum(inside) / found.bytes / math.log(2), rel=1e-5)


@pytest.mark.parametrize("documents", [["a"], ["abcdefgh"], ["abcdefg"], [""]])
def test_text_shorter_than_a_window_or_just_as_long(build, tokenizer, documents):
    found = text_likelihood([build(max_length=8)], tokenizer, documents)
    assert found.tokens == len(documents[0]) + 1 and found.bytes == len(documents[0])
    assert math.isfinite(found.loss.mean) and math.isfinite(found.bits_per_byte.mean)


def test_equal_logits_cost_the_logarithm_of_the_vocabulary(build, tokenizer):
    model = build()
    graph, state = nnx.split(model)
    flat = nnx.merge(graph, jax.tree.map(jnp.zeros_like, state))
    found = text_likelihood([flat], tokenizer, DOCUMENTS)
    assert found.loss.mean == pytest.approx(math.log(tokenizer.vocab_size))
    assert found.bits_per_byte.mean == pytest.approx(math.log2(tokenizer.vocab_size))
    assert found.loss.interval == pytest.approx((found.loss.mean,) * 2, abs=1e-4)


@pytest.mark.thorough
def test_an_encoder_decoder_counts_targets(build, tokenizer):
    model = build(kind="encoder_decoder")
    for which in ("answer", "all"):
        part = row_likelihoods([model], tokenizer, ROWS, [], objective=NextToken(tokens=which))["held_out"]
        assert part.bytes == sum(len(e.target) for e in ROWS)
        assert part.tokens == part.bytes + len(ROWS)


def test_seeds_have_their_own_losses(build, tokenizer):
    models = [build(seed) for seed in (0, 1)]
    alone = [text_likelihood([model], tokenizer, DOCUMENTS).loss.mean for model in models]
    together = text_likelihood(models, tokenizer, DOCUMENTS).loss
    assert together.per_seed == pytest.approx(alone) and alone[0] != pytest.approx(alone[1])
    assert together.interval == pytest.approx(student_t(alone))


def test_training_rows_without_room_are_left_out(build, tokenizer):
    found = row_likelihoods([build(max_length=8)], tokenizer, ROWS[:1], [ROWS[0], Example("99999999=", "1")])
    assert found["train"].tokens == 3
