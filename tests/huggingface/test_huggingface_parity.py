"""Models of transformers against what transformers computed with them (see write_references.py)."""

import dataclasses
import json
from pathlib import Path

import jax
import numpy as np
import pytest
from computing import dtype, exactly, ours
from flax import nnx
from variants import often, seldom

from jaxgpt.generation import beam_search, generate
from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.models.template import Template

REFERENCES = Path(__file__).parent / "references"
NAMES = sorted(path.name for path in REFERENCES.iterdir())
#: Compared by the thorough run.
SELDOM = (
    *("reformer-local", "bart-two-widths", "bart-text-labels", "transfo_xl-plain", "mt5", "gemma"),
    *("albert-pretraining", "bert-pretraining", "reformer", "longformer", "transfo_xl", "bart", "marian"),
    *(
        "gptj",
        "albert",
        "gemma3_text",
        "olmo2",
        "t5-v1_1",
        "longformer-text-labels",
        "xlm_roberta",
        "roberta",
    ),
)
#: One directory of every family.
FAMILIES = [
    name
    for name in NAMES
    if name == json.loads((REFERENCES / name / "config.json").read_text())["model_type"]
]
#: Of those that transformers continued texts with: one of every way of keeping what was read.
WRITTEN = ("gpt2", "gptj", "llama", "gemma2", "t5", "bart", "transfo_xl")
EVERY_TIME = ("gpt2", "bert", "bart", "t5", "transfo_xl", "longformer", "llama", "gemma2")


def reference(name):
    """What transformers computed, and what it computed it from."""
    with np.load(REFERENCES / name / "reference.npz", allow_pickle=False) as file:
        return dict(file)


def error(found, expected):
    """The largest difference over the largest value."""
    return np.abs(np.asarray(found) - expected).max() / np.abs(expected).max()


def params(model):
    """Its parameters by their paths."""
    return Template(model.config).params(model)


@pytest.mark.parametrize("name", seldom(NAMES, SELDOM))
def test_outputs_are_those_of_transformers(name):
    given = reference(name)
    kept, tolerance = dtype(given)
    with exactly(given):
        found = ours(load_hf(REFERENCES / name, dtype=kept).model, given)
    compared = [key for key in found if key in given]
    assert compared
    for key in compared:
        assert error(found[key], given[key]) < tolerance, key
    # Another head than those compared would be one that transformers does not have.
    assert all(found[key] is None or key in given for key in ("logits", "labels"))


@pytest.mark.thorough
@pytest.mark.parametrize("name", WRITTEN)
def test_continuations_are_those_of_transformers(name):
    given = reference(name)
    loaded = load_hf(REFERENCES / name)
    prompts, options = given["tokens"], {}
    if "source" in given:
        start = loaded.description.get("decoder_start_token_id", 2)
        prompts, options = np.full((2, 1), start), {"source": given["source"]}
    count = given["greedy"].shape[1]
    found = generate(loaded.model, prompts, max_new_tokens=count, **options)
    np.testing.assert_array_equal(found, given["greedy"])
    if "beams" not in given:
        return
    beams = beam_search(loaded.model, prompts, width=3, max_new_tokens=count, **options)
    np.testing.assert_array_equal(beams.tokens[:, 0], given["beams"])


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", often([name for name in NAMES if "steps" in reference(name)], ("transfo_xl-plain",))
)
def test_token_by_token_it_says_what_transformers_says(name):
    given = reference(name)
    model = load_hf(REFERENCES / name).model
    with jax.default_matmul_precision("highest"):
        cache, found = model.init_cache(2, 13 + given["any_tokens"].shape[1]), []
        new = given["tokens"]
        for step in range(given["steps"].shape[1]):
            output = model(new, cache=cache)
            cache, new = output.cache, given["any_tokens"][:, step : step + 1]
            found.append(output.logits[:, -1])
    assert error(np.stack(found, 1), given["steps"]) < 2e-5


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(NAMES, EVERY_TIME))
def test_every_tensor_is_accounted_for(name):
    audit = load_hf(REFERENCES / name).audit
    assert audit.used and not audit.ignored.keys() & audit.used.keys()
    read = [path for paths in audit.used.values() for path in paths]
    assert len(read) == len(set(read))


@pytest.mark.thorough
@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_written_is_read_again(name, tmp_path):
    model = load_hf(REFERENCES / name).model
    kind = json.loads((REFERENCES / name / "config.json").read_text())["model_type"]
    save_hf(model, tmp_path / "copy", family=kind)
    again = load_hf(tmp_path / "copy")
    assert json.loads((tmp_path / "copy" / "config.json").read_text())["model_type"] == kind
    before, after = params(model), params(again.model)
    assert before.keys() == after.keys()
    for path in before:
        np.testing.assert_array_equal(np.asarray(before[path]), np.asarray(after[path]), err_msg=path)
    given = reference(name)
    one, other = ours(model, given), ours(again.model, given)
    for key in one:
        if one[key] is not None:
            np.testing.assert_array_equal(np.asarray(one[key]), np.asarray(other[key]))


@pytest.mark.thorough
@pytest.mark.parametrize("name", often(["gpt2", "albert", "bart", "t5"], ("gpt2",)))
def test_scanned_layers_compute_the_same(name, tmp_path):
    given = reference(name)
    model = load_hf(REFERENCES / name, layers="scanned").model
    assert model.config.layers == "scanned"
    found = ours(model, given)
    for key in found.keys() & given.keys():
        assert error(found[key], given[key]) < 2e-5
    save_hf(model, tmp_path / "copy", family=name)
    again = load_hf(tmp_path / "copy").model
    apart = load_hf(REFERENCES / name).model
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), params(again), params(apart)))


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_padding_changes_nothing_that_counts(name):
    model = load_hf(REFERENCES / name).model
    tokens = reference(name)["tokens"]
    order = np.tile(np.arange(tokens.shape[1]), (2, 1))
    alone = np.asarray(model(tokens, order=order).logits)
    padded = np.concatenate([np.full((2, 3), 5), tokens], axis=1)
    order = np.concatenate([np.full((2, 3), -1), order], axis=1)
    np.testing.assert_allclose(np.asarray(model(padded, order=order).logits)[:, 3:], alone, atol=2e-5)


@pytest.mark.thorough
def test_fields_can_be_set():
    loaded = load_hf(REFERENCES / "gpt2", dropout=0.25, dtype="bfloat16")
    assert loaded.model.config.dropout == 0.25
    assert all(leaf.dtype == "bfloat16" for leaf in jax.tree.leaves(nnx.state(loaded.model)))
    default = load_hf(REFERENCES / "gpt2").model.config
    assert (
        dataclasses.replace(loaded.model.config, dropout=0.1, dtype="float32", param_dtype="float32")
        == default
    )
