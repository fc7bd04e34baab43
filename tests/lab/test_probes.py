"""Probes of labels that are there by construction, and of labels that are not; sums with their carries."""

import csv
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear
from scipy import stats

import jaxgpt
from jaxgpt.evaluation.intervals import wilson
from jaxgpt.lab import Subject, capture, probes
from jaxgpt.lab.linear_probe import Parts, probe_accuracy
from jaxgpt.lab.probe_inputs import activations, control_labels
from jaxgpt.models import Transformer
from tasks.arithmetic import Arithmetic
from tasks.arithmetic.probing import probed

LINEAR = linear()
SOURCE = (LINEAR.model, TOKENIZER)
RNG = np.random.default_rng(0)
#: Six letters, whose six embeddings are independent: any labels of them are linear in these.
TEXTS = ["".join(RNG.choice(list("abcdef"), 6)) for _ in range(500)]
THIRD = [int(text[2] in "acd") for text in TEXTS]
RANDOM = RNG.integers(0, 2, len(TEXTS)).tolist()


@pytest.fixture(scope="module")
def found():
    labels, types = {"third": THIRD, "random": RANDOM, "own": THIRD}, {"own": range(len(TEXTS))}
    return probes(SOURCE, TEXTS, labels, types=types)


def test_what_is_there_is_told_where_it_is(found):
    assert found.layers == ("embedding", "layer 0") and found.right.shape == (1, 3, 2, 7)
    assert found.places == ("", *(f"#{place}" for place in range(1, 7))) and found.asked == 100
    assert "".join(found.example) == TEXTS[0]
    at = 3  # the third character, behind the token that begins the text
    assert found.accuracy[0, 0, at] == 1 and found.best(0)[1] == at
    # Elsewhere the embedding has nothing of it, and before it no layer has.
    others = np.delete(found.accuracy[0, 0], at)
    low, high = wilson(round(found.chance[0] * 100), 100, 0.9999)
    assert (others >= low).all() and (others <= high).all()
    assert found.accuracy[0, 1, :at].max() <= high


def test_what_is_not_there_is_not_told(found):
    low, high = wilson(round(found.chance[1] * 100), 100, 0.9999)
    assert (found.accuracy[1] >= low).all() and (found.accuracy[1] <= high).all()


def test_control_labels_are_learned_only_as_far_as_they_follow_from_what_is_read(found):
    # By the token that is read they are as linear as the label is; by the text there is nothing to learn.
    assert found.control[0, 0, 0, 3] == 1 and found.selectivity[0, 0, 3] == 0
    assert abs(found.control[0, 2, 0, 3] - 0.5) < 0.2 and found.selectivity[2, 0, 3] > 0.3
    # All texts begin alike: there is one type, and no control.
    assert np.isnan(found.control[0, 0, :, 0]).all()


def test_control_labels_are_one_a_type_and_as_frequent_as_the_labels():
    labels = np.asarray([0] * 700 + [1] * 200 + [2] * 100)
    types = RNG.integers(0, 200, 1000).tolist()
    first, second = control_labels(labels, types, np.zeros((1000, 2), int), seed=0)
    assert first is second and len({*zip(types, first.tolist(), strict=True)}) == len(set(types))
    np.testing.assert_allclose(np.bincount(first) / 1000, [0.7, 0.2, 0.1], atol=0.02)
    other = control_labels(labels, types, np.zeros((1000, 1), int), seed=1)[0]
    assert (first != other).mean() > 0.3


def test_an_accuracy_has_an_interval_over_texts_or_over_models(found, tmp_path):
    right = found.accuracy[0, 1, 4]
    assert found.estimate(0, 1, 4).interval == wilson(round(right * 100), 100)
    several = probes(([LINEAR.model, linear(1).model], TOKENIZER), TEXTS, THIRD, positions=[-1])
    assert len(several.estimate(0, 1, 0).per_seed) == 2 and several.labels == ("label",)
    assert several.right[0, 0, 1, 0] == pytest.approx(found.right[0, 0, 1, -1])
    found.to_csv(tmp_path / "probes.csv")
    rows = list(csv.DictReader((tmp_path / "probes.csv").read_text().splitlines()))
    assert [float(row["accuracy"]) for row in rows] == found.accuracy.ravel().tolist()
    panels = [axes for axes in found.plot().axes if axes.images]
    np.testing.assert_array_equal(panels[1].images[0].get_array(), found.accuracy[1])
    picture = found.picture(0).axes[1]
    np.testing.assert_array_equal(np.ma.filled(picture.images[0].get_array(), np.nan), found.selectivity[0])
    assert "third: 100%" in found.summary() and list(found.blocks()[1].axes) == ["label"]


def test_texts_of_several_lengths_are_read_at_their_own_places():
    texts = [text[: 3 + place % 4] for place, text in enumerate(TEXTS)]
    last = [int(text[-1] in "acd") for text in texts]
    third = {"third": [3] * len(texts), "last": -1}
    found = probes(SOURCE, texts, {"last": last}, positions=third)
    assert (
        found.places == ("third", "last") and found.accuracy[0, 0, 1] == 1 and found.accuracy[0, 0, 0] < 0.9
    )

    model = Transformer(
        jaxgpt.ModelConfig(
            vocab_size=TOKENIZER.vocab_size, max_length=12, num_layers=2, d_model=8, num_heads=2
        ),
        rngs=nnx.Rngs(0),
    )
    tokens = [Subject.of(SOURCE).encode(text) for text in texts[2:4]]
    layers = activations(model, TOKENIZER.pad_id, tokens, np.asarray([[2, len(row) - 1] for row in tokens]))
    for place, row in enumerate(tokens):
        alone = jax.jit(lambda ids: capture(model, ids))(np.asarray([row]))
        for layer, expected in enumerate((alone.embedding, *alone.residuals)):
            np.testing.assert_allclose(
                layers[layer][place], expected[0, jnp.asarray([2, len(row) - 1])], atol=1e-5
            )


def test_a_probe_is_what_normal_distributions_with_one_covariance_say():
    labels = RNG.integers(0, 3, 600)
    centres, mix = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4))
    x = centres[labels] + RNG.normal(size=(600, 4)) @ mix
    parts = Parts.of(600, 0)
    train = x[parts.train], labels[parts.train]
    means = [train[0][train[1] == k].mean(axis=0) for k in range(3)]
    around = np.concatenate([train[0][train[1] == k] - means[k] for k in range(3)])
    covariance = around.T @ around / len(around)
    densities = [
        stats.multivariate_normal(means[k], covariance).logpdf(x[parts.test]) + np.log((train[1] == k).mean())
        for k in range(3)
    ]
    expected = (np.argmax(densities, axis=0) == labels[parts.test]).mean()
    assert probe_accuracy(x, labels, parts) == pytest.approx(expected, abs=0.03) and expected > 0.5


def test_a_class_between_two_others_is_told():
    labels = RNG.integers(0, 10, 500)
    line = np.stack([labels + 0.05 * RNG.normal(size=500), RNG.normal(size=500)], axis=1)
    assert probe_accuracy(line, labels, Parts.of(500, 0)) == 1


@pytest.mark.parametrize(
    ("texts", "labels", "options", "message"),
    [
        (TEXTS[:20], THIRD[:20], {}, "20 different texts; a probe needs at least 50"),
        (TEXTS[:1] * 99, THIRD[:99], {}, "1 different texts"),
        (TEXTS, THIRD[:9], {}, "9 labels for 500 texts; give one for each"),
        (TEXTS, THIRD, {"types": [1]}, "1 types for 500 texts"),
        (TEXTS, {"a": THIRD}, {"types": {"b": THIRD}}, "types of 'b': there is no such label; there are a"),
        (TEXTS, [7] * 500, {}, "label 'label': all training texts have the same"),
        (TEXTS, THIRD, {"positions": [9]}, "position #9 is not in every text; the shortest has 7 tokens"),
        (TEXTS, THIRD, {"positions": []}, "give at least one"),
        (TEXTS, THIRD, {"positions": {"x": [1, 2]}}, "position x: 2 places for 500 texts"),
        (["x" + text for text in TEXTS], THIRD, {}, "'x'"),
    ],
)
def test_what_cannot_be_probed_is_told(texts, labels, options, message):
    with pytest.raises(ValueError, match=message):
        probes(SOURCE, texts, labels, **options)


@pytest.mark.parametrize("operands", [2, 3])
def test_sums_have_their_carries_and_digits(operands):
    texts, labels, types = probed(Arithmetic(operands=operands, max_digits=6), digits=4, count=60)
    assert len(texts) == len(set(texts)) == 60
    names = ["ones", "tens", "hundreds", "thousands", "ten thousands"]
    for i, text in enumerate(texts):
        question, answer = text.split("=")
        numbers = [*map(int, question.split("+"))]
        assert all(len(str(number)) == 4 for number in numbers) and sum(numbers) == int(answer[::-1])
        for place in range(4):
            assert labels[f"the {names[place]}"][i] == int(answer[place])
            below = 10 ** (place + 1)
            assert labels[f"carry into the {names[place + 1]}"][i] == sum(n % below for n in numbers) // below
            column = tuple(sorted(number // 10**place % 10 for number in numbers))
            assert types[f"the {names[place]}"][i] == column


def test_small_numbers_have_fewer_sums_and_products_none():
    task = Arithmetic(max_digits=1)
    texts, labels, _ = probed(task, digits=1, count=200)
    assert 0 < len(texts) < 60 and len(labels) == 2
    assert all(task.split_of(task.typed(text.split("=")[0])) == "test" for text in random.sample(texts, 5))
    with pytest.raises(ValueError, match="carries are those of a sum"):
        probed(Arithmetic(operation="multiplication"), digits=2)
