"""Hidden tokens: which are hidden, what is learned of them, and filling them in."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from tiny_runs import tiny

import jaxgpt
from jaxgpt.core import fields
from jaxgpt.data.rows import build_rows
from jaxgpt.data.splits import Splits
from jaxgpt.generation import Sampling, fill, filling
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.learned import Learned
from jaxgpt.objectives import masking
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.masked import Masked
from jaxgpt.objectives.multitask import Multitask
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.objectives.permuted import Permuted
from jaxgpt.objectives.pretraining import Pretraining
from jaxgpt.runs import experiments
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers.characters import Characters
from jaxgpt.tokenizers.vocabulary import Vocabulary
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.prepare import prepare

CONFIG = ModelConfig(kind="encoder", position=Learned()).for_vocabulary(
    Vocabulary([str(i) for i in range(40)])
)


def batch(rows=400, width=30):
    """Rows of different lengths; the target begins at token 7."""
    rng = np.random.default_rng(0)
    length = rng.integers(9, width + 1, rows)
    tokens = np.where(np.arange(width) < length[:, None], rng.integers(3, 40, (rows, width)), 0)
    found = {"tokens": tokens, "length": length, "start": np.full(rows, 7)}
    return {name: jnp.asarray(value, jnp.int32) for name, value in found.items()}


def test_an_encoder_has_one_id_more_that_hides():
    assert CONFIG.mask_id == 40
    assert CONFIG.vocab_size == 41
    own = ModelConfig(kind="encoder", position=Learned()).for_vocabulary(
        Vocabulary(["a", "b", ""], mask_id=2)
    )
    assert (own.mask_id, own.vocab_size) == (2, 3)


@pytest.mark.parametrize(
    "objective", [Masked(), Masked(tokens="random"), Multitask(), Permuted(), Pretraining(), Labels()]
)
def test_objectives_that_hide_tokens_need_an_id_for_it(objective):
    tokenizer, examples = Characters("abc"), [Example("ab", "c")] * 2

    def tables(vocab_size):
        small = ModelConfig(kind="encoder", position=Learned(), max_length=5, vocab_size=vocab_size)
        model = small.for_vocabulary(tokenizer.vocabulary(), label_names=("c",))
        return objective.tables(Splits(Task(), examples, examples, tokenizer, model))

    size = tokenizer.vocab_size
    assert tables(size + 1).train.num_examples
    if type(objective) is Labels:  # hides nothing
        assert tables(size).train.num_examples == 2
        return
    with pytest.raises(ValueError, match=rf"\Amodel\.vocab_size={size} .* hides a token; leave it at 0\Z"):
        tables(size)


def test_of_a_completion_every_token_is_hidden_and_nothing_else():
    given = batch()
    found = masking.hide_answers(CONFIG, given)
    place = np.arange(30)
    target = (place >= 7) & (place < np.asarray(given["length"])[:, None] - 1)
    np.testing.assert_array_equal(np.asarray(found["carries"]) == 1, target)
    np.testing.assert_array_equal(np.asarray(found["tokens"]) == 40, target)
    np.testing.assert_array_equal(found["tokens"][~target], given["tokens"][~target])
    np.testing.assert_array_equal(found["targets"], given["tokens"])


def test_of_a_text_a_share_is_hidden_in_the_papers_three_ways():
    given = batch()
    found = {k: np.asarray(v) for k, v in masking.hide_some(CONFIG, given, jax.random.key(1)).items()}
    chosen, length = found["carries"] == 1, np.asarray(given["length"])
    expected = np.maximum(np.round(0.15 * (length - 2)), 1)
    np.testing.assert_array_equal(chosen.sum(1), expected)
    place = np.arange(30)
    assert not chosen[:, 0].any()
    assert not chosen[place[None] >= length[:, None] - 1].any()
    np.testing.assert_array_equal(found["tokens"][~chosen], found["targets"][~chosen])
    masked = (found["tokens"] == 40)[chosen].mean()
    same = (found["tokens"] == found["targets"])[chosen].mean()
    assert masked == pytest.approx(0.8, abs=0.04)  # four standard errors of 1,400 tokens
    assert same == pytest.approx(0.1 + 0.1 / 41, abs=0.04)


def test_of_a_window_of_a_text_any_token_may_be_hidden():
    windows = {"tokens": jnp.full((2, 9), 5)}  # the last one would be a next token
    found = masking.hide_some(CONFIG, windows, jax.random.key(1), share=1.0)
    assert found["carries"].shape == (2, 8) and (found["carries"] == 1).all()


def test_as_large_a_share_is_hidden_as_the_objective_says():
    given = batch()
    hidden = Masked(tokens="random", share=0.5).draw(given, CONFIG, jax.random.key(1))["carries"]
    np.testing.assert_array_equal(hidden.sum(1), np.round(0.5 * (np.asarray(given["length"]) - 2)))


@pytest.mark.thorough
def test_other_tokens_are_hidden_each_time():
    given = batch()
    one, other, again = (
        np.asarray(masking.hide_some(CONFIG, given, jax.random.key(k))["carries"]) for k in (1, 2, 1)
    )
    assert (one != other).any()
    np.testing.assert_array_equal(one, again)


@pytest.mark.thorough
def test_the_loss_is_that_of_what_was_hidden():
    model = jaxgpt.Transformer(CONFIG, rngs=nnx.Rngs(0))
    hidden = Masked().draw(batch(4), CONFIG, None)
    losses, weights = Masked().losses(model, hidden), Masked().weights(hidden)
    logits = np.asarray(model(hidden["tokens"], order=hidden["order"]).logits)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = -np.take_along_axis(log_p, np.asarray(hidden["targets"])[..., None], -1)[..., 0]
    np.testing.assert_allclose(losses * weights, expected * np.asarray(hidden["carries"]), atol=1e-5)


def encoder(**overrides):
    """The tiny experiment with an encoder."""
    return tiny(model__kind="encoder", model__position="learned", objective="masked", **overrides)


@pytest.mark.thorough
@pytest.mark.thorough
def test_an_encoder_learns_sums_and_fills_them_in(tmp_path):
    experiment = encoder(
        training__steps=600,
        training__chunk=100,
        training__log_every=50,
        training__train_examples=60,
        training__test_examples=10,
        optimizer__learning_rate=5e-3,
        model__d_model=32,
        model__init_std="none",
    )
    jaxgpt.train(experiment, tmp_path / "run", say=lambda line: None)
    run = jaxgpt.load(tmp_path / "run")
    known = [e for e in prepare(experiment).examples if e.prompt][:20]
    counts = [len(run.tokenizer.encode(e.target)) for e in known]
    asked = list(zip([e.prompt for e in known], counts, strict=True))
    filled = fill(run.model, run.tokenizer, asked, batch_size=7)
    right = np.mean([text == e.target for text, e in zip(filled, known, strict=True)])
    assert right > 0.8  # of what it was trained on; guessing is right in one of ten
    assert fill(run.model, run.tokenizer, asked[:3], batch_size=64) == filled[:3]
    assert (tmp_path / "run" / "evaluation.json").exists()
    assert len(run.generate(["3+4"], max_new_tokens=2)[0]) == 1
    with pytest.raises(ValueError, match="--max-new-tokens"):
        run.generate(["3+4"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sampling": Sampling(num_samples=3)}, "num_samples=3: objective={} tells the likeliest answer"),
        ({"sampling": Sampling(temperature=0.8, top_k=5)}, "temperature=0.8, top_k=5: objective={} tells"),
        ({"sampling": Sampling(seed=1), "stop": ["9"]}, "seed=1, stop=['9']: objective={} tells"),
    ],
)
@pytest.mark.parametrize("objective", [Masked(), Labels()])
def test_settings_that_an_answer_would_not_heed_are_refused(objective, given, told):
    run = jaxgpt.Run(None, Experiment(Task(), "characters", objective=objective), Characters("ab"), (), 0)
    with pytest.raises(ValueError, match=re.escape(told.format(type(objective).kind()))):
        run.generate("ab", max_new_tokens=2, **given)


def test_without_such_settings_an_encoder_answers():
    tokenizer = Characters("ab")
    small = ModelConfig(kind="encoder", position=Learned(), num_layers=1, d_model=16, num_heads=2)
    model = jaxgpt.Transformer(small.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    run = jaxgpt.Run(None, Experiment(Task(), "characters", objective=Masked()), tokenizer, (model,), 0)
    assert [len(answers) for answers in run.generate(["ab", "b"], max_new_tokens=2)] == [1, 1]
    with pytest.raises(ValueError, match=r"^max_new_tokens=0 must be at least 1$"):
        run.generate("ab", max_new_tokens=0)
    length = small.max_length
    with pytest.raises(ValueError, match=rf"the {length} tokens to fill in .* or fill in fewer$"):
        run.generate("ab", max_new_tokens=length)


@pytest.mark.thorough
def test_a_text_is_learned_by_hidden_tokens(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(f"Line {i} of the tide comes in, the tide goes out." for i in range(200)))
    words = {
        "task.path": str(path),
        "model.kind": "encoder",
        "objective": "masked",
        "objective.tokens": "random",
        "model.max-length": "32",
        "training.steps": "20",
        "training.eval-every": "0",
        "training.sample-every": "0",
        "training.test-examples": "5",
    }
    experiment = fields.override(experiments.find("text"), words)
    jaxgpt.train(experiment, tmp_path / "run", say=lambda line: None)
    assert (tmp_path / "run" / "evaluation.json").exists()
    with pytest.raises(ValueError, match=r"set objective\.tokens=random"):
        prepare(dataclasses.replace(experiment, objective=Masked()))
    with pytest.raises(ValueError, match=r"set objective=masked, or model\.kind=decoder"):
        prepare(dataclasses.replace(experiment, objective=NextToken()))


@pytest.mark.parametrize("begin_ids", [(), (1,)])
def test_a_row_to_fill_begins_as_those_that_were_trained_on(monkeypatch, begin_ids):
    """A tokenizer need not put a token before a text."""
    rows = []

    def likeliest(structure, weights, tokens, order, count):
        rows.extend(np.asarray(tokens)[0, : int(order.max()) + 1].tolist())
        return np.zeros_like(tokens)

    monkeypatch.setattr(filling, "_likeliest", likeliest)
    tokenizer = Characters("0123456789+=").used_with(begin_ids=begin_ids)
    config = ModelConfig(kind="encoder", num_layers=1, d_model=8, num_heads=2)
    model = jaxgpt.Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    fill(model, tokenizer, [("3+4=", 1)])
    trained = build_rows([Example("3+4=", "7")], tokenizer, encoder_decoder=False, max_length=20).ids(0)
    assert rows == [model.config.mask_id if i == len(trained) - 2 else id_ for i, id_ in enumerate(trained)]


def test_more_tokens_than_an_encoder_reads_are_refused_before_they_are_made():
    tokenizer = Characters("ab")
    config = ModelConfig(kind="encoder", max_length=8, num_layers=1, d_model=8, num_heads=2)
    model = jaxgpt.Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"has 1000000000000004 tokens, which exceed model\.max_length=8"):
        fill(model, tokenizer, [("ab", 10**15)])


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_holds_a_prompt_at_least(size):
    tokenizer = Characters("ab")
    config = ModelConfig(kind="encoder", max_length=8, num_layers=1, d_model=8, num_heads=2)
    model = jaxgpt.Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=f"^batch_size={size} must be at least 1$"):
        fill(model, tokenizer, [("ab", 1)], batch_size=size)
    with pytest.raises(ValueError, match=f"^batch_size={size} must be at least 1$"):
        Asking(batch_size=size)


def test_a_number_too_long_for_the_position_scheme_is_not_filled_in_silently():
    tokenizer = Characters("0123456789+=")
    position = Abacus(max_position=12, max_offset=0)
    config = ModelConfig(kind="encoder", position=position, num_layers=1, d_model=8, num_heads=2)
    model = jaxgpt.Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    assert len(fill(model, tokenizer, [("1" * 11 + "+1=", 2)])) == 1
    with pytest.raises(ValueError, match=r"row 1 reaches position 15, which position\.max_position=12 does"):
        fill(model, tokenizer, [("1+1=", 2), ("1" * 15 + "+1=", 2)])


@pytest.mark.thorough
def test_a_decoder_fills_in_nothing():
    config = ModelConfig().for_vocabulary(Vocabulary([str(i) for i in range(10)]))
    with pytest.raises(ValueError, match="use an encoder"):
        fill(jaxgpt.Transformer(config, rngs=nnx.Rngs(0)), None, [("1", 1)])
