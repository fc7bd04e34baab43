import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxgpt.core.spacing import log_spaced


def test_numbers_lie_evenly_on_a_log_scale():
    assert log_spaced(4, 1000) == (1, 10, 100, 1000)
    assert log_spaced(3, 1200, 12) == (12, 120, 1200)
    assert log_spaced(5, 5) == (1, 2, 3, 4, 5) and log_spaced(1, 7) == (7,) and log_spaced(0, 7) == ()


@given(st.integers(2, 40), st.integers(1, 50), st.integers(0, 10_000))
def test_they_rise_from_the_first_to_the_last(count, first, more):
    last = first + count - 1 + more
    found = log_spaced(count, last, first)
    assert len(found) == count and found[0] == first and found[-1] == last
    assert all(a < b for a, b in itertools.pairwise(found))


def test_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="no 6 different whole numbers from 3 to 7"):
        log_spaced(6, 7, 3)
