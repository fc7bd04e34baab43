"""Short names, on the command line and in JSON."""

import json
import os
import subprocess
import sys

import pytest

import jaxgpt.tokenizers as tokenizers
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.bytes import Bytes
from jaxgpt.tokenizers.tokenizer import Tokenizer

TEXTS = ["the sum of 12 and 34 is 46, and the other thing\n"]


@pytest.mark.parametrize(
    ("spec", "kind", "size"),
    [
        ("characters", "characters", None),
        ("bytes", "bytes", 259),
        ("digits", "digits", None),
        ("digits:3:right", "digits", None),
        ("digits:3:left:bytes", "digits", 259 + 1100),
        ("digits:1:right:bpe:259", "digits", 259),
        ("spaced", "spaced", None),
        ("spaced:bytes", "spaced", 259),
        ("bpe:270", "bpe", 270),
        ("sentencepiece:290", "sentencepiece", None),
        ("sentencepiece:290:bpe:keep_digits", "sentencepiece", 290),
    ],
)
def test_every_short_name_builds(spec, kind, size):
    tokenizer = build(spec, lambda: TEXTS)
    assert type(tokenizer).kind() == kind
    assert tokenizer.decode(tokenizer.encode("of 12 and")) == "of 12 and"
    if size is not None:
        assert tokenizer.vocab_size == size


def test_the_short_names():
    assert {"characters", "bytes", "digits", "spaced", "bpe", "sentencepiece"} <= set(Tokenizer.names())


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("characters:3", "characters:3: takes no arguments; usage: characters"),
        ("bytes:3", "bytes:3: takes no arguments; usage: bytes"),
        ("bpe", "bpe: SIZE is a whole number from 259 to 1,000,000; usage: bpe:SIZE"),
        ("bpe:abc", "bpe:abc: SIZE is a whole number from 259 to 1,000,000; usage: bpe:SIZE"),
        ("bpe:258", "bpe:258: SIZE is a whole number from 259 to 1,000,000; usage: bpe:SIZE"),
        ("bpe:300:3", "bpe:300:3: SIZE is"),
        ("digits:0", "digits:0: SIZE='0' is not a whole number from 1 to 5; usage: digits[:SIZE"),
        ("digits:²", "SIZE='²' is not a whole number"),
        ("digits:6", "SIZE='6' is not"),
        ("digits:3:middle", "digits:3:middle: SIDE='middle' is neither right nor left; usage: digits"),
        ("digits:1:right:bpe:x", "bpe:x: SIZE is a whole number"),
        ("digits:1:right:nothing", "no tokenizer is called 'nothing'"),
        ("sentencepiece", "sentencepiece: SIZE is a whole number"),
        ("sentencepiece:5", "sentencepiece:5: SIZE=5 is too small: bytes, special ids and characters"),
        ("sentencepiece:300:word", "'word' is neither unigram nor bpe; usage: sentencepiece:SIZE"),
        ("sentencepiece:300:bpe:no", "'no' is neither split_digits nor keep_digits; usage"),
        ("sentencepiece:300:bpe:keep_digits:1", "then at most two arguments"),
        ("huggingface", "huggingface: takes a path; usage"),
        ("digit", "did you mean digits?"),
        ("/no/such/directory", "/no/such/directory does not exist"),
    ],
)
def test_wrong_short_names(spec, line):
    with pytest.raises(ValueError) as caught:
        build(spec, lambda: TEXTS)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "line"),
    [("characters", "the training text holds none"), ("sentencepiece:300", "the training text is empty")],
)
def test_no_training_text(spec, line):
    with pytest.raises(ValueError, match=line):
        build(spec, lambda: [])


def test_a_small_text_gives_a_smaller_sentencepiece():
    tokenizer = build("sentencepiece:1000", lambda: ["abab"])
    assert tokenizer.vocab_size < 300
    assert tokenizer.decode(tokenizer.encode("xyz  12")) == "xyz  12"


class Shouting(Bytes):
    """A tokenizer that lives outside the package."""

    usage = "shouting[:WORD]"

    @classmethod
    def from_spec(cls, arguments, texts):
        tokenizer = cls()
        tokenizer.word = arguments[0]
        return tokenizer


def test_a_tokenizer_of_another_module(monkeypatch):
    package = type(sys)("outside")
    module = type(sys)("outside.shouting")
    module.Shouting = Shouting
    monkeypatch.setitem(sys.modules, "outside", package)
    monkeypatch.setitem(sys.modules, "outside.shouting", module)
    tokenizer = build("outside.shouting:Shouting:loud", lambda: TEXTS)
    assert tokenizer.word == "loud"


PROCESS = """
from jaxgpt.tokenizers import build
texts = ["the sum of 12 and 34 is 46, and the other thing; then another one"] * 3
for spec in ("characters", "digits:2:left:bpe:300", "bpe:290", "sentencepiece:300", "sentencepiece:300:bpe"):
    print(build(spec, lambda: texts).fingerprint)
"""


def test_training_is_the_same_in_every_process():
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROCESS],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 5


def test_a_recorded_fingerprint():
    """Runs on disk name their tokenizer by it: if this fails, old runs no longer load."""
    assert Bytes().fingerprint == "eb929771327edd99"
    assert build("digits:2:left:bytes", lambda: []).fingerprint == "511f12014491fb62"


def test_importing_is_light():
    heavy = "import sys, jaxgpt.tokenizers as t; t.Tokenizer.names(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "jaxgpt.tokenizers.bpe" in loaded
    assert loaded.isdisjoint({"tokenizers", "sentencepiece", "jax", "numpy"})


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"fingerprint": "0" * 16}, "the file was changed by hand"),
        ({"kind": "characterz"}, "did you mean characters"),
        ({"kind": 3}, "kind is 3, not a name"),
        ({"tokenizer": {"alphabet": 3}}, "no 'alphabet' of type str"),
        ({"tokenizer": []}, "no 'tokenizer' of type dict"),
        ({"tokenizer": {"alphabet": "aba"}}, "names a character twice"),
        ({"tokenizer": {"alphabet": "a\ud800"}}, "lone surrogate"),
        ({"kind": "sentencepiece", "tokenizer": {"model": "AAAA"}}, "not a SentencePiece model"),
        ({"kind": "sentencepiece", "tokenizer": {"model": "é"}}, "no|base64|ASCII"),
        ({"kind": "bytes", "tokenizer": {"a": 1}}, "holds values"),
        ({"kind": "huggingface", "tokenizer": {"definition": {}}}, "does not take this tokenizer.json"),
        ({"kind": "os:getcwd"}, "is not a Tokenizer"),
    ],
)
def test_malformed_json(tmp_path, change, line):
    data = tokenizers.to_json(build("characters", lambda: TEXTS)) | change
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=line) as caught:
        tokenizers.load(path)
    assert "\n" not in str(caught.value)


def test_save_and_load(tmp_path):
    tokenizer = build("digits:2:left:bpe:270", lambda: TEXTS)
    tokenizers.save(tokenizer, tmp_path / "tokenizer.json")
    assert tokenizers.load(tmp_path / "tokenizer.json").fingerprint == tokenizer.fingerprint
    assert str(tmp_path) not in (tmp_path / "tokenizer.json").read_text()
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json is not a tokenizer's JSON"):
        tokenizers.load(tmp_path / "broken.json")
