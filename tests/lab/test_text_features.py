"""Frozen features beside the plain decoder's layers; files of them as a user writes and reads them."""

import itertools
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lab_models import TOKENIZER
from safetensors.numpy import load_file

from jaxgpt.core.nested import made
from jaxgpt.huggingface.save import save_hf
from jaxgpt.lab.layer_choice import LayerChoice
from jaxgpt.lab.text_features import TextFeatures, count_layers, text_features, write
from jaxgpt.models import ModelConfig, Transformer, plain
from jaxgpt.models.template import Template
from jaxgpt.nn.position import Position
from jaxgpt.tokenizers import build

pytestmark = pytest.mark.usefixtures("quick_compilation")
TEXTS = ["abc", "", "a bad cab had a bag", "fed", "h" * 19]


def drawn(**fields) -> Transformer:
    """A model with every weight drawn anew: zero biases and unit scales hide mistakes."""
    template = Template(made(ModelConfig, d_model=8, num_heads=2, max_length=24, **fields))
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.3, shape) for name, shape in sorted(template.shapes.items())}
    return template.model({name: jnp.asarray(weight, jnp.float32) for name, weight in weights.items()})


@pytest.fixture(scope="module")
def model() -> Transformer:
    return drawn(vocab_size=TOKENIZER.vocab_size, num_layers=2, position=Position.named("learned")())


def plain_states(model: Transformer, ids: list[int]) -> list[np.ndarray]:
    """The embeddings, and what each block of the plain decoder makes of them; the last one normed."""
    w, config = plain.weights_of(model), model.config
    x = w["embedding.table"][np.asarray([ids])] + w["decoder.tables.table"][: len(ids)]
    found = [x]
    block = jax.jit(partial(plain.block, config))
    for layer in range(config.num_layers):
        found.append(block(plain.part(w, f"decoder.blocks.{layer}"), found[-1]))
    found[-1] = plain.norm(config, plain.part(w, "decoder.norm"), found[-1])
    return [np.asarray(state[0]) for state in found]


def rows(text: str) -> list[int]:
    return [TOKENIZER.bos_id, *TOKENIZER.encode(text)]


@pytest.fixture(scope="module")
def expected(model) -> list[list[np.ndarray]]:
    """The layers of each text by the plain decoder, which reads one after the other."""
    return [plain_states(model, rows(text)) for text in TEXTS]


@pytest.fixture(scope="module")
def everything(model) -> TextFeatures:
    return text_features((model, TOKENIZER), TEXTS, "all")


def test_the_features_are_the_layers_of_the_plain_decoder(everything, expected):
    assert everything.lengths.tolist() == [len(rows(text)) for text in TEXTS]
    assert everything.ids.tolist() == list(itertools.chain.from_iterable(map(rows, TEXTS)))
    assert everything.features.dtype == np.float32
    for features, states in zip(everything.texts(), expected, strict=True):
        np.testing.assert_allclose(features, np.concatenate(states, axis=-1), atol=1e-5)


@pytest.mark.parametrize(
    ("layers", "joined"),
    [
        ("embeddings", lambda s: s[0]),
        ("last", lambda s: s[4]),
        ("second-to-last", lambda s: s[3]),
        ("sum-last-4", lambda s: s[1] + s[2] + s[3] + s[4]),
        ("concat-last-2", lambda s: np.concatenate([s[3], s[4]], axis=-1)),
        ("all", lambda s: np.concatenate(s, axis=-1)),
        ("2", lambda s: s[2]),
        ("embeddings,3", lambda s: np.concatenate([s[0], s[3]], axis=-1)),
    ],
)
def test_layers_become_one_vector(layers, joined):
    states = np.random.default_rng(0).normal(size=(5, 2, 3, 6)).astype(np.float32)
    found = LayerChoice.of(layers, 4).joins([jnp.asarray(state) for state in states])
    np.testing.assert_allclose(found, joined([*states]), atol=1e-6)


def test_layers_of_two_widths_are_not_added():
    states = [jnp.zeros((1, 2, width)) for width in (3, 6, 6)]
    assert LayerChoice.of("concat-last-2", 2).joins(states).shape == (1, 2, 12)
    with pytest.raises(ValueError, match=r"layers=mixed: widths \[3, 6\] cannot be added; take concat"):
        LayerChoice("mixed", (0, 1), "added").joins(states)


def test_texts_are_read_in_any_number_of_batches(model, everything, monkeypatch):
    seen = []
    monkeypatch.setattr(sys.modules[text_features.__module__], "_TOKENS", 24)
    parts = text_features((model, TOKENIZER), TEXTS, "all", progress=lambda *done: seen.append(done))
    np.testing.assert_allclose(parts.features, everything.features, atol=1e-6)
    assert len(seen) == len(TEXTS) and seen == sorted(seen)
    assert seen[-1] == (len(everything.ids), len(everything.ids))


@pytest.mark.parametrize("kind", ["encoder", "encoder_decoder"])
def test_an_encoder_reads_where_there_is_one(kind):
    tokenizer = build("characters", lambda: TEXTS)
    own = {"num_layers": 1, "encoder_layers": 2} if kind == "encoder_decoder" else {"num_layers": 2}
    model = drawn(kind=kind, vocab_size=tokenizer.vocab_size, **own)
    found = text_features((model, tokenizer), ["abc", "a bad cab"])
    begin = [tokenizer.bos_id] if kind == "encoder" else []
    ids = [*begin, *tokenizer.encode("abc"), tokenizer.eos_id]
    assert count_layers(model) == 2 and found.ids[: len(ids)].tolist() == ids
    tokens = jnp.asarray([ids])
    alone, _ = jax.jit(lambda tokens: model.encoder(model.embedding(tokens), tokens))(tokens)
    np.testing.assert_allclose(found.texts()[0], alone[0], atol=1e-5)


def test_numbers_enter_with_their_features():
    tokenizer = build("xval", lambda: ["1+2="])
    config = made(ModelConfig, num_layers=1).for_vocabulary(tokenizer.vocabulary())
    model = drawn(num_layers=1, vocab_size=config.vocab_size, number=config.number)
    found = text_features((model, tokenizer), ["1+2=", "20+1="], "embeddings").texts()
    # One token a number: the embeddings of 1 and 20 differ, those of what follows do not.
    assert not np.allclose(found[0][1], found[1][1]) and np.allclose(found[0][2], found[1][2])
    assert found[0].shape == found[1].shape


def test_layers_of_a_looped_model_count_each_time():
    assert count_layers(drawn(vocab_size=9, num_layers=2, loops=3)) == 6


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("5", r"layers=5: the model has layers 0 \(embeddings\) to 4"),
        ("last,9", "layers=last,9: the model has layers 0"),
        ("sum-last-5", "layers=sum-last-5: the model has 4 layers behind its embeddings"),
        ("sum-last-0", "layers=sum-last-0: embeddings, last, "),
        ("lats", "layers=lats: embeddings, last, "),
        ("-1", "layers=-1: embeddings, last, "),
        ("", "layers=: embeddings, last, "),
    ],
)
def test_layers_that_there_are_not(layers, message):
    with pytest.raises(ValueError, match=message):
        LayerChoice.of(layers, 4)


def test_texts_that_cannot_be_read(model):
    for texts, message in (
        ([], "there are no texts"),
        (["a", "a" * 24], "text 2 has 25 tokens and the model reads 24; cut it in two"),
        (["a", "x"], "text 2: the character 'x'"),
    ):
        with pytest.raises(ValueError, match=message):
            text_features((model, TOKENIZER), texts)


def test_a_command_writes_what_the_function_gives(model, tmp_path, jaxgpt):
    save_hf(model, tmp_path / "hf", family="gpt2", tokenizer=TOKENIZER)
    (tmp_path / "texts.txt").write_text("abc\n\n  \na bad cab\n")
    expected = text_features((model, TOKENIZER), ["abc", "a bad cab"], "concat-last-2")
    for name in ("found.npz", "found.safetensors"):
        words = ("--layers", "concat-last-2", "--output", tmp_path / name)
        status, output, errors = jaxgpt("features", tmp_path / "hf", tmp_path / "texts.txt", *words)
        assert status == 0, errors
        assert "14 tokens of 2 texts, 16 features each" in output
    found = load_file(tmp_path / "found.safetensors")
    with np.load(tmp_path / "found.npz", allow_pickle=False) as file:
        assert str(file["layers"]) == "concat-last-2" and str(file["model"]) == "hf"
        for name in ("features", "ids", "lengths", "lines"):
            np.testing.assert_array_equal(file[name], found[name])
    np.testing.assert_allclose(found["features"], expected.features, atol=1e-6)
    assert found["features"].dtype == np.float32 and found["lines"].tolist() == [1, 4]
    assert found["ids"].tolist() == expected.ids.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "found.npz",
        "found.safetensors",
        "hf",
        "texts.txt",
    ]


def test_what_a_command_refuses(model, tmp_path, jaxgpt):
    save_hf(model, tmp_path / "hf", family="gpt2", tokenizer=TOKENIZER)
    for name, text in (
        ("empty", " \n"),
        ("long", f"abc\n\n{'a' * 30}\n"),
        ("other", "abc\nxyz\n"),
        ("texts", "a"),
    ):
        (tmp_path / f"{name}.txt").write_text(text)
    for file, words, message in (
        ("texts", ("--output", "x.csv"), "--output x.csv: the name must end in .npz or .safetensors"),
        ("texts", ("--output", tmp_path / "no" / "x.npz"), "no does not exist"),
        ("texts", ("--layers", "7"), "--layers=7: the model has layers 0 (embeddings) to 2"),
        ("texts", ("--checkpoint", "best"), "is a directory of transformers, which has one"),
        ("empty", (), "empty.txt is empty"),
        ("missing", (), "missing.txt"),
        ("long", (), "long.txt: line 3 has 31 tokens and the model reads 24; cut it in two"),
        ("other", (), "other.txt: line 2: the character 'x'"),
    ):
        if "--output" not in words:
            words = (*words, "--output", tmp_path / "x.npz")
        status, output, errors = jaxgpt("features", tmp_path / "hf", tmp_path / f"{file}.txt", *words)
        lines = [line for line in errors.splitlines() if line.startswith("error: ")]
        assert (status, output) == (2, "") and len(lines) == 1 and message in lines[0], errors
        assert not list(tmp_path.glob("x.*"))


def test_an_old_file_stays_where_a_new_one_cannot_be_written(model, tmp_path, monkeypatch):
    found = text_features((model, TOKENIZER), ["a"])
    (tmp_path / "x.npz").write_text("old")
    monkeypatch.setattr(np, "savez", lambda *given, **arrays: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match=r"x\.npz cannot be written \(full\); make room"):
        write(tmp_path / "x.npz", found, {})
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]
    assert (tmp_path / "x.npz").read_text() == "old"
