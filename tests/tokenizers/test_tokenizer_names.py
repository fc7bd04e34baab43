"""What holds for every tokenizer that has a short name, and so for the next one."""

import functools
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jaxgpt.tokenizers as tokenizers
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Tokenizer

#: Short names that do not go without arguments.
NEEDED = {
    "bpe": "bpe:300",
    "subset": "subset:bpe:300",
    "sentencepiece": "sentencepiece:330",
    "fixed": "fixed:40",
    "lexicon": "lexicon:50",
}
#: `huggingface` reads a file; test_tokenizer_directory.py has it.
NAMED = [NEEDED.get(name, name) for name in Tokenizer.names() if name != "huggingface"]
#: The schemes for numbers, with other settings and over other bases.
SCHEMES = [
    "10:40:bytes",
    "10e:40:bpe:300",
    "words:bytes",
    "underscore:bpe:300",
    "underscore:digits:2",
    "fixed:40:sentencepiece:330",
    "base:2:bytes",
    "base:7",
    "base:10:bpe:300",
    "base:1024:bytes",
    "base:100000",
    "p10:7:bytes",
    "p1000:6:bpe:300",
    "b1999:bytes",
    "fp15:spaced:bytes",
    "subset:spaced:bytes",
]
ALL = [*NAMED, *SCHEMES]


@pytest.fixture(scope="module")
def built():
    """`build` on a text with every number below 1000, each short name once."""
    texts = [" ".join(map(str, range(1000))), "aehinorstxE +-=.,:()_\n"]
    return functools.cache(lambda spec: tokenizers.build(spec, lambda: texts))


relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NUMBERS = st.one_of(
    st.integers(0, 10**12).map(str),
    st.text("0123456789", min_size=1, max_size=30),
    st.decimals(-1000, 1000, places=2).map(str),
    st.sampled_from(["0", "-0", "007", "3.10", "3.14", "-17", "1000000", "00", "0.05", "10", "100"]),
)
BETWEEN = st.one_of(
    st.sampled_from(
        ["+", "-", "=", " ", "\n", ".", ",", " -", "--", "(", ")-", "E", "e", "one ", "E-2", "_"]
    ),
    st.text("aehinorstx+-=.,:()\n ", max_size=5),
)


def texts_of(numbers):
    return st.lists(st.one_of(numbers, BETWEEN), max_size=8).map("".join)


@pytest.mark.parametrize("spec", ALL)
@given(text=texts_of(NUMBERS))
@relaxed
def test_text_comes_back_or_the_error_says_why_not(built, spec, text):
    tokenizer = built(spec)
    try:
        ids = tokenizer.encode(text)
    except OutsideAlphabet as error:
        assert "\n" not in str(error)
        assert text.startswith(error.character, error.index)
    else:
        assert tokenizer.decode(ids) == text
        assert tokenizer.settled([*ids, *tokenizer.encode("\n")]) == text + "\n"


@pytest.mark.parametrize("spec", ALL)
@given(parts=st.lists(st.tuples(st.integers(1, 999), st.text("+-=(), \nExone", min_size=1, max_size=3))))
@relaxed
def test_short_integers_are_in_every_alphabet(built, spec, parts):
    text = "".join(f"{number}{between}" for number, between in parts)
    tokenizer = built(spec)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert {tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id}.isdisjoint(ids)


@pytest.mark.parametrize("spec", ALL)
@given(data=st.data())
@relaxed
def test_any_ids_decode_and_what_is_settled_stays(built, spec, data):
    tokenizer = built(spec)
    # Half of the ids from what text has, or numbers would hardly ever be whole.
    likely = sorted(set(tokenizer.encode("12+907=-30 5") + tokenizer.encode("832\n7")))
    # The id of a number that is one token says nothing without the number itself.
    plain = st.integers(0, tokenizer.vocab_size - 1).filter(lambda i: i != tokenizer.number_id)
    one = st.one_of(st.sampled_from(likely), plain)
    ids = data.draw(st.lists(one, max_size=14))
    whole = tokenizer.decode(ids)
    assert whole.startswith(tokenizer.settled(ids))
    for count in range(len(ids)):
        assert whole.startswith(tokenizer.settled(ids[:count])), ids
    special = data.draw(st.sampled_from([tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id]))
    at = data.draw(st.integers(0, len(ids)))
    assert tokenizer.decode([*ids[:at], special, *ids[at:]]) == whole


@pytest.mark.parametrize("spec", ALL)
def test_json_and_kind(built, spec):
    tokenizer = built(spec)
    assert type(tokenizer).kind() == spec.split(":")[0]
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(tokenizer))))
    text = "9+714=-302 on (5)-3.\n"
    assert again.encode(text) == tokenizer.encode(text)
    assert again.fingerprint == tokenizer.fingerprint
    texts = tokenizer.token_texts()
    assert again.token_texts() == texts and len(texts) == tokenizer.vocab_size
    assert all(texts[i] for i in tokenizer.encode(text))
    with pytest.raises(ValueError, match="outside the vocabulary"):
        tokenizer.decode([tokenizer.vocab_size])


def test_fingerprints_tell_every_setting_apart(built):
    fingerprints = [built(spec).fingerprint for spec in ALL]
    assert len(set(fingerprints)) == len(ALL)
