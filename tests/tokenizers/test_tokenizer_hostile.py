"""Tokenizers in files that nobody's `save` has written: refused in one line that begins with the file."""

import copy
import json

import pytest
from variants import seldom

from jaxgpt import tokenizers
from jaxgpt.tokenizers import directory
from jaxgpt.tokenizers._published import byte_level

SPECS = (
    *(
        "bytes",
        "bpe:300",
        "characters",
        "sentencepiece:400",
        "whole",
        "lexicon:20",
        "digits:2:left:bpe:270",
        "fixed:4:bytes",
    ),
    *("10e:4:bytes", "base:16:bytes", "p10:2:bytes", "words:bytes", "spaced:bytes", "subset:bpe:270"),
    *("xval:2:bytes", "fone:4:2:bytes", "bittokens:bytes"),
)
WRONG = (None, True, 3, 3.5, -1, 10**30, "x", "", [], {}, [None], [[]], [1, 2], {"x": 1}, [{}])
NO_IDS = (-1, 10**6, 2**31, 10**30, True, 1.0, "1", None, [0], {"x": 0})


def places(value):
    """Each list and object in JSON values with its keys; of long ones the first and the last."""
    keys = list(range(len(value)) if isinstance(value, list) else value)
    for key in keys if len(keys) < 12 else (keys[0], keys[-1]):
        yield value, key
        if isinstance(value[key], list | dict):
            yield from places(value[key])


def refused(path, data, read=tokenizers.load):
    """The line that refuses these JSON values."""
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError) as caught:
        read(path)
    line = str(caught.value)
    assert line.startswith(str(path)) and len(line) <= 300 and line.isprintable()
    return line


def huggingface(built):
    pairs = built("bpe:270")
    return byte_level(pairs.vocab, pairs.merges)


@pytest.mark.parametrize("spec", seldom(SPECS, ("bpe:300", "digits:2:left:bpe:270")))
def test_values_of_wrong_types_are_refused(built, spec, tmp_path):
    data = tokenizers.to_json(built(spec))
    for number in range(sum(1 for _ in places(data))):
        for value in WRONG:
            changed = copy.deepcopy(data)
            holder, key = list(places(changed))[number]
            if (type(holder[key]), holder[key]) == (type(value), value):
                continue
            holder[key] = value
            refused(tmp_path / "tokenizer.json", changed)


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_values_of_wrong_types_in_others_files_are_refused(built, value, tmp_path):
    (tmp_path / "merges.txt").write_text("a b\n")
    pairs = built("bpe:270").vocab
    for vocab in (pairs | {"a": value}, value, list(pairs), {"x": value}):
        path = tmp_path / "vocab.json"
        path.write_text(json.dumps(vocab))
        with pytest.raises(ValueError) as caught:
            directory.load(tmp_path)
        assert str(caught.value).startswith(str(tmp_path))
    data = huggingface(built)
    for key in ("vocab", "type", *(["merges"] if value != [] else [])):
        refused(tmp_path / "tokenizer.json", data | {"model": data["model"] | {key: value}}, directory.load)


@pytest.mark.parametrize("value", NO_IDS, ids=repr)
@pytest.mark.parametrize("spec", SPECS)
def test_ids_outside_of_the_vocabulary_are_refused(built, spec, value, tmp_path):
    data = tokenizers.to_json(built(spec))
    path = tmp_path / "tokenizer.json"
    for name in ("begin_ids", "end_ids"):
        if not isinstance(value, list):
            assert "fingerprint" not in refused(path, data | {name: [value]})
    own = data["tokenizer"]
    for name in ("pad_id", "bos_id", "eos_id", "mask_id"):
        if "pad_id" in own:
            assert "fingerprint" not in refused(path, data | {"tokenizer": own | {name: value}})
        elif spec.startswith("sentencepiece"):
            changed = data | {"tokenizer": own | {"special": {name: value}}}
            assert "fingerprint" not in refused(path, changed)


@pytest.mark.parametrize("value", NO_IDS, ids=repr)
def test_special_ids_of_a_hugging_face_tokenizer_are_its_ids(built, value, tmp_path):
    own = {"definition": huggingface(built), "special": {"mask_id": value}}
    data = {"kind": "huggingface", "fingerprint": "0" * 16, "tokenizer": own}
    assert "mask_id" in refused(tmp_path / "tokenizer.json", data)


@pytest.mark.parametrize("name", ["decode", "_bytes", "vocab_size", "__class__", "special"])
@pytest.mark.parametrize("spec", ["sentencepiece:400", "huggingface"])
def test_a_file_sets_special_ids_and_nothing_else(built, spec, name, tmp_path):
    own = {"definition": huggingface(built)} if spec == "huggingface" else built(spec).to_json()
    data = {"kind": spec.split(":")[0], "fingerprint": "0" * 16, "tokenizer": own | {"special": {name: 0}}}
    assert "is no special id" in refused(tmp_path / "tokenizer.json", data)


def test_a_vocabulary_is_no_larger_than_its_file(built, tmp_path):
    """An id of a billion would need a table of a billion texts."""
    path = tmp_path / "tokenizer.json"
    data = huggingface(built)
    model = data["model"]
    for index in (10**6, 10**9, 2**32 - 1):
        changed = data | {"model": model | {"vocab": model["vocab"] | {"far": index}}}
        assert "far beyond" in refused(path, changed, directory.load)
    gap = data | {"model": model | {"vocab": model["vocab"] | {"far": 1000}}}
    path.write_text(json.dumps(gap))
    assert directory.load(path).vocab_size > 1000
    data = tokenizers.to_json(built("sentencepiece:400"))
    for added in (-1, 10**6, 10**12):
        data["tokenizer"]["added"] = added
        assert "behind a SentencePiece model" in refused(path, data)
