"""Tables as CSV."""

import csv
import io

import pytest

from jaxgpt.core.tables import comma_separated

FIELDS = ["a", "", "\r", "\n", "a\r\nb", "1,2", '"', "é\x85\u2028"]


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_comes_back(field):
    text = comma_separated([["name", "n"], [field, 1], ["end", 2]])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["name", "n"], [field, "1"], ["end", "2"]]


def test_rows_end_as_lines_do():
    assert comma_separated([["a", "b"], [1, None]]) == "a,b\n1,\n"
