"""The logit lens in closed form on a linear model, and against the model's own softmax on others."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear

import jaxgpt
from jaxgpt.lab import Subject, lens
from jaxgpt.lab.lens import Lens, distributions
from jaxgpt.models import Transformer
from jaxgpt.models.mixers.gru import GRU
from jaxgpt.nn.head_config import HeadConfig

LINEAR = linear()
SOURCE = (LINEAR.model, TOKENIZER)
PROMPT = "abba cafe"
IDS = Subject.of(SOURCE).encode(PROMPT)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def closed():
    """Behind the embedding, and behind the layer, whose heads take the mean of tokens so far. [2, T, V]"""
    x = LINEAR.table[IDS]
    means = np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None]
    behind = x + np.einsum("td,dhk,hke->te", means, LINEAR.value, LINEAR.out)
    return softmax(np.stack([x, behind]) @ LINEAR.head)


def test_of_a_linear_model_every_row_is_what_can_be_computed_by_hand():
    found, expected = lens(SOURCE, PROMPT), closed()
    assert found.layers == ("embedding", "layer 0") and "".join(found.tokens) == PROMPT
    np.testing.assert_allclose(found.probability, expected.max(axis=-1), rtol=1e-4)
    texts = np.asarray(TOKENIZER.token_texts())
    assert (np.asarray(found.top) == texts[expected.argmax(axis=-1)]).all()
    np.testing.assert_allclose(found.bits, -(expected * np.log2(expected)).sum(axis=-1), rtol=1e-3, atol=1e-5)
    chosen = expected[-1].argmax(axis=-1)
    assert found.chosen == tuple(texts[chosen])
    places = np.arange(len(IDS))
    np.testing.assert_allclose(found.chosen_probability, expected[:, places, chosen], rtol=1e-3, atol=1e-7)
    ranks = (-expected).argsort(axis=-1).argsort(axis=-1)[:, places, chosen] + 1
    np.testing.assert_array_equal(found.chosen_rank, ranks)
    assert (ranks[0] > 1).any()  # or the test would see no difference between the rows
    np.testing.assert_array_equal(found.settled, (ranks[0] > 1).astype(int))


def drawn(**settings) -> Transformer:
    """A model whose every weight is random."""
    config = jaxgpt.ModelConfig(
        vocab_size=TOKENIZER.vocab_size, max_length=12, d_model=8, num_heads=2, **{"num_layers": 2} | settings
    )
    model = Transformer(config, rngs=nnx.Rngs(0))
    graph, state = nnx.split(model)
    rng = np.random.default_rng(0)
    return nnx.merge(graph, jax.tree.map(lambda v: jnp.asarray(rng.normal(size=v.shape) / 2, v.dtype), state))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"wiring": "post"},
        {"wiring": "reversible", "head": HeadConfig(weights="separate")},
        {"loops": 2},
        {"mixer": GRU()},
    ],
    ids=str,
)
def test_the_last_row_is_the_whole_model(settings):
    model = drawn(**settings)
    tokens = np.asarray([IDS])
    rows, logits = jax.jit(lambda tokens: (distributions(model, tokens), model(tokens).logits))(tokens)
    assert len(rows) == 1 + 2 * settings.get("loops", 1)
    own = softmax(np.asarray(logits, np.float64))
    np.testing.assert_allclose(np.exp(rows[-1]), own, atol=1e-5)
    assert np.abs(np.exp(rows[-2]) - own).max() > 1e-3
    found = lens((model, TOKENIZER), PROMPT)
    np.testing.assert_allclose(found.probability[-1], own[0].max(axis=-1), atol=1e-5)
    assert (found.chosen_rank[-1] == 1).all()


def test_a_token_is_settled_where_it_stays_the_likeliest():
    """A rank that falls back between two layers does not count from its first 1 on."""
    ranks = np.array([[1, 2, 1, 2], [2, 1, 1, 1], [1, 2, 1, 1], [1, 1, 1, 1]])
    values, words = np.full(ranks.shape, 0.5), tuple("abcd")
    layers = ("embedding", "layer 0", "layer 1", "layer 2")
    found = Lens(words, layers, (words,) * 4, values, values, words, values, ranks)
    assert found.settled.tolist() == [2, 3, 0, 1]
    assert "finds d likeliest, with 50%; it is the likeliest from layer 0 on." in found.summary()


def test_what_the_model_cannot_read_is_told():
    with pytest.raises(ValueError, match="'x'"):
        lens(SOURCE, "abx")
    with pytest.raises(ValueError, match="the model reads 12; shorten it"):
        lens(SOURCE, "abcdabcdabcda")
    encoder = Transformer(jaxgpt.ModelConfig(vocab_size=9, kind="encoder", d_model=8), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="kind=encoder: this needs a decoder"):
        lens((encoder, TOKENIZER), "ab")


def test_numbers_are_written_and_drawn(tmp_path):
    found = lens(SOURCE, PROMPT)
    found.to_csv(tmp_path / "lens.csv")
    rows = list(csv.DictReader((tmp_path / "lens.csv").read_text().splitlines()))
    assert [float(row["probability"]) for row in rows] == found.probability.ravel().tolist()
    assert [int(row["its rank"]) for row in rows] == found.chosen_rank.ravel().tolist()
    axes = found.plot().axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), found.probability.T)
    assert [text.get_text() for text in axes.texts][:2] == [
        row[0].replace(" ", "\u2423") or "\u00b7" for row in found.top
    ]
    assert len(found.plot(begin=4).axes[0].get_yticklabels()) == len(IDS) - 4
    assert len(found.blocks()) == 2 and f"{found.probability[-1, -1]:.0%}" in found.summary()
