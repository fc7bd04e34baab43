"""Tokenizers that write a number as one token with features: what comes back, and what lies outside."""

import json
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import jaxgpt.tokenizers as tokenizers
from jaxgpt.data.numbers import feature_array, with_features
from jaxgpt.tokenizers.number_token import NumberToken
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet

SPECS = ["xval", "xval:3:bytes", "fone", "fone:8", "fone:6:3:bytes", "bittokens", "bittokens:bytes"]

relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def numbers(spec):
    """Numbers as the tokenizer's alphabet has them: no zero that says nothing."""
    whole = (
        st.integers(0, 10**6 - 1) | st.integers(0, 10**8 - 1)
        if spec == "fone:8"
        else st.integers(0, 10**6 - 1)
    )
    if ":3" not in spec and not spec.startswith("bittokens"):
        return whole.map(str)
    part = st.integers(1, 999).map(lambda n: f".{n:03}".rstrip("0"))
    return st.builds(lambda n, p: f"{n}{p}", whole, part | st.just(""))


@pytest.mark.parametrize("spec", SPECS)
@given(data=st.data())
@relaxed
def test_texts_with_numbers_come_back(built, spec, data):
    tokenizer = built(spec)
    between = st.text("+-= (a\u2603\n" if "bytes" in spec else "+= (ax\n", min_size=1, max_size=4)
    found = data.draw(st.lists(numbers(spec), max_size=4))
    pieces = [data.draw(between) for _ in range(len(found) + 1)]
    text = pieces[0] + "".join(n + p for n, p in zip(found, pieces[1:], strict=True))
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert sum(token == tokenizer.number_id for token in ids) == len(found)  # one token a number
    again = tokenizers.from_json(json.loads(json.dumps(tokenizers.to_json(tokenizer))))
    assert again.encode(text) == ids and again.fingerprint == tokenizer.fingerprint
    assert tokenizer.decode([tokenizer.bos_id, *ids, tokenizer.eos_id, tokenizer.pad_id]) == text


@pytest.mark.parametrize("spec", SPECS)
def test_ids_and_special_ids(built, spec):
    tokenizer = built(spec)
    texts = tokenizer.token_texts()
    assert len(texts) == tokenizer.vocab_size == tokenizer.number_id + 1
    assert {tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id}.isdisjoint(
        tokenizer.encode("9+71421=03"[:8])
    )
    assert tokenizer.encode_batch(["9+71421=", ""]) == [tokenizer.encode("9+71421="), []]
    assert all(token.features for token in tokenizer.encode("9"))
    for wrong in (-1, tokenizer.vocab_size):
        with pytest.raises(ValueError, match=rf"the id {wrong} is outside the vocabulary"):
            tokenizer.decode([wrong])
    with pytest.raises(ValueError, match="is a number without features"):
        tokenizer.decode([tokenizer.number_id])


@given(number=st.integers(0, 2**53) | st.floats(0, 1e12).map(lambda x: round(x, 4)))
@example(number=0)
@example(number=2**53)
@example(number=0.1)
@relaxed
def test_bits_are_those_of_the_double(built, number):
    text = repr(int(number) if number == int(number) else number)
    if "e" in text:
        return
    (token,) = built("bittokens").encode(text)
    expected = np.unpackbits(np.frombuffer(struct.pack(">d", float(number)), np.uint8))
    assert list(token.features) == expected.tolist()
    assert built("bittokens").decode([token]) == text


@pytest.mark.parametrize("value", [-2.5, -3.0, 1e300, 5e-324, float("inf"), float("nan"), 2.0**60])
def test_any_double_has_a_text(built, value):
    features = np.unpackbits(np.frombuffer(struct.pack(">d", value), np.uint8)).tobytes()
    tokenizer = built("bittokens")
    assert float(tokenizer.decode([NumberToken(tokenizer.number_id, features)])) == pytest.approx(
        value, nan_ok=True
    )


@pytest.mark.parametrize("text", ["0.00001", "0.000000000000000000012", "123456.25"])
def test_small_decimals_have_no_exponent(built, text):
    assert built("bittokens").decode(built("bittokens").encode(text)) == text


def test_digits_are_the_features_of_fone(built):
    (token,) = built("fone:8").encode("71421")
    assert list(token.features) == [1, 2, 4, 1, 7, 0, 0, 0]
    (token,) = built("fone:6:3:bytes").encode("142.05")
    assert list(token.features) == [0, 5, 0, 2, 4, 1, 0, 0, 0]


def test_values_are_the_features_of_xval():
    tokenizer = tokenizers.build("xval:2", lambda: ["9+71421=71430", "0.25"])
    assert [t.features for t in tokenizer.encode("9+0.25")[::2]] == [(9.0,), (0.25,)]
    assert tokenizer.largest == 71430
    # What a model answers is rounded to the tokenizer's decimals.
    assert tokenizer.decode([NumberToken(tokenizer.number_id, (3.14159,))]) == "3.14"


@pytest.mark.parametrize(
    ("spec", "text", "line"),
    [
        (
            "fone",
            "=007",
            "the number 007 at index 1 is outside the alphabet; it would come back as 7, since fone keeps "
            "values alone; write it without leading zeros (task.format=plain), or use a digits tokenizer",
        ),
        ("xval", "03417", "the number 03417 at index 0 is outside the alphabet; it would come back as 3417"),
        (
            "bittokens",
            "0.10",
            "the number 0.10 at index 0 is outside the alphabet; it would come back as 0.1, since bittokens "
            "keeps values alone; write it so",
        ),
        (
            "fone:8",
            "1+123456789",
            "there is no room beyond 8 digits; use fone:DIGITS",
        ),
        ("fone:6:3:bytes", "0.1234", "no room beyond 6 digits and 3 decimals; use fone:DIGITS[:DECIMALS]"),
        ("fone:8", "1" * 70, "no room beyond 8 digits; use a digits tokenizer"),
        (
            "bittokens",
            "0." + "0" * 30 + "1",
            "it would come back as 1e-31, since bittokens keeps values alone; "
            "ask for shorter numbers, or use a digits tokenizer",
        ),
        ("bittokens", str(2**53 + 2), "double precision ends at 2^53"),
        ("xval", str(2**53 + 1), "xval keeps values alone; ask for shorter numbers"),
        (
            "xval",
            "9" * 400,
            "... of 400 characters at index 0 is outside the alphabet; the value exceeds double precision",
        ),
        ("fone", "1\u6f222", "'\u6f22' (U+6F22) at index 1"),
    ],
)
def test_outside_the_alphabet(built, spec, text, line):
    with pytest.raises(OutsideAlphabet) as error:
        built(spec).encode(text)
    assert line in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("xval:10", "xval:10: DECIMALS='10' is not a whole number from 0 to 9; usage: xval[:DECIMALS"),
        ("fone:0", "fone:0: DIGITS='0' is not a whole number from 1 to 64; usage: fone[:DIGITS"),
        ("fone:8:x", "DECIMALS='x' is not a whole number from 0 to 16"),
        ("bittokens:nothing", "no tokenizer is called 'nothing'"),
        (
            "spaced:fone",
            "spaced:fone: fone writes every number as one token and cannot be the base of another",
        ),
    ],
)
def test_wrong_short_names(spec, line):
    with pytest.raises(ValueError) as error:
        tokenizers.build(spec, lambda: ["1 + 1"])
    assert line in str(error.value)


def test_two_tokens_are_equal_if_their_numbers_are(built):
    encode = built("fone").encode
    assert encode("12") == encode("12") and encode("12") != encode("13")
    assert encode("12") == [built("fone").number_id]


@pytest.mark.parametrize("spec", ["xval:3:bytes", "fone:8", "bittokens"])
def test_features_to_arrays_and_back(built, spec):
    tokenizer = built(spec)
    ids = tokenizer.encode("9+71421=12")
    found = feature_array(ids, tokenizer.number_features, tokenizer.feature_type)
    assert found.shape == (3, tokenizer.number_features) and found.dtype == tokenizer.feature_type
    beside = np.zeros((len(ids), tokenizer.number_features), tokenizer.feature_type)
    beside[np.asarray(ids) == tokenizer.number_id] = found
    back = with_features(np.asarray(ids), beside, tokenizer.number_id)
    assert back == ids and tokenizer.decode(back) == "9+71421=12"
    with pytest.raises(ValueError, match="features, not 5; was another tokenizer used"):
        feature_array(ids, 5, tokenizer.feature_type)
