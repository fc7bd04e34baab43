"""Packed tables hold the examples of the padded one, each once, in few rows."""

import numpy as np
import pytest
from data_building import DIGITS, sums
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.data.packing import best_fit, pack
from jaxgpt.data.rows import build_rows
from jaxgpt.objectives.next_token import NextToken
from jaxgpt.task import Example
from jaxgpt.tokenizers import build

TEXT = st.text("0123456789+=", max_size=12)
EXAMPLES = st.lists(st.builds(Example, TEXT, TEXT), min_size=1, max_size=12)
TWO = ([Example("1+1=", "2"), Example("10+20=", "30")], 20)  # of 6 and 9 places


def packed(examples, width):
    rows = build_rows(examples, DIGITS, encoder_decoder=False, max_length=width)
    return rows, pack(rows, width, DIGITS.pad_id)


def slow_best_fit(lengths, width):
    """The rooms left in each row: every example looks at every row."""
    rooms = []
    for length in sorted(lengths, reverse=True):
        fitting = [i for i, room in enumerate(rooms) if room >= length]
        if not fitting:
            rooms.append(width)
            fitting = [len(rooms) - 1]
        rooms[min(fitting, key=lambda i: rooms[i])] -= length
    return rooms


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(30, 70))
def test_rows_are_filled_as_by_looking_at_each(lengths, width):
    rows, places = best_fit(lengths, width)
    used = np.zeros((max(rows) + 1, width), int)
    for row, place, length in zip(rows, places, lengths, strict=True):
        assert place + length <= width
        used[row, place : place + length] += 1
    assert used.max() == 1  # none upon another
    assert sorted(width - used.sum(axis=1)) == sorted(slow_best_fit(lengths, width))


def test_rows_are_nearly_full():
    lengths = np.random.default_rng(0).integers(8, 64, 5000).tolist()
    rows, _ = best_fit(lengths, 128)
    assert sum(lengths) / (128 * (max(rows) + 1)) > 0.99  # one a row, they would fill 0.56 of 63 places


@settings(deadline=None, max_examples=60)
@given(EXAMPLES, st.integers(26, 60))
def test_every_example_is_there_once(examples, width):
    rows, table = packed(examples, width)
    found = [ids for row in range(table.num_examples) for ids in table.document_ids(row)]
    assert sorted(found) == sorted(rows.ids(i) for i in range(len(examples)))
    assert table.num_documents == len(examples)
    assert table.tokens.shape == (table.num_examples, width + 1)
    assert table.share == pytest.approx((rows.length - 1).sum() / table.targets.size)
    assert (table.tokens[:, :-1][table.documents == 0] == DIGITS.pad_id).all()


@settings(deadline=None, max_examples=60)
@given(EXAMPLES, st.sampled_from(["answer", "all"]))
def test_weights_are_those_of_the_padded_table(examples, which):
    rows, table = packed(examples, 40)
    objective = NextToken(tokens=which, end_weight=0.25)
    alone = np.asarray(objective.weights(rows.arrays()))
    together = np.asarray(objective.weights(table.arrays()))
    expected = sorted(
        [(rows.tokens[i, j + 1], alone[i, j]) for i, j in np.argwhere(alone)]
    )  # targets and weights
    assert expected == sorted((table.targets[i, j], together[i, j]) for i, j in np.argwhere(together))


def test_the_longest_stand_first_and_equal_ones_in_their_order():
    examples, width = TWO
    _, table = packed(examples, width)
    assert table.documents.tolist() == [[1] * 9 + [2] * 6 + [0] * 5]
    assert [DIGITS.decode(ids[1:-1]) for ids in table.document_ids(0)] == ["10+20=30", "1+1=2"]
    _, table = packed([Example(f"{i}+1=", str(i + 1)) for i in range(6)], 18)
    shown = [[DIGITS.decode(ids[1:2]) for ids in table.document_ids(row)] for row in range(2)]
    assert shown == [["0", "1", "2"], ["3", "4", "5"]]


def test_many_short_examples_of_a_row_are_counted():
    _, table = packed([Example("", "")] * 300, 300)
    assert table.documents.tolist() == [list(range(1, 301))]


def test_the_same_examples_are_packed_alike():
    one, other = (packed(sums(50), 64)[1].arrays() for _ in range(2))
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_a_row_that_is_too_short_names_the_field():
    examples, _ = TWO
    with pytest.raises(ValueError, match=r"training\.packing=8 is shorter.*9 places; raise it"):
        pack(build_rows(examples, DIGITS, encoder_decoder=False, max_length=20), 8, DIGITS.pad_id)


def test_features_of_numbers_go_with_their_tokens():
    own = build("fone:5", lambda: ["0123456789+="])
    examples = [Example("12+7=", "19"), Example("3+4=", "7"), Example("5+5+600=", "610")]
    rows = build_rows(examples, own, encoder_decoder=False, max_length=9)
    table = pack(rows, 14, own.pad_id)
    assert table.num_examples == 2
    # What is only predicted has its features one place on; ends have none.
    found = [own.decode(ids[1:]) for row in range(2) for ids in table.document_ids(row)]
    assert sorted(found) == sorted(e.prompt + e.target for e in examples)
