"""A subset cuts text as the whole vocabulary does, with fewer ids."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from jaxgpt import tokenizers
from jaxgpt.data.rows import build_rows
from jaxgpt.task import Example
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

TEXTS = ["the sum of 123 and 4567 is 4690, the sum of 12 and 12 is 24"] * 20 + ["zebras quiver"]


def sums():
    return iter(["12+3=15", "40+56=96", "78+9=87"])


@pytest.fixture(scope="module")
def whole():
    return tokenizers.build("bpe:300", lambda: iter(TEXTS))


@pytest.fixture(scope="module")
def cut(whole, tmp_path_factory):
    path = tmp_path_factory.mktemp("subset") / "tokenizer.json"
    tokenizers.save(whole, path)
    return tokenizers.build(f"subset:{path}", sums)


@given(st.text("0123456789+=", max_size=30))
def test_text_is_cut_as_by_the_whole_vocabulary(whole, cut, text):
    ids = cut.encode(text)
    assert [cut.token_texts()[i] for i in ids] == [whole.token_texts()[i] for i in whole.encode(text)]
    assert cut.decode(ids) == text
    assert cut.encode_batch([text, ""]) == [ids, []]


def test_it_keeps_what_the_alphabet_can_make_and_the_special_tokens(whole, cut):
    kept = {text for text in whole.token_texts() if text and set(text) <= set("0123456789+=")}
    assert {text for text in cut.token_texts() if text} == kept
    assert cut.vocab_size < whole.vocab_size / 4
    assert cut.decode([cut.pad_id, cut.bos_id, cut.eos_id]) == ""
    # The special tokens are the first of the whole vocabulary, and ids keep their order.
    assert (cut.pad_id, cut.bos_id, cut.eos_id) == (whole.pad_id, whole.bos_id, whole.eos_id) == (0, 1, 2)
    assert not set(cut.encode("12+34=46")) & {cut.pad_id, cut.bos_id, cut.eos_id}


def test_what_begins_and_ends_a_text_has_the_ids_of_the_subset(tmp_path):
    """GPT-2's one special token is the last of its vocabulary."""
    vocab = {text: i for i, text in enumerate([*sorted(ByteLevel.alphabet()), "12", "<|endoftext|>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n1 2\n", encoding="utf-8")
    built = tokenizers.build(f"subset:{tmp_path}", sums)
    for cut in (built, tokenizers.from_json(tokenizers.to_json(built))):
        end = cut.vocab_size - 1
        assert (cut.begin_ids, cut.end_ids, cut.eos_id) == ((end,), (end,), end)
        rows = build_rows([Example("12+3=", "15")], cut, encoder_decoder=False, max_length=16)
        assert cut.decode(rows.ids(0)) == "12+3=15"


def test_it_comes_back_from_json(cut):
    again = tokenizers.from_json(tokenizers.to_json(cut))
    assert again.fingerprint == cut.fingerprint and again.encode("5+5=10") == cut.encode("5+5=10")


@pytest.mark.parametrize("base", ["bytes", "bpe:300", "10e", "words", "p10"])
def test_parts_of_characters_and_symbols_of_numbers_are_kept(base):
    """Their names are no characters of the alphabet."""
    texts = ["é1", "12+34=46 日本\r\n", "x -5"]
    tokenizer = tokenizers.build(f"subset:{base}", lambda: iter(texts))
    whole = tokenizers.build(base, lambda: iter(texts))
    for text in texts:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert [tokenizer.token_texts()[i] for i in ids] == [
            whole.token_texts()[i] for i in whole.encode(text)
        ]
    assert tokenizers.from_json(tokenizers.to_json(tokenizer)).encode(texts[1]) == tokenizer.encode(texts[1])


@pytest.mark.parametrize(
    "base", ["spaced", "underscore", "spaced:bytes", "underscore:spaced", "subset:spaced", "spaced:10e"]
)
def test_what_stands_between_digits_is_kept_where_no_text_has_it(base):
    tokenizer, whole = tokenizers.build(f"subset:{base}", sums), tokenizers.build(base, sums)
    for text in ("12+3=15", "40+56=96", "7"):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert [tokenizer.token_texts()[i] for i in ids] == [
            whole.token_texts()[i] for i in whole.encode(text)
        ]
    assert tokenizers.from_json(tokenizers.to_json(tokenizer)).encode("12+3=15") == tokenizer.encode(
        "12+3=15"
    )


@pytest.mark.parametrize("base", ["spaced", "underscore"])
def test_between_two_digits_stands_one_separator(base):
    tokenizer = tokenizers.build(f"subset:{base}", lambda: iter(["12+3=15"]))
    separator = {"spaced": " ", "underscore": "_"}[base]
    assert [tokenizer.token_texts()[i] for i in tokenizer.encode("12+3=15")] == [
        *["1", separator, "2", "+", "3", "=", "1", separator, "5"]
    ]


def test_numbers_that_are_one_token_cannot_be_cut_down():
    with pytest.raises(
        ValueError, match="subset:fone: its numbers are one token, so there is nothing to cut"
    ):
        tokenizers.build("subset:fone", sums)


def test_errors(cut):
    with pytest.raises(OutsideAlphabet, match=r"'x' .* at index 2 .* use the whole vocabulary"):
        cut.encode("12x3")
    with pytest.raises(
        ValueError, match=r"subset: the vocabulary to cut down is missing; usage: subset:BASE"
    ):
        tokenizers.build("subset", sums)
