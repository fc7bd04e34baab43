"""Published vocabularies against transformers itself, where it is installed."""

import json

import pytest

from jaxgpt.tokenizers import build

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.transformers

TEXTS = (
    *("The sum of 12 and 34 is 46.", "un-affable  cafés, NAÏVE\tthings!\n", "中文 text ☃ \u200b x\u0301"),
    *("[MASK] and [SEP]", "", " a ", "don't  stop", "123456789 a1b2"),
)
#: Behind the names of files as arguments.
FILE = "_file" if transformers.__version__.startswith("4.") else ""
LETTERS = [chr(c) for c in range(33, 127)]


@pytest.mark.parametrize("settings", [{}, {"do_lower_case": False}, {"strip_accents": False}])
def test_berts(settings, tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{c}" for c in LETTERS)]
    words += ["the", "sum", "##ing", "##ffable", "thing", "##s", "中", "é", "##é", "12", "##34", "don"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    # Version 5 has the fast one alone, under the plain name.
    bert = getattr(transformers, "BertTokenizerFast", transformers.BertTokenizer)
    theirs = bert(**{f"vocab{FILE}": str(tmp_path / "vocab.txt")}, **settings)
    ours = build(str(tmp_path), list)
    for text in TEXTS:
        ids = theirs.encode(text.replace("[", "("), add_special_tokens=False)
        assert ours.encode(text.replace("[", "(")) == ids
        # Version 4 joins more than its file says, such as "don ' t", unless it is told not to.
        told = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        assert ours.decode(ids) == theirs.decode(ids, **told)


def test_gpt1s(tmp_path):
    merges = [("t", "h"), ("th", "e</w>"), ("s", "u"), ("su", "m</w>"), ("i", "n"), ("in", "g</w>")]
    names = ["<unk>", *LETTERS, *(f"{c}</w>" for c in LETTERS), *("".join(pair) for pair in merges)]
    (tmp_path / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
    (tmp_path / "merges.txt").write_text(
        "\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges), ""])
    )
    files = {f"vocab{FILE}": str(tmp_path / "vocab.json"), f"merges{FILE}": str(tmp_path / "merges.txt")}
    theirs, ours = transformers.OpenAIGPTTokenizer(**files), build(str(tmp_path), list)
    for text in TEXTS:
        ids = theirs.encode(text, add_special_tokens=False)
        assert ours.encode(text) == ids
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True)
