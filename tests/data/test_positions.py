"""What a position scheme has to hold, told from the table before training."""

import numpy as np
import pytest

from jaxgpt.core.nested import made
from jaxgpt.data.positions import check_positions, hidden_marker, largest_positions
from jaxgpt.data.rows import build_rows
from jaxgpt.data.stream import build_stream
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.position.abacus import Abacus
from jaxgpt.nn.position.coupled import Coupled
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


def test_a_marker_that_is_not_seen():
    assert hidden_marker(Rotary(), TOKENIZER, ["1+2"]) == ""
    assert hidden_marker(Coupled(), TOKENIZER, ["1+2=", "3+4="]) == ""
    assert "no prompt holds the answer marker '='" in hidden_marker(Coupled(), TOKENIZER, ["1+2", "3+4"])
    pairs = build("bpe:270", lambda: ["(2)="] * 9)
    assert hidden_marker(Coupled(), pairs, ["1+1="]) == ""
    assert hidden_marker(Coupled(), pairs, ["1+1=", "(1)="]).endswith("as in '(' '1' ')='")
