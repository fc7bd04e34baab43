"""Variability of texts, against its measures taken one by one."""

import csv

import numpy as np
import pytest

from jaxgpt.evaluation import plots
from jaxgpt.evaluation.self_bleu import self_bleu
from jaxgpt.evaluation.variety import distinct_n
from jaxgpt.lab import variability
from jaxgpt.lab.whole_words import share_known, share_repeated, vocabulary

rng = np.random.default_rng(0)
WORDS = ["so", "it", "was", "said", "by", "him", "Once"]


def text(count):
    return " ".join(rng.choice(WORDS, count)) + "."


TRAINING, REAL = text(300), text(400)
TEXTS = [text(20) + " xq xq" for _ in range(6)]


def copied(text):
    spans = ((i, j) for i in range(len(text)) for j in range(i + 1, len(text) + 1))
    return max(j - i for i, j in spans if text[i:j] in TRAINING)


def test_each_measure_of_the_model_and_of_real_text():
    found = variability(TEXTS, TRAINING, REAL)
    assert [*map(len, found.passages)] == [*map(len, TEXTS)]
    places = [REAL.index(passage) for passage in found.passages]
    ends = [place + len(passage) for place, passage in zip(places, found.passages, strict=True)]
    gaps = np.subtract(places[1:], ends[:-1])
    assert places[0] == 0 and gaps.min() >= 0 and np.ptp(gaps) <= 1
    known = vocabulary(TRAINING)
    for texts, row in ((TEXTS, found.model), (found.passages, found.real)):
        got = dict(zip(found.names, row, strict=True))
        for n in (1, 2, 3):
            assert got[f"distinct-{n}"].mean == distinct_n(texts, n)
        assert got["self-BLEU"].mean == pytest.approx(self_bleu(texts).scores.mean())
        assert got["repeated 4-grams"].mean == pytest.approx(np.mean([*map(share_repeated, texts)]))
        assert got["words found"].mean == pytest.approx(np.mean([share_known(t, known) for t in texts]))
        lengths = [copied(text) for text in texts]
        assert got["longest copy, mean"].mean == pytest.approx(np.mean(lengths))
        assert got["longest copy, most"].mean == max(lengths)
        assert got["longest copy, most"].interval is None
        low, high = got["distinct-1"].interval
        assert 0 <= low < got["distinct-1"].mean < high <= 1
    words = dict(zip(found.names, found.model, strict=True))["words found"]
    assert words.mean == pytest.approx(19 / 20) and words.interval is None  # without the first and the last


def test_the_interval_of_self_bleu_leaves_out_each_text():
    found = variability(TEXTS, TRAINING, REAL)
    estimate = found.model[found.names.index("self-BLEU")]
    without = [self_bleu(TEXTS[:j] + TEXTS[j + 1 :]).scores.mean() for j in range(len(TEXTS))]
    error = np.sqrt(5 / 6 * ((without - np.mean(without)) ** 2).sum())
    low, high = estimate.interval
    assert high - estimate.mean == pytest.approx(2.5706 * error, rel=1e-4)
    assert estimate.mean - low == pytest.approx(2.5706 * error, rel=1e-4)


def test_two_equal_texts_vary_least():
    found = variability(["one two three four"] * 2, TRAINING, REAL)
    got = dict(zip(found.names, found.model, strict=True))
    assert got["self-BLEU"].mean == 1 and got["distinct-1"].mean == 0.5
    assert got["self-BLEU"].interval is None


def test_numbers_are_written_and_drawn(tmp_path):
    found = variability(TEXTS, TRAINING, REAL)
    found.to_csv(tmp_path / "variability.csv")
    with open(tmp_path / "variability.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(found.names) == 16
    assert [float(row["value"]) for row in rows[:2]] == [found.model[0].mean, found.real[0].mean]
    assert rows[-1]["low"] == "" and rows[-1]["text"] == "real"
    plots.save(found.plot(), tmp_path / "variability.svg")
    picture, table = found.blocks()
    assert "Of 6 texts: distinct-1 " in picture.alt
    assert [row[0].text for row in table.rows] == [*found.names]
    assert table.rows[0][1].text == f"{found.model[0].mean:.3f}"


@pytest.mark.parametrize(
    ("texts", "real", "message"),
    [
        (["a"], REAL, "texts has 1; give at least two"),
        (["", ""], REAL, "all of them are empty"),
        (["abc", "de"], "four", "the real text has 4 characters and the texts 5 together; give a longer one"),
    ],
)
def test_what_cannot_be_compared_is_told(texts, real, message):
    with pytest.raises(ValueError, match=message):
        variability(texts, TRAINING, real)
