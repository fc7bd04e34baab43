"""The tagger beside a plain biLSTM; a ladder of words whose tags stand in them."""

import dataclasses
import inspect
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxgpt.core.nested import made
from jaxgpt.lab.feature_ladder import FINE_TUNED, FRESH, READINGS, FeatureLadder, Rung
from jaxgpt.lab.feature_tagger import FeatureTagger, right, trained
from jaxgpt.lab.ladder_training import LadderConfig, feature_ladder
from jaxgpt.models import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.nn.position import Position
from jaxgpt.task import Example, Task
from jaxgpt.tokenizers import build

pytestmark = pytest.mark.usefixtures("quick_compilation")
TOKENIZER = build("characters", lambda: ["abcd "])


@dataclasses.dataclass(frozen=True)
class Vowels(Task):
    """Words of one letter, and whether it is a vowel."""

    def example(self, rng):
        words = [rng.choice("abcd") for _ in range(5)]
        return Example(" ".join(words), " ".join("vowel" if word == "a" else "other" for word in words))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(cell, x) -> np.ndarray:
    """Outputs for one sequence [T, I], step by step; gates in the order input, forget, cell, output."""
    maps = [np.asarray(one.kernel[...]) for one in (cell.input, cell.hidden)]
    biases = [np.asarray(one.bias[...]) for one in (cell.input, cell.hidden)]
    hidden = memory = np.zeros(maps[1].shape[0])
    found = []
    for row in x:
        gates = np.einsum("i,igd->gd", row, maps[0]) + np.einsum("i,igd->gd", hidden, maps[1]) + sum(biases)
        memory = sigmoid(gates[1]) * memory + sigmoid(gates[0]) * np.tanh(gates[2])
        hidden = sigmoid(gates[3]) * np.tanh(memory)
        found.append(hidden)
    return np.stack(found)


@pytest.mark.parametrize("layers", [1, 3])
def test_the_tagger_is_two_layers_that_read_from_both_sides(layers):
    tagger = FeatureTagger(4, 3, 2, layers=layers, rngs=nnx.Rngs(0))
    rng = np.random.default_rng(0)
    for _, leaf in nnx.to_flat_state(nnx.state(tagger)):
        leaf[...] = jnp.asarray(rng.normal(size=leaf.shape), jnp.float32)
    x = rng.normal(size=(2, 6, 4 * layers)).astype(np.float32)
    lengths = (6, 4)
    real = np.arange(6) < np.asarray(lengths)[:, None]
    found = jax.jit(lambda x, real: tagger(x, real))(x, real)
    for row, length in enumerate(lengths):
        h = x[row, :length]
        if layers > 1:
            weights = np.exp(np.asarray(tagger.mixed[...]))
            parts = np.split(h, layers, axis=-1)
            total = sum(w * part for w, part in zip(weights / weights.sum(), parts, strict=True))
            h = float(tagger.factor[...]) * total
        for left, back in zip(tagger.forwards, tagger.backwards, strict=True):
            h = np.concatenate([lstm(left, h), lstm(back, h[::-1])[::-1]], axis=-1)
        expected = h @ np.asarray(tagger.out.kernel[...]) + np.asarray(tagger.out.bias[...])
        np.testing.assert_allclose(found[row, :length], expected, atol=1e-4)


def linear(params, batch):
    return batch["x"] @ params["w"]


def test_training_finds_what_is_linear_and_words_that_are_not_there_do_not_count():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 5, 3)).astype(np.float32)
    labels = (x[..., 0] > 0).astype(np.int32)
    labels[:, 3:] = -1
    data = {"x": jnp.asarray(x), "labels": jnp.asarray(labels)}
    keys = jnp.stack([jax.random.key(seed) for seed in range(2)])
    params = {"w": jnp.zeros((2, 3, 2))}
    start = right(linear, params, data, batch_size=16)
    assert start.tolist() == [int((labels == 0).sum())] * 2  # of equal logits the first
    found = trained(linear, params, data, keys, jnp.float32(0.1), steps=60, batch_size=16)
    assert (np.asarray(right(linear, found, data, batch_size=16)) >= 0.95 * 64 * 3).all()
    assert not np.allclose(found["w"][0], found["w"][1])  # the order of the texts is each seed's own
    still = trained(linear, params, data, keys, jnp.float32(0.0), steps=5, batch_size=16)
    assert not np.asarray(still["w"]).any()


@pytest.fixture(scope="module")
def model():
    """Blocks that add nothing: every layer is the embeddings, the last one normed."""
    config = made(
        ModelConfig,
        kind="encoder",
        num_layers=4,
        d_model=8,
        num_heads=2,
        max_length=16,
        layers="scanned",
        position=Position.named("learned")(),
    ).for_vocabulary(TOKENIZER.vocabulary())
    template = Template(config)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=shape) for name, shape in sorted(template.shapes.items())}
    nothing = [name for name in weights if ".down." in name or ".out." in name]
    assert len(nothing) >= 2
    weights |= {name: np.zeros_like(weights[name]) for name in nothing}
    return template.model({name: jnp.asarray(weight, jnp.float32) for name, weight in weights.items()})


SMALL = LadderConfig(
    labelled=60,
    validation=20,
    test=40,
    hidden=8,
    steps=120,
    batch_size=12,
    learning_rates=(1e-2, 1e-9),
    seeds=2,
)


def climbed(model, readings) -> FeatureLadder:
    """A ladder whose tags stand in every layer; the model stays as it is."""
    told: list[str] = []
    before = jax.tree.map(np.asarray, nnx.state(model))
    found = feature_ladder((model, TOKENIZER), Vowels(held_out=0.3), SMALL, readings, told.append)
    jax.tree.map(np.testing.assert_array_equal, before, jax.tree.map(np.asarray, nnx.state(model)))
    assert [rung.name for rung in found.rungs] == [FRESH, *readings, FINE_TUNED]
    assert [line.partition(":")[0] for line in told] == [FRESH, *readings, FINE_TUNED]
    for rung in found.rungs[1:-1]:
        assert len(rung.right) == 2
        # Behind the final norm letters and places are mixed, which takes more steps.
        assert min(rung.right) > (found.chance if rung.name == "last" else 0.95), rung
    for rung in found.rungs:
        assert max(rung.right) > found.chance
        assert rung.rate == 1e-2  # at the other nothing is learned, and validation sees it
    return found


@pytest.fixture(scope="module")
def found(model) -> FeatureLadder:
    return climbed(model, ("embeddings", "second-to-last"))


@pytest.mark.thorough
def test_equal_layers_give_equal_taggers(found):
    assert found.words == 200 and found.labelled == 60
    assert found.rungs[1].right == found.rungs[2].right


@pytest.mark.thorough
def test_all_readings_tell_what_stands_in_every_layer(model):
    climbed(model, READINGS)


@pytest.mark.thorough
def test_a_seed_alone_is_the_same_tagger_as_among_others(model):
    """After half of the steps: what a processor rounds otherwise for several seeds grows with each."""
    both = dataclasses.replace(SMALL, steps=50, learning_rates=(1e-2,))
    alone = dataclasses.replace(both, seeds=1, seed=1)
    task, readings = Vowels(held_out=0.3), ("embeddings",)
    found, again = (feature_ladder((model, TOKENIZER), task, one, readings) for one in (both, alone))
    among = {rung.name: rung.right for rung in found.rungs}
    for rung in again.rungs:
        assert rung.right[0] == pytest.approx(among[rung.name][1], abs=1.1 / found.words), rung.name
    assert among[FRESH][0] != among[FRESH][1]


def test_chance_is_the_tag_that_most_training_words_have(found):
    asked = Vowels(held_out=0.3).examples("test")
    tags = [tag for _ in range(40) for tag in next(asked).target.split()]
    assert found.chance == tags.count("other") / len(tags)


def test_differences_are_paired_by_seed():
    shares = {FRESH: (0.2, 0.4), "last": (0.5, 0.9), FINE_TUNED: (0.6, 0.8)}
    ladder = FeatureLadder(tuple(Rung(name, 1e-3, row) for name, row in shares.items()), 0.1, 10, 5)
    assert ladder.behind(ladder.rungs[1]).per_seed == pytest.approx((-0.1, 0.1))
    assert ladder.estimate(ladder.rungs[1]).mean == pytest.approx(0.7)
    header, rows = ladder.rows()
    assert all(len(row) == len(header) for row in rows)
    shown = str(ladder)
    assert "70.00" in shown and shown.splitlines()[-1].startswith(FINE_TUNED)
    assert "last" in ladder.summary() and len(ladder.plot().axes[0].get_yticks()) == 3


def test_what_a_ladder_cannot_be(model):
    for fields, message in (
        ({"seeds": 0}, r"ladder\.seeds=0 must be at least 1"),
        ({"learning_rates": ()}, r"ladder\.learning_rates=\(\): give positive ones"),
        ({"learning_rates": (1e-3, float("nan"))}, r"ladder\.learning_rates=\(0\.001, nan\): give positive"),
        ({"batch_size": 99}, r"ladder\.batch_size=99 is more than ladder\.labelled=60"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(SMALL, **fields)
    for readings, message in (
        ((), r"readings=\(\): give at least one"),
        (("sum-last-5",), "layers=sum-last-5: the model has 4 layers"),
        (("last", "9"), r"layers=9: the model has layers 0 \(embeddings\) to 4"),
    ):
        with pytest.raises(ValueError, match=message):
            feature_ladder((model, TOKENIZER), Vowels(), SMALL, readings)


def test_a_command_writes_what_the_function_gives(jaxgpt, tmp_path, finished_run, monkeypatch):
    """The function itself is called by the tests above."""
    module = sys.modules[feature_ladder.__module__]
    rungs = tuple(Rung(name, 1e-3, (0.2, 0.4)) for name in (FRESH, "last", FINE_TUNED))
    ladder = FeatureLadder(rungs, 0.1, 10, 5)
    called = inspect.signature(feature_ladder)

    def stand_in(*given, **named):
        found = called.bind(*given, **named).arguments
        assert found["source"].directory.path == finished_run and "readings" not in found
        assert (found["task"].words, found["config"].hidden) == (3, 768)
        found["say"]("a rung")
        return ladder

    monkeypatch.setattr(module, "feature_ladder", stand_in)
    words = ("--task.words", 3, "--ladder.hidden", 768, "--output", tmp_path / "out")
    status, output, errors = jaxgpt("lab", "feature-ladder", finished_run, *words)
    assert status == 0, errors
    assert output.startswith("a rung\n") and str(ladder) in output and ladder.summary() in output
    assert (tmp_path / "out" / "feature_ladder.png").stat().st_size > 1000
    lines = (tmp_path / "out" / "feature_ladder.csv").read_text().splitlines()
    assert len(lines) == 4 and lines[0].startswith("features,learning rate,right")


def test_mistakes_of_a_command(jaxgpt, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("".join(f"The {word} of Rome\n" for word in ("a", "b", "c", "d")))
    for words, message in (
        (("lab", "feature-ladder"), "feature-ladder takes one run"),
        (("lab", tmp_path, "feature-ladder"), "feature-ladder takes one run"),
        (("lab", "feature-ladder", tmp_path, "--seeds", 2), "its seeds are --ladder.seeds"),
        (("lab", "feature-ladder", tmp_path, "--model.d-model", 2), "--model.d-model is no field of"),
        (("lab", "feature-ladder", tmp_path, "--ladder.sead", 2), "did you mean --ladder.seed"),
        (("lab", "feature-ladder", tmp_path, "--task.pathh", 2), "did you mean --task.path"),
        (("lab", "feature-ladder", tmp_path, "--ladder.seed", -1), "ladder.seed=-1 must be at least 0"),
        (("lab", "feature-ladder", tmp_path / "no", "--task.path", text), "does not exist"),
    ):
        status, output, errors = jaxgpt(*words)
        assert (status, output) == (2, "") and message in errors and errors.count("\n") == 1, errors
