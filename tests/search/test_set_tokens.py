"""Sets as rows of tokens: read back as they were, and what stands for no set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgpt.search.set_tokens import BEGIN, END, PAD, SetTokens

SIZE, MOST = 7, 5
WRITTEN = ("elements", "bits")


@pytest.mark.parametrize("written", WRITTEN)
@given(chosen=st.lists(st.sets(st.integers(0, SIZE - 1), max_size=MOST), min_size=1, max_size=6))
def test_a_row_is_read_as_the_set_that_was_written(written, chosen):
    tokens = SetTokens(SIZE, written, MOST)
    sets = np.array([[element in one for element in range(SIZE)] for one in chosen])
    rows = tokens.rows(sets)
    assert (rows.tokens[:, 0] == BEGIN).all() and rows.tokens.max() < tokens.vocab_size
    assert (rows.tokens[np.arange(len(sets)), rows.length - 1] == END).all()
    found, readable = tokens.read(rows.tokens[:, 1:])
    assert readable.all() and np.array_equal(found, sets)


def test_elements_are_written_in_ascending_order_a_token_each():
    tokens = SetTokens(SIZE, "elements", MOST)
    row = tokens.rows(np.array([[0, 1, 0, 0, 1, 0, 1]], bool)).tokens[0].tolist()
    assert row == [BEGIN, 3 + 1, 3 + 4, 3 + 6, END, PAD, PAD]


def test_a_set_that_is_too_large_is_refused():
    tokens = SetTokens(SIZE, "elements", 3)
    sets = np.array([[1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0]], bool)
    assert tokens.fits(sets).tolist() == [True, False]
    with pytest.raises(ValueError, match="a set has 4 elements; rows have room for 3"):
        tokens.rows(sets)


def test_what_stands_for_no_set_is_told_apart():
    elements = SetTokens(SIZE, "elements", MOST)
    rows = np.array(
        [
            [5, 3, END, PAD],  # in another order
            [5, 5, END, PAD],  # twice
            [5, 3, 4, 6],  # without an end
            [5, PAD, END, PAD],
            [5, BEGIN, END, PAD],
            [END, PAD, PAD, PAD],  # the empty set
        ]
    )
    sets, readable = elements.read(rows)
    assert readable.tolist() == [True, True, False, False, False, True]
    assert [np.flatnonzero(one).tolist() for one in sets] == [[0, 2], [2], [], [], [], []]
    bits = SetTokens(3, "bits", 9)
    rows = np.array([[3, 4, 4, END], [3, 4, END, PAD], [3, 4, 4, 4], [3, BEGIN, 4, END]])
    sets, readable = bits.read(rows)
    assert readable.tolist() == [True, False, False, False]
    assert sets[0].tolist() == [False, True, True] and not sets[1:].any()
