"""A corpus as one row of tokens."""

import numpy as np
import pytest
from data_building import DIGITS
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.data.stream import build_stream, windows
from jaxgpt.task import Example


def test_documents_are_joined_by_the_end_token():
    stream = build_stream([Example("", "12"), Example("3", "4")], DIGITS, window=3)
    one, two, three, four = (DIGITS.encode(c)[0] for c in "1234")
    end = DIGITS.eos_id
    assert stream.stream.tolist() == [DIGITS.bos_id, one, two, end, three, four, end]
    assert stream.num_examples == 7 - 3
    assert set(stream.arrays()) == {"stream"}


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(2, 100))
def test_windows_predict_every_token_once(window, size):
    rows = windows(np.arange(size), window)
    predicted = rows[:, 1:].reshape(-1)
    # All but the first, and but for fewer than a window at the end.
    np.testing.assert_array_equal(predicted, np.arange(1, 1 + len(predicted)))
    assert size - 1 - len(predicted) < window
    np.testing.assert_array_equal(rows[:, :-1], rows[:, 1:] - 1)


def test_every_window_of_a_stream_lies_inside_it():
    stream = build_stream([Example("", "1234567")], DIGITS, window=4)
    last = stream.num_examples - 1
    assert len(stream.stream[last : last + stream.window + 1]) == 5


def test_text_shorter_than_a_window():
    build_stream([Example("", "1234")], DIGITS, window=5)  # 6 tokens with their ends
    with pytest.raises(ValueError, match=r"6 tokens.*= 7; lower model.max_length"):
        build_stream([Example("", "1234")], DIGITS, window=6)


def test_a_token_outside_the_vocabulary_is_refused():
    class Wrong(type(DIGITS)):
        vocab_size = 5

    wrong = Wrong(DIGITS.base)
    with pytest.raises(ValueError, match="outside its vocabulary of 5"):
        build_stream([Example("", "98765")], wrong, window=2)
