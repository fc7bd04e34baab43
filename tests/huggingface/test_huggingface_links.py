"""Links in directories of transformers are refused, whatever file it is; the hub's cache is made of them."""

import json
import shutil
from pathlib import Path

import pytest

from jaxgpt import tokenizers
from jaxgpt.huggingface.load import load_hf
from jaxgpt.tokenizers import directory
from jaxgpt.tokenizers._published import byte_level

GPT2 = Path(__file__).parent / "references" / "gpt2"
TEXT = "How should a transformer read numbers? 13 + 829 = 842.\n" * 4
WORDS = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n"


@pytest.fixture(scope="module")
def contents():
    """What each file may hold, so that a directory with it is sound."""
    pairs = tokenizers.build("bpe:270", lambda: [TEXT])
    vocab = {token: i - 3 for token, i in pairs.vocab.items()} | {"<|endoftext|>": 267}
    own = tokenizers.to_json(tokenizers.build("bytes", lambda: [TEXT]))
    files = {
        "jaxgpt_tokenizer.json": own,
        "tokenizer.json": byte_level(vocab, pairs.merges),
        "vocab.json": vocab,
        "tokenizer_config.json": {"pad_token": "a"},
        "special_tokens_map.json": {"eos_token": "<|endoftext|>"},
        "added_tokens.json": {},
        "generation_config.json": {"eos_token_id": 2},
    }
    texts = {name: json.dumps(values).encode() for name, values in files.items()}
    texts["merges.txt"] = "".join(f"{a} {b}\n" for a, b in pairs.merges).encode()
    texts["vocab.txt"] = WORDS.encode()
    texts["spiece.model"] = tokenizers.build("sentencepiece:300", lambda: [TEXT]).model
    return texts | {name: (GPT2 / name).read_bytes() for name in ("config.json", "model.safetensors")}


#: For each file that may be a link, the plain files beside it that it is read with.
BESIDE = {
    "config.json": (),
    "model.safetensors": (),
    "generation_config.json": ("tokenizer.json",),
    "jaxgpt_tokenizer.json": (),
    "tokenizer.json": (),
    "vocab.json": ("merges.txt",),
    "merges.txt": ("vocab.json",),
    "vocab.txt": (),
    "spiece.model": (),
    "tokenizer_config.json": ("vocab.txt",),
    "special_tokens_map.json": ("tokenizer.json",),
    "added_tokens.json": ("vocab.json", "merges.txt"),
}


def made(folder, contents, names):
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(contents[name])
    return folder


def read(path, name):
    """Read what the file is of; a tokenizer alone is read sooner than the model beside it."""
    return load_hf(path) if name in ("config.json", "model.safetensors") else directory.load(path)


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("how", ["absolute", "relative", "through a folder"])
def test_no_file_is_a_link(name, how, contents, tmp_path):
    whole = {"config.json", "model.safetensors", name, *BESIDE[name]}
    path = made(tmp_path / "model", contents, whole - {name})
    aim = made(tmp_path / "elsewhere", contents, [name]) / name
    if how == "relative":
        aim = Path("..", "elsewhere", name)
    elif how == "through a folder":
        (path / "blobs").symlink_to(tmp_path / "elsewhere")
        aim = Path("blobs", name)
    (path / name).symlink_to(aim)
    with pytest.raises(ValueError, match="is a link that leads elsewhere") as caught:
        read(path, name)
    line = str(caught.value)
    assert line.startswith(str(path)) and name in line and len(line) <= 300
    (path / name).unlink()
    shutil.copyfile(tmp_path / "elsewhere" / name, path / name)
    read(path, name)


@pytest.mark.parametrize("name", BESIDE)
def test_the_cache_of_the_hub_is_made_of_links(name, contents, tmp_path):
    names = ["config.json", "model.safetensors", name, *BESIDE[name]]
    home = tmp_path / "models--someone--gpt2"
    made(home / "blobs", contents, names)
    snapshot = made(home / "snapshots" / "main", contents, [])
    for file in dict.fromkeys(names):
        (snapshot / file).symlink_to(Path("..", "..", "blobs", file))
    read(snapshot, name)
    # Of another model, or not of its blobs, it is a link like any other.
    made(tmp_path / "models--another--gpt2" / "blobs", contents, names)
    for aim in (tmp_path / "models--another--gpt2" / "blobs" / name, home / name):
        shutil.copyfile(home / "blobs" / name, home / name)
        (snapshot / name).unlink()
        (snapshot / name).symlink_to(aim)
        with pytest.raises(ValueError, match="is a link that leads elsewhere"):
            read(snapshot, name)
