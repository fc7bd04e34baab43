"""What a set of generated squares is worth, and its picture."""

import dataclasses
import itertools

import numpy as np
import pytest

from jaxgpt.evaluation import tally
from jaxgpt.evaluation.intervals import wilson
from jaxgpt.task import SPLITS
from tasks.magic_squares import MagicSquares
from tasks.magic_squares.measures import canonical
from tasks.magic_squares.picture import draw
from tasks.magic_squares.squares import SYMMETRIES

TASK = MagicSquares(limit=1000, orientations=8)
CENTRE_59 = next(e for e in itertools.chain(*map(TASK.examples, SPLITS)) if e.key == "59")
UPRIGHT, TURNED = (
    f"12 42:{rows}=177" for rows in ("47 29 101/113 59 5/17 89 71", "17 89 71/113 59 5/47 29 101")
)
ANSWERS = [
    (CENTRE_59, UPRIGHT),
    (CENTRE_59, TURNED),  # the same square up to symmetry
    (CENTRE_59, "12 42:47 29 101/113 59 5/17 89 70=177"),  # one entry not prime, three lines off
    (CENTRE_59, "unreadable"),
]


def test_right_answers_have_every_measure():
    train, test = list(TASK.examples("train")), list(TASK.questions("test"))
    perfect = TASK.summary([(e, e.target) for e in test], train)
    ones = ("parses", "prime_entries", "distinct_entries", "equal_sums", "true_sums", "valid", "novel")
    assert all(perfect[name].value == 1 for name in ones) and perfect["copied"].value == 0
    assert perfect["unique_valid_per_1000"].value * perfect["unique_valid_per_1000"].per == 1000
    assert perfect["coverage"].value == len(test) / 159
    copies = TASK.summary([(e, e.target) for e in train[:50]], train)
    assert copies["valid"].value == copies["copied"].value == 1 and copies["novel"].value == 0


def test_measures_of_mixed_answers_and_what_they_count():
    found = {name: tuple(share) for name, share in TASK.summary(ANSWERS, []).items()}
    assert found == {
        "parses": (0.75, 4, 1),
        "prime_entries": (26 / 27, 3, 1),  # counts squares: the entries of one are not independent
        "distinct_entries": (1, 3, 1),
        "equal_sums": (2 / 3, 3, 1),
        "true_sums": (2 / 3, 3, 1),
        "valid": (0.5, 4, 1),
        "novel": (1, 2, 1),
        "copied": (0, 3, 1),
        "unique_valid_per_1000": (0.25, 4, 1000),
        "coverage": (1 / 159, 159, 1),
    }
    known = dataclasses.replace(CENTRE_59, target=TURNED)
    beside = TASK.summary(ANSWERS, [known])
    assert beside["novel"].value == 0 and beside["copied"].value == 2 / 3
    assert {share.value for share in TASK.summary([], []).values()} == {0}


def test_shares_of_nothing_have_a_reason():
    found = TASK.summary([(CENTRE_59, "unreadable")], [])
    assert {name for name, share in found.items() if not share.n} == set(TASK.empty_shares)
    reasons = tally.why_no_value(TASK, tally.combine([found]))
    assert reasons["novel"] == "no square is valid" and reasons["copied"] == "no square was read"
    assert tally.why_no_value(TASK, tally.combine([TASK.summary(ANSWERS, [])])) == {}


def test_one_seed_has_an_interval_for_every_measure():
    combined = tally.combine([TASK.summary(ANSWERS, [])])
    assert all(estimate.interval is not None for estimate in combined.values())
    assert combined["valid"].interval == pytest.approx(wilson(2, 4))
    assert combined["unique_valid_per_1000"].mean == 250


def test_canonical_forms_are_one_for_all_symmetries_and_for_no_other_square():
    rng = np.random.default_rng(0)
    squares = [tuple(rng.permutation(9).tolist()) for _ in range(50)]
    forms = [{canonical(tuple(square[i] for i in turn)) for turn in SYMMETRIES} for square in squares]
    assert all(len(form) == 1 for form in forms)
    # Nine different entries have 9!/8 squares up to symmetry; fifty random ones are hardly ever the same.
    assert len(set().union(*forms)) == len({frozenset(form) for form in forms}) >= 49


@pytest.mark.thorough
def test_the_picture_marks_what_is_wrong(tmp_path):
    import matplotlib.image

    def red(name, square, centre):
        assert draw([(square, centre)], tmp_path / name)
        pixels = matplotlib.image.imread(tmp_path / name)[..., :3]
        return int((np.abs(pixels - np.array([0xB3, 0x26, 0x1E]) / 255).max(axis=2) < 0.02).sum())

    right = (47, 29, 101, 113, 59, 5, 17, 89, 71)
    assert red("right.png", right, 59) == red("unasked.png", right, None) == 0
    composite = red("composite.png", (*right[:8], 70), 59)
    cell = red("cell.png", (*right[:8], 77), None)
    assert composite > 1000 and cell > 1000
    assert red("centre.png", right, 61) > 0 and red("repeated.png", (47, 47, *right[2:]), 59) > 0
    assert not draw([], tmp_path / "nothing.png") and not (tmp_path / "nothing.png").exists()


def test_the_task_draws_what_can_be_read(tmp_path):
    assert TASK.picture(ANSWERS, tmp_path / "some.png") and (tmp_path / "some.png").stat().st_size > 1000
    assert not TASK.picture([(CENTRE_59, "unreadable")], tmp_path / "none.png")
