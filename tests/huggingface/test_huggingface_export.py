"""What stands in an exported directory beside the weights, read with the `tokenizers` library alone."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from exported import ENCODER_DECODERS, TEXTS, TOKENIZERS, UNEXPRESSED, built, model_for
from flax import nnx
from tokenizers import Tokenizer as Library
from variants import seldom

import jaxgpt
from jaxgpt.cli import export_hf as command
from jaxgpt.cli.main import main
from jaxgpt.core.nested import replaced
from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.tokenizers.huggingface import HuggingFace
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

REFERENCES = Path(__file__).parent / "references"


def read(path, name):
    return json.loads((path / name).read_text())


def encoded(encode, text):
    """The ids of a text, or None for one outside of the alphabet."""
    try:
        return encode(text)
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        assert isinstance(error, OutsideAlphabet) or "vocabulary" in str(error) or "WordLevel" in str(error)
        return None


@pytest.mark.parametrize("spec", TOKENIZERS)
def test_the_library_reads_and_writes_the_same_text_by_text(spec):
    own = built(spec)
    library = Library.from_str(json.dumps(own.form().definition(own.begin_ids)))
    library.encode_special_tokens = True
    assert library.get_vocab_size() == own.vocab_size
    read = 0
    for text in TEXTS:
        ids = encoded(own.encode, text)
        found = encoded(lambda text: library.encode(text).ids, text)
        assert found == (None if ids is None else [own.bos_id, *ids]), text
        if ids is not None:
            read += 1
            assert library.decode([own.bos_id, *ids, own.eos_id]) == own.decode(ids)
    assert read > len(TEXTS) / 10


@pytest.mark.parametrize("spec", UNEXPRESSED)
def test_what_has_no_form_is_refused_with_the_way_out(spec, tmp_path):
    own = built(spec)
    with pytest.raises(
        ValueError, match=r"has no form in the tokenizers library.*--tokenizer jaxgpt"
    ) as told:
        save_hf(model_for(own, "gpt2"), tmp_path / "x", family="gpt2", tokenizer=own)
    assert "\n" not in str(told.value) and not [*tmp_path.iterdir()]
    save_hf(model_for(own, "gpt2"), tmp_path / "x", family="gpt2", tokenizer=own, reader="jaxgpt")
    assert load_hf(tmp_path / "x").tokenizer.fingerprint == own.fingerprint
    assert not (tmp_path / "x" / "tokenizer.json").exists()
    assert read(tmp_path / "x", "config.json")["eos_token_id"] == own.eos_id


def test_the_ids_stand_in_every_file(tmp_path):
    own = built("digits")
    save_hf(model_for(own, "gpt2"), tmp_path / "a", family="gpt2", tokenizer=own)
    for name in ("config.json", "generation_config.json"):
        found = read(tmp_path / "a", name)
        assert [found[f"{key}_token_id"] for key in ("pad", "bos", "eos")] == [0, 1, 2]
    settings = read(tmp_path / "a", "tokenizer_config.json")
    assert [settings[f"{key}_token"] for key in ("pad", "bos", "eos")] == ["<|pad|>", "<|bos|>", "<|eos|>"]
    assert settings["add_bos_token"] is True and settings["model_max_length"] == 40
    assert Library.from_file(str(tmp_path / "a" / "tokenizer.json")).encode("7").ids == [1, *own.encode("7")]
    several = own.used_with(end_ids=[2, 5], begin_ids=[])
    save_hf(model_for(own, "gpt2"), tmp_path / "b", family="gpt2", tokenizer=several)
    assert read(tmp_path / "b", "generation_config.json")["eos_token_id"] == [2, 5]
    assert Library.from_file(str(tmp_path / "b" / "tokenizer.json")).encode("7").ids == own.encode("7")
    again = load_hf(tmp_path / "b").tokenizer
    assert (again.begin_ids, again.end_ids) == ((), (2, 5))
    # Without a tokenizer the ends of another model are taken back.
    save_hf(model_for(own, "gpt2"), tmp_path / "c", family="gpt2")
    found = read(tmp_path / "c", "config.json")
    assert found["bos_token_id"] is found["eos_token_id"] is None


@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_the_decoder_begins_as_it_was_trained(family, tmp_path):
    own = built("digits")
    save_hf(model_for(own, family), tmp_path / "a", family=family, tokenizer=own)
    found = read(tmp_path / "a", "generation_config.json")
    assert found["decoder_start_token_id"] == 1 and found["eos_token_id"] == 2
    config = read(tmp_path / "a", "config.json")
    assert config["decoder_start_token_id"] == 1 and config["pad_token_id"] == 0
    assert Library.from_file(str(tmp_path / "a" / "tokenizer.json")).encode("7").ids == [*own.encode("7"), 2]


def test_around_an_encoders_text_stand_begin_and_end(tmp_path):
    own = built("digits")
    save_hf(model_for(own, "bert"), tmp_path / "a", family="bert", tokenizer=own)
    library = Library.from_file(str(tmp_path / "a" / "tokenizer.json"))
    seven = own.encode("7")
    assert library.encode("7").ids == [1, *seven, 2]
    assert library.encode("7", "7").ids == [1, *seven, 2, *seven, 2]
    assert not (tmp_path / "a" / "generation_config.json").exists()
    assert read(tmp_path / "a", "tokenizer_config.json")["sep_token"] == "<|eos|>"


@pytest.mark.parametrize("family", ["gpt2", "bart"])
def test_a_tokenizer_that_was_read_keeps_what_it_puts_around_a_text(family, tmp_path):
    own = built("bpe:300")
    read_again = HuggingFace(own.form().definition([own.bos_id], [own.eos_id]))
    save_hf(model_for(own, family), tmp_path / "a", family=family, tokenizer=read_again)
    library = Library.from_file(str(tmp_path / "a" / "tokenizer.json"))
    assert library.encode("the 7").ids == [1, *own.encode("the 7"), 2]
    # A decoder was trained with the begin token alone, where another beginning is asked for.
    save_hf(
        model_for(own, "gpt2"), tmp_path / "b", family="gpt2", tokenizer=read_again.used_with(begin_ids=[])
    )
    library = Library.from_file(str(tmp_path / "b" / "tokenizer.json"))
    assert library.encode("the 7").ids == own.encode("the 7")
    # Without special tokens of its own it gets a name for the id behind its vocabulary.
    bare = own.form().definition() | {"added_tokens": []}
    bare["model"] = bare["model"] | {
        "vocab": {t: i for t, i in own.vocab.items()} | {"x1": 0, "x2": 1, "x3": 2}
    }
    bare = HuggingFace(bare)
    assert bare.eos_id == own.vocab_size
    save_hf(model_for(bare, "gpt2"), tmp_path / "c", family="gpt2", tokenizer=bare)
    library = Library.from_file(str(tmp_path / "c" / "tokenizer.json"))
    assert library.token_to_id(read(tmp_path / "c", "tokenizer_config.json")["eos_token"]) == bare.eos_id
    assert library.encode("the 7").ids == [bare.bos_id, *own.encode("the 7")]


def test_an_encoder_that_reads_a_token_before_each_text_makes_no_run(tmp_path, capsys):
    own = built("bpe:300")
    read_again = HuggingFace(own.form().definition([own.bos_id], [own.eos_id]))
    save_hf(model_for(own, "bart"), tmp_path / "a", family="bart", tokenizer=read_again)
    (tmp_path / "a" / "jaxgpt_tokenizer.json").unlink()
    assert load_hf(tmp_path / "a").tokenizer.begin_ids == (1,)  # decoder_start_token_id
    assert main(["import-hf", str(tmp_path / "a"), "--workdir", str(tmp_path / "run")]) == 2
    assert "puts [1] before what the encoder reads, where a run has nothing" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_tokenizers_that_are_not_the_models(tmp_path):
    own, other = built("digits"), built("bytes")
    with pytest.raises(ValueError, match=r"the tokenizer has 259 ids and the model \d+; give the tokenizer"):
        save_hf(model_for(own, "gpt2"), tmp_path / "x", family="gpt2", tokenizer=other)
    with pytest.raises(ValueError, match=r"type roberta counts positions from padding as id 1, .* is 0"):
        save_hf(model_for(own, "roberta"), tmp_path / "x", family="roberta", tokenizer=own)
    with pytest.raises(ValueError, match="reader='torch' must be one of transformers, jaxgpt"):
        save_hf(model_for(own, "gpt2"), tmp_path / "x", family="gpt2", reader="torch")
    with pytest.raises(ValueError, match="family= is needed"):
        save_hf(model_for(own, "gpt2"), tmp_path / "x")


@pytest.mark.parametrize(
    "ids", [{"eos_token_id": [7, 3]}, {"bos_token_id": 4, "eos_token_id": 5, "pad_token_id": 6}]
)
@pytest.mark.parametrize(
    "name",
    seldom(["gpt2", "llama", "qwen3", "gemma", "t5", "bart", "marian"], ("qwen3", "t5", "bart", "marian")),
)
def test_ids_survive_reading_and_writing(name, ids, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.safetensors").write_bytes((REFERENCES / name / "model.safetensors").read_bytes())
    config = read(REFERENCES / name, "config.json") | ids | {"decoder_start_token_id": 9}
    (source / "config.json").write_text(json.dumps(config))
    (source / "generation_config.json").write_text(json.dumps({"forced_eos_token_id": 8, **ids}))
    loaded = load_hf(source)
    save_hf(loaded, tmp_path / "copy")
    for file in ("config.json", "generation_config.json"):
        found = read(tmp_path / "copy", file)
        for key, value in (ids | {"decoder_start_token_id": 9, "forced_eos_token_id": 8}).items():
            assert found[key] == value, (file, key)
    assert load_hf(tmp_path / "copy").ids == loaded.ids


@pytest.mark.parametrize(
    "name", seldom(["llama", "mistral", "qwen3", "gemma", "gemma2", "gemma3_text"], ("qwen3", "gemma3_text"))
)
def test_rotary_positions_stand_under_their_older_names_too(name, tmp_path):
    model = load_hf(REFERENCES / name).model
    save_hf(model, tmp_path / "copy", family=name)
    path = tmp_path / "copy" / "config.json"
    config = json.loads(path.read_text())
    assert config.pop("rope_parameters")
    path.write_text(json.dumps(config))
    again = load_hf(tmp_path / "copy").model.config
    assert again.position == model.config.position and again.window_position == model.config.window_position


@pytest.mark.thorough
def test_a_tied_t5_without_a_factor_has_its_output_matrix(tmp_path):
    config = load_hf(REFERENCES / "t5").model.config
    assert config.head.weights == "tied" and config.head.factor != 1
    model = jaxgpt.Transformer(replaced(config, {"head.factor": 1.0}), rngs=nnx.Rngs(0))
    save_hf(model, tmp_path / "a", family="t5")
    again = load_hf(tmp_path / "a").model
    assert again.config.head.factor == 1 and again.config.head.weights == "separate"
    np.testing.assert_array_equal(again.head[...], model.embedding.table[...].T)
    separate = jaxgpt.Transformer(replaced(config, {"head.weights": "separate"}), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match=r"head.factor=.* has head.weights=tied, not separate"):
        save_hf(separate, tmp_path / "b", family="t5")


def test_the_command_says_how_to_export_a_model_alone(tmp_path, capsys, monkeypatch):
    own = built("fixed:9")
    run = SimpleNamespace(model=model_for(own, "gpt2"), tokenizer=own)
    monkeypatch.setattr(command, "load", lambda path, checkpoint: run)
    words = ["export-hf", "run", "--family", "gpt2", "--output", str(tmp_path / "out")]
    assert main(words) == 2
    assert "export the model alone (--tokenizer jaxgpt" in capsys.readouterr().err
    assert main([*words, "--tokenizer", "none"]) == 2
    assert "reader='none' must be one of" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*words, "--tokenizer", "jaxgpt"]) == 0
    assert load_hf(tmp_path / "out").tokenizer.fingerprint == own.fingerprint
