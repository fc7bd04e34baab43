"""Distinct n-grams by hand, and the longest copy against a search by brute force."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.evaluation.variety import CopyIndex, distinct_n, variety


def brute(text, documents):
    pieces = (text[i:j] for i in range(len(text)) for j in range(i, len(text) + 1))
    return max((len(piece) for piece in pieces if any(piece in d for d in documents)), default=0)


def test_distinct_n_by_hand():
    texts = ["a b a b", "b a"]
    assert distinct_n(texts, 1) == 2 / 6
    # a b, b a; the pair across the two texts does not count.
    assert distinct_n(texts, 2) == 2 / 6
    assert distinct_n(texts, 3) == 2 / 6
    assert distinct_n(["a b", "c d"], 2) == 2 / 4
    assert distinct_n([], 1) == distinct_n(["", " "], 2) == distinct_n(["one"], 2) == 0
    with pytest.raises(ValueError, match="n=0"):
        distinct_n(texts, 0)


LETTERS = st.text("ab☆", max_size=14)


@settings(deadline=None, max_examples=200)
@given(st.lists(LETTERS, max_size=4), st.lists(LETTERS, max_size=5))
def test_longest_copies_equal_brute_force(documents, texts):
    assert CopyIndex(documents).longest_copies(texts) == [brute(text, documents) for text in texts]


def test_a_copy_does_not_cross_documents():
    assert CopyIndex(["abc", "def"]).longest_copies(["abcdef", "xcdx", "\x00\U0010ffff"]) == [3, 1, 0]


def test_variety_of_nothing():
    zero = dict.fromkeys(
        ["distinct_1", "distinct_2", "distinct_3", "copy_characters_mean", "copy_characters_max"], 0.0
    )
    assert variety([], ["text"]) == variety([], []) == variety([""], []) == zero


@pytest.mark.thorough
def test_large_texts_take_seconds():
    rng = np.random.default_rng(0)
    words = ["".join(map(chr, rng.integers(97, 123, 6))) for _ in range(5000)]
    text = " ".join(words[i] for i in rng.zipf(1.5, 400_000) % 5000)
    samples = [text[i * 900 : i * 900 + 20 + 3 * i] + "☆" * 50 for i in range(100)]
    start = time.perf_counter()
    copies = CopyIndex([text]).longest_copies(samples)
    assert time.perf_counter() - start < 20
    assert copies == [20 + 3 * i for i in range(100)]
