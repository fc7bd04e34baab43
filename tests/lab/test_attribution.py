"""Attributions against their closed forms on a model that is linear, and against definitions on others."""

import csv

import numpy as np
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear

import jaxgpt.lab as lab
from jaxgpt.evaluation import plots
from jaxgpt.lab import METHODS, attribute, faithfulness
from jaxgpt.lab.captured import capture
from jaxgpt.lab.faithfulness import SHARES
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.structure import split
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position.none import NoPosition

LINEAR = linear()
PROMPT, TARGET = "abba cafe", "d"
SOURCE = (LINEAR.model, TOKENIZER)
IDS = lab.Subject.of(SOURCE).encode(PROMPT)
WANTED = TOKENIZER.encode(TARGET)[0]
X = LINEAR.table[IDS]
#: dy/dx, the same whatever the prompt is, and the part of it that goes through the layer. [T, D]
GRADIENT = LINEAR.by_embedding(len(IDS), WANTED)
THROUGH = GRADIENT[[0] * len(IDS)]
#: What each head's value of each token adds to the logit, if all of it is looked at. [H, T]
VALUES = np.einsum("td,dhk,hke,e->ht", X, LINEAR.value, LINEAR.out, LINEAR.head[:, WANTED])


def rolled_by_gradient():
    row = np.maximum(VALUES / len(IDS), 0).mean(axis=0)
    row = row + np.eye(len(IDS))[-1]
    return row / row.sum()


CLOSED = {
    "elementwise": (X * THROUGH).sum(axis=1),
    "gradcam": X @ THROUGH.mean(axis=0),
    "saliency": np.linalg.norm(GRADIENT, axis=1),
    "input_x_gradient": (X * GRADIENT).sum(axis=1),
    "integrated_gradients": (X * GRADIENT).sum(axis=1),
    "occlusion": (X * GRADIENT).sum(axis=1),
    "rollout": (np.full(len(IDS), 1 / len(IDS)) + np.eye(len(IDS))[-1]) / 2,
    "gradient_rollout": rolled_by_gradient(),
}


@pytest.mark.parametrize("method", METHODS)
def test_of_a_linear_model_every_method_gives_what_can_be_computed_by_hand(method):
    found = attribute(SOURCE, PROMPT, TARGET, method=method)
    np.testing.assert_allclose(found.signed, CLOSED[method], rtol=2e-4, atol=2e-5)
    assert found.logit == pytest.approx((X * GRADIENT).sum(), rel=1e-4)
    assert (found.scores == np.maximum(found.signed, 0)).all()
    assert "".join(found.tokens[-len(PROMPT) :]) == PROMPT
    assert found.layer == (0 if method in ("gradcam", "elementwise") else None)
    if method == "integrated_gradients":
        assert found.gap == pytest.approx(0, abs=1e-4)
    else:
        assert found.gap is None


def test_grad_cam_takes_the_mean_over_tokens_and_not_over_features():
    # Of one token alone they would agree; the mean over features gives other scores here.
    found = attribute(SOURCE, PROMPT, TARGET, method="gradcam", layer=-1)
    np.testing.assert_allclose(found.signed, X @ GRADIENT.mean(axis=0), rtol=2e-4, atol=2e-5)
    assert np.abs(found.signed - X.mean(axis=1) * GRADIENT.sum(axis=1)).max() > 0.1


def test_the_output_of_the_last_layer_is_refused_with_the_reason():
    with pytest.raises(
        ValueError, match="layer=1 would be the output of the last layer, where the last token alone"
    ):
        attribute(SOURCE, PROMPT, TARGET, method="gradcam", layer=1)
    captured = lab.capture(LINEAR.model, np.asarray([IDS]))
    assert captured.residuals[-1].shape == (1, len(IDS), 6)


@pytest.mark.parametrize(
    ("prompt", "target", "options", "message"),
    [
        ("abxba", "d", {}, "'x'"),
        ("ab", "dd", {}, "target='dd' is 2 tokens; give the text of a single one"),
        ("ab", "", {}, "target='' is 0 tokens"),
        ("abcdabcdabcda", "d", {}, "the model reads 12; shorten it"),
        ("ab", "d", {"method": "magic"}, "method='magic' is unknown; give one of gradcam, elementwise"),
        ("ab", "d", {"layer": 5}, "layer=5 is not there; give -1 [(]the embedding[)] to 0"),
        ("ab", "d", {"method": "rollout", "layer": 0}, "layer=0: method=rollout reads no single layer"),
    ],
)
def test_what_cannot_be_attributed_is_told(prompt, target, options, message):
    with pytest.raises(ValueError, match=message):
        attribute(SOURCE, prompt, target, **options)


def test_an_embedding_also_goes_around_the_layer_to_the_last_logit():
    found = attribute(SOURCE, PROMPT, TARGET, method="elementwise", layer=-1)
    np.testing.assert_allclose(found.signed, (X * GRADIENT).sum(axis=1), rtol=2e-4, atol=2e-5)


def test_numbers_are_written_and_drawn(tmp_path):
    found = attribute(SOURCE, PROMPT, TARGET)
    found.to_csv(tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["token"] for row in rows] == list(found.tokens)
    assert [float(row["score"]) for row in rows] == found.signed.tolist()
    (axes,) = found.plot().axes
    assert [bar.get_height() for bar in axes.patches] == found.signed.tolist()


def test_what_speaks_most_for_a_target_has_the_highest_score_with_its_sign():
    tokens = ("a", " ", "b", "c")
    one = lab.Attribution(tokens, "d", "saliency", None, np.array([0.5, 2.0, -3.0, 1.0]), 1.5)
    other = lab.Attribution(tokens, "d", "occlusion", None, np.array([0.5, -2.0, 0.0, 1.0]), 1.5)
    assert one.summary() == "By saliency, what counts most for d is ␣, token 1 of 4."
    assert other.summary() == "By occlusion, what speaks most for d is c, token 3 of 4."
    both = lab.Attributions({"saliency": one, "occlusion": other})
    assert both.summary() == "What counts most for d: ␣ by saliency, c by occlusion."
    assert lab.Attributions({"occlusion": other}).summary() == "What speaks most for d: c by occlusion."


def test_tokens_are_drawn_as_they_stand(tmp_path):
    """Two dollars begin no formula, which may be a bad one."""
    found = lab.Attribution(("$x$", r"$\R$", "_"), r"$\Q$", "saliency", None, np.ones(3), 0.5)
    for name, part in (("one", found), ("all", lab.Attributions({"saliency": found}))):
        plots.save(part.plot(), tmp_path / f"{name}.svg")
        drawn = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert ">$x$<" in drawn and r">$\R$<" in drawn
        assert (r"saliency: for $\Q$<" in drawn) == (name == "one")


def test_deletion_takes_away_the_tokens_with_the_highest_scores_first():
    asked = [(PROMPT, TARGET), ("hagbeda", "a"), ("gab", "h")]
    found = faithfulness(SOURCE, asked, methods=("occlusion", "saliency"))
    assert found.methods == ("occlusion", "saliency", "random")
    assert found.deletion.shape == (3, 3, len(SHARES))

    def probability(ids, target, kept):
        x = LINEAR.table[ids] * np.asarray(kept)[:, None]
        through = np.einsum("td,dhk,hke->e", x, LINEAR.value, LINEAR.out) / len(ids)
        logits = (x[-1] + through) @ LINEAR.head
        return np.exp(logits[target]) / np.exp(logits).sum()

    for place, (prompt, target) in enumerate(asked):
        ids, wanted = lab.Subject.of(SOURCE).encode(prompt), TOKENIZER.encode(target)[0]
        order = np.argsort(-attribute(SOURCE, prompt, target, method="occlusion").signed, kind="stable")
        for index, share in enumerate(SHARES):
            gone = order[: round(share * len(ids))]
            without = np.isin(np.arange(len(ids)), gone, invert=True)
            assert found.deletion[0, place, index] == pytest.approx(
                probability(ids, wanted, without), rel=1e-3
            )
            assert found.insertion[0, place, index] == pytest.approx(
                probability(ids, wanted, ~without), rel=1e-3
            )


def test_of_a_linear_model_what_a_token_adds_orders_better_than_chance():
    rng = np.random.default_rng(0)
    asked = [("".join(rng.choice(list("abcdefgh"), 10)), rng.choice(list("abcdefgh"))) for _ in range(50)]
    found = faithfulness(SOURCE, asked, methods=("occlusion", "rollout"))
    gained = found.better_than_random()
    assert next(iter(gained)) == "occlusion" and gained["occlusion"].interval[0] > 0.1
    lines = found.table().splitlines()
    assert lines[1].startswith("occlusion") and lines[1].endswith("yes") and lines[-1].startswith("random")
    header, rows = found.rows()
    assert len(list(rows)) == 3 * 2 * 50 * len(SHARES) and header[-1] == "probability"
    assert len(found.plot().axes) == 2


def test_of_one_prompt_the_table_has_no_interval_and_is_not_sure():
    lines = faithfulness(SOURCE, [(PROMPT, TARGET)], methods=("occlusion",)).table().splitlines()
    assert lines[1].split()[-3:] == ["none", "not", "sure"]


def test_methods_whose_interval_lies_above_random_orders_are_named_best_first():
    gained = {
        "elementwise": (0.1, 0.15, 0.125),
        "gradcam": (-0.4, -0.5, -0.6),
        "saliency": (0.3, -0.2, 0.1),  # better in the mean, and not surely
        "occlusion": (0.2, 0.25, 0.3),
        "random": (0.0, 0.0, 0.0),
    }
    insertion = np.repeat(0.7 + np.array(list(gained.values()))[..., None], len(SHARES), axis=-1)
    found = lab.Faithfulness(tuple(gained), np.zeros_like(insertion), insertion)
    surely = "Over 3 prompts, surely better than a random order"
    assert found.summary() == f"{surely}: occlusion, elementwise."
    few = lab.Faithfulness(("saliency", "random"), np.zeros((2, 3, len(SHARES))), insertion[[2, 4]])
    assert few.summary() == f"{surely}: none of them."


def test_without_a_prompt_nothing_can_be_said():
    with pytest.raises(ValueError, match="give at least one prompt with its target"):
        faithfulness(SOURCE, [])


def test_what_is_captured_goes_through_jit_as_one_value():
    import jax

    structure, weights = split(LINEAR.model)
    tokens = np.asarray([IDS])
    inside = jax.jit(lambda weights: lab.capture(structure.model(weights), tokens))(weights)
    assert isinstance(inside, lab.Captured)
    outside = lab.capture(LINEAR.model, tokens)
    for a, b in zip(jax.tree.leaves(inside), jax.tree.leaves(outside), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(inside.weights[0][0, :, -1], 1 / len(IDS), rtol=1e-5)


def drawn(**fields):
    """A small model over the tokenizer of the tests, with drawn weights."""
    size = {"vocab_size": TOKENIZER.vocab_size, "d_model": 8, "num_heads": 2, "max_length": 16}
    config = ModelConfig(position=NoPosition(), **size | {"init_std": 1.0} | fields)
    return Transformer(config, rngs=nnx.Rngs(0)), TOKENIZER


def test_each_loop_of_a_layer_is_a_layer():
    """Rollout is the product of all that `attention` shows, and the last layer is the last loop."""
    source = drawn(num_layers=1, loops=3)
    ids = lab.Subject.of(source).encode(PROMPT)
    shown = np.asarray(capture(source[0], np.asarray([ids])).weights)[:, 0].mean(axis=1)  # [L, T, T]
    assert len(shown) == 3
    half = [(weights + np.eye(len(ids))) / 2 for weights in shown]
    found = attribute(source, PROMPT, TARGET, method="rollout")
    np.testing.assert_allclose(found.signed, (half[2] @ half[1] @ half[0])[-1], atol=1e-5)
    assert attribute(source, PROMPT, TARGET, method="gradcam").layer == 2


def test_attention_to_a_memory_is_refused():
    source = drawn(num_layers=1, memory=8)
    for asked in (lambda: lab.attention(source, PROMPT), lambda: rollout(source)):
        with pytest.raises(ValueError, match="layer 0 has no attention whose weights could be read"):
            asked()


def rollout(source):
    return attribute(source, PROMPT, TARGET, method="rollout")
