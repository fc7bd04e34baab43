"""Directories that cannot be read: one line that names the file, the tensor or the field."""

import contextlib
import json
import resource
import shutil
import struct
import time
from pathlib import Path

import jax
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from jaxgpt.huggingface.files import Directory
from jaxgpt.huggingface.load import Plan, load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.models import ModelConfig
from jaxgpt.models.template import Template

REFERENCES = Path(__file__).parent / "references"


@pytest.fixture
def gpt2(tmp_path):
    """A directory that a test may spoil."""
    shutil.copytree(REFERENCES / "gpt2", tmp_path / "gpt2")
    return tmp_path / "gpt2"


def change_config(path, **fields):
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | fields))


def change_tensors(path, change):
    tensors = dict(load_file(path / "model.safetensors"))
    change(tensors)
    save_file(
        {name: np.ascontiguousarray(value) for name, value in tensors.items()}, path / "model.safetensors"
    )


def refused(path, words, **fields):
    with pytest.raises(ValueError, match=words) as caught:
        load_hf(path, **fields)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("transformer.h.1.ln_1.bias"), r"missing: h\.1\.ln_1\.bias"),
        (lambda t: t.update(other=np.zeros(3)), "unknown: other"),
        (
            lambda t: t.update({"transformer.ln_f.weight": np.zeros(7)}),
            r"another shape: transformer\.ln_f\.weight is \[7\], not \[24\]",
        ),
        (
            lambda t: t.update({"transformer.h.0.mlp.c_fc.weight": t["transformer.h.0.mlp.c_fc.weight"].T}),
            r"c_fc\.weight is \[96, 24\], not \[24, 96\]",
        ),
        (lambda t: t.pop("transformer.wte.weight"), r"has no wte\.weight"),
        (lambda t: t.update({"wte.weight": np.zeros((41, 24))}), "are the same tensor"),
    ],
)
def test_tensors_that_do_not_fit(gpt2, change, words):
    change_tensors(gpt2, change)
    refused(gpt2, words)


def test_what_files_hold_beside_weights_is_ignored_with_the_reason(gpt2):
    change_tensors(gpt2, lambda t: t.update({"transformer.h.0.attn.bias": np.ones((1, 1, 30, 30))}))
    audit = load_hf(gpt2).audit
    assert audit.ignored == {"transformer.h.0.attn.bias": "the causal mask, which is computed"}


@pytest.mark.thorough
def test_a_head_that_equals_the_embeddings_is_tied_and_another_is_not(gpt2):
    change_tensors(gpt2, lambda t: t.update({"lm_head.weight": t["transformer.wte.weight"]}))
    tied = load_hf(gpt2)
    assert tied.model.config.head.weights == "tied" and "once more" in tied.audit.ignored["lm_head.weight"]
    change_tensors(gpt2, lambda t: t.update({"lm_head.weight": 2 * t["transformer.wte.weight"]}))
    own = load_hf(gpt2).model
    assert own.config.head.weights == "separate"
    tokens = np.arange(6)[None]
    one, two = (np.asarray(model(tokens).logits) for model in (tied.model, own))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-5)


@pytest.mark.thorough
def test_names_without_the_prefix_and_old_names_are_read(tmp_path):
    shutil.copytree(REFERENCES / "bert", tmp_path / "bert")

    def rename(tensors):
        for name in list(tensors):
            new = name.removeprefix("bert.").replace("LayerNorm.weight", "LayerNorm.gamma")
            tensors[new.replace("LayerNorm.bias", "LayerNorm.beta")] = tensors.pop(name)

    change_tensors(tmp_path / "bert", rename)
    given = np.load(tmp_path / "bert" / "reference.npz")
    found = np.asarray(load_hf(tmp_path / "bert").model(given["tokens"]).logits)
    np.testing.assert_allclose(found, given["logits"], atol=2e-5 * np.abs(given["logits"]).max())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model_type": "gtp2"}, "model_type='gtp2' is not supported; did you mean gpt2"),
        ({"model_type": "tasks:addition"}, "is not supported; known: albert, "),
        ({"model_type": 3}, "model_type=3 is not supported"),
        ({"n_layer": "two"}, "n_layer='two' is not of type int"),
        ({"n_layer": True}, "n_layer=True is not of type int"),
        ({"activation_function": "exp"}, "activation_function='exp' is not supported; known: gelu_new"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx=True is not supported"),
        ({"n_head": 5}, "d_model=24 is not divisible by num_heads=5"),
        ({"n_layer": 3}, r"missing: h\.2\."),
    ],
)
def test_configurations_that_cannot_be(gpt2, fields, words):
    change_config(gpt2, **fields)
    with pytest.raises(ValueError, match=words) as caught:
        load_hf(gpt2)
    assert "\n" not in str(caught.value)


def test_rotary_positions_of_another_kind_are_refused(tmp_path):
    shutil.copytree(REFERENCES / "llama", tmp_path / "llama")
    change_config(tmp_path / "llama", rope_parameters={"rope_type": "yarn", "factor": 2.0})
    refused(tmp_path / "llama", "rope_type='yarn' is not supported; default, linear and llama3 are")


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("phi3", {"rope_parameters": {"rope_type": "longrope"}}, "rope_type='longrope' is not supported"),
        ("phi3", {"rope_parameters": {"rope_type": "linear", "factor": 2.0}}, "longrope is not supported"),
        ("phi3", {"partial_rotary_factor": 0.5, "rope_parameters": {"partial_rotary_factor": 1.0}}, "twice"),
        ("phi3", {"partial_rotary_factor": 1.5, "rope_parameters": None}, "at most all"),
        ("opt", {"word_embed_proj_dim": 12}, "word_embed_proj_dim=12 is not supported; only 24"),
        ("opt", {"_remove_final_layer_norm": True}, "_remove_final_layer_norm=True is not supported"),
        ("opt", {"layer_norm_elementwise_affine": False}, "layer_norm_elementwise_affine=False is not supp"),
        ("gpt_neox", {"rope_parameters": None, "rotary_pct": 0.2}, "rotary_pct=0.2 of 16 features"),
        ("gpt_neox", {"rotary_pct": 0.5}, "rotary_pct is given twice, as 0.25 and 0.5"),
    ],
)
def test_what_a_family_has_not_is_refused(name, fields, words, tmp_path):
    shutil.copytree(REFERENCES / name, tmp_path / name)
    change_config(tmp_path / name, **fields)
    refused(tmp_path / name, words)


@contextlib.contextmanager
def little_memory():
    """Room for 3 GiB beyond what is there: a list of 10^9 layers ends in a MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 3 * 2**30, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited as Linux does it")
@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("gpt2", {"n_layer": 10**12}, r"n_layer=1e\+12, and the files hold 2\d tensors"),
        ("t5", {"num_decoder_layers": 10**12}, r"num_decoder_layers=1e\+12, and the files hold"),
        (
            "gpt_neo",
            {"attention_layers": [], "attention_types": [[["global", "local"], 10**12]]},
            "name 2000000000000 layers",
        ),
        (
            "gpt_neo",
            {"attention_layers": [], "attention_types": [[["global"], 1], [["local"], 10**30]]},
            "layers, num_layers is",
        ),
        ("gpt_neo", {"attention_layers": [], "attention_types": [[[], 10**30]]}, "name 0 layers"),
        (
            "gpt_neo",
            {"attention_layers": [], "attention_types": [["global", 10**9]]},
            "name 6000000000 layers",
        ),
        ("reformer", {"attn_layers": ["lsh"] * 10**5}, r"attn_layers=1e\+05, and the files hold"),
        ("reformer", {"attn_layers": ["lsh", {}]}, "is not a list of local and lsh"),
        ("reformer", {"num_buckets": {"x": 1}}, "is neither a number nor a list of some"),
        # These need no list of their length, and are read as transformers reads them.
        ("qwen2", {"use_sliding_window": True, "max_window_layers": 10**12, "layer_types": None}, None),
        ("gemma2", {"sliding_window_pattern": 10**12, "layer_types": None}, None),
        ("gpt2", {"bos_token_id": 10**12}, None),
    ],
)
def test_a_field_asks_for_no_more_memory_than_the_files_hold(name, fields, words, tmp_path):
    shutil.copytree(REFERENCES / name, tmp_path / name)
    change_config(tmp_path / name, **fields)
    began = time.process_time()
    with little_memory():
        if words is None:
            Plan.of(Directory(tmp_path / name), None, {})
        else:
            refused(tmp_path / name, words)
    assert time.process_time() - began < 2


def test_a_file_of_any_size_that_holds_nothing_is_refused(gpt2):
    with open(gpt2 / "model.safetensors", "r+b") as file:
        file.truncate(2**42)
    with little_memory():
        refused(gpt2, "is no whole safetensors file")


def test_a_pickle_alone_is_refused_with_the_way_to_convert_it(gpt2):
    (gpt2 / "model.safetensors").rename(gpt2 / "pytorch_model.bin")
    refused(gpt2, "pytorch_model.bin alone, a pickle, .*save_pretrained")
    (gpt2 / "model.safetensors").write_bytes(b"\x80\x04\x95" + bytes(100))
    refused(gpt2, "is a Python pickle")
    refused(gpt2 / "pytorch_model.bin", "is a file; give the directory")


def spoil_header(path, header, data=b""):
    text = json.dumps(header).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_files_that_are_not_whole(gpt2):
    whole = (gpt2 / "model.safetensors").read_bytes()
    for cut in (0, 5, 100, len(whole) - 1):
        (gpt2 / "model.safetensors").write_bytes(whole[:cut])
        refused(gpt2, "is no whole safetensors file")
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    overlapping = {"a": entry, "b": entry | {"data_offsets": [4, 12]}}
    spoil_header(gpt2, overlapping, bytes(12))
    refused(gpt2, "is no whole safetensors file")
    spoil_header(gpt2, {"a": entry | {"dtype": "F33"}}, bytes(8))
    refused(gpt2, "is no whole safetensors file")
    (gpt2 / "model.safetensors").write_bytes(struct.pack("<Q", 2**63) + b"{}")
    refused(gpt2, "is no whole safetensors file")
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    spoil_header(gpt2, {f"t{i}": empty for i in range(100_000)})
    refused(gpt2, "has 100000 tensors")
    (gpt2 / "config.json").write_text("{")
    refused(gpt2, "is not JSON")
    (gpt2 / "config.json").unlink()
    refused(gpt2, "config.json does not exist")


def test_integers_are_no_weights(gpt2):
    change_tensors(gpt2, lambda t: t.update({name: value.astype(np.int32) for name, value in t.items()}))
    refused(gpt2, "is of type I32; known: F64, F32, F16, BF16")


def split(path, names=("one.safetensors", "two.safetensors")):
    """The model's tensors in two files with an index."""
    tensors = load_file(path / "model.safetensors")
    (path / "model.safetensors").unlink()
    index = {}
    for half, name in enumerate(names):
        part = {k: v for i, (k, v) in enumerate(sorted(tensors.items())) if i % 2 == half}
        save_file(part, path / Path(name).name)
        index |= dict.fromkeys(part, name)
    text = json.dumps({"metadata": {}, "weight_map": index})
    (path / "model.safetensors.index.json").write_text(text)


def test_several_files_are_one_model(gpt2):
    before = Template(load_hf(gpt2).model.config).params(load_hf(gpt2).model)
    split(gpt2)
    model = load_hf(gpt2).model
    for path, value in Template(model.config).params(model).items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(before[path]))
    (gpt2 / "two.safetensors").unlink()
    refused(gpt2, "two.safetensors does not exist")


def test_an_index_leads_nowhere_else(gpt2):
    split(gpt2, ("one.safetensors", "../two.safetensors"))
    refused(gpt2, "'../two.safetensors' is no plain file name")


def test_links_are_refused_but_for_the_cache_of_the_hub(gpt2, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.move(gpt2 / "model.safetensors", elsewhere)
    (gpt2 / "model.safetensors").symlink_to(elsewhere)
    refused(gpt2, "is a link that leads elsewhere")
    hub = tmp_path / "models--someone--gpt2"
    (hub / "snapshots" / "main").mkdir(parents=True)
    (hub / "blobs").mkdir()
    for name, source in (("config.json", gpt2 / "config.json"), ("model.safetensors", elsewhere)):
        shutil.copyfile(source, hub / "blobs" / name)
        (hub / "snapshots" / "main" / name).symlink_to(f"../../blobs/{name}")
    assert load_hf(hub / "snapshots" / "main").model.config.num_layers == 2


@pytest.mark.parametrize(("dtype", "kept"), [(np.float16, "float32"), (ml_dtypes.bfloat16, "bfloat16")])
def test_weights_keep_their_type_where_we_have_it(gpt2, dtype, kept):
    change_tensors(gpt2, lambda t: t.update({name: value.astype(dtype) for name, value in t.items()}))
    config = load_hf(gpt2).model.config
    assert (config.param_dtype, config.dtype) == (kept, kept)
    assert load_hf(gpt2, dtype="float32").model.config.param_dtype == "float32"


def test_what_a_family_cannot_express_is_not_written(tmp_path):
    model = load_hf(REFERENCES / "gpt2").model
    with pytest.raises(ValueError, match="a model of type llama has position=rotary, not learned"):
        save_hf(model, tmp_path / "x", family="llama")
    with pytest.raises(ValueError, match="model_type='gpt' is not supported; did you mean"):
        save_hf(model, tmp_path / "x", family="gpt")
    assert not any(tmp_path.iterdir())
    save_hf(model, tmp_path / "x", family="gpt2")
    with pytest.raises(ValueError, match="exists and is not empty"):
        save_hf(model, tmp_path / "x", family="gpt2")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.thorough
def test_a_model_of_ones_own_is_written_if_it_is_of_the_family(tmp_path):
    config = ModelConfig(vocab_size=11, num_layers=1, d_model=8, num_heads=2)  # rotary, which GPT-2 is not
    model = Template(config).model(Template(config).init(jax.random.key(0)))
    with pytest.raises(ValueError, match="a model of type gpt2 has position=learned, not rotary"):
        save_hf(model, tmp_path / "x", family="gpt2")
