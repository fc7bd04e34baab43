"""Abacus and coupled positions against worked examples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt import tokenizers
from jaxgpt.nn.position.abacus import Abacus, random_offset
from jaxgpt.nn.position.coupled import Coupled

TEXTS = (*"0123456789", "+", "-", "=", "$", "a", "12", "345", "")
ABACUS = Abacus(max_position=40, max_offset=20).resolve(TEXTS)
COUPLED = Coupled(max_position=40, max_offset=20).resolve(TEXTS)


def ids(text):
    """Token ids; spaces part tokens, without one each character is a token."""
    return [TEXTS.index(t) for t in (text.split() if " " in text else text)]


def assign(scheme, text, *, order=None, key=None, answering=False, chunks=None):
    """The positions of one row, given whole or in chunks of the given lengths."""
    tokens = jnp.asarray([ids(text)])
    order = jnp.arange(tokens.shape[1])[None] if order is None else jnp.asarray([order])
    carry = scheme.start(1, answering=answering)
    found, at = [], 0
    for length in chunks or [tokens.shape[1]]:
        piece = slice(at, at + length)
        positions, carry = scheme.assign(tokens[:, piece], order[:, piece], carry, key)
        found += positions[0].tolist()
        at += length
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("653+49=207", [3, 2, 1, 0, 2, 1, 0, 1, 2, 3]),  # the example in the docstring
        ("7", [1]),
        ("-12+3=90-", [0, 2, 1, 0, 1, 0, 1, 2, 0]),  # a minus sign is no digit
        ("10+2=-8", [2, 1, 0, 1, 0, 0, 1]),
        ("9+1=01a23$", [1, 0, 1, 0, 1, 2, 0, 1, 2, 0]),  # two numbers after the marker, each from its left
        ("12=3=45", [2, 1, 0, 1, 0, 1, 2]),  # a second marker changes nothing
        ("a+$", [0, 0, 0]),
        ("345 12 6 + 12 = 345 1", [3, 2, 1, 0, 1, 0, 1, 2]),  # a token of several digits is one place
    ],
)
def test_coupled_positions(text, expected):
    assert assign(COUPLED, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("653+49=207", [1, 2, 3, 0, 1, 2, 0, 1, 2, 3]),
        ("-12a3", [0, 1, 2, 0, 1]),
        ("0000", [1, 2, 3, 4]),
        ("345 12 + 6", [1, 2, 0, 1]),
        ("=", [0]),
    ],
)
def test_abacus_positions(text, expected):
    assert assign(ABACUS, text) == expected


def test_the_docstring_holds_its_example():
    import jaxgpt.nn.position.coupled as module

    indented = [line.split() for line in module.__doc__.splitlines() if line.startswith("    ")]
    rows = {words[0]: words[1:] for words in indented}
    weights = [int(p.removeprefix("s").removeprefix("+") or 0) for p in rows["position"]]
    assert assign(COUPLED, "".join(rows["token"])) == weights


def test_the_answer_of_an_encoder_decoder_is_weighted_from_its_left():
    assert assign(COUPLED, "207$", answering=True) == [1, 2, 3, 0]
    assert assign(COUPLED, "207$", answering=False) == [3, 2, 1, 0]


@pytest.mark.parametrize("scheme", [ABACUS, COUPLED], ids=["abacus", "coupled"])
@pytest.mark.parametrize(
    ("order", "text"),
    [
        ([-1, -1, 0, 1, 2, 3, 4, 5, 6], "3312+3=45"),
        ([0, 1, 2, 3, 4, 5, 6, -1, -1], "12+3=4577"),
        ([0, -1, 1, 2, 3, 4, 5, -1, 6], "1+2+3=4+5"),  # padding does not cut a number in two
        ([0, 1, -1, 2, 3, 4, 5, 6, -1], "12=+3=45="),  # nor is its marker one
    ],
    ids=["left", "right", "middle", "marker"],
)
def test_padding_does_not_count(scheme, order, text):
    found = assign(scheme, text, order=order)
    assert [p for p, o in zip(found, order, strict=True) if o >= 0] == assign(scheme, "12+3=45")


@pytest.mark.parametrize("scheme", [ABACUS, COUPLED], ids=["abacus", "coupled"])
def test_numbers_go_on_over_chunks(scheme):
    whole = assign(scheme, "12+34=5678a9")
    assert assign(scheme, "12+34=5678a9", chunks=[6, 1, 1, 2, 1, 1]) == whole
    assert assign(scheme, "12+34=5678a9", chunks=[8, 4]) == whole


def test_abacus_goes_on_over_chunks_anywhere():
    whole = assign(ABACUS, "12+34=5678")
    assert assign(ABACUS, "12+34=5678", chunks=[1] * 10) == whole


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", [ABACUS, COUPLED], ids=["abacus", "coupled"])
def test_the_offset_moves_digits_as_one(scheme):
    plain = np.array(assign(scheme, "653+49=207"))
    digit = np.array([c.isdigit() for c in "653+49=207"])
    offsets = set()
    for seed in range(60):
        found = np.array(assign(scheme, "653+49=207", key=jax.random.key(seed)))
        (offset,) = set((found - plain)[digit].tolist())
        assert 0 <= offset <= scheme.max_offset
        others = 0 if scheme is ABACUS else offset  # position s for everything else: Cho et al., section 3.1
        assert set(found[~digit].tolist()) == {others}
        offsets.add(offset)
    assert len(offsets) > 12  # of 21


def test_offsets_reach_both_ends_and_differ_by_row():
    drawn = np.asarray(random_offset(jax.random.key(0), 400, 3))
    assert set(drawn.tolist()) == {0, 1, 2, 3}


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", [ABACUS, COUPLED], ids=["abacus", "coupled"])
def test_one_key_gives_encoder_and_decoder_one_offset(scheme):
    key = jax.random.key(3)
    source = np.array(assign(scheme.in_encoder(), "653+49", key=key)) - assign(scheme, "653+49")
    target = np.array(assign(scheme, "207", key=key, answering=True)) - [1, 2, 3]
    assert source[0] == target[0] != 0


@pytest.mark.parametrize("kind", [Abacus, Coupled])
def test_resolve_finds_digits_of_any_length_and_no_look_alikes(kind):
    texts = ("", "0", "²", "1", "2", "3", "4", "a1", "5", "6", "7", "٣", "8", "9", "10", "=", "1.")
    assert kind().resolve(texts).digit_ids == (1, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14)


def test_resolve_errors():
    with pytest.raises(ValueError) as error:
        Abacus().resolve([*"01234568", "="])
    assert str(error.value) == (
        "position=abacus needs tokens for single digits and the tokenizer has none for 7, 9; "
        "use a digits tokenizer, or position=rotary"
    )
    with pytest.raises(ValueError) as error:
        Coupled(marker="->").resolve([*"0123456789", "="])
    assert str(error.value).startswith("position=coupled finds no token '->' in the tokenizer; set")
    assert Coupled(marker="->").resolve([*"0123456789", "->"]).marker_id == 10


def test_the_marker_is_the_piece_and_not_the_byte_that_stands_in_for_it():
    texts = [f"{a * 7919}+{a}={a * 7920}" for a in range(300)]
    tokenizer = tokenizers.build("sentencepiece:300", lambda: texts)
    scheme = Coupled().resolve(tokenizer.token_texts())
    assert scheme.marker_id in tokenizer.encode("9+1=01")


@pytest.mark.parametrize("kind", [Abacus, Coupled])
def test_a_scheme_that_was_told_no_digits_is_refused(kind):
    with pytest.raises(ValueError, match=r"does not know the tokenizer's digits; use config.for_vocabulary"):
        kind().tables(d_model=8, num_heads=2, max_length=8)
    with pytest.raises(ValueError, match=r"max_offset=9 must be at least 0 and below max_position - 1 = 9$"):
        kind(max_offset=9, max_position=10).check(head_dim=4, num_heads=2)


@pytest.mark.thorough
@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.25), (0.5, 0.625), (1.0, 1.0)])
def test_coupled_offsets_are_zero_as_often_as_asked(share, expected):
    scheme = Coupled(max_position=16, max_offset=3, zero_offsets=share).resolve(("1", *"023456789", "=", "+"))
    tokens = jnp.full((4000, 1), 11)  # `+` has the offset itself
    positions, _ = scheme.assign(tokens, jnp.zeros((1, 1), jnp.int32), scheme.start(4000), jax.random.key(3))
    counts = np.bincount(np.asarray(positions)[:, 0], minlength=4) / 4000
    assert len(counts) == 4 and abs(counts[0] - expected) < 0.04
    assert np.ptp(counts[1:]) < 0.04  # the others alike


@pytest.mark.thorough
def test_coupled_share_of_zero_offsets_is_a_share():
    with pytest.raises(ValueError, match=r"position\.zero_offsets=1\.5 must be between 0 and 1"):
        Coupled(zero_offsets=1.5).check(head_dim=8, num_heads=2)
