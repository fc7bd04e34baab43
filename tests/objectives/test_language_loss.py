"""The auxiliary language-model loss, and labels of two texts read in both orders (GPT-1)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxgpt
from jaxgpt.core.nested import replaced
from jaxgpt.data.labelled import CHOICE
from jaxgpt.models.config import ModelConfig
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.labels import Labels
from jaxgpt.objectives.multiple_choice import MultipleChoice
from jaxgpt.objectives.pretraining import Pretraining
from jaxgpt.objectives.similarity import Similarity
from jaxgpt.objectives.told import Told
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers.characters import Characters

TOKENIZER = Characters("abcdefghijklmnopqrstuvwxyz ")
BOS, EOS = TOKENIZER.bos_id, TOKENIZER.eos_id
PAIRS = [Example("ab\tcde", "x"), Example("fghij\tk", "y"), Example("b\ta", "y")]


def model_of(names, **changes):
    """A small decoder that reads labels from the last token."""
    small = ModelConfig(
        num_layers=1, d_model=16, num_heads=2, max_length=40, label_names=names, labels_from="last"
    )
    config = replaced(small, changes).for_vocabulary(TOKENIZER.vocabulary())
    return jaxgpt.Transformer(config, rngs=nnx.Rngs(3))


@pytest.fixture(scope="module")
def model():
    return model_of(("x", "y"))


def batch_of(objective, examples, model):
    rows = objective.rows(examples, TOKENIZER, model.config)
    return {name: jnp.asarray(value, jnp.int32) for name, value in rows.arrays().items()}


def token_loss(model, ids):
    """Of one row alone, without padding: the mean of -log p over its tokens but the first."""
    logits = np.asarray(model(np.array([ids])).logits[0], np.float64)
    logp = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.mean([logp[place, token] for place, token in enumerate(ids[1:])])


def row(*texts):
    ids = [BOS]
    for text in texts:
        ids += [*TOKENIZER.encode(text), EOS]
    return ids


def test_without_a_weight_the_loss_is_the_labels_bit_for_bit(model):
    batch = batch_of(Labels(), PAIRS, model)
    losses = Labels(language_loss_weight=0.0).losses(model, batch)
    np.testing.assert_array_equal(losses, Told.losses(Labels(), model, batch))


@pytest.mark.parametrize("most_logits", [None, 100])
def test_the_loss_is_the_labels_and_the_weighted_tokens(model, most_logits):
    batch = batch_of(Labels(), PAIRS, model)
    both = Labels(language_loss_weight=0.5).losses(model, batch, most_logits=most_logits)
    alone = Labels().losses(model, batch)
    for index, example in enumerate(PAIRS):
        expected = alone[index, 0] + 0.5 * token_loss(model, row(*example.prompt.split("\t")))
        np.testing.assert_allclose(both[index, 0], expected, rtol=1e-5)
    np.testing.assert_array_equal(Labels(language_loss_weight=0.5).weights(batch), Labels().weights(batch))


def test_every_tag_of_a_text_has_the_loss_of_its_tokens():
    model = model_of(("x", "y"), labels_from="each")
    batch = batch_of(Labels(), [Example("ab c", "x y"), Example("d", "y")], model)
    more = Labels(language_loss_weight=2.0).losses(model, batch) - Labels().losses(model, batch)
    for index, text in enumerate(("ab c", "d")):
        told = np.asarray(batch["labels"][index]) >= 0
        np.testing.assert_allclose(more[index][told], 2 * token_loss(model, row(text)), rtol=1e-4)


def test_choices_that_stand_in_have_no_loss():
    model = model_of(CHOICE)
    examples = [Example("ab\tc\tdd\teee", "dd"), Example("q\txy\tz", "z")]
    batch = batch_of(MultipleChoice(), examples, model)
    more = MultipleChoice(language_loss_weight=1.0).losses(model, batch)
    more = more - MultipleChoice().losses(model, batch)
    for index, example in enumerate(examples):
        question, *choices = example.prompt.split("\t")
        expected = np.mean([token_loss(model, row(question, choice)) for choice in choices])
        np.testing.assert_allclose(more[index, 0], expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("weight", "changes", "message"),
    [
        (-1.0, {}, r"language_loss_weight=-1\.0 must be at least 0 and finite"),
        (float("nan"), {}, "language_loss_weight=nan must be"),
        (0.5, {"kind": "encoder"}, r"weight=0\.5 is of a decoder, .* model\.kind=encoder; set it to 0"),
        (0.5, {"head.weights": "none"}, r"needs logits of tokens: set model\.head\.weights=tied"),
    ],
)
def test_what_has_no_such_loss_is_refused(weight, changes, message):
    config = replaced(ModelConfig(labels_from="last"), changes)
    with pytest.raises(ValueError, match=message):
        Labels(language_loss_weight=weight).check(config, Task.named("pairs")())
    Labels().check(config, Task.named("pairs")())


def test_bert_has_its_own():
    config = ModelConfig(kind="encoder")
    with pytest.raises(ValueError, match=r"is of a decoder"):
        Pretraining(language_loss_weight=0.5).check(config, Task.named("pairs")())


@pytest.mark.parametrize("changes", [{}, {"pooler": True}, {"mixer": "lstm", "position": "none"}])
def test_both_orders_are_read_and_added(changes):
    if "mixer" in changes:
        from jaxgpt.models.mixers.lstm import LSTM
        from jaxgpt.nn.position.none import NoPosition

        changes = {"mixer": LSTM(), "position": NoPosition()}
    model = model_of(("x", "y"), **changes)
    batch = batch_of(Similarity(), PAIRS, model)
    losses = Similarity().losses(model, batch)
    for index, example in enumerate(PAIRS):
        one, other = example.prompt.split("\t")
        states = [model(np.array([ids])).hidden[0, -1] for ids in (row(one, other), row(other, one))]
        state = np.asarray(states[0] + states[1])
        if model.pooler is not None:
            state = np.tanh(state @ model.pooler.kernel[...] + model.pooler.bias[...])
        logits = state @ model.labels.kernel[...] + model.labels.bias[...]
        expected = -jax.nn.log_softmax(logits)[("x", "y").index(example.target)]
        np.testing.assert_allclose(losses[index, 0], expected, rtol=1e-5)
    turned = [Example("\t".join(e.prompt.split("\t")[::-1]), e.target) for e in PAIRS]
    np.testing.assert_array_equal(Similarity().losses(model, batch_of(Similarity(), turned, model)), losses)


def test_a_prediction_is_the_label_of_least_loss(model):
    prompts = [example.prompt for example in PAIRS]
    told = Similarity().predict(model, TOKENIZER, prompts, Asking(batch_size=3))
    by_label = [
        Similarity().losses(model, batch_of(Similarity(), [Example(p, name) for p in prompts], model))
        for name in ("x", "y")
    ]
    least = np.argmin(np.concatenate(by_label, axis=1), axis=1)
    assert told == [[("x", "y")[index]] for index in least]


def test_a_similarity_is_of_two_texts(model):
    with pytest.raises(ValueError, match=r"'a' has 1 texts where objective=similarity reads two"):
        Similarity().rows([Example("a", "x")], TOKENIZER, model.config)
    with pytest.raises(ValueError, match=r"objective=similarity needs one token"):
        Similarity().check(ModelConfig(labels_from="each"), Task.named("pairs")())
    losses = Similarity(language_loss_weight=1.0).losses(model, batch_of(Similarity(), PAIRS[:1], model))
    plain = Similarity().losses(model, batch_of(Similarity(), PAIRS[:1], model))
    both = np.mean([token_loss(model, row("ab", "cde")), token_loss(model, row("cde", "ab"))])
    np.testing.assert_allclose(losses - plain, [[both]], rtol=1e-4)
