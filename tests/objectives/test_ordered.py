"""Texts that are read in an order of their own: what is predicted of what."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxgpt.core import fields
from jaxgpt.core.nested import made
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.objectives.masked import Masked
from jaxgpt.objectives.multitask import Multitask, ranks
from jaxgpt.objectives.ordered import visible
from jaxgpt.objectives.permuted import Permuted, two_streams
from jaxgpt.runs import experiments
from jaxgpt.tokenizers.vocabulary import Vocabulary
from jaxgpt.training.prepare import prepare
from jaxgpt.training.trainer import Trainer

LENGTH = 8
SIZES = {"max_length": LENGTH, "num_layers": 2, "d_model": 16, "num_heads": 2, "init_std": 0.5}
CONFIG = made(ModelConfig, kind="encoder", **SIZES).for_vocabulary(Vocabulary([str(i) for i in range(12)]))
WINDOWS = {"tokens": jnp.asarray(np.random.default_rng(0).integers(0, 12, (3, LENGTH + 1)), jnp.int32)}
TEXT = np.asarray(WINDOWS["tokens"])[:, :-1]


def built(config):
    return nnx.jit(lambda: Transformer(config, rngs=nnx.Rngs(0)))()


ENCODER = built(CONFIG)


def decoder(**changes):
    """A decoder with the encoder's weights."""
    config = made(ModelConfig, vocab_size=CONFIG.vocab_size, **(SIZES | changes))
    graph, state = nnx.split(nnx.eval_shape(lambda: Transformer(config, rngs=nnx.Rngs(0))))
    flat = dict(nnx.to_flat_state(nnx.state(ENCODER)))
    paths = [path for path, _ in nnx.to_flat_state(state)]
    weights = [(path, flat[tuple("encoder" if p == "decoder" else p for p in path)]) for path in paths]
    return nnx.merge(graph, nnx.from_flat_state(weights))


def nats(logits, targets):
    """-log p of each target, in float64."""
    logits = np.asarray(logits, np.float64)
    picked = np.take_along_axis(logits, np.asarray(targets)[..., None], -1)[..., 0]
    return np.log(np.exp(logits).sum(-1)) - picked


LOSSES = nnx.jit(Multitask().losses)


def loss(batch, model=ENCODER):
    return np.asarray(LOSSES(model, batch))


@pytest.fixture(scope="module")
def one_by_one():
    """Of each row and place, the loss of a decoder that has read the text before it and then the mask."""
    model = nnx.jit(decoder())
    found = []
    for place in range(LENGTH):
        rows = np.concatenate([TEXT[:, :place], np.full((3, LENGTH - place), CONFIG.mask_id)], axis=1)
        found.append(nats(model(jnp.asarray(rows)).logits[:, place], TEXT[:, place]))
    return np.stack(found, axis=1)


def test_a_text_in_its_own_order_is_read_as_a_decoder_reads_it(one_by_one):
    places = jnp.broadcast_to(jnp.arange(LENGTH), TEXT.shape)
    batch = two_streams(jnp.asarray(TEXT), places, CONFIG.mask_id)
    np.testing.assert_allclose(loss(batch), one_by_one, atol=1e-4)


def test_without_positions_another_order_is_another_text():
    config = made(ModelConfig, kind="encoder", position=NoPosition(), **SIZES)
    model = built(config.for_vocabulary(Vocabulary([str(i) for i in range(12)])))
    graph, _ = nnx.split(model)
    places = jnp.asarray(np.random.default_rng(1).permuted(np.tile(np.arange(LENGTH), (3, 1)), axis=1))
    model = nnx.merge(graph, nnx.state(ENCODER))
    moved = jnp.take_along_axis(jnp.asarray(TEXT), places, axis=1)
    straight = jnp.broadcast_to(jnp.arange(LENGTH), TEXT.shape)
    one = loss(two_streams(jnp.asarray(TEXT), places, CONFIG.mask_id), model)
    other = loss(two_streams(moved, straight, CONFIG.mask_id), model)
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_token_changes_what_comes_after_it_in_the_order_and_nothing_before():
    places = jnp.asarray([[5, 2, 7]] * 3)
    base = loss(two_streams(jnp.asarray(TEXT), places, CONFIG.mask_id))
    for place in range(LENGTH):
        text = TEXT.copy()
        text[:, place] = (text[:, place] + 1) % 12
        batch = two_streams(jnp.asarray(text), places, CONFIG.mask_id)
        batch["targets"] = jnp.asarray(TEXT)[:, [5, 2, 7]]  # what is asked stays
        moved = np.abs(loss(batch) - base) > 1e-6
        first = {5: 1, 2: 2, 7: 3}.get(place, 0)  # the first prediction that sees it
        assert moved.tolist() == [[k >= first for k in range(3)]] * 3, place


def test_a_share_of_the_tokens_is_predicted_in_every_order():
    rows = {"tokens": jnp.tile(jnp.arange(13), (4000, 1))}
    batch = {k: np.asarray(v) for k, v in Permuted(share=0.25).draw(rows, CONFIG, jax.random.key(3)).items()}
    assert batch["tokens"].shape == (4000, 12 + 3)
    assert (batch["tokens"][:, :12] == np.arange(12)).all()
    assert (batch["tokens"][:, 12:] == CONFIG.mask_id).all()
    assert (batch["targets"] == batch["order"][:, 12:]).all()  # of this text a token is its place
    assert all(len(set(row)) == 3 for row in batch["targets"])
    for k in range(3):  # each place as often, first, second or third: five standard errors of 4,000 / 12
        assert np.abs(np.bincount(batch["targets"][:, k], minlength=12) - 4000 / 12).max() < 90
    whole = Permuted(share=1.0).draw(WINDOWS, CONFIG, None)
    assert (np.sort(np.asarray(whole["order"])[:, LENGTH:], axis=1) == np.arange(LENGTH)).all()


def test_what_two_streams_see():
    """A text of 3 tokens, of which the last is predicted first and the first second."""
    batch = two_streams(jnp.asarray([[7, 8, 9]]), jnp.asarray([[2, 0]]), CONFIG.mask_id)
    expected = """
        x x x . .   the first token is the last in the order
        . x . . .   the second is not predicted, and comes first
        . x x . .
        . x . x .   the mask for the third token sees the second, and itself
        . x x . x   the mask for the first
    """
    rows = [line.split()[:5] for line in expected.strip().splitlines()]
    assert np.asarray(visible(batch))[0].tolist() == [[cell == "x" for cell in row] for row in rows]


def test_rows_read_from_both_sides_are_those_of_masked():
    objective = Multitask(left_to_right=0, right_to_left=0, half=0)
    batch = objective.draw(WINDOWS, CONFIG, jax.random.key(2))
    np.testing.assert_allclose(loss(batch), nnx.jit(Masked().losses)(ENCODER, batch), atol=1e-5)
    assert (np.asarray(batch["carries"]).sum(axis=1) == 1).all()  # 15 % of 8


def test_rows_read_from_the_left_are_those_of_a_decoder():
    objective = Multitask(right_to_left=0, both_sides=0, half=0, share=0.5)
    batch = objective.draw(WINDOWS, CONFIG, jax.random.key(2))
    expected = nats(decoder()(batch["tokens"]).logits, batch["targets"])
    np.testing.assert_allclose(loss(batch), expected, atol=1e-4)
    assert (np.asarray(batch["carries"]).sum(axis=1) == 4).all()  # half of 8


def test_rows_read_from_the_right_see_nothing_before():
    objective = Multitask(left_to_right=0, both_sides=0, half=0)
    batch = objective.draw(WINDOWS, CONFIG, jax.random.key(2))
    other = batch | {"tokens": batch["tokens"].at[:, 4].set((batch["tokens"][:, 4] + 1) % 12)}
    moved = np.abs(loss(batch) - loss(other)) > 1e-6
    assert moved.tolist() == [[place <= 4 for place in range(LENGTH)]] * 3


def test_a_half_is_read_from_both_sides_and_the_rest_from_the_left():
    rank = ranks(5)[3]
    sees = np.asarray(rank)[:, None] >= np.asarray(rank)[None]
    assert sees.tolist() == [
        [True, True, False, False, False],
        [True, True, False, False, False],
        [True, True, True, False, False],
        [True, True, True, True, False],
        [True, True, True, True, True],
    ]


def test_rows_are_read_in_the_papers_proportions():
    rows = {"tokens": jnp.zeros((6000, LENGTH + 1), jnp.int32)}
    found = np.asarray(Multitask().draw(rows, CONFIG, jax.random.key(0))["sees"])
    counts = [(found == np.asarray(rank)).all(axis=1).sum() for rank in ranks(LENGTH)]
    np.testing.assert_allclose(counts, [1000, 1000, 2000, 2000], atol=170)  # 4.5 standard errors


def experiment(path, objective, **changes):
    path.write_text("\n\n".join(f"Line {i} of it. The tide comes in. It goes out." for i in range(300)))
    given = {
        "task.path": str(path),
        "task.split-by": "blocks",
        "task.block-characters": "200",
        "objective": objective,
        "model": "tiny",
        "model.kind": "encoder",
        "model.max-length": "24",
        "training.steps": "30",
        "training.chunk": "30",
        "training.eval-examples": "16",
        "training.batch-size": "8",
        "training.accumulation": "2",
        "optimizer.warmup-steps": "2",
    }
    return fields.override(experiments.find("text"), given | changes)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["permuted", "multitask"])
def test_a_text_is_learned(name, tmp_path):
    found = experiment(tmp_path / "text.txt", name)
    trainer = Trainer(found)
    before = trainer.validation_losses()[0]
    trainer.step(30)
    assert trainer.validation_losses()[0] < before
    with pytest.raises(ValueError, match="no questions to score"):
        trainer.evaluate()


def test_models_that_cannot_learn_it_are_named(tmp_path):
    path = tmp_path / "text.txt"
    for name in ("permuted", "multitask"):
        with pytest.raises(ValueError, match=rf"objective={name} is for texts, which model\.kind=encoder"):
            prepare(experiment(path, name, **{"model.kind": "decoder"}))
        with pytest.raises(ValueError, match=r"head\.weights=none"):
            options = {"model.kind": "encoder", "model.head.weights": "none"}
            prepare(experiment(path, name, **options))
    with pytest.raises(ValueError, match="share=0 must be"):
        Permuted(share=0)
    with pytest.raises(ValueError, match="reads no row"):
        Multitask(left_to_right=0, right_to_left=0, both_sides=0, half=0)
