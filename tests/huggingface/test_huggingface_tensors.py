"""Tensors by other names, copies, and types: read, or refused in one line that names them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan, load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.huggingface.tensors import Entry
from jaxgpt.models.template import Template

REFERENCES = Path(__file__).parent / "references"
_STACKS = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")
#: Of each model the tensors in its file and the other names that transformers ties to them, heads first.
TIED = {
    **{name: {"transformer.wte.weight": ["lm_head.weight"]} for name in ("gpt2", "gpt_neo")},
    "openai-gpt": {"transformer.tokens_embed.weight": ["lm_head.weight"]},
    **{
        name: {"model.embed_tokens.weight": ["lm_head.weight"]} for name in ("gemma", "gemma2", "gemma3_text")
    },
    "bert": {
        "bert.embeddings.word_embeddings.weight": ["cls.predictions.decoder.weight"],
        "cls.predictions.bias": ["cls.predictions.decoder.bias"],
    },
    **{
        name: {
            f"{name}.embeddings.word_embeddings.weight": ["lm_head.decoder.weight"],
            "lm_head.bias": ["lm_head.decoder.bias"],
        }
        for name in ("roberta", "longformer")
    },
    "albert": {
        "albert.embeddings.word_embeddings.weight": ["predictions.decoder.weight"],
        "predictions.bias": ["predictions.decoder.bias"],
    },
    **{
        name: {"model.shared.weight": ["lm_head.weight", *(f"model.{stack}" for stack in _STACKS)]}
        for name in ("bart", "marian")
    },
    "bart-text-labels": {"model.shared.weight": [f"model.{stack}" for stack in _STACKS]},
    "t5": {"shared.weight": ["lm_head.weight", *_STACKS]},
    "t5-v1_1": {"shared.weight": list(_STACKS)},
    "transfo_xl": {
        **{f"transformer.word_emb.emb_layers.{k}.weight": [f"crit.out_layers.{k}.weight"] for k in range(3)},
        **{f"transformer.word_emb.emb_projs.{k}": [f"crit.out_projs.{k}"] for k in (1, 2)},
    },
}
CASES = [(name, own, other) for name, ties in TIED.items() for own in ties for other in ties[own]]


@pytest.fixture
def changed(tmp_path):
    """A copy of a reference whose tensors `change` has changed."""

    def make(name, change, **fields):
        path = tmp_path / name
        shutil.copytree(REFERENCES / name, path, dirs_exist_ok=True)
        tensors = dict(load_file(REFERENCES / name / "model.safetensors"))
        change(tensors)
        whole = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
        save_file(whole, path / "model.safetensors", metadata={"format": "pt"})
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps(config | fields))
        return path

    return make


def plan(path):
    """What is read from where."""
    return Plan.of(Directory(path), None, {})


def refusal(path):
    """The message of what is refused, one line that begins with the directory."""
    with pytest.raises(ValueError) as caught:
        plan(path)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))
    return str(caught.value)


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "own", "other"), CASES)
def test_a_tied_tensor_is_read_under_its_other_name(changed, name, own, other):
    path = changed(name, lambda tensors: tensors.update({other: tensors.pop(own)}))
    expected, found = plan(REFERENCES / name), plan(path)
    assert found.config == expected.config
    assert found.audit.used.keys() ^ expected.audit.used.keys() == {own, other}
    assert found.audit.used[other] == expected.audit.used[own]


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "own", "other"), CASES)
def test_a_copy_is_compared_and_another_is_a_head_or_refused(changed, name, own, other):
    path = changed(name, lambda tensors: tensors.setdefault(other, tensors[own]))
    found = plan(path)
    assert other in found.audit.ignored and found.config == plan(REFERENCES / name).config
    path = changed(name, lambda tensors: tensors.setdefault(other, tensors[own] + 0.5))
    if other == plan(REFERENCES / name).family.head:
        assert plan(path).config.head.weights == "separate"
    else:
        assert f"that must be equal and are not: {other} and {own}" in refusal(path)


#: Tensors that transformers stores and reads, and that are computed here.
COMPUTED = {
    "marian": [f"model.{stack}.embed_positions.weight" for stack in ("encoder", "decoder")],
    "transfo_xl": ["transformer.pos_emb.inv_freq"],
}


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in COMPUTED.items() for key in keys])
def test_a_stored_tensor_that_is_computed_here_is_compared(changed, name, key):
    known = plan(REFERENCES / name)
    waves = known.family.computed(key, known.config)
    for dtype in ("float32", "float16"):
        path = changed(name, lambda tensors, dtype=dtype: tensors.update({key: waves.astype(dtype)}))
        assert key in plan(path).audit.ignored
    for other in (waves * 1.01, waves[:-1]):
        path = changed(name, lambda tensors, other=other: tensors.update({key: other.astype("float32")}))
        assert f"with other numbers than this model has: {key} (" in refusal(path)


@pytest.mark.parametrize("name", ["t5", "t5-v1_1", "mt5"])
def test_a_t5_without_an_output_matrix_has_that_of_its_embeddings(changed, name):
    """Whatever `tie_word_embeddings` says, as in transformers 5."""
    path = changed(name, lambda t: t.pop("lm_head.weight", None), tie_word_embeddings=False)
    found = plan(path)
    assert found.config.head.weights == "tied" and "lm_head.weight" not in found.names


@pytest.mark.thorough
def test_one_kept_of_several_names_computes_the_same(changed):
    """As safetensors' `save_model` writes it: one of the shared names, the others in the metadata."""
    path = changed("bart", lambda t: t.update({"lm_head.weight": t.pop("model.shared.weight")}))
    one, two = load_hf(path).model, load_hf(REFERENCES / "bart").model
    before, after = (Template(model.config).params(model) for model in (one, two))
    assert before.keys() == after.keys()
    for key in before:
        np.testing.assert_array_equal(before[key], after[key])


@pytest.mark.thorough
@pytest.mark.parametrize("wrapper", ["_orig_mod.", "module.", "base_model.model.", "module._orig_mod."])
@pytest.mark.parametrize("name", ["gpt2", "bert", "t5", "llama"])
def test_names_of_a_wrapped_model_are_read(changed, name, wrapper):
    path = changed(name, lambda t: [t.update({wrapper + key: t.pop(key)}) for key in list(t)])
    expected = plan(REFERENCES / name)
    assert plan(path).config == expected.config
    assert plan(path).audit.used == {wrapper + key: value for key, value in expected.audit.used.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(path.name for path in REFERENCES.iterdir()))
def test_a_bare_base_model_is_read_or_the_message_says_what_is_missing(changed, name):
    family = plan(REFERENCES / name).family
    prefix = "" if name == "bert-base" else family.prefix

    def bare(tensors):
        for key in list(tensors):
            value = tensors.pop(key)
            if key.startswith(prefix):
                tensors[key.removeprefix(prefix)] = value

    if name in ("transfo_xl", "transfo_xl-plain"):
        assert "no crit.out_layers.0.bias" in refusal(changed(name, bare))
        return
    found = plan(changed(name, bare))
    assert set(found.names) == set(found.audit.used.keys() | found.audit.ignored.keys())


def test_other_names_are_shown(changed):
    path = changed("gpt2", lambda t: [t.update({f"blah.{key}": t.pop(key)}) for key in list(t)])
    assert "There are: 'blah.transformer.h.0.attn.c_attn.bias', " in refusal(path)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", ["gpt2", "bert", "t5", "transfo_xl"])
def test_numbers_of_another_type_are_no_weights_in_any_matrix(changed, name, dtype):
    key = sorted(load_file(REFERENCES / name / "model.safetensors"))[-1]
    path = changed(name, lambda t: t.update({key: t[key].astype(dtype)}))
    assert f"{key} is of type " in refusal(path)


@pytest.mark.parametrize("name", ["gpt2", "bert", "llama"])
def test_quantized_weights_are_refused(changed, name):
    path = changed(name, lambda t: None, quantization_config={"quant_method": "bitsandbytes"})
    assert "quantization_config is there" in refusal(path)


def test_unused_rows_stand_before_a_table():
    tensor = Entry("wpe.weight", ("table",), form="table", skip=2)
    rows = np.arange(6.0).reshape(3, 2)
    written = tensor.write([rows])
    assert written[:2].tolist() == [[0, 0], [0, 0]] and written[2:].tolist() == rows.tolist()
    np.testing.assert_array_equal(tensor.read(written, rows.shape)[0], rows)


def test_what_was_loaded_is_saved_as_it_is(tmp_path):
    loaded = load_hf(REFERENCES / "gpt2")
    save_hf(loaded, tmp_path / "copy")
    again = load_hf(tmp_path / "copy")
    assert type(again.family) is type(loaded.family) and again.model.config == loaded.model.config
    with pytest.raises(ValueError, match="family= is needed, such as gpt2"):
        save_hf(loaded.model, tmp_path / "other")
