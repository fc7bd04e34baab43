"""Frequencies of characters and tokens, against counts of strings."""

import csv
from collections import Counter

import numpy as np
import pytest

from jaxgpt.evaluation import plots
from jaxgpt.lab import frequencies
from jaxgpt.tokenizers import build

TEXTS = {"maths": "$x^2$ + $x$\n", "plays": "To be or\tnot to be\n" * 3}


def read(found, path):
    found.to_csv(path)
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_character_of_each_text_is_counted_the_most_frequent_first(tmp_path):
    found = frequencies(TEXTS)
    assert found.names == ("maths", "plays") and set(found.symbols) == set("".join(TEXTS.values()))
    for text, counts in zip(TEXTS.values(), found.counts, strict=True):
        assert counts.tolist() == [text.count(symbol) for symbol in found.symbols]
    assert (np.diff(found.together) <= 0).all()
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)
    maths, plays = map(set, TEXTS.values())
    assert found.own == (len(maths - plays), len(plays - maths))
    assert f"maths {len(maths - plays)}, plays {len(plays - maths)}" in found.summary()
    rows = read(found, tmp_path / "counts.csv")
    assert len(rows) == 3 * len(found.symbols)
    for row in rows:
        text = TEXTS.get(row["text"], "".join(TEXTS.values()))
        assert int(row["count"]) == text.count(row["character"])
        assert float(row["share"]) == pytest.approx(text.count(row["character"]) / len(text))


def test_tokens_are_counted_by_their_ids():
    tokenizer = build("bytes", lambda: [])
    text = "é is é, e is e"
    found = frequencies({"one": text}, tokenizer)
    expected = Counter(tokenizer.token_texts()[token] for token in tokenizer.encode(text))
    assert found.unit == "token" and found.counts.shape == (1, len(found.symbols))
    got = Counter()
    for symbol, count in zip(found.symbols, found.counts[0], strict=True):
        got[symbol] += int(count)
    assert got == expected
    assert len(list(found.rows()[1])) == len(found.symbols)  # of one text there is nothing to put together
    assert "only one text" not in found.summary()


def test_the_picture_has_the_80_most_frequent_and_the_rows_have_all(tmp_path):
    rng = np.random.default_rng(0)
    many = "".join(rng.choice([chr(0x4E00 + i) for i in range(100)], 2000))
    found = frequencies({"many": many + "$_\n", "more": many[:500]})
    assert len(found.symbols) == 103
    figure = found.plot()
    assert len(figure.axes) == 6
    for top, bottom, shares in zip(
        figure.axes[::2],
        figure.axes[1::2],
        [*found.shares, found.together / found.together.sum()],
        strict=True,
    ):
        for axes, scale in ((top, "linear"), (bottom, "log")):
            assert axes.get_yscale() == scale
            np.testing.assert_allclose([bar.get_height() for bar in axes.patches], 100 * shares[:80])
        assert [label.get_text() for label in bottom.get_xticklabels()] == list(found.symbols[:80])
    assert "the 80 most frequent characters" in found.blocks()[0].alt
    plots.save(figure, tmp_path / "many.png")
    some = frequencies({"one": "$ $_ \\frac\n"})
    labels = [label.get_text() for label in some.plot().axes[1].get_xticklabels()]
    assert set(labels) == {"$", "\u2423", "_", "\\", "f", "r", "a", "c", "\\n"}
    plots.save(some.plot(), tmp_path / "some.png")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({}, "texts={}: give at least one"),
        ({"a": "x", "b": ""}, "the text 'b' is empty"),
        ({"a": "abc", "b": "aé"}, "'b': the character 'é'"),
    ],
)
def test_what_cannot_be_counted_is_told(texts, message):
    with pytest.raises(ValueError, match=message):
        frequencies(texts, build("characters", lambda: ["abcx"]))
