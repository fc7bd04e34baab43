"""The table of padded rows."""

import dataclasses

import numpy as np
import pytest
from data_building import DIGITS, sums
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.data import rows
from jaxgpt.data.rows import build_rows, narrowest, pad
from jaxgpt.task import Example
from jaxgpt.tokenizers import build

TEXT = st.text("0123456789+=", max_size=12)
EXAMPLES = st.lists(st.builds(Example, TEXT, TEXT), min_size=1, max_size=8)


@settings(deadline=None, max_examples=50)
@given(EXAMPLES)
def test_decoder_rows_hold_prompt_and_target(examples):
    rows = build_rows(examples, DIGITS, encoder_decoder=False, max_length=40)
    assert rows.num_examples == len(examples)
    for i, example in enumerate(examples):
        length, start = rows.length[i], rows.start[i]
        assert rows.tokens[i, 0] == DIGITS.bos_id
        assert DIGITS.decode(rows.tokens[i, 1:start].tolist()) == example.prompt
        assert DIGITS.decode(rows.tokens[i, start : length - 1].tolist()) == example.target
        assert rows.tokens[i, length - 1] == DIGITS.eos_id
        assert (rows.tokens[i, length:] == DIGITS.pad_id).all()
    assert rows.tokens.shape[1] == rows.length.max()
    assert set(rows.arrays()) == {"tokens", "start", "length"}


@settings(deadline=None, max_examples=50)
@given(EXAMPLES)
def test_encoder_decoder_rows_part_prompt_and_target(examples):
    rows = build_rows(examples, DIGITS, encoder_decoder=True, max_length=40)
    for i, example in enumerate(examples):
        source = rows.source[i, : rows.source_length[i]].tolist()
        tokens = rows.tokens[i, : rows.length[i]].tolist()
        assert source == [*DIGITS.encode(example.prompt), DIGITS.eos_id]
        assert tokens == [DIGITS.bos_id, *DIGITS.encode(example.target), DIGITS.eos_id]
        assert (rows.source[i, rows.source_length[i] :] == DIGITS.pad_id).all()
        assert (rows.tokens[i, rows.length[i] :] == DIGITS.pad_id).all()
    assert (rows.start == 1).all()


@pytest.mark.parametrize("encoder_decoder", [False, True])
@pytest.mark.parametrize(
    "tokenizer", [DIGITS, build("bittokens", lambda: ["0123456789+="])], ids=["digits", "bittokens"]
)
def test_rows_made_part_by_part_are_those_made_at_once(monkeypatch, encoder_decoder, tokenizer):
    examples = list(sums(50))
    options = {"encoder_decoder": encoder_decoder, "max_length": 40}
    at_once = build_rows(examples, tokenizer, **options)
    monkeypatch.setattr(rows, "_ENCODED_TOGETHER", 7)
    by_parts = build_rows(iter(examples), tokenizer, **options)
    assert by_parts.arrays().keys() == at_once.arrays().keys()
    for name, value in at_once.arrays().items():
        np.testing.assert_array_equal(by_parts.arrays()[name], value, strict=True)
    longest = at_once.length if at_once.source_length is None else at_once.source_length
    with pytest.raises(ValueError, match=f"an example has {longest.max()} tokens"):
        build_rows(examples, tokenizer, encoder_decoder=encoder_decoder, max_length=longest.max() - 2)


def test_the_narrowest_type_holds_every_id():
    assert [narrowest(size) for size in (256, 257, 65536, 65537)] == [
        np.uint8,
        np.uint16,
        np.uint16,
        np.uint32,
    ]


def test_an_example_of_exactly_the_limit_fits():
    # bos, 4 and 2 characters, eos are 8 tokens; the last one is only predicted.
    example = Example("1+1=", "02")
    assert build_rows([example], DIGITS, encoder_decoder=False, max_length=7).length.tolist() == [8]
    with pytest.raises(ValueError, match=r"has 8 tokens.*\(7\).*'1\+1=02'.*raise model.max_length"):
        build_rows([*sums(1), example], DIGITS, encoder_decoder=False, max_length=6)


def test_a_source_that_is_too_long():
    with pytest.raises(ValueError, match=r"has 6 tokens.*\(5\).*raise model.max_length"):
        build_rows([Example("12345", "1")], DIGITS, encoder_decoder=True, max_length=5)


def test_no_examples_names_the_field():
    with pytest.raises(ValueError, match=r"no examples.*task\.held_out"):
        build_rows([], DIGITS, encoder_decoder=False, max_length=8)


def test_text_outside_the_alphabet_is_refused():
    with pytest.raises(ValueError, match="'é'"):
        build_rows([Example("é", "1")], DIGITS, encoder_decoder=False, max_length=8)


@dataclasses.dataclass
class Wrong:
    """Claims fewer ids than it gives."""

    vocab_size: int = 10
    pad_id: int = 0


@pytest.mark.parametrize("token", [10, 300, -1])
def test_a_token_outside_the_vocabulary_is_refused(token):
    with pytest.raises(ValueError, match=rf"id {token}, outside its vocabulary of 10"):
        pad([[1, 2], [token]], Wrong())
