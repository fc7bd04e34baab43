"""What a position scheme has to hold, told from the table before training."""

import dataclasses

import numpy as np
import pytest

from jaxgpt.core.nested import made
from jaxgpt.data.corpus import Windows
from jaxgpt.data.positions import check_positions, hidden_marker, largest_positions
from jaxgpt.data.rows import build_rows
from jaxgpt.data.stream import build_stream
from jaxgpt.generation import prompts
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.axial import Axial
from jaxgpt.nn.position.coupled import Coupled
from jaxgpt.nn.position.randomized import Randomized
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.task import Example
from jaxgpt.tokenizers import build
from jaxgpt.tokenizers.vocabulary import Vocabulary

TOKENIZER = build("digits", lambda: ["0123456789+="])
TEXTS = TOKENIZER.token_texts()
EXAMPLES = [Example("1+2=", "3"), Example("95+5=", "001"), Example("7+7=", "41")]


def model(position, **fields) -> ModelConfig:
    return made(ModelConfig, position=position, max_length=16, **fields).for_vocabulary(Vocabulary(TEXTS))


def rows(encoder_decoder=False):
    return build_rows(EXAMPLES, TOKENIZER, encoder_decoder=encoder_decoder, max_length=16)


@pytest.mark.parametrize("piece", [1, 2, 3, 4096])
def test_largest_positions_whatever_the_pieces(piece, monkeypatch):
    monkeypatch.setattr("jaxgpt.data.positions._ROWS", piece)
    table, scheme = rows(), Coupled().resolve(TEXTS)
    found = largest_positions(scheme, table.tokens, table.length, answering=False)
    np.testing.assert_array_equal(found, [1, 3, 2])


@pytest.mark.parametrize("scheme", [Coupled, Abacus])
@pytest.mark.parametrize("kind", ["decoder", "encoder_decoder"])
def test_a_number_beyond_the_table_with_its_offset(scheme, kind):
    both = kind == "encoder_decoder"
    check_positions(model(scheme(max_position=8, max_offset=4), kind=kind), rows(both))
    message = "reaches position 3, and 7 with an offset of 4 in training, but model.position.max_position=7"
    with pytest.raises(ValueError, match=message):
        check_positions(model(scheme(max_position=7, max_offset=4), kind=kind), rows(both))


def test_a_text_and_a_scheme_without_a_size():
    stream = build_stream([Example("", "12+345=")], TOKENIZER, window=4)
    check_positions(model(Abacus(max_position=5, max_offset=1)), stream)
    with pytest.raises(ValueError, match="set it to 5 or more"):
        check_positions(model(Abacus(max_position=4, max_offset=1)), stream)
    check_positions(model(Rotary()), stream)


@pytest.mark.parametrize("in_files", [False, True])
def test_of_a_text_every_window_has_the_same_order(in_files):
    """The text is far longer than what a scheme of the order has to hold."""
    stream = build_stream([Example("", "12+345=" * 9)], TOKENIZER, window=4)
    stream = Windows(stream.stream, 4) if in_files else stream
    check_positions(model(Axial(rows=2, columns=2)), stream)
    message = r"\Athe last token of the longest row reaches position 3, but "
    with pytest.raises(
        ValueError, match=message + r"model\.position\.rows \* columns=3; set it to 4 or more"
    ):
        check_positions(model(Axial(rows=1, columns=3)), stream)
    check_positions(model(Randomized(max_position=13, spacing=4)), stream)
    message = r"reaches position 12, but model\.position\.max_position=12; set it to 13 or more"
    with pytest.raises(ValueError, match=message):
        check_positions(model(Randomized(max_position=12, spacing=4)), stream)


@pytest.mark.parametrize("reads", ["decoder", "encoder", "labels"])
def test_the_last_token_of_a_row_is_read_unless_it_is_only_predicted(reads):
    table = rows()  # bos, 5 of 95+5=, 3 of 001, eos
    if reads == "labels":
        table = dataclasses.replace(table, labels=np.zeros((3, 1), np.int32))
    kind = "encoder" if reads == "encoder" else "decoder"
    check_positions(model(Axial(rows=5, columns=2), kind=kind), table)
    nine = model(Axial(rows=3, columns=3), kind=kind)
    if reads == "decoder":
        check_positions(nine, table)
        return
    with pytest.raises(ValueError, match="reaches position 9, "):
        check_positions(nine, table)


def test_a_prompt_beyond_the_table_is_told_by_the_schemes_own_fields():
    config = model(Axial(rows=2, columns=2))
    prompts.check_positions(config, [np.asarray([0, 3])])
    message = (
        r"row 1 reaches position 4, which position\.rows \* columns=4 does not hold; shorten it or raise"
    )
    with pytest.raises(ValueError, match=message):
        prompts.check_positions(config, [np.asarray([3]), np.asarray([4])])


def test_a_marker_that_is_not_seen():
    assert hidden_marker(Rotary(), TOKENIZER, ["1+2"]) == ""
    assert hidden_marker(Coupled(), TOKENIZER, ["1+2=", "3+4="]) == ""
    assert "no prompt holds the answer marker '='" in hidden_marker(Coupled(), TOKENIZER, ["1+2", "3+4"])
    pairs = build("bpe:270", lambda: ["(2)="] * 9)
    assert hidden_marker(Coupled(), pairs, ["1+1="]) == ""
    assert hidden_marker(Coupled(), pairs, ["1+1=", "(1)="]).endswith("as in '(' '1' ')='")
