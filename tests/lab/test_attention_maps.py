"""Attention weights against a softmax by hand, and over the steps of a run."""

import csv

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear
from tiny_runs import tiny

import jaxgpt
from jaxgpt.lab import Subject, attention, mean_attention
from jaxgpt.models import Transformer
from jaxgpt.models.mixers.gru import GRU
from jaxgpt.runs.session import train

LINEAR = linear()
SOURCE = (LINEAR.model, TOKENIZER)
PART = LINEAR.model.decoder.blocks[0].attention
PART.query.kernel[...] = jnp.asarray(np.random.default_rng(1).normal(size=PART.query.kernel.shape), "float32")


def by_hand(prompt):
    """The softmax of the scaled products of queries and keys, of those not behind the query. [H, T, T]"""
    x = LINEAR.table[Subject.of(SOURCE).encode(prompt)]
    queries, keys = (
        np.einsum("td,dhk->htk", x, np.asarray(part.kernel[...], np.float64))
        for part in (PART.query, PART.key)
    )
    powers = np.tril(np.exp(queries @ keys.transpose(0, 2, 1) / np.sqrt(keys.shape[-1])))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_weights_are_the_softmax_of_products_of_queries_and_keys():
    found = attention(SOURCE, "bad cafe")
    np.testing.assert_allclose(found.weights, by_hand("bad cafe")[None], rtol=1e-3, atol=1e-5)
    assert "".join(found.tokens) == "bad cafe" and found.steps == (0,) and found.prompts == 1
    head, key = np.unravel_index(found.weights[0, :, -1].argmax(), found.weights[0, :, -1].shape)
    assert f"place {key}: head {head} of layer 0" in found.summary()


def test_a_strip_is_the_row_of_one_query_for_every_head():
    found = attention(SOURCE, "bad cafe")
    for query in (3, -1):
        axes = found.strip(query).axes[0]
        np.testing.assert_array_equal(axes.images[0].get_array(), found.weights[0, :, query])
        assert [label.get_text() for label in axes.get_yticklabels()] == [
            "layer 0, head 0",
            "layer 0, head 1",
        ]
    assert "what \u2423, place 3, looks" in attention(SOURCE, "ab c").strip(-2).axes[0].get_title("left")
    with pytest.raises(ValueError, match="query=30 is not there; give 0 to"):
        found.strip(30)


def test_a_mean_is_that_of_each_prompt_by_itself():
    prompts = ["bad cafe", "dabbfade", "abc hgfe"]
    found = mean_attention(SOURCE, prompts)
    np.testing.assert_allclose(found.weights[0], np.mean([*map(by_hand, prompts)], axis=0), rtol=1e-3)
    assert found.prompts == 3 and "over 3 prompts" in found.summary()
    assert found.tokens[1:] == ("#1", "#2", "#3", "#4", "#5", "#6", "#7", "e")


def test_many_prompts_are_read_some_at_a_time(monkeypatch):
    monkeypatch.setattr("jaxgpt.lab.attention_maps._WEIGHTS", 4 * 2 * 9**2)
    prompts = ["".join(np.random.default_rng(seed).permutation(list("abcdefgh"))) for seed in range(6)]
    found = mean_attention(SOURCE, prompts)
    np.testing.assert_allclose(found.weights[0], np.mean([*map(by_hand, prompts)], axis=0), rtol=1e-3)


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (["abx"], "'x'"),
        (["abcdabcdabcda"], "the model reads 12; shorten it"),
        (["ab", "abc"], "tokens; give prompts of one length"),
        ([], "give a list of at least one prompt"),
        ("abc", "give a list of at least one prompt"),
    ],
)
def test_prompts_that_cannot_be_read_are_told(prompts, message):
    with pytest.raises(ValueError, match=message):
        mean_attention(SOURCE, prompts)


def test_a_model_without_attention_is_told():
    config = jaxgpt.ModelConfig(
        vocab_size=TOKENIZER.vocab_size, max_length=12, num_layers=1, d_model=4, num_heads=1, mixer=GRU()
    )
    with pytest.raises(ValueError, match="layer 0 has no attention whose weights could be read"):
        attention((Transformer(config, rngs=nnx.Rngs(0)), TOKENIZER), "abc")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "run"
    train(tiny(training__steps=8, training__keep_spaced=3), path, say=lambda line: None)
    return path


def test_of_a_run_the_same_prompt_is_read_at_kept_steps(run, tmp_path):
    found = attention(run, "1+2=")
    assert found.steps == (1, 3, 8) and found.over_steps.shape[:3] == (3, 1, 2)
    alone = attention(Subject.of(jaxgpt.load(run, checkpoint=3)), "1+2=")
    np.testing.assert_allclose(found.over_steps[1], alone.weights, rtol=1e-5)
    assert np.abs(found.over_steps[2] - found.over_steps[1]).max() > 1e-4
    assert attention(run, "1+2=", steps=2).steps == (1, 8) and attention(run, "1+2=", steps=1).steps == (8,)
    with pytest.raises(ValueError, match="steps=0 must be at least 1"):
        attention(run, "1+2=", steps=0)

    paragraph, chooser, _ = found.blocks()
    assert paragraph.text == found.summary()
    assert chooser.axes == {"step": ["1", "3", "8"], "layer": ["0"]}
    np.testing.assert_array_equal(chooser.frames[1][1].values, found.over_steps[1, 0, 1])
    assert [block.title for block in chooser.frames[0]] == ["head 0", "head 1"]
    assert list(chooser.frames[0][0].rows) == ["\u00b7", "1", "+", "2", "="]
    found.to_csv(tmp_path / "weights.csv")
    rows = list(csv.DictReader((tmp_path / "weights.csv").read_text().splitlines()))
    assert len(rows) == 3 * 2 * 5 * 5
    assert float(rows[-1]["weight"]) == found.weights[0, 1, -1, -1] and rows[-1]["query"] == "="
    panels = [axes for axes in found.plot(0).axes if axes.images]
    np.testing.assert_array_equal(panels[1].images[0].get_array(), found.over_steps[0, 0, 1])
