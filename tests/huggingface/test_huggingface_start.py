"""Training that starts from a directory: everything, the head, low-rank additions; other tokenizers."""

import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from tiny_runs import tiny, with_training

import jaxgpt
from jaxgpt.cli import main as cli
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.nn.position.learned import Learned
from jaxgpt.tokenizers.bpe import BytePairs
from jaxgpt.training.prepare import prepare
from jaxgpt.training.start import override

TEXTS = ["12+34=46", "7+5=12", "the sum of 120 and 35 is 155", "99+1=100", "1234567890"] * 3


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A small GPT-2 with byte pairs, every weight random."""
    path = tmp_path_factory.mktemp("start") / "gpt2"
    tokenizer = BytePairs.train(TEXTS, 290)
    config = ModelConfig(
        num_layers=2, d_model=16, num_heads=2, max_length=40, position=Learned()
    ).for_vocabulary(tokenizer.vocabulary())
    model = jaxgpt.Transformer(config, rngs=nnx.Rngs(7))
    jaxgpt.save_hf(model, path, family="gpt2", tokenizer=tokenizer)
    return path


def started(directory, **overrides):
    """The tiny experiment with the directory's model."""
    plain = tiny(**{k: v for k, v in overrides.items() if not k.startswith(("model", "tokenizer"))})
    values = {k.replace("__", "."): str(v) for k, v in overrides.items()}
    return override(plain, {"model.init": str(directory)} | values)


def weights(experiment):
    """The weights that its training starts from, by name."""
    prepared = prepare(experiment)
    return prepared, prepared.program.init(prepared.start.weights())["params"]


@pytest.mark.thorough
def test_training_starts_from_the_weights_of_the_directory(directory):
    there = jaxgpt.load_hf(directory)
    prepared, params = weights(started(directory))
    assert prepared.tokenizer.fingerprint == there.tokenizer.fingerprint
    assert prepared.start.drawn == prepared.start.left == ()
    template = prepared.program.template
    for name, value in template.params(there.model).items():
        np.testing.assert_array_equal(params[name], value, err_msg=name)
    tokens = jnp.asarray([prepared.tokenizer.encode("12+34=46")])
    np.testing.assert_array_equal(template.model(params)(tokens).logits, there.model(tokens).logits)


@pytest.mark.thorough
def test_every_seed_starts_from_them(directory):
    _, one = weights(started(directory))
    _, two = weights(started(directory, seeds=2))
    for name, value in one.items():
        np.testing.assert_array_equal(two[name], np.stack([value, value]), err_msg=name)


@pytest.mark.thorough
def test_the_digit_option_keeps_the_ids_and_reads_digit_by_digit(directory):
    there = jaxgpt.load_hf(directory)
    prepared, params = weights(started(directory, tokenizer=f"digits:1:right:{directory}"))
    ids = prepared.tokenizer.encode("120")
    assert len(ids) == 3
    assert ids == [there.tokenizer.encode(digit)[0] for digit in "120"]
    table = there.model.embedding.table[...]
    np.testing.assert_array_equal(params["embedding.table"], table)


@pytest.mark.thorough
def test_ids_that_are_new_are_drawn_and_the_others_keep_their_rows(directory):
    there = jaxgpt.load_hf(directory)
    prepared, params = weights(started(directory, tokenizer=f"digits:2:right:{directory}"))
    table = np.asarray(there.model.embedding.table[...])
    assert len(params["embedding.table"]) == prepared.tokenizer.vocab_size > len(table)
    np.testing.assert_array_equal(params["embedding.table"][: len(table)], table)
    new = params["embedding.table"][len(table) :]
    assert 0.5 < new.std() / table.std() < 2
    assert f"{len(table)} of {prepared.tokenizer.vocab_size} ids" in prepared.start.note


@pytest.mark.thorough
def test_a_vocabulary_cut_down_keeps_each_token_its_row(directory):
    there = jaxgpt.load_hf(directory)
    prepared, params = weights(started(directory, tokenizer=f"subset:{directory}"))
    texts, theirs = prepared.tokenizer.token_texts(), there.tokenizer.token_texts()
    assert len(texts) < len(theirs)
    table = np.asarray(there.model.embedding.table[...])
    for row, text in enumerate(texts):
        if text and theirs.count(text) == 1:
            np.testing.assert_array_equal(params["embedding.table"][row], table[theirs.index(text)])


@pytest.mark.thorough
def test_a_shorter_context_keeps_the_first_positions(directory):
    there = jaxgpt.load_hf(directory)
    _, params = weights(started(directory, **{"model__max-length": 20}))
    table = np.asarray(there.model.decoder.tables["table"][...])
    np.testing.assert_array_equal(params["decoder.tables.table"], table[:20])


@pytest.mark.thorough
def test_scanned_layers_start_from_them_too(directory):
    there = jaxgpt.load_hf(directory)
    prepared, params = weights(started(directory, model__layers="scanned"))
    tokens = jnp.asarray([prepared.tokenizer.encode("12+34=46")])
    ours = prepared.program.template.model(params)(tokens).logits
    np.testing.assert_allclose(ours, there.model(tokens).logits, atol=1e-6)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("model__d-model", 32, "d_model|shape"),
        ("model__max-length", 80, "shape"),
        ("model__num-layers", 3, "blocks.2"),
    ],
)
def test_another_model_than_the_directorys_is_refused_by_name(directory, field, value, said):
    with pytest.raises(ValueError, match=said):
        prepare(started(directory, **{field: value}))


def test_a_preset_beside_it_is_refused(directory):
    with pytest.raises(ValueError, match=r"give --model\.init alone"):
        override(tiny(), {"model.init": str(directory), "model": "tiny"})


def _named(model, name):
    return np.asarray(Template(model.config).params(model)[name])


def run(experiment, path):
    """Train, and the run read back."""
    jaxgpt.train(experiment, path, say=lambda line: None)
    return jaxgpt.load(path)


@pytest.mark.thorough
@pytest.mark.parametrize("seeds", [1, 2])
def test_low_rank_additions_are_trained_alone_and_are_part_of_the_model(directory, tmp_path, seeds):
    experiment = started(directory, seeds=seeds, training__tuning__weights="lora", training__tuning__rank=2)
    prepared = prepare(experiment)
    state = prepared.program.init(prepared.start.weights())
    assert set(state["params"]) == {
        f"lora.decoder.blocks.{i}.attention.{name}.kernel.{side}"
        for i in range(2)
        for name in ("query", "value")
        for side in ("down", "up")
    }
    assert all(value.ndim == 2 + (seeds > 1) for value in state["params"].values())
    result = run(experiment, tmp_path / "run")
    there = jaxgpt.load_hf(directory).model
    template = prepared.program.template
    before = template.params(there)
    for model in result.models:
        for name, value in template.params(model).items():
            same = np.array_equal(value, before[name])
            assert same != name.endswith(("query.kernel", "value.kernel")), name


@pytest.mark.thorough
def test_the_change_by_additions_is_their_product(directory):
    experiment = started(directory, training__tuning__weights="lora", training__tuning__rank=2)
    program = prepare(experiment).program
    state = program.init()
    name = "decoder.blocks.1.attention.query.kernel"
    np.testing.assert_array_equal(program.weights(state)[name], state["kept"][name])
    down, up = (f"lora.{name}.{side}" for side in ("down", "up"))
    rng = np.random.default_rng(0)
    state["params"][up] = jnp.asarray(rng.standard_normal((2, 16)), jnp.float32)
    product = np.asarray(state["params"][down]) @ np.asarray(state["params"][up])
    expected = np.asarray(state["kept"][name]) + 16 / 2 * product.reshape(16, 2, 8)
    np.testing.assert_allclose(program.weights(state)[name], expected, rtol=1e-5)


def test_a_map_that_the_model_lacks_is_named(directory):
    experiment = started(directory, training__tuning__weights="lora", training__tuning__maps="query,gate")
    with pytest.raises(ValueError, match=r"tuning.maps=gate: .* known: .*query"):
        prepare(experiment)


@pytest.mark.thorough
def test_the_head_alone_changes_where_it_has_weights_of_its_own(directory, tmp_path):
    with pytest.raises(ValueError, match=r"model\.head\.weights=separate or model\.labels"):
        prepare(started(directory, training__tuning__weights="head"))
    experiment = started(directory, training__tuning__weights="head", model__head__weights="separate")
    prepared, params = weights(experiment)
    assert list(params) == ["head"]
    there = jaxgpt.load_hf(directory).model
    np.testing.assert_array_equal(params["head"], there.embedding.table[...].T)
    result = run(experiment, tmp_path / "run")
    before = prepared.program.template.params(there)
    after = prepared.program.template.params(result.model)
    assert not np.array_equal(after.pop("head"), params["head"])
    for name, value in after.items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_labels_are_a_new_head(directory):
    prepared = prepare(started(directory, model__labels=3))
    assert prepared.start.drawn == ("labels.bias", "labels.kernel")
    assert "drawn: labels.bias, labels.kernel" in prepared.start.note


@pytest.mark.thorough
def test_a_stopped_run_goes_on_without_the_directory(directory, tmp_path):
    copy = tmp_path / "gpt2"
    shutil.copytree(directory, copy)
    experiment = started(copy, training__tuning__weights="lora", training__save_every=10)
    path = tmp_path / "run"
    whole = run(experiment, tmp_path / "whole")
    run(with_training(experiment, steps=10), path)
    shutil.rmtree(copy)
    jaxgpt.train(experiment, path, resume=True, say=lambda line: None)
    again = jaxgpt.load(path)
    assert again.step == 20
    names = "decoder.blocks.1.attention.query.kernel"
    before = jaxgpt.load_hf(directory).model
    moved = [np.abs(_named(m, names) - _named(before, names)).max() for m in (whole.model, again.model)]
    assert moved[0] > 0
    assert moved[1] > 0


def test_epochs_count_the_data(directory):
    experiment = tiny(training__epochs=2, training__train_examples=100, training__batch_size=8)
    assert prepare(experiment).program.training.steps == 25
    with pytest.raises(ValueError, match=r"epochs=0\.0 must be positive"):
        tiny(training__epochs=0)


@pytest.mark.thorough
def test_the_command_line_trains_from_a_directory(directory, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [
        "train",
        "addition",
        "--model.init",
        str(directory),
        "--task.max-digits",
        "1",
        "--task.extra-digits",
        "",
    ]
    words += ["--training.steps", "4", "--training.test-examples", "0", "--training.tuning.weights", "lora"]
    assert cli.main([*words, "--workdir", "run"]) == 0
    said = capsys.readouterr().out
    assert f"weights     from {directory}" in said
    assert cli.main([*words, "--workdir", "other", "--model.init", "nowhere"]) == 2
    assert cli.main(["train", "synopses-gpt2", "--task.path", "x.csv", "--workdir", "other"]) == 2
    assert "gpt2 does not exist; give the directory that holds config.json" in capsys.readouterr().err


@pytest.mark.thorough
def test_one_that_was_trained_from_it_is_exported_again(directory, tmp_path):
    result = run(started(directory), tmp_path / "run")
    jaxgpt.save_hf(result.model, tmp_path / "out", family="gpt2", tokenizer=result.tokenizer)
    again = jaxgpt.load_hf(tmp_path / "out")
    tokens = jnp.asarray([again.tokenizer.encode("12+34=46")])
    np.testing.assert_array_equal(again.model(tokens).logits, result.model(tokens).logits)


@pytest.mark.thorough
def test_an_imported_directory_is_a_run(directory, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["import-hf", str(directory), "--workdir", "imported"]) == 0
    imported, there = jaxgpt.load("imported"), jaxgpt.load_hf(directory)
    tokens = jnp.asarray([there.tokenizer.encode("12+34=46")])
    np.testing.assert_array_equal(imported.model(tokens).logits, there.model(tokens).logits)
    capsys.readouterr()
    words = ["generate", "imported", "--prompt", "12+", "--max-new-tokens", "5", "--temperature", "0"]
    assert cli.main(words) == 0
    ids = [there.tokenizer.bos_id, *there.tokenizer.encode("12+")]
    new = jaxgpt.generate(there.model, [ids], max_new_tokens=5, eos_id=there.tokenizer.eos_id)
    assert there.tokenizer.decode(new[0]) in capsys.readouterr().out
    assert cli.main(["import-hf", str(directory), "--workdir", "imported"]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert cli.main(["export-hf", "imported", "--family", "gpt2", "--output", "out"]) == 0
    again = jaxgpt.load_hf("out").model
    np.testing.assert_array_equal(again(tokens).logits, there.model(tokens).logits)
