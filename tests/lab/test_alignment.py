"""Alignments: of a model that copies, against the attention computed by hand, and by words."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxgpt.core.nested import replaced
from jaxgpt.lab import Alignment, alignment
from jaxgpt.lab.alignment import END
from jaxgpt.models import ModelConfig, Transformer, presets
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.bpe import BytePairs

TOKENIZER = build("characters", lambda: ["abcdefgh"])


def recurrent(name="rnn_search", **changes):
    small = {"d_model": 32, "num_layers": 1, "max_length": 12, "vocab_size": TOKENIZER.vocab_size}
    return Transformer(replaced(presets.named(name), small | changes), rngs=nnx.Rngs(0))


@pytest.fixture(scope="module")
def copying():
    """A model that has learned to copy four different letters."""
    graph, state = nnx.split(recurrent())
    optimizer = optax.adam(1e-2)
    rng = np.random.default_rng(0)

    @jax.jit
    def step(state, moments, source, target):
        def loss(state):
            logits = nnx.merge(graph, state)(target[:, :-1], source=source).logits
            return optax.softmax_cross_entropy_with_integer_labels(logits, target[:, 1:]).mean()

        updates, moments = optimizer.update(jax.grad(loss)(state), moments, state)
        return optax.apply_updates(state, updates), moments

    moments = optimizer.init(state)
    for _ in range(80):
        letters = np.stack([rng.permutation(8)[:4] + 3 for _ in range(32)])
        source = np.pad(letters, ((0, 0), (0, 1)), constant_values=TOKENIZER.eos_id)
        target = np.pad(source, ((0, 0), (1, 0)), constant_values=TOKENIZER.bos_id)
        state, moments = step(state, moments, jnp.asarray(source), jnp.asarray(target))
    return nnx.merge(graph, state), TOKENIZER


def by_hand(model, text):
    """Bahdanau et al. 2015, appendix A.2.2: the softmax of v tanh(W s + U h), as the text is copied."""

    def linear(part, x):
        bias = 0 if part.bias is None else np.asarray(part.bias[...])
        return np.tensordot(x, np.asarray(part.kernel[...], np.float64), 1) + bias

    def step(cell, x, h):
        (r, z, n), (own_r, own_z, own_n) = linear(cell.input, x), linear(cell.hidden, h)
        r, z = 1 / (1 + np.exp(-r - own_r)), 1 / (1 + np.exp(-z - own_z))
        return (1 - z) * np.tanh(n + r * own_n) + z * h

    def states(cell, xs):
        found = [np.zeros(32)]
        for x in xs:
            found.append(step(cell, x, found[-1]))
        return np.stack(found[1:])

    ids = TOKENIZER.encode(text)
    table = np.asarray(model.embedding.table[...], np.float64)
    source = table[[*ids, TOKENIZER.eos_id]]
    encoder, reader = model.encoder, model.decoder.blocks[0]
    left, right = states(encoder.blocks[0], source), states(encoder.backwards[0], source[::-1])[::-1]
    notes = np.concatenate([left, right], axis=1)
    s, rows = np.tanh(linear(encoder.starts[0], right[0])), []
    for x in table[[TOKENIZER.bos_id, *ids]]:
        scores = linear(reader.score, np.tanh(linear(reader.query, s) + linear(reader.key, notes)))[:, 0]
        rows.append(np.exp(scores) / np.exp(scores).sum())
        s = step(reader.cell, np.concatenate([x, rows[-1] @ notes]), s)
    return np.stack(rows)


def test_who_copies_looks_at_what_it_copies(copying, tmp_path):
    found = alignment(copying, ["abcd", "hgbe"], unit="tokens")
    for one, text in zip(found.sentences, ("abcd", "hgbe"), strict=True):
        assert one.source == one.target == (*text, END)
        np.testing.assert_allclose(one.weights, by_hand(copying[0], text), atol=2e-4)
        np.testing.assert_allclose(one.weights.sum(axis=1), 1, atol=1e-5)
        assert (one.weights[:4].argmax(axis=1) == range(4)).all()
    found.to_csv(tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == 2 * 5 * 5
    chosen = next(r for r in rows if (r["sentence"], r["target place"], r["source place"]) == ("1", "2", "3"))
    assert (chosen["target"], chosen["source"]) == ("b", "e")
    assert float(chosen["weight"]) == found.sentences[1].weights[2, 3]
    images = [axes.images[0].get_array() for axes in found.plot().axes if axes.images]
    np.testing.assert_array_equal(images[1], found.sentences[1].weights)
    assert "of the source" in found.summary() and isinstance(found, Alignment)


def test_the_target_may_be_given(copying):
    written = alignment(copying, "abcd", unit="tokens").sentences[0]
    given = alignment(copying, "abcd", ["abcd"], unit="tokens").sentences[0]
    np.testing.assert_array_equal(written.weights, given.weights)
    other = alignment(copying, "abcd", ["fa"], unit="tokens").sentences[0]
    assert other.target == ("f", "a", END)


def test_a_word_has_the_sum_of_its_parts_in_the_source_and_their_mean_in_the_target():
    tokenizer = BytePairs.train(["who won? it's é"], 265)
    config = replaced(presets.named("rnn_search"), {"d_model": 8, "max_length": 64, "vocab_size": 265})
    model = Transformer(config, rngs=nnx.Rngs(0))
    source, target = "who won?", "it's \u00e9\u20ac."
    fine = alignment((model, tokenizer), source, [target], unit="tokens").sentences[0]
    words = alignment((model, tokenizer), source, [target]).sentences[0]
    assert words.source == ("who", "won", "?", END)
    assert words.target == ("it", "'s", "\u00e9\u20ac", ".", END)
    sizes = [len(tokenizer.encode(part)) for part in ("who", " won", "?")] + [1]
    assert sum(sizes) == len(fine.source)
    summed = np.stack([p.sum(axis=1) for p in np.split(fine.weights, np.cumsum(sizes)[:-1], axis=1)], axis=1)
    np.testing.assert_allclose(words.weights[0], summed[: len(tokenizer.encode("it"))].mean(axis=0))
    np.testing.assert_allclose(words.weights[-1], summed[-1])
    np.testing.assert_allclose(words.weights.sum(axis=1), 1, atol=1e-5)


def test_of_a_transformer_it_is_the_mean_over_heads_of_a_layer():
    model = recurrent("transformer_base", num_heads=2, d_ff=8, num_layers=2)
    last, first = (alignment((model, TOKENIZER), "abcd", ["dc"], layer=i).sentences[0] for i in (-1, 0))
    assert last.weights.shape == (2, 2)  # one word, and the end
    assert not np.allclose(last.weights, first.weights)
    np.testing.assert_allclose(last.weights.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match="layer=2 is not there; give 0 to 1"):
        alignment((model, TOKENIZER), "abcd", layer=2)


def test_what_has_no_alignment_is_told(copying):
    decoder = Transformer(ModelConfig(vocab_size=TOKENIZER.vocab_size), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"model\.kind=decoder: an alignment is of an encoder-decoder"):
        alignment((decoder, TOKENIZER), "abc")
    with pytest.raises(
        ValueError, match=r"model\.mixer=lstm has no attention to its source; set model\.mixer"
    ):
        alignment((recurrent("seq2seq"), TOKENIZER), "abc")
    with pytest.raises(ValueError, match="give at least one text"):
        alignment(copying, [])
    with pytest.raises(ValueError, match="1 targets for 2 texts"):
        alignment(copying, ["a", "b"], ["a"])
    with pytest.raises(ValueError, match="'abcdefghabcd' has 13 tokens and its target 1; the model reads 12"):
        alignment(copying, "abcdefghabcd", ["a"])
