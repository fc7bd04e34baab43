"""Losses of models on texts, against logits read one window at a time."""

import csv
import math

import numpy as np
import pytest
from flax import nnx
from lab_models import TOKENIZER, linear

from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab import LossMatrix, Subject, loss_matrix
from jaxgpt.lab.windows import sizes, windows
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.tokenizers import build

FIRST, SECOND = linear(0).model, linear(1).model
SUBJECT = Subject((FIRST, SECOND), TOKENIZER, "both")
rng = np.random.default_rng(0)
TEXT = "".join(rng.choice(list("abcdefgh "), 100))


def loss(model, text):
    """Nats of what a text holds behind its first token, window by window, and its characters."""
    ids = TOKENIZER.encode(text)
    total, count = 0.0, 0
    for start in range(0, len(ids) - 12, 12):
        logits = np.asarray(model(np.asarray([ids[start : start + 12]])).logits[0], np.float64)
        wanted = ids[start + 1 : start + 13]
        logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        total -= logs[np.arange(12), wanted].sum()
        count += 12
    return total / count


def test_each_cell_is_the_loss_of_its_models_on_its_text():
    other = TEXT[::-1]
    found = loss_matrix({"both": SUBJECT, "first": (FIRST, TOKENIZER)}, {"text": TEXT, "other": other})
    assert (found.trained_on, found.evaluated_on) == (("both", "first"), ("text", "other"))
    for j, text in enumerate((TEXT, other)):
        expected = [loss(model, text) for model in (FIRST, SECOND)]
        assert found.nats[0][j].per_seed == pytest.approx(expected, rel=1e-4)
        assert found.nats[0][j].mean == pytest.approx(sum(expected) / 2, rel=1e-4)
        assert found.nats[1][j].mean == pytest.approx(expected[0], rel=1e-4)
        low, high = found.nats[1][j].interval  # of one seed over the windows
        assert low < expected[0] < high
        assert found.bits[1][j].mean == pytest.approx(expected[0] / math.log(2), rel=1e-4)
        assert found.bits_a_byte[1][j].mean == pytest.approx(expected[0] / math.log(2), rel=1e-4)
    assert (found.left_out == 0).all()


def test_bytes_are_counted_where_a_character_has_several():
    tokenizer = build("characters", lambda: ["abé"])
    model = FIRST  # it has ids enough
    found = loss_matrix({"m": (model, tokenizer)}, {"t": "éab" * 20})
    assert found.bits_a_byte[0][0].mean == pytest.approx(found.bits[0][0].mean * 3 / 4, rel=0.05)


def test_characters_that_a_model_has_never_seen_are_left_out_and_told():
    strange = TEXT.replace("a", "Ω")
    kept = TEXT.replace("a", "")
    found = loss_matrix({"first": (FIRST, TOKENIZER)}, {"strange": strange, "kept": kept})
    assert found.left_out[0, 0] == TEXT.count("a") / len(TEXT) and found.left_out[0, 1] == 0
    assert found.nats[0][0] == found.nats[0][1]
    assert f"{found.left_out[0, 0]:.1%} left out" in found.table()
    with pytest.raises(ValueError, match=r"'first' on 'strange': .*'Ω'"):
        loss_matrix({"first": (FIRST, TOKENIZER)}, {"strange": strange}, unknown="refuse")


def test_every_token_but_the_first_is_predicted_once():
    ids = TOKENIZER.encode(TEXT)
    rows = windows(SUBJECT, TEXT)
    assert rows.shape == (8, 13)
    assert rows[:, 1:].ravel().tolist() == ids[1:97] and rows[:, 0].tolist() == ids[0:96:12]


@pytest.mark.parametrize("length", [5, 16])
def test_a_character_across_two_windows_is_counted_once(length):
    tokenizer = build("bytes", lambda: ())
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size, d_model=8, num_heads=2, num_layers=1, max_length=length
    )
    subject = Subject((Transformer(config, rngs=nnx.Rngs(0)),), tokenizer)
    text = "море 海洋 a\U0001f30a" * 40
    rows = windows(subject, text)
    characters, encoded = sizes(subject, rows)
    # The first token, half of a character, is given; so the character is the first window's.
    whole = text.encode()[: 1 + rows[:, 1:].size].decode(errors="ignore")
    assert (characters.sum(), encoded.sum()) == (len(whole), len(whole.encode()))


def test_a_text_that_is_too_short_is_told_with_both_names():
    with pytest.raises(ValueError, match="'a' on 'b': the text has 12 tokens and a window takes 13"):
        loss_matrix({"a": SUBJECT}, {"b": TEXT[:12]})
    assert windows(SUBJECT, TEXT[:13]).shape == (1, 13)


def test_without_models_or_texts_there_is_nothing_to_say():
    for sources, texts, name in (({}, {"t": TEXT}, "sources"), ({"m": SUBJECT}, {}, "texts")):
        with pytest.raises(ValueError, match=f"{name}={{}}: give at least one"):
            loss_matrix(sources, texts)


def test_each_text_is_predicted_best_by_the_row_of_the_least_loss():
    plays, maths = (
        tuple(Estimate(nats, None, (nats,)) for nats in row) for row in ((1.25, 2.5, 3.0), (2.0, 1.5, 1.0))
    )
    cells = (plays, maths)
    found = LossMatrix(("plays", "maths"), ("Hamlet", "Euclid", "Euler"), cells, cells, np.zeros((2, 3)))
    assert found.summary() == (
        "Loss in nats a character: Hamlet is predicted best by plays, with 1.250; Euclid is predicted best "
        "by maths, with 1.500; Euler is predicted best by maths, with 1.000."
    )


def test_numbers_are_written_and_drawn(tmp_path):
    found = loss_matrix({"both": SUBJECT}, {"text": TEXT, "other": TEXT[::-1]})
    found.to_csv(tmp_path / "losses.csv")
    with open(tmp_path / "losses.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["unit"] for row in rows] == ["nats a character"] * 2 + ["bits a character"] * 2 + [
        "bits a byte"
    ] * 2
    assert float(rows[0]["mean"]) == found.nats[0][0].mean
    texts = [text.get_text() for text in found.plot().axes[0].texts]
    assert texts == [f"{cell.mean:.3f}" for cell in found.nats[0]]
