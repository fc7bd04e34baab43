"""Where places and cells look: attention made by hand, whose shares can be counted."""

import csv
import math

import numpy as np
import pytest
from lab_models import TOKENIZER, linear

from jaxgpt.lab import Attention, BoardMap, PlaceMap, board_map, mean_attention, place_map
from jaxgpt.task.attended import Attended

TEXTS = ("badcafe", "abcdefg", "gfedcba")


def by_hand(weights, steps=(7,)):
    """Attention of one step or more over texts of one symbol fewer than there are tokens."""
    weights = np.asarray(weights, float)
    np.testing.assert_allclose(weights.sum(axis=-1), 1)
    return Attention(("x",) * weights.shape[-1], steps, weights, 9)


def back(count, places):
    """Each place looks so many places back, the first ones and the end at the token that begins the text."""
    weights = np.zeros((count + 1, count + 1))
    for place in range(count):
        weights[place, place - places + 1 if place >= places else 0] = 1
    weights[count, 0] = 1
    return weights


@pytest.mark.parametrize(
    ("first", "pair"), [(0, "Place 5 looks at place 2"), (1, "Place 6 looks at place 3")]
)
def test_a_head_that_looks_three_places_back_is_told(first, pair):
    found = PlaceMap(by_hand([[[back(6, 3)]]]), first)
    assert f"{pair} most, compared with an equal share: 100% of its weight, 6.0 times" in found.summary()
    written, looked_at = found.names
    told = {(written[row], looked_at[column]) for row, column in np.argwhere(found.mean[0] == 1)}
    names = [str(first + place) for place in range(6)]
    assert told == {
        *((names[i], names[i - 3]) for i in range(3, 6)),
        *((name, "start") for name in names[:3]),
        ("end", "start"),
    }


def test_heads_and_layers_are_averaged_at_every_step(tmp_path):
    one, two = back(4, 1), back(4, 2)
    found = PlaceMap(by_hand([[[one, two], [two, two]], [[one, one], [two, one]]], steps=(3, 40)), seeds=2)
    np.testing.assert_allclose(found.by_layer[0], [(one + two) / 2, two])
    np.testing.assert_allclose(found.mean, [(one + 3 * two) / 4, (3 * one + two) / 4])
    panels = [axes for axes in found.plot().axes if axes.images]
    assert [axes.get_title() for axes in panels] == ["step 3", "step 40"]
    shown = panels[1].images[0].get_array()
    np.testing.assert_allclose(shown[np.tri(5, dtype=bool)], found.mean[1][np.tri(5, dtype=bool)])
    assert shown.mask[~np.tri(5, dtype=bool)].all()  # what is written later cannot be looked at
    assert "the first of 2 seeds" in found.plot().get_suptitle()
    titles = [axes.get_title() for axes in found.layers().axes if axes.images]
    assert titles == ["layer 0, step 3", "layer 0, step 40", "layer 1, step 3", "layer 1, step 40"]
    assert [axes.get_title() for axes in found.heads().axes if axes.images][2] == "layer 1, head 0"
    assert len(found.blocks()) == 3
    found.to_csv(tmp_path / "places.csv")
    rows = list(csv.DictReader((tmp_path / "places.csv").read_text().splitlines()))
    assert len(rows) == 2 * 2 * 15
    kept = [row for row in rows if (row["step"], row["layer"], row["written"]) == ("3", "0", "3")]
    assert {row["looked at"]: float(row["weight, mean over heads"]) for row in kept} == {
        "start": 0, "0": 0, "1": 0.5, "2": 0.5
    }  # fmt: skip


def test_of_a_model_the_mean_over_its_texts_is_read():
    source = (linear().model, TOKENIZER)
    found = place_map(source, Attended(TEXTS, first=3))
    np.testing.assert_array_equal(found.attention.weights, mean_attention(source, TEXTS).weights)
    # The model looks at everything alike.
    np.testing.assert_allclose(found.mean[0], np.tri(8) / np.arange(1, 9)[:, None], rtol=1e-3)
    assert found.names[1] == ["start", "3", "4", "5", "6", "7", "8", "9"] and found.seeds == 1
    assert found.plot().axes[0].get_title() == ""  # the step is not known
    several = place_map(([linear().model, linear(1).model], TOKENIZER), Attended(TEXTS))
    assert several.seeds == 2


def test_a_tokenizer_without_a_token_before_the_text_is_told():
    source = (linear().model, TOKENIZER.used_with(begin_ids=()))
    with pytest.raises(ValueError, match="7 symbols are 7 to 7 tokens; this needs a token that begins"):
        place_map(source, Attended(TEXTS))


@pytest.fixture(scope="module")
def four_up():
    """Boards of six rows of three: head 0 looks four rows up, head 1 at all earlier cells alike."""
    alike = np.tri(19) / np.maximum(np.arange(19), 1)[:, None]
    alike[1:, 0] = 0
    return BoardMap(by_hand([[[back(18, 12), alike]]]), (6, 3))


def test_cells_that_look_four_up_have_that_distance(four_up):
    lift = 6 / math.fsum(1 / n for n in range(12, 18))  # six cells have one four up, and so many before them
    best, *others = four_up.distances()
    assert (best.distance, best.name, best.pairs) == (4, "4", 6)
    assert best.weight == pytest.approx((1 + 6 / lift / 6) / 2)
    np.testing.assert_allclose(best.by_head, [[lift, 1]])
    assert best.lift == pytest.approx((lift + 1) / 2) and best.best == (0, 0)
    for one in others:
        np.testing.assert_allclose(one.by_head, [[0, 1]], atol=1e-12)
        assert one.lift == pytest.approx(0.5) and one.pairs >= 18 / 8
    assert f"at distance 4 stand out: they get {best.lift:.1f} times" in four_up.summary()
    assert four_up.table().rows[0][0].text == "4"


def test_no_distance_stands_out_of_nearly_equal_attention(four_up):
    equal, looks = four_up.attention.over_steps[0, 0, 1], four_up.attention.over_steps[0, 0, 0]
    board = BoardMap(by_hand([[[0.99 * equal + 0.01 * looks]]]), (6, 3))
    assert max(one.lift for one in board.distances()) > 1
    assert board.summary().startswith("No distance between two cells gets more than 1.25 times")


def test_every_pair_of_cells_counts_at_its_distance_once(four_up):
    counted = {one.distance: one.pairs for one in four_up.distances()}
    cells = [divmod(cell, 3) for cell in range(18)]
    pairs = [math.dist(cells[a], cells[b]) for a in range(18) for b in range(a)]
    for distance in set(pairs):
        many = pairs.count(distance)
        assert counted.get(distance) == (many if many >= 18 / 8 else None)


def test_an_offset_map_has_the_lift_of_each_direction(four_up, tmp_path):
    looks_up, alike = four_up.offsets().lift[0]
    lift = 6 / math.fsum(1 / n for n in range(12, 18))
    assert looks_up.shape == (6, 5) and looks_up[4, 2] == pytest.approx(lift)
    assert np.nansum(looks_up) == pytest.approx(lift)
    there = ~np.isnan(alike)
    np.testing.assert_allclose(alike[there], 1)
    assert not there[0, 2:].any() and there.sum() == 6 * 5 - 3  # nothing stands to the right in its own row
    four_up.to_csv(tmp_path / "board.csv")
    rows = list(csv.DictReader((tmp_path / "board.csv").read_text().splitlines()))
    (found,) = [r for r in rows if (r["head"], r["rows up"], r["columns right"]) == ("0", "4", "0")]
    assert float(found["weight"]) == pytest.approx(1)
    assert float(found["weight over equal"]) == pytest.approx(lift)


def test_a_small_board_each_cell(four_up):
    panels = [axes for axes in four_up.plot().axes if axes.images]
    assert len(panels) == 18
    for cell, axes in enumerate(panels):
        (outline,) = axes.patches
        assert (outline.get_y() + 0.5, outline.get_x() + 0.5) == divmod(cell, 3)
        shown = axes.images[0].get_array()
        assert shown.mask.sum() == 18 - cell
        expected = [(cell * (cell >= 12 and other == cell - 12) + 1) / 2 for other in range(cell)]
        np.testing.assert_allclose(shown.compressed(), expected)
    titles = [axes.get_title() for axes in four_up.plot_distances().findobj() if hasattr(axes, "get_title")]
    assert {"layer 0, head 0", "layer 0, head 1"} <= set(titles)
    assert len(four_up.blocks()) == 3


def test_a_board_is_read_of_a_model_and_equal_attention_has_no_distance():
    texts = ("abcdef", "fedcba")
    found = board_map((linear().model, TOKENIZER), Attended(texts, (2, 3)))
    # Each cell looks at the begin of the text, too: its weight over equal attention is n / (n + 1).
    assert all(one.lift < 1 for one in found.distances())
    assert "No distance" in found.summary()
    with pytest.raises(ValueError, match="no boards; place_map shows"):
        board_map((linear().model, TOKENIZER), Attended(texts))
