"""The schemes for numbers: the papers' own examples, signs, zeros, limits, and what makes no number."""

import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from variants import often, seldom

from jaxgpt.core.choice import FieldError
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.tokenizer import OutsideAlphabet, Tokenizer

relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def pieces(tokenizer, text):
    texts = tokenizer.token_texts()
    return " ".join(texts[i] for i in tokenizer.encode(text))


@pytest.mark.parametrize(
    ("spec", "text", "tokens"),
    [
        # arXiv 2102.13019, abstract and table 1
        ("10e", "32", "3 10e1 2 10e0"),
        ("10e", "832", "8 10e2 3 10e1 2 10e0"),
        ("10", "32", "3 10 2"),
        ("10", "832", "8 100 3 10 2"),
        ("words", "832", "eight hundred thirty two"),
        ("underscore", "832", "8 _ 3 _ 2"),
        ("fixed:4", "832", "(0) 8 3 2"),
        # arXiv 2112.01898, table 1: 3.14 and -6.02e23
        ("p10", "3.14", "+ 3 1 4 E-2"),
        ("p1000", "3.14", "+ 314 E-2"),
        ("b1999", "3.14", "314 E-2"),
        ("fp15", "3.14", "FP314/-2"),
        ("p10", "-602" + "0" * 21, "- 6 0 2 E21"),
        ("p1000", "-602" + "0" * 21, "- 602 E21"),
        ("b1999", "-602" + "0" * 21, "-602 E21"),
        ("fp15", "-602000", "FP-602/3"),
        ("fp15", "999000000", "FP999/6"),
        # Int2Int, arXiv 2308.15594
        ("base", "1234567", "+ 1 234 567"),
        ("base:10", "-17", "- 1 7"),
        ("base", "0", "+ 0"),
        # zeros in front, and none lost
        ("10e", "007", "0 10e2 0 10e1 7 10e0"),
        ("10", "007", "0 100 0 10 7"),
        ("words", "007", "zero zero seven"),
        ("words", "00", "zero zero"),
        ("fixed:4", "0832", "0 8 3 2"),
        ("base", "03417", "+ 0 3 417"),
        ("base", "3417", "+ 3 417"),
        ("base:7", "-007", "- 0 0 1 0"),
        ("p10", "-0", "- 0 0 0 E0"),
        ("b1999", "0", "0 E0"),
        # other settings
        ("p10:5", "-17", "- 1 7 0 0 0 E-3"),
        ("p1000:6", "3.1416", "+ 314 160 E-5"),
        ("p10:1", "0.00007", "+ 7 E-5"),
        # a word of the text and a word of a number
        ("words:bytes", "4one", "four o n e"),
        ("words", "1000000", "one million"),
        ("words", "20000000013", "twenty billion thirteen"),
    ],
)
def test_tokens(built, spec, text, tokens):
    tokenizer = built(spec)
    assert pieces(tokenizer, text) == tokens
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("-3", "- 3"),
        ("5-3", "+ 5 - + 3"),
        ("5--3", "+ 5 - - 3"),
        ("5 -3", "+ 5   - 3"),
        ("5 - 3", "+ 5   -   + 3"),
        ("(5)-3", "( + 5 ) - + 3"),
        ("(-3)", "( - 3 )"),
        ("x-3", "x - + 3"),
        ("5+-3=2", "+ 5 + - 3 = + 2"),
        ("5++3", "+ 5 + + + 3"),
    ],
)
def test_whether_a_minus_is_a_sign(built, text, tokens):
    tokenizer = built("base:1000:bytes")
    assert pieces(tokenizer, text) == tokens
    assert tokenizer.decode(tokenizer.encode(text)) == text
    # Both signs are tokens of their own, which the base's minus and plus are not.
    symbols = len(tokenizer.base.token_texts())
    assert sum(i >= symbols for i in tokenizer.encode("5-3")) == 2


SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def spoken(value: int) -> list[str]:
    """A natural number in English, by taking off the largest unit."""
    units = [(10**2, "hundred"), (10**3, "thousand"), (10**6, "million"), (10**9, "billion")]
    units += [(10**12, "trillion"), (10**63, "vigintillion")]
    if value < 20:
        return [SMALL.split()[value]]
    if value < 100:
        return [TENS.split()[value // 10 - 2], *(spoken(value % 10) if value % 10 else [])]
    unit, name = max(pair for pair in units if pair[0] <= value)
    return [*spoken(value // unit), name, *(spoken(value % unit) if value % unit else [])]


@given(value=st.one_of(st.integers(0, 2000), st.integers(0, 10**15 - 1)), high=st.integers(0, 999))
@relaxed
def test_words_are_english(built, value, high):
    tokenizer = built("words")
    number = value + high * 10**63
    assert pieces(tokenizer, str(number)) == " ".join(spoken(number))
    assert tokenizer.decode(tokenizer.encode(str(number))) == str(number)


@pytest.mark.parametrize("radix", often([2, 7, 10, 16, 100, 999, 1000, 1024, 100_000], (2, 10, 1000)))
@given(value=st.one_of(st.integers(-2000, 2000), st.integers(-(10**40), 10**40)), zeros=st.integers(0, 9))
@relaxed
def test_base_is_the_value_in_that_base(built, radix, value, zeros):
    tokenizer = built(f"base:{radix}:bytes")
    signs, digits = ("-" if value < 0 else "+"), []
    rest = abs(value)
    while rest or not digits:
        digits.insert(0, rest % radix)
        rest //= radix
    assert pieces(tokenizer, str(value)) == " ".join([signs, *map(str, digits)])
    padded = ("-" if value < 0 else "") + "0" * zeros + str(abs(value))
    assert tokenizer.decode(tokenizer.encode(padded)) == padded
    assert len(tokenizer.encode(padded)) == 1 + len(digits) + zeros


def test_numbers_of_any_length(built):
    long = "7" * 20_000
    for spec in ("base", "base:10:bytes", "digits:3"):
        assert built(spec).decode(built(spec).encode(long)) == long
    with pytest.raises(
        OutsideAlphabet, match=r"number 7{30}\.\.\. of 20000 characters at index 2 .*use|base:1000"
    ):
        built("base:7").encode("1+" + long)
    tokenizer = built("base:7:bytes")
    assert tokenizer.decode(tokenizer.encode("5") * 9000) == "5" * 9000
    endless = [tokenizer.encode("5")[0], *[tokenizer.encode("5")[1]] * 9000]
    assert tokenizer.decode(endless).endswith("\ufffd")  # more digits than Python converts


@pytest.mark.parametrize(
    ("spec", "span"),
    [
        ("p10", 98),
        pytest.param("p1000", 98, marks=pytest.mark.thorough),
        ("b1999", 98),
        pytest.param("fp15", 6, marks=pytest.mark.thorough),
    ],
)
@given(data=st.data())
@relaxed
def test_three_digits_and_a_power_of_ten(built, spec, span, data):
    """Against Python's own scientific notation."""
    exponent = data.draw(st.integers(-9 if spec == "fp15" else -span, span))
    value = Decimal(data.draw(st.integers(-999, 999))).scaleb(exponent)
    if abs(value.adjusted() - 2) > span or (spec == "fp15" and value.adjusted() < -7):
        return
    text = "0" if not value else f"{value.normalize():f}"
    mantissa, power = f"{abs(value):.2e}".split("e")
    digits = mantissa.replace(".", "")
    last = int(power) - 2 if value else 0
    sign = "-" if value < 0 else ""
    short = digits if value else "0"
    expected = {
        "p10": f"{sign or '+'} {' '.join(digits)} E{last}",
        "p1000": f"{sign or '+'} {digits} E{last}",
        "b1999": f"{sign}{short} E{last}",
        "fp15": f"FP{sign}{short}/{last}",
    }
    assert pieces(built(spec), text) == expected[spec]
    assert built(spec).decode(built(spec).encode(text)) == text


@pytest.mark.parametrize(
    ("spec", "text", "index", "line"),
    [
        (
            "p10",
            "x 007",
            2,
            "the number 007 at index 2 is outside the alphabet; p10 would give 7 back; use digits",
        ),
        ("p10", "3.10", 0, "p10 would give 3.1 back; use digits"),
        ("p1000", "17.0", 0, "p1000 would give 17 back"),
        ("b1999", "1-1234", 2, "b1999 would give 1230 back; use p10:4"),
        ("fp15", "-1234.5", 0, "fp15 would give -1230 back; use p10:5"),
        ("b1999", "-0", 0, "b1999 has no symbol for it; use digits"),
        ("fp15", "-0", 0, "fp15 has no symbol for it"),
        ("fp15", "1000000000", 0, "fp15 has no symbol for it"),
        ("fp15", "0.0000000101", 0, "fp15 has no symbol for it"),
        ("p10", "1" + "0" * 103, 0, "p10 has no symbol for it"),
        (
            "10e:3",
            "12+1234",
            3,
            "the number 1234 at index 3 .*; numbers have at most 3 digits; 10e:4 takes this one",
        ),
        ("10:3", "1234", 0, "10:4 takes this one"),
        ("fixed:3", "1234", 0, "slots are 3 wide; fixed:4 takes this one"),
        ("10e:3", "1" * 1001, 0, "numbers have at most 3 digits; digits takes any number"),
        ("fixed:3", "1" * 1001, 0, "slots are 3 wide; digits takes any number"),
        ("p10", "1234567" + "0" * 150, 0, "back; use digits"),
        (
            "words",
            "1" * 67,
            0,
            r"the number 1{30}\.\.\. of 67 characters at .*English words end at 66 digits; use",
        ),
    ],
)
def test_numbers_outside_the_alphabet(built, spec, text, index, line):
    with pytest.raises(OutsideAlphabet, match=line) as caught:
        built(spec).encode(text)
    assert caught.value.index == index
    assert "\n" not in str(caught.value)
    with pytest.raises(OutsideAlphabet, match=line):
        built(spec).encode_batch(["1", text])


@pytest.mark.parametrize(
    "spec",
    seldom(["p10", "p1000:6", "b1999", "fp15", "10e:3", "10:3", "fixed:3"], ("p10", "p1000:6", "fp15")),
)
@given(text=st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,5})?", fullmatch=True, alphabet="-0123456789."))
@example(text="3.12340")
@example(text="0012345")
@example(text="-0")
@relaxed
def test_what_an_error_advises_takes_the_number(built, spec, text):
    try:
        assert built(spec).decode(built(spec).encode(text)) == text
    except OutsideAlphabet as error:
        advised = re.search(r"use ([a-z0-9:]+)|(10e?:[0-9]+|fixed:[0-9]+) takes this one", str(error))
        tokenizer = built(advised[1] or advised[2])
        number = error.character
        assert tokenizer.decode(tokenizer.encode(number)) == number


def test_an_unknown_character_between_numbers(built):
    for spec in ("10e", "words", "fixed:4", "base", "p10", "fp15"):
        with pytest.raises(OutsideAlphabet, match=r"'é' \(U\+00E9\) at index 4 is outside"):
            built(spec).encode("1+12é")


def ids_of(tokenizer, names):
    """The ids of symbols, the last where a name stands twice."""
    known = {text: i for i, text in enumerate(tokenizer.token_texts())}
    return [known[name] for name in names.split()]


@pytest.mark.parametrize(
    ("spec", "names", "text"),
    [
        ("10e", "3 10e1 2 10e0 x", "32x"),
        ("10e", "3 10e1 x", "3 10e1\ufffdx"),
        ("10e", "3 10e1 2 10e1 4 10e0", "3 10e1\ufffd24"),
        ("10e", "3 10e2 2 10e0", "3 10e2\ufffd2"),
        ("10e", "10e0 3", "10e0 3\ufffd"),
        ("10e", "3 10e0 1 10e0", "31"),
        ("10", "3 10", "3 10\ufffd"),
        ("10", "3 100 2", "3 100\ufffd2"),
        ("10", "3 10 2 10 4", "3 10\ufffd24"),
        ("fixed:3", "(0) 3 2 (0) (0) 7", "327"),
        ("fixed:3", "(0) 3 x", "(0) 3\ufffdx"),
        ("fixed:3", "3 (0) 2 x", "3 (0) 2\ufffdx"),
        ("fixed:3", "(0) (0) (0)", "(0) (0) (0)\ufffd"),
        ("base", "234 + 5", "234\ufffd5"),
        ("base", "+ x + 5", "+\ufffdx5"),
        ("base", "- 1 2", "-1002"),
        ("p10", "+ 3 1 4 E-2 x", "3.14x"),
        ("p10", "3 1 4 E-2 + 5 0 0 E0", "3 1 4 E-2\ufffd500"),
        ("p10", "+ 3 1 E-2", "+ 3 1 E-2\ufffd"),
        ("p10", "+ 0 3 1 E-1", "3.1"),
        ("b1999", "314 314 E-2 E3", "314\ufffd3.14E3\ufffd"),
        ("words", "hundred thirty two", "hundred\ufffd32"),
        ("words", "two thousand thousand", "2000thousand\ufffd"),
        ("words", "two thousand x", "2000x"),
        ("words", "two thousand three million", "20003000000"),  # two numbers side by side
        ("words", "two thousand three thousand", "20003000"),
    ],
)
def test_what_makes_no_number_is_shown(built, spec, names, text):
    tokenizer = built(spec)
    assert tokenizer.decode(ids_of(tokenizer, names)) == text


def test_short_names_that_begin_with_a_digit():
    assert {"10", "10e"} <= set(Tokenizer.names())
    assert Tokenizer.named("10").kind() == "10"
    assert Tokenizer.named("10e").kind() == "10e"
    assert Tokenizer.named("10") is not Tokenizer.named("10e")
    for hidden in ("_10e", "_numbers", "_scientific", "numbers", "tokenizer"):
        assert hidden not in Tokenizer.names()
        with pytest.raises(FieldError, match="no tokenizer is called"):
            Tokenizer.named(hidden)
    with pytest.raises(FieldError, match="did you mean 10 or"):
        Tokenizer.named("10f")


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("fixed", "fixed: WIDTH is not a whole number from 1 to 1000; usage: fixed:WIDTH"),
        ("fixed:0", "fixed:0: WIDTH='0' is not a whole number from 1 to 1000"),
        ("10e:bytes", "10e:bytes: DIGITS='bytes' is not a whole number from 1 to 1000; usage: 10e[:DIGITS"),
        ("10:0", "10:0: DIGITS='0' is not a whole number from 1 to 1000; usage: 10[:DIGITS"),
        ("base:1", "base:1: B='1' is not a whole number from 2 to 100000; usage: base[:B"),
        ("base:100001", "B='100001' is not"),
        ("base:16:nothing", "no tokenizer is called 'nothing'"),
        ("p10:0", "p10:0: DIGITS='0' is not a whole number from 1 to 999; usage: p10[:DIGITS"),
        ("p1000:4", "p1000:4: DIGITS='4' is not a whole number from 3 to 999 in steps of 3; usage: p1000[:D"),
        ("words:3", "no tokenizer is called '3'"),
        ("b1999:3", "no tokenizer is called '3'"),
    ],
)
def test_wrong_short_names(spec, line):
    with pytest.raises(ValueError) as caught:
        build(spec, lambda: ["a+b"])
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "change", "line"),
    [
        ("10e", {"digits": 0}, "digits=0 is not in 1 to 1000"),
        ("fixed:3", {"width": "3"}, "no 'width' of type int"),
        ("base", {"radix": 1}, "radix=1 is not in 2 to 100000"),
        ("p1000", {"digits": 4}, "digits=4 is not in 3 to 999 in steps of 3"),
        ("words", {"base": None}, "no 'base' of type dict"),
    ],
)
def test_malformed_json(built, spec, change, line):
    tokenizer = built(spec)
    with pytest.raises(ValueError, match=line):
        type(tokenizer).from_json(tokenizer.to_json() | change)


@pytest.mark.thorough
def test_gpt2_keeps_its_ids_under_a_scheme(gpt2, shared_data, built):
    tokenizer = built(f"10e:12:{shared_data / 'gpt2_bpe'}")
    assert tokenizer.encode("x = 65")[:2] == gpt2.encode("x =")
    assert tokenizer.vocab_size == gpt2.vocab_size + sum(f"10e{i}" not in gpt2.vocab for i in range(12))
    assert pieces(built(f"underscore:{shared_data / 'gpt2_bpe'}"), "sum 465") == "sum  4 _ 6 _ 5"
