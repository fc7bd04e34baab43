"""The n-gram baseline against a dictionary-based implementation and by hand."""

import math
import time
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.evaluation.ngram import ByteNGram, bits_per_byte


def plain(train, held_out, order):
    """Witten-Bell by recursion over dictionaries of tuples."""
    counts = [defaultdict(Counter) for _ in range(order)]

    def windows(text):
        symbols = ["before"] * (order - 1) + list(text.encode())
        for end in range(order - 1, len(symbols)):
            yield [tuple(symbols[end - k : end]) for k in range(order)], symbols[end]

    for text in train:
        for histories, byte in windows(text):
            for k, history in enumerate(histories):
                counts[k][history][byte] += 1

    def probability(histories, byte):
        if not histories:
            return 1 / 256
        below = probability(histories[:-1], byte)
        after = counts[len(histories) - 1][histories[-1]]
        if not after:
            return below
        return (after[byte] + len(after) * below) / (sum(after.values()) + len(after))

    values = [-math.log2(probability(*window)) for text in held_out for window in windows(text)]
    return sum(values) / len(values)


TEXTS = st.lists(st.text("abé ", max_size=12), min_size=1, max_size=5)


@settings(deadline=None)
@given(TEXTS.filter(any), TEXTS.filter(any), st.integers(1, 7))
def test_equals_the_plain_implementation(train, held_out, order):
    assert bits_per_byte(train, held_out, order) == pytest.approx(plain(train, held_out, order), rel=1e-12)


def test_by_hand():
    # After training on `aab`, order 1: count 3, kinds 2, so p(a) = (2 + 2/256) / 5.
    a = (2 + 2 / 256) / 5
    b = (1 + 2 / 256) / 5
    assert bits_per_byte(["aab"], ["ab"], 1) == pytest.approx(-(math.log2(a) + math.log2(b)) / 2)
    # Order 2: a comes first in the document (1 of 1); after a stood one a and one b.
    first = (1 + a) / 2
    then = (1 + 2 * b) / 4
    assert bits_per_byte(["aab"], ["ab"], 2) == pytest.approx(-(math.log2(first) + math.log2(then)) / 2)


@given(st.binary(max_size=8), st.integers(1, 6))
def test_probabilities_sum_to_one(history, order):
    model = ByteNGram(["the cat sat", "on the mat", "é"], order)
    following = model.following(history)
    assert following.shape == (256,)
    assert (following > 0).all()
    assert following.sum() == pytest.approx(1)


def test_following_agrees_with_probabilities():
    model = ByteNGram(["the cat sat on the mat"], 4)
    text = "the hat"
    walked = [model.following(text[:i].encode())[ord(text[i])] for i in range(len(text))]
    np.testing.assert_allclose(model.probabilities([text]), walked)


def test_a_byte_never_seen_costs_bits_but_not_infinity():
    assert 8 < bits_per_byte(["aaaa"], ["zzzz"]) < 20


def test_errors():
    with pytest.raises(ValueError, match="there is none"):
        bits_per_byte([""], ["a"])
    with pytest.raises(ValueError, match="no held-out text"):
        bits_per_byte(["a"], [""])
    for order in (0, 8):
        with pytest.raises(ValueError, match=f"order={order} must be between 1 and 7"):
            bits_per_byte(["a"], ["a"], order)


def test_large_texts_take_seconds():
    """The bound is wide, for slow machines; what it rules out is work a byte at a time in Python."""
    rng = np.random.default_rng(0)
    words = ["".join(map(chr, rng.integers(97, 123, 6))) for _ in range(5000)]
    text = " ".join(words[i] for i in rng.zipf(1.5, 400_000) % 5000)
    start = time.perf_counter()
    bits_per_byte([text], [text[:250_000]])
    assert time.perf_counter() - start < 20
