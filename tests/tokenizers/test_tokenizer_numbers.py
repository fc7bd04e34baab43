"""How numbers are cut, which is what the library compares."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxgpt.tokenizers.tokenizer import OutsideAlphabet


def pieces(tokenizer, text):
    texts = tokenizer.token_texts()
    return [texts[i] for i in tokenizer.encode(text)]


@pytest.mark.parametrize(
    ("spec", "number", "groups"),
    [
        ("digits", "1234567", "1 2 3 4 5 6 7"),
        ("digits:3:right", "1234567", "1 234 567"),
        ("digits:3:left", "1234567", "123 456 7"),
        ("digits:3", "001002", "001 002"),
        ("digits:2:right", "12345", "1 23 45"),
        ("digits:2:left", "12345", "12 34 5"),
        ("digits:3:left", "12", "12"),
        ("digits:3:right:bytes", "0000", "0 000"),
        ("digits:3:right:bpe:400", "12345678", "12 345 678"),
        ("digits:1:right:sentencepiece:400:bpe:keep_digits", "12345678", "1 2 3 4 5 6 7 8"),
    ],
)
def test_groups(built, spec, number, groups):
    assert pieces(built(spec), number) == groups.split()
    assert pieces(built(spec), f"({number})")[1:-1] == groups.split()


@pytest.mark.parametrize("spec", ["digits:1:right:bpe:400", "digits:2:left:bpe:400", "digits:3:right:bytes"])
@given(text=st.text("0123456789 a.x", max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_token_holds_a_digit_and_something_else(built, spec, text):
    tokenizer = built(spec)
    for piece in pieces(tokenizer, text):
        assert piece.isdigit() or not any(character.isdigit() for character in piece)
        assert len(piece) <= tokenizer.size or not piece.isdigit()


def test_a_base_without_the_split_does_merge_digits(built):
    """What the split is for: the same training text, without it."""
    assert "12345678" in pieces(built("bpe:400"), "12345678+90")


def test_a_base_learns_nothing_about_digits(built):
    merges = built("digits:2:right:bpe:400").base.merges
    assert merges
    assert not any(character.isdigit() for pair in merges for character in "".join(pair))


def test_split_digits_of_sentencepiece(built):
    assert all(len(p) == 1 for p in pieces(built("sentencepiece:400:bpe:split_digits"), "12345678"))
    assert any(len(p) > 1 for p in pieces(built("sentencepiece:400:bpe:keep_digits"), "12345678"))


def test_only_ascii_digits_are_digits(built):
    assert pieces(built("digits:2:right:bpe:400"), "12")[0] == "12"
    arabic = built("digits:2:right:bpe:400").encode("١٢")
    assert len(arabic) > 1
    assert arabic == built("digits:2:right:bpe:400").base.encode("١٢")


def test_ids_of_digits_over_characters(built):
    tokenizer = built("digits")
    assert (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id) == (0, 1, 2)
    alphabet = tokenizer.token_texts()[3:]
    assert alphabet == sorted(alphabet)
    assert set("0123456789") <= set(alphabet)
    assert built("digits:3").vocab_size == 3 + len(alphabet) + 100 + 1000


def test_digits_are_there_though_the_training_text_lacks_them():
    from jaxgpt.tokenizers import build

    assert build("digits", lambda: ["a+b"]).decode(build("digits", lambda: ["a+b"]).encode("98+7")) == "98+7"
    with pytest.raises(OutsideAlphabet, match=r"'9' \(U\+0039\) at index 0 is outside the alphabet"):
        build("characters", lambda: ["a+b"]).encode("98")
    assert build("spaced", lambda: ["ab"]).decode(build("spaced", lambda: ["ab"]).encode("98 7")) == "98 7"


@pytest.mark.thorough
def test_gpt2_keeps_its_ids(gpt2, shared_data, built):
    directory = shared_data / "gpt2_bpe"
    single = built(f"digits:1:right:{directory}")
    assert single.vocab_size == 50257
    assert single.encode("x = 65") == [*gpt2.encode("x = "), *gpt2.encode("6"), *gpt2.encode("5")]
    assert single.encode(" 65") == [220, 21, 20]
    assert pieces(single, "a 65b") == ["a", " ", "6", "5", "b"]
    triple = built(f"digits:3:left:{directory}")
    assert pieces(triple, "pay 1234567 now") == ["pay", " ", "123", "456", "7", " now"]
    assert triple.encode("123") == gpt2.encode("123")  # GPT-2 has this group
    missing = [f"{i:03}" for i in range(1000) if f"{i:03}" not in gpt2.vocab]
    missing += [f"{i:02}" for i in range(100) if f"{i:02}" not in gpt2.vocab]
    assert triple.vocab_size == 50257 + len(missing)
    assert built(f"spaced:{directory}").vocab_size == 50257
    assert pieces(built(f"spaced:{directory}"), "sum 465") == ["sum", " 4", " 6", " 5"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("65", "6 5"),
        ("6 5", "6  5"),
        ("6  5", "6   5"),
        ("6+5", "6+5"),
        ("x 123", "x 1 2 3"),
        ("1 2", "1  2"),
    ],
)
def test_spaces_between_digits(built, text, read):
    tokenizer = built("spaced")
    assert "".join(pieces(tokenizer, text)) == read
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_spaced_text_in_two_parts(built):
    tokenizer = built("spaced")
    assert tokenizer.decode(tokenizer.encode("9+71=") + tokenizer.encode("80")) == "9+71=80"
    assert tokenizer.decode(tokenizer.encode("12") + tokenizer.encode("34")) == "1234"


@pytest.mark.parametrize(
    ("spec", "text", "index"),
    [
        ("characters", "12é", 2),
        ("digits", "1+12é", 4),
        ("digits:3:left", "é1", 0),
        ("spaced", "1234é", 4),
        ("spaced", "1 2345 é6é", 7),
        ("spaced:digits:3:right", "12 34é", 5),
    ],
)
def test_where_a_character_is_unknown(built, spec, text, index):
    with pytest.raises(ValueError, match=rf"'é' \(U\+00E9\) at index {index} is outside") as caught:
        built(spec).encode(text)
    assert "\n" not in str(caught.value)
    with pytest.raises(OutsideAlphabet, match=f"at index {index} "):
        built(spec).encode_batch(["1", text])


def test_an_error_passes_between_processes():
    error = OutsideAlphabet("é", 3, "use bytes")
    again = copy.copy(error)
    assert (str(again), again.index, again.character) == (str(error), 3, "é")


@pytest.mark.parametrize(
    "spec", ["bytes", "bpe:400", "sentencepiece:330", "digits:2:left:bytes", "spaced:bpe:400"]
)
def test_a_lone_surrogate(built, spec):
    with pytest.raises(ValueError, match=r"'\\ud800' \(U\+D800\) at index 3 .* not UTF-8"):
        built(spec).encode("123\ud800")
