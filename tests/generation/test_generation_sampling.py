"""Filters of the logits against code in numpy, and draws against the distribution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt.generation.sampling import Rules, Sampling, choose, filtered, penalize, row_keys

V = 30


def distribution(logits, present=None, num_ids=None, **fields) -> np.ndarray:
    rules = Rules.of(Sampling(**fields), eos_id=None, pad_id=0, num_ids=num_ids)
    return np.asarray(jax.nn.softmax(filtered(rules, jnp.asarray(logits, jnp.float32), present), axis=-1))


def softmax(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@pytest.mark.parametrize("k", [1, 3, 29, 30, 100, 2**40])
def test_top_k_keeps_the_k_most_likely(rng, k):
    logits = rng.normal(0, 2, (5, V))
    for row, got in zip(logits, distribution(logits, temperature=0.7, top_k=k), strict=True):
        kept = np.argsort(-row)[:k]
        expected = np.zeros(V)
        expected[kept] = softmax(row[kept] / 0.7)
        np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.9, 0.999, 1.0])
def test_top_p_keeps_the_nucleus(rng, p):
    logits = rng.normal(0, 2, (5, V))
    for row, got in zip(logits, distribution(logits, temperature=1.3, top_p=p), strict=True):
        probability, expected, mass = softmax(row / 1.3), np.zeros(V), 0.0
        for token in np.argsort(-probability):
            if mass >= p:
                break
            expected[token] = probability[token]
            mass += probability[token]
        np.testing.assert_allclose(got, expected / expected.sum(), atol=1e-6)


def test_top_p_is_the_nucleus_of_what_top_k_leaves():
    logits = np.log(np.array([[0.4, 0.3, 0.2, 0.1]]))
    # Of the two, 4/7 and 3/7, the first alone reaches 0.5; of all four it does not.
    np.testing.assert_allclose(distribution(logits, temperature=1.0, top_k=2, top_p=0.5), [[1, 0, 0, 0]])
    np.testing.assert_allclose(
        distribution(logits, temperature=1.0, top_p=0.5), [[4 / 7, 3 / 7, 0, 0]], atol=1e-6
    )


def test_repetition_penalty_by_hand():
    logits = jnp.array([[2.0, -2.0, 2.0, -2.0]])
    present = jnp.array([[True, True, False, False]])
    np.testing.assert_allclose(penalize(logits, present, 2.0), [[1.0, -4.0, 2.0, -2.0]])


def test_ids_beyond_the_tokenizer_are_never_chosen(rng):
    got = distribution(rng.normal(0, 1, (2, V)), temperature=1.0, num_ids=7)
    assert (got[:, 7:] == 0).all()
    assert (got[:, :7] > 0).all()


@pytest.mark.thorough
@pytest.mark.parametrize(
    "fields",
    [{}, {"temperature": 0.5}, {"top_k": 5}, {"top_p": 0.8}, {"top_k": 8, "top_p": 0.7, "temperature": 2.0}],
    ids=str,
)
def test_draws_follow_the_distribution(rng, fields):
    fields = {"temperature": 1.0} | fields
    logits = rng.normal(0, 1.5, V).astype(np.float32)
    count = 20_000
    rules = Rules.of(Sampling(**fields), eos_id=None, pad_id=0, num_ids=None)
    keys = row_keys(jnp.uint32(7), jnp.arange(count, dtype=jnp.uint32), jnp.zeros(count, jnp.uint32))
    rows = jnp.broadcast_to(logits, (count, V))
    draws = np.asarray(choose(rules, rows, None, keys, jnp.zeros(count, jnp.int32)))
    observed, expected = np.bincount(draws, minlength=V), count * distribution(logits[None], **fields)[0]
    assert (observed[expected == 0] == 0).all()
    likely = expected > 5
    statistic = ((observed - expected)[likely] ** 2 / expected[likely]).sum()
    freedom = likely.sum() - 1
    assert statistic < freedom + 4 * np.sqrt(2 * freedom), "chi-square far beyond its mean"


def test_a_small_temperature_is_greedy(rng):
    logits = jnp.asarray(rng.normal(0, 30, (50, V)), jnp.float32)
    keys = row_keys(jnp.uint32(0), jnp.arange(50, dtype=jnp.uint32), jnp.zeros(50, jnp.uint32))
    for temperature in (1e-3, 1e-30):
        rules = Rules.of(Sampling(temperature=temperature), eos_id=None, pad_id=0, num_ids=None)
        np.testing.assert_array_equal(
            choose(rules, logits, None, keys, jnp.zeros(50, jnp.int32)), logits.argmax(axis=-1)
        )


def test_steps_rows_samples_and_seeds_have_their_own_keys():
    logits = jnp.zeros((400, V))
    rules = Rules.of(Sampling(temperature=1.0), eos_id=None, pad_id=0, num_ids=None)
    rows, none = jnp.arange(400, dtype=jnp.uint32), jnp.zeros(400, jnp.uint32)

    def draw(seed, rows, samples, step):
        keys = row_keys(jnp.uint32(seed), rows, samples)
        return np.asarray(choose(rules, logits, None, keys, jnp.full(400, step, jnp.int32)))

    draws = [
        draw(0, rows, none, 0),
        draw(1, rows, none, 0),
        draw(0, rows, none + 1, 0),
        draw(0, rows, none, 1),
        draw(0, none, rows, 0),
    ]
    for i, one in enumerate(draws):
        for other in draws[:i]:
            assert (one == other).mean() < 0.15, "independent draws agree in 1 of 30"
