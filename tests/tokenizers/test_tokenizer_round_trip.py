"""Every tokenizer gives back the text it was given, whatever Unicode is in it."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from variants import seldom

import jaxgpt.tokenizers as tokenizers

# No lone surrogates: they are no text. Digits and spaces often, for what the number tokenizers do with them.
ANY_TEXT = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.text("0123456789 ", max_size=8),
        st.sampled_from(
            [
                "<|endoftext|>",
                "<s>",
                "</s>",
                "<pad>",
                "<unk>",
                "<0x41>",
                "\u2581",
                "\n\n",
                "  ",
                "٣",
                "²",
                "５",
            ]
        ),
    ),
    max_size=6,
).map("".join)

ANY = [
    "bytes",
    "bpe:259",
    "bpe:400",
    "sentencepiece:330",
    "sentencepiece:400:unigram:keep_digits",
    "sentencepiece:400:bpe",
    "sentencepiece:400:bpe:keep_digits",
    "digits:1:right:bytes",
    "digits:3:left:bytes",
    "digits:2:right:bpe:400",
    "digits:3:right:sentencepiece:330",
    "spaced:bytes",
    "spaced:bpe:400",
    "spaced:sentencepiece:400:bpe:keep_digits",
    "digits:2:left:spaced:bytes",
]
#: Of these, whole texts are tried by `pytest -m thorough`.
LONGEST = (
    *("digits:3:right:sentencepiece:330", "digits:2:left:spaced:bytes", "spaced:bpe:400"),
    *("spaced:sentencepiece:400:bpe:keep_digits", "sentencepiece:400:unigram:keep_digits"),
)
LIMITED = ["characters", "digits", "digits:3:right", "digits:2:left", "spaced", "spaced:digits:3:right"]

relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def check(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(0 <= i < tokenizer.vocab_size for i in ids)
    special = {tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id}
    assert special.isdisjoint(ids)
    framed = [tokenizer.bos_id, *ids, tokenizer.eos_id, tokenizer.pad_id]
    assert tokenizer.decode(framed) == text
    assert tokenizer.encode_batch([text, ""]) == [ids, []]


@pytest.mark.parametrize("spec", seldom(ANY, LONGEST))
@given(text=ANY_TEXT)
@example(text="")
@example(text=" 65")
@example(text="6 5  6   5 65")
@example(text="\u2581\u2581 \u2585\ufffd\ufeff\x00\r\n\u2028")
@example(text="e\u0301 \U0001f468\u200d\U0001f469")
@relaxed
def test_all_of_unicode_comes_back(built, spec, text):
    check(built(spec), text)


@pytest.mark.parametrize("spec", LIMITED)
@given(data=st.data())
@relaxed
def test_the_alphabet_comes_back(built, spec, data):
    alphabet = sorted(set("".join(c for c in built("characters").token_texts())))
    check(built(spec), data.draw(st.text(alphabet, max_size=40)))


@given(text=ANY_TEXT)
@relaxed
def test_gpt2_gives_all_of_unicode_back(gpt2, text):
    check(gpt2, text)


@pytest.mark.parametrize("spec", [*ANY, *LIMITED])
def test_json_keeps_everything(built, spec):
    tokenizer = built(spec)
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(tokenizer))))
    text = "the 3 things: 12345678+90=12345768 \n"
    assert again.encode(text) == tokenizer.encode(text)
    assert again.fingerprint == tokenizer.fingerprint
    assert again.token_texts() == tokenizer.token_texts()
    assert (again.pad_id, again.bos_id, again.eos_id, again.vocab_size) == (
        tokenizer.pad_id,
        tokenizer.bos_id,
        tokenizer.eos_id,
        tokenizer.vocab_size,
    )


@pytest.mark.parametrize("spec", [*ANY, *LIMITED])
def test_a_text_for_every_id(built, spec):
    tokenizer = built(spec)
    texts = tokenizer.token_texts()
    assert len(texts) == tokenizer.vocab_size
    assert {texts[tokenizer.pad_id], texts[tokenizer.bos_id], texts[tokenizer.eos_id]} == {""}
    text = "the 3 things 46"
    # Only `spaced` reads more than is there: the space that it puts between digits.
    read = "".join(texts[i] for i in tokenizer.encode(text))
    assert read == ("the 3 things 4 6" if spec.startswith("spaced") else text)


@pytest.mark.parametrize("spec", [*ANY, *LIMITED])
def test_an_id_outside_the_vocabulary(built, spec):
    tokenizer = built(spec)
    for wrong in (-1, tokenizer.vocab_size):
        with pytest.raises(ValueError, match=rf"the id {wrong} is outside the vocabulary \[0, "):
            tokenizer.decode([tokenizer.bos_id, wrong])


@pytest.mark.parametrize("spec", ["bytes", "bpe:400", "sentencepiece:330", "digits:1:right:bytes"])
def test_a_character_cut_in_two_is_replaced(built, spec):
    tokenizer = built(spec)
    ids = tokenizer.encode("1漢")
    assert len(ids) == 4
    assert tokenizer.decode(ids[:3]) == "1\ufffd"
