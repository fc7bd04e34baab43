"""Every scheme reads the arithmetic task; in reversed answers numbers begin with zeros."""

import itertools

import numpy as np
import pytest

from jaxgpt.data.rows import build_rows
from jaxgpt.tokenizers import build
from tasks.arithmetic import Arithmetic

COMPARED = "digits,digits:2:right,digits:3:right,digits:3:left,spaced,10e,base:1000,bytes,bpe:512,10,words"
COMPARED += ",underscore,fixed:11,base:7"


def examples(**fields):
    return list(itertools.islice(Arithmetic(**fields).examples("train"), 1000))


def check(tokenizer, rows, given):
    for row, example in zip(np.asarray(rows.tokens).tolist(), given, strict=True):
        assert tokenizer.decode(row) == example.prompt + example.target


@pytest.mark.thorough
@pytest.mark.parametrize("format", ["plain", "reversed"])
@pytest.mark.parametrize("spec", COMPARED.split(","))
def test_rows_of_addition(spec, format):
    given = examples(format=format)
    assert format == "plain" or any(e.target[0] == "0" for e in given)
    tokenizer = build(spec, lambda: (e.prompt + e.target for e in given))
    rows = build_rows(given, tokenizer, encoder_decoder=False, max_length=200)
    check(tokenizer, rows, given)


@pytest.mark.parametrize(
    ("spec", "digits"), [("p10:11", 10), ("p1000:12", 10), ("p10", 2), ("b1999", 2), ("fp15", 2)]
)
@pytest.mark.parametrize("operation", ["addition", "subtraction"])
def test_rows_in_notations_of_values(spec, digits, operation):
    given = examples(format="plain", max_digits=digits, operation=operation)
    tokenizer = build(spec, lambda: (e.prompt + e.target for e in given))
    check(tokenizer, build_rows(given, tokenizer, encoder_decoder=False, max_length=200), given)
