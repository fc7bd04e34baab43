"""Principal components, cosines and frequencies of embeddings that are made for it."""

import csv

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear

import jaxgpt
from jaxgpt.lab import geometry
from jaxgpt.models import Transformer
from jaxgpt.tokenizers import build

DIGITS = build("digits", lambda: ["+="])
ANGLES = 2 * np.pi * np.arange(10) / 10
RNG = np.random.default_rng(0)
#: Two directions at a right angle.
PLANE = np.linalg.qr(RNG.normal(size=(6, 2)))[0].T


def model_of(tokenizer, vectors: np.ndarray, texts) -> Transformer:
    """A model whose embedding has these vectors for these tokens."""
    config = jaxgpt.ModelConfig(
        vocab_size=tokenizer.vocab_size, max_length=8, num_layers=1, d_model=vectors.shape[1], num_heads=1
    )
    model = Transformer(config, rngs=nnx.Rngs(0))
    ids = jnp.asarray([tokenizer.token_texts().index(text) for text in texts])
    model.embedding.table[...] = model.embedding.table[...].at[ids].set(jnp.asarray(vectors, jnp.float32))
    return model


def of_digits(*vectors: np.ndarray):
    return geometry(([model_of(DIGITS, each, "0123456789") for each in vectors], DIGITS))


def circle(times: int) -> np.ndarray:
    return np.stack([np.cos(times * ANGLES), np.sin(times * ANGLES)], axis=1) @ PLANE


def by_numpy(vectors: np.ndarray) -> np.ndarray:
    """The full transform's power at k and N - k, over the power of all but the mean."""
    power = (np.abs(np.fft.fft(vectors, axis=0)) ** 2).sum(axis=1)
    count = len(vectors)
    pairs = [power[k] + (power[count - k] if 2 * k != count else 0) for k in range(1, count // 2 + 1)]
    return np.asarray(pairs) / power[1:].sum()


@pytest.mark.parametrize("times", [1, 3])
def test_a_circle_has_one_frequency_and_two_components(times):
    found = of_digits(circle(times) + RNG.normal(size=6))
    expected = np.eye(5)[times - 1]
    np.testing.assert_allclose(found.power[0], expected, atol=1e-5)
    assert found.tokens == tuple("0123456789") and found.numbers == tuple(range(10))
    np.testing.assert_allclose(found.explained[:3], [0.5, 0.5, 0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found.coordinates, axis=1), 1, atol=1e-5)
    assert f"the frequency {times}/10 has the largest share of it, 100%" in found.summary()


@pytest.mark.parametrize("texts", ["0123456789", "012345678"])
def test_power_is_that_of_the_full_transform(texts):
    vectors = RNG.normal(size=(len(texts), 6))
    found = geometry((model_of(DIGITS, vectors, texts), DIGITS), list(texts))
    np.testing.assert_allclose(found.power[0], by_numpy(vectors), rtol=1e-4)
    assert found.power.sum() == pytest.approx(1) and len(found.frequencies) == len(texts) // 2
    many = np.mean([by_numpy(RNG.normal(size=(len(texts), 6))) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(found.by_chance, many, atol=0.01)


def test_components_and_cosines_are_those_of_the_covariance():
    vectors = RNG.normal(size=(10, 6)) * np.arange(1, 7)
    found = of_digits(vectors)
    values, directions = np.linalg.eigh(np.cov(vectors.T))
    np.testing.assert_allclose(found.explained, values[::-1] / values.sum(), rtol=1e-3, atol=1e-6)
    expected = (vectors - vectors.mean(axis=0)) @ directions[:, :-3:-1]
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(expected), rtol=1e-3, atol=1e-3)
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(found.cosines, vectors @ vectors.T / np.outer(lengths, lengths), atol=1e-5)


def test_several_models_give_an_interval(tmp_path):
    found = of_digits(*(circle(1) + RNG.normal(size=(10, 6)) / 4 for _ in range(3)))
    first = found.spectrum[0]
    assert first.per_seed == pytest.approx(found.power[:, 0]) and first.interval[0] < first.mean
    assert of_digits(circle(1)).spectrum[0].interval is None
    found.to_csv(tmp_path / "geometry.csv")
    rows = list(csv.DictReader((tmp_path / "geometry.csv").read_text().splitlines()))
    power = [row for row in rows if row["measure"] == "power"]
    assert [row["token"] for row in power] == ["1/10", "2/10", "3/10", "4/10", "5/10"]
    assert float(power[0]["value"]) == first.mean and float(power[0]["low"]) == first.interval[0]
    assert sum(row["measure"] == "cosine" for row in rows) == 45
    assert [bar.get_height() for bar in found.spectrum_plot().axes[0].patches] == [
        e.mean for e in found.spectrum
    ]
    np.testing.assert_array_equal(found.plot().axes[0].collections[0].get_offsets(), found.coordinates)
    assert len(found.blocks()) == 3


def test_groups_of_digits_are_taken_where_all_are_tokens():
    groups = build("digits:2", lambda: ["+="])
    vectors = RNG.normal(size=(100, 6))
    texts = [f"{number:02}" for number in range(100)]
    found = geometry((model_of(groups, vectors, texts), groups))
    assert found.tokens == tuple(texts) and found.frequencies[-1] == 0.5 and len(found.frequencies) == 50
    np.testing.assert_allclose(found.power[0], by_numpy(vectors), rtol=1e-4)


def test_the_ten_digits_are_taken_where_a_longer_number_is_a_token():
    """All numbers as long as the longest power of ten would be more than any memory holds."""
    powers = build("10", lambda: ["+="])
    assert max(len(text) for text in powers.token_texts() if text.isdigit()) > 20
    found = geometry((model_of(powers, circle(1), "0123456789"), powers))
    assert found.tokens == tuple("0123456789")
    np.testing.assert_allclose(found.power[0], np.eye(5)[0], atol=1e-5)


def test_tokens_that_are_no_numbers_have_no_frequencies():
    source = (linear().model, TOKENIZER)
    found = geometry(source, ["a", "b", "c"])
    assert found.cosines.shape == (3, 3) and len(found.blocks()) == 2 and "frequency" not in found.summary()
    with pytest.raises(ValueError, match="are not consecutive numbers, so they have no frequencies"):
        found.power  # noqa: B018
    with pytest.raises(ValueError, match="0 tokens of digits alone, and not all ten digits"):
        geometry(source)
    with pytest.raises(ValueError, match="at least three different tokens"):
        geometry(source, ["a", "b", "a"])
    with pytest.raises(ValueError, match="target='ab' is 2 tokens"):
        geometry(source, ["ab", "b", "c"])
