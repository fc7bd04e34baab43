"""A SentencePiece model alone in a directory, read as the class of its `model_type` reads it."""

import json

import pytest
from sentencepiece_directories import CASES, TEXTS, write

import jaxgpt.tokenizers as tokenizers
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.sentencepiece import SentencePiece

_ALBERT = (59, (2, 3, 0, 4), [5, 29, 10, 5, 11, 6, 14, 47, 10, 5, 18, 6, 12, 10], "the naive cafe")
_T5 = [3, 27, 8, 3, 2, 40, 2, 3, 2, 4, 10, 48]
#: By name: ids in all; bos, eos, pad and mask; the ids of `the NAÏVE  Café` and what they are written as.
EXPECTED = {
    "albert": _ALBERT,
    "albert, cased": (59, (2, 3, 0, 4), [5, 29, 10, 5, 1, 42, 1, 5, 1, 6, 12, 50], "the A afé"),
    "albert, by its class": _ALBERT,
    "t5": (157, (1, 1, 0, None), _T5, "the A afé"),
    "mt5": (57, (1, 1, 0, None), _T5, "the A afé"),
    "xlm-roberta": (59, (0, 2, 1, 58), [4, 28, 9, 4, 3, 41, 3, 4, 3, 5, 11, 49], "the A afé"),
    "reformer": (90, (1, 2, 2, None), [45, 9, 48, 0, 80, 0, 48, 0, 25, 88], "the A afé"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_text_has_the_ids_of_its_class(name, tmp_path):
    write(tmp_path, name)
    own = build(str(tmp_path), list)
    size, special, ids, text = EXPECTED[name]
    assert own.vocab_size == size and own.lossy
    assert (own.bos_id, own.eos_id, own.pad_id, own.mask_id) == special
    assert own.encode("the NAÏVE  Café") == ids == own.encode(" the  NAÏVE\n Café ")
    assert own.decode([*special[:3], *ids, special[1]]) == text
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(own))))
    assert [again.encode(text) for text in TEXTS] == [own.encode(text) for text in TEXTS]


@pytest.mark.parametrize("name", CASES)
def test_no_text_names_a_special_token(name, tmp_path):
    model = SentencePiece(write(tmp_path, name))
    own = build(str(tmp_path), list)
    text = "<s></s> <pad><unk> [CLS] [SEP][MASK] <mask> <extra_id_0><extra_id_7>"
    special = {own.bos_id, own.eos_id, own.pad_id, own.mask_id, *range(model.vocab_size + 1, own.vocab_size)}
    unknown = own.encode("☃")[-1]
    assert not (special - {unknown}) & {*own.encode(text)}


def test_alberts_digits_take_no_comma(tmp_path):
    """As its published code has it, although the model has such pieces."""
    model = SentencePiece(write(tmp_path, "albert"))
    assert "1," in dict(model.pieces) or "9," in dict(model.pieces)
    own = build(str(tmp_path), list)
    for text in ("9, 10, 11", "1,000"):
        assert not any(own.decode([own.eos_id, i]).strip().endswith(("1,", "9,")) for i in own.encode(text))


def test_another_class_reads_the_model_as_it_is(tmp_path):
    model = SentencePiece(write(tmp_path, "t5"))
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    own = build(str(tmp_path), list)
    assert isinstance(own, SentencePiece) and own.vocab_size == model.vocab_size


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("albert", {"do_lower_case": "no"}, "do_lower_case='no' is neither true nor false"),
        ("albert", {"keep_accents": 1}, "keep_accents=1 is neither true nor false"),
        ("albert", {"cls_token": "[X]"}, r"has no piece \[X\], which stands around every text as cls_token"),
        ("t5", {"extra_ids": -1}, "extra_ids=-1 is no number of tokens"),
        ("t5", {"extra_ids": 10**9}, "extra_ids=1000000000 is no number of tokens"),
        ("xlm-roberta", {"add_prefix_space": None}, "add_prefix_space=None is neither true nor false"),
    ],
)
def test_a_setting_of_another_type_is_refused_in_one_line(name, settings, said, tmp_path):
    write(tmp_path, name)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=said) as caught:
        build(str(tmp_path), list)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(tmp_path))
