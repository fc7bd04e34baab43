"""Distributions and entropies of the next token, against softmax by hand and a run that kept its steps."""

import csv
import dataclasses
import math
import shutil

import numpy as np
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear
from tiny_runs import tiny

import jaxgpt
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab import (
    Entropy,
    NextTokens,
    Subject,
    attention,
    entropy,
    kept,
    loss_curve,
    next_tokens,
    samples,
)
from jaxgpt.lab.subject import steps_of
from jaxgpt.nn.position.learned import Learned
from jaxgpt.runs.session import train

MODEL = linear(0).model
SOURCE = (MODEL, TOKENIZER)
TEXT = "".join(np.random.default_rng(0).choice(list("abcdefgh "), 100))


def softmax(ids):
    logits = np.asarray(MODEL(np.asarray([ids])).logits[0], np.float64)
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def test_the_distribution_behind_a_prompt_and_behind_what_follows_it():
    found = next_tokens(SOURCE, "bad ", count=3)
    ids, text = Subject.of(SOURCE).encode("bad "), "bad "
    assert found.steps == (0,) and found.probabilities.shape == (1, 3, TOKENIZER.vocab_size)
    for place in range(3):
        expected = softmax(ids)[-1]
        np.testing.assert_allclose(found.probabilities[0, place], expected, rtol=1e-4, atol=1e-6)
        assert found.bits[0, place] == pytest.approx(-(expected * np.log2(expected)).sum(), rel=1e-4)
        assert found.prefixes[place] == text
        top = found.top(0, place, 2)
        assert top[0][1] == pytest.approx(expected.max(), rel=1e-4) and top[0][1] >= top[1][1]
        ids = [*ids, int(expected.argmax())]
        text += TOKENIZER.token_texts()[ids[-1]]


@pytest.mark.parametrize(
    ("begins", "prompt", "reads"),
    [
        ((), "bad ", "bad "),  # as GPT-2's texts begin
        ((), "", ""),  # nothing at all: bos stands in
        (TOKENIZER.encode("a"), "bad ", "bad "),  # a begin token with a text of its own
        ([TOKENIZER.bos_id, TOKENIZER.eos_id], "bad ", "bad "),
    ],
)
def test_a_prefix_is_the_text_behind_what_begins_texts(begins, prompt, reads):
    found = next_tokens((MODEL, TOKENIZER.used_with(begin_ids=begins)), prompt, count=1)
    assert found.prefixes == (reads,)


def test_the_likeliest_tokens_are_those_of_the_last_step():
    shares = np.array([[[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]], [[0.0, 0.75, 0.25], [1.0, 0.0, 0.0]]])
    found = NextTokens((1, 9), ("ab", "ab c"), ("x", " ", "z"), shares)
    assert found.summary() == (
        "At step 9 the likeliest next token behind ...ab it is ␣ with 75%; behind ...ab␣c it is x with 100%. "
        "Behind the prompt the entropy is 1.00 bits at step 1 and 0.81 at the end."
    )


def test_tokens_are_drawn_as_they_stand(tmp_path):
    """Two dollars begin no formula, which may be a bad one, and a legend has a token that is `_`."""
    tokens = ("$x$", r"$\R$", "_", "_a")
    found = NextTokens((1, 2), (r"in $\R$ ",), tokens, np.full((2, 1, 4), 0.25))
    for name, figure in (("tokens", found.plot()), ("over", found.trajectories())):
        plots.save(figure, tmp_path / f"{name}.svg")
        drawn = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert all(f">{told}<" in drawn for told in tokens[:2]) and r"...in␣$\R$␣<" in drawn
    legend = found.trajectories().axes[0].get_legend()
    assert [text.get_text().strip() for text in legend.get_texts()][2:] == ["_", "_a"]


def test_the_mean_entropy_of_a_text():
    found = entropy(SOURCE, TEXT)
    ids = TOKENIZER.encode(TEXT)
    values = []
    for start in range(0, 96, 12):
        rows = softmax(ids[start : start + 12])
        values.append(-(rows * np.log2(rows)).sum(axis=-1).mean())
    (bits,) = found.bits
    assert bits.mean == pytest.approx(np.mean(values), rel=1e-4)
    low, high = bits.interval
    assert low < bits.mean < high
    assert found.relative[0] == pytest.approx(np.mean(values) / math.log2(TOKENIZER.vocab_size), rel=1e-4)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: entropy(SOURCE, TEXT).plot(),
        lambda: loss_curve(SOURCE, {"text": TEXT}).plot(),
        lambda: next_tokens(SOURCE, "bad ", count=1).trajectories(),
        lambda: samples(SOURCE, ["bad "], seeds=(0,), tokens=2).plot(),
    ],
    ids=["entropy", "loss_curve", "trajectories", "samples"],
)
def test_a_model_without_steps_is_a_point_inside_of_its_picture(draw):
    for axes in draw().axes:
        ((x,), (y,)) = axes.lines[0].get_data()
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        assert x == 0 and left < x < right and bottom <= y <= top and axes.get_xscale() == "linear"


def test_several_steps_are_drawn_on_a_log_scale():
    found = Entropy((1, 10, 100), (Estimate(1.0, None, (1.0,)),) * 3, 4)
    assert found.plot().axes[0].get_xscale() == "log"


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_below_one_is_refused(count):
    with pytest.raises(ValueError, match=f"count={count} must be at least 1"):
        next_tokens(SOURCE, "bad", count=count)


def test_a_prompt_has_room_for_what_follows_it():
    assert len(next_tokens(SOURCE, "abcdefgha", count=3).prefixes) == 3
    with pytest.raises(ValueError, match="the model reads 10; shorten it"):
        next_tokens(SOURCE, "abcdefghab", count=3)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What `load_hf` gives of a small GPT-2."""
    path = tmp_path_factory.mktemp("hub") / "gpt2"
    config = jaxgpt.ModelConfig(num_layers=1, d_model=8, num_heads=2, max_length=16, position=Learned())
    model = jaxgpt.Transformer(config.for_vocabulary(TOKENIZER.vocabulary()), rngs=nnx.Rngs(0))
    jaxgpt.save_hf(model, path, family="gpt2", tokenizer=TOKENIZER)
    return jaxgpt.load_hf(path)


def test_a_directory_of_transformers_is_a_model_with_its_tokenizer(loaded):
    pair = (loaded.model, loaded.tokenizer)
    found, expected = (next_tokens(source, "bad ", count=2) for source in (loaded, pair))
    assert found.steps == (0,) and found.prefixes == expected.prefixes
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    assert Subject.of(loaded) == Subject.of(pair) == steps_of(loaded)[0]
    seen, wanted = (attention(source, "bad ").over_steps for source in (loaded, pair))
    np.testing.assert_array_equal(seen, wanted)


def test_a_directory_without_a_tokenizer_and_one_without_steps_are_refused(loaded):
    bare = dataclasses.replace(loaded, tokenizer=None)
    for source in (bare, (loaded.model, None)):
        for asked in (Subject.of, lambda source: next_tokens(source, "bad ")):
            with pytest.raises(ValueError, match=r"tokenizer=None: .* give \(model, tokenizer\)"):
                asked(source)
    for source in (loaded, SOURCE, Subject.of(SOURCE)):
        with pytest.raises(ValueError, match="have no checkpoints; give a run or its directory"):
            kept(source)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "run"
    fields = {
        "training__steps": 8,
        "training__keep_spaced": 3,
        "training__keep_best": 0,
        "training__keep_last": 1,
    }
    train(tiny(seeds=2, **fields), path, say=lambda line: None)
    return path


def test_a_run_is_read_at_every_step_that_was_kept(run, tmp_path):
    found = next_tokens(run, "1+1=", count=2)
    assert found.steps == (1, 3, 8)
    loaded = jaxgpt.load(run, checkpoint=3)
    ids = np.asarray([Subject.of(loaded).encode("1+1=")])
    rows = [np.asarray(model(ids).logits[0, -1], np.float64) for model in loaded.models]
    expected = np.mean([np.exp(row) / np.exp(row).sum() for row in rows], axis=0)
    np.testing.assert_allclose(found.probabilities[1, 0], expected, rtol=1e-4, atol=1e-6)
    found.to_csv(tmp_path / "next.csv")
    with open(tmp_path / "next.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 3 * 2 * loaded.tokenizer.vocab_size
    assert len([axes for axes in found.plot(most=2).axes if axes.patches]) == 4
    assert len(found.trajectories().axes[0].lines) == 5

    certain = entropy(str(run), "1+1=2" * 40)
    assert certain.steps == (1, 3, 8) and all(len(estimate.per_seed) == 2 for estimate in certain.bits)
    assert len(list(certain.rows()[1])) == 3 and certain.plot().axes[0].get_ylim()[0] == 0


def test_a_run_without_kept_steps_is_told_what_keeps_them(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    for step in (1, 3):
        shutil.rmtree(tmp_path / "run" / "checkpoints" / str(step))
    with pytest.raises(
        ValueError, match=r"a checkpoint of step 8 alone; .* train with --training\.keep-spaced 20"
    ):
        entropy(tmp_path / "run", "1+1=2" * 40)
