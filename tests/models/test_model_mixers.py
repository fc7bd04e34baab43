"""Mixers as a family: what each owns, and one of a user, the tutorial's moving average."""

import ast
import dataclasses
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from documents import ROOT, shown
from flax import nnx
from tiny_runs import tiny

import jaxgpt
from jaxgpt.core.choice import FieldError
from jaxgpt.core.fields import from_json, override, to_json
from jaxgpt.core.nested import made
from jaxgpt.models import ModelConfig, Transformer, presets
from jaxgpt.models.mixers import Mixer
from jaxgpt.models.mixers.attention import AttentionMixer
from jaxgpt.models.mixers.concat import ConcatMixer
from jaxgpt.models.mixers.gru import GRU
from jaxgpt.models.mixers.lstm import LSTM
from jaxgpt.nn.tap import recorder
from jaxgpt.training.flops import training_flops

AVERAGE = "mine.average:Average"
TOKENS = np.random.default_rng(0).integers(0, 10, (2, 7))


@pytest.fixture
def average(tmp_path, monkeypatch):
    """The tutorial's file where Python finds it; the class in it."""
    text = shown(ROOT / "docs/tutorial.md", "mine/average.py")
    assert text.count("\n") < 40
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/average.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield Mixer.named(AVERAGE)
    for name in ("mine", "mine.average"):
        del sys.modules[name]


def build(mixer, **fields):
    config = made(ModelConfig, mixer=mixer, vocab_size=10, d_model=8, num_layers=2, max_length=16, **fields)
    graph, state = nnx.split(Transformer(config, rngs=nnx.Rngs(0)))
    rng = np.random.default_rng(1)
    return nnx.merge(graph, jax.tree.map(lambda v: v + 0.3 * rng.standard_normal(v.shape).astype("f"), state))


def test_the_members():
    assert Mixer.names() == ["attention", "concat", "gru", "lstm", "mean", "none", "rnn"]
    assert ModelConfig().mixer == AttentionMixer()


def test_a_member_has_fields_of_its_own():
    base = tiny(model="makemore_mlp")
    assert override(base, {"model.mixer.window": "3"}).model.mixer == ConcatMixer(window=3)
    with pytest.raises(FieldError, match=r"\Amodel\.mixer\.window=0 must be at least 1\Z"):
        override(base, {"model.mixer.window": "0"})
    with pytest.raises(FieldError, match=r"\Ano field 'model\.mixer\.additive'; "):
        override(base, {"model.mixer.additive": "true"})
    search = dataclasses.replace(base, model=presets.named("rnn_search"))
    assert override(search, {"model.mixer": "lstm"}).model.mixer == LSTM(additive=True)
    assert override(base, {"model.mixer": "lstm", "model.mixer.additive": "no"}).model.mixer == LSTM()
    assert from_json(ModelConfig, to_json(search.model)).mixer == GRU(additive=True)


def test_what_is_none_is_told_in_a_line():
    for text, message in (
        ("lstn", "model.mixer=lstn: no mixer is called 'lstn'; did you mean lstm? known: attention, "),
        ("json:dumps", "model.mixer=json:dumps: 'json:dumps' is not a Mixer"),
    ):
        with pytest.raises(FieldError, match=r"\A[^\n]{,200}\Z") as error:
            override(tiny(), {"model.mixer": text})
        assert str(error.value).startswith(message)


@pytest.mark.thorough
def test_one_from_outside_is_its_definition(average):
    model = build(average(keep=0.75))
    x = np.asarray(model.embedding.table[...])[TOKENS]
    for layer in model.decoder.blocks:
        mean, y = np.zeros((2, 8)), x.copy()
        for step in range(7):
            mean = 0.75 * mean + 0.25 * x[:, step]
            y[:, step] += mean @ np.asarray(layer.kernel[...])
        x = y
    seen, tap = recorder()
    model(TOKENS, tap=tap)
    np.testing.assert_allclose(seen["decoder.1.residual"], x, atol=1e-5)


@pytest.mark.thorough
def test_one_from_outside_decodes_as_it_reads_and_takes_padding(average):
    model = build(average())
    whole = np.asarray(model(TOKENS).logits)
    cache, parts = model.init_cache(2, 7), []
    for index in range(7):
        out = model(TOKENS[:, index : index + 1], cache=cache)
        cache = out.cache
        parts.append(out.logits)
    np.testing.assert_allclose(jnp.concatenate(parts, axis=1), whole, atol=2e-5)
    order = np.tile(np.r_[[-1] * 2, np.arange(7), -1], (2, 1))
    padded = np.pad(TOKENS, ((0, 0), (2, 1)), constant_values=5)
    np.testing.assert_allclose(model(padded, order=order).logits[:, 2:9], whole, atol=2e-5)
    new = jaxgpt.generate(model, [[3, 4, 5], [6]], max_new_tokens=4)
    assert jaxgpt.beam_search(model, [[3, 4, 5], [6]], width=2, max_new_tokens=4).tokens.shape == (2, 2, 4)
    text = np.asarray([[6, *new[1]]])
    np.testing.assert_array_equal(np.asarray(model(text).logits)[0, :-1].argmax(-1), new[1])


def test_one_from_outside_refuses_what_it_does_not_read(average):
    for fields, message in (
        ({"window": 4}, f"mixer={AVERAGE} does not go with window=4; leave the default"),
        ({"kind": "encoder"}, f"mixer={AVERAGE} needs kind=decoder, not encoder"),
    ):
        with pytest.raises(ValueError) as error:
            made(ModelConfig, mixer=average(), **fields)
        assert str(error.value) == message
    with pytest.raises(ValueError, match=f"mixer={AVERAGE} reads a row as one text"):
        build(average())(TOKENS, documents=np.ones((2, 7), int))


@pytest.mark.thorough
def test_one_from_outside_trains_and_is_counted(average):
    options = {"model__mixer": AVERAGE, "model__mixer__keep": "0.5", "optimizer__learning_rate": "2e-2"}
    experiment = tiny(**options)
    assert from_json(ModelConfig, to_json(experiment.model)) == experiment.model
    trainer = jaxgpt.Trainer(experiment)
    trainer.step(20)
    assert trainer.losses[-5:].mean() < 0.95 * trainer.losses[:5].mean()
    config = trainer.models[0].config
    weights = {"decoder.blocks.0.kernel": (16, 16)}
    head = 16 * config.vocab_size
    assert training_flops(config, weights, tokens=3) == 6 * 3 * (16 * 16 + head)


CHOSEN = ("mixer", "objective", "optimizer")


def chains(source: str) -> list[str]:
    """Where a source asks which member of a family is there: comparisons, matches, tables, isinstance."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            asked = [node.subject]
        elif isinstance(node, ast.Subscript):
            asked = [node.slice]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("isinstance", "get"):
            asked = node.args
        else:
            continue
        found += [f"{node.lineno}: {ast.unparse(node)}" for each in asked if asks(each)]
    return found


def asks(node: ast.AST) -> bool:
    """Whether an expression is a mixer, an objective or an optimizer, or the type or name of one."""
    if isinstance(node, ast.Call):  # type(config.mixer), config.mixer.kind()
        return any(map(asks, [*node.args, node.func]))
    if isinstance(node, ast.Attribute):
        return node.attr in CHOSEN or (node.attr in ("kind", "name") and asks(node.value))
    return isinstance(node, ast.Name) and node.id in CHOSEN


@pytest.mark.parametrize(
    "source",
    [
        "config.mixer == 'lstm'",
        "config.mixer in ('lstm', 'gru')",
        "type(self.config.mixer) is LSTM",
        "isinstance(config.mixer, LSTM)",
        "config.mixer.kind() != 'gru'",
        "{'lstm': 1}[config.mixer]",
        "stacks.get(config.mixer, SimpleStack)",
        "match mixer:\n    case 'lstm':\n        pass",
        "experiment.optimizer.name == 'muon'",
        "training.objective in ('span', 'choice')",
    ],
)
def test_the_rule_finds_chains(source):
    assert chains(source)


def test_no_file_asks_which_member_is_there():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "jaxgpt").rglob("*.py"))
        if any(name in (source := path.read_text(encoding="utf-8")) for name in CHOSEN)
        for line in chains(source)
    ]
    assert not found, "\n".join(found)
