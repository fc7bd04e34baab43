"""Intervals against published tables and hand calculations."""

import math

import numpy as np
import pytest
from scipy import stats

from jaxgpt.evaluation.intervals import (
    mean_score,
    newcombe,
    paired,
    proportion,
    ratio,
    scaled,
    student_t,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals_and_their_mirror_images(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_wilson_touches_but_never_leaves_the_unit_interval():
    assert wilson(0, 7)[0] == 0.0 and wilson(7, 7)[1] == 1.0
    assert 0 < wilson(7, 7)[0] < 1


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(successes, n):
    with pytest.raises(ValueError, match=f"successes={successes} of n={n}"):
        wilson(successes, n)


def test_student_by_hand():
    # Mean 3, standard deviation sqrt(2.5), and 2.776 is the table's 97.5 % point for 4 degrees of freedom.
    reach = 2.776 * math.sqrt(2.5 / 5)
    assert student_t([1, 2, 3, 4, 5]) == pytest.approx((3 - reach, 3 + reach), abs=1e-3)
    assert student_t([0.4]) is None and student_t([0.4, 0.4, 0.4]) is None
    assert student_t([0.9, 1.0, 1.0], bounds=(0.0, 1.0))[1] == 1.0


def test_a_proportion_takes_the_interval_that_fits_the_number_of_seeds():
    assert proportion([0.75], 8).interval == wilson(6, 8)
    several = proportion([0.5, 0.75], 8)
    assert several.mean == 0.625 and several.per_seed == (0.5, 0.75)
    assert several.interval == student_t([0.5, 0.75], bounds=(0.0, 1.0))
    assert proportion([1.0, 1.0, 1.0], 8).interval == wilson(8, 8)  # no width would claim too much


def test_a_mean_score_takes_its_interval_over_seeds_or_over_questions():
    one = np.array([[1.0, 2.0, 6.0]])
    assert mean_score(one) == (3.0, student_t([1.0, 2.0, 6.0]), (3.0,))
    two = np.array([[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]])
    assert mean_score(two) == (4.0, student_t([3.0, 5.0]), (3.0, 5.0))


def test_the_interval_of_a_ratio_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered, trials, true = 0, 400, 2.5
    for _ in range(trials):
        tokens = rng.integers(5, 60, 80)
        nats = tokens * true + rng.normal(0, 1, 80) * tokens**0.5
        low, high = ratio(nats[None], tokens).interval
        covered += low < true < high
    assert wilson(covered, trials, confidence=0.9999)[0] < 0.95 < wilson(covered, trials, 0.9999)[1]


def test_with_equal_counts_a_ratio_of_one_seed_has_student_s_interval_over_its_parts():
    numerators = np.array([[1.0, 3.0, 8.0]])
    found = ratio(numerators, np.ones(3))
    assert found.mean == pytest.approx(4.0)
    assert found.interval == pytest.approx(student_t(numerators[0]))


def test_a_ratio_over_seeds_and_in_another_unit():
    estimate = ratio(np.array([[1.0, 5.0], [2.0, 7.0]]), np.array([1, 2]))
    assert estimate == (2.5, student_t([2.0, 3.0]), (2.0, 3.0))
    low, high = estimate.interval
    assert scaled(estimate, 10) == (25.0, (10 * low, 10 * high), (20.0, 30.0))


def test_paired_differences_against_scipy():
    values, baseline = [0.93, 0.88, 0.99, 0.91], [0.90, 0.87, 0.93, 0.90]
    found = paired(values, baseline, n=1000)
    expected = stats.ttest_rel(values, baseline).confidence_interval(0.95)
    assert found.interval == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx(0.0275) and found.per_seed == pytest.approx((0.03, 0.01, 0.06, 0.01))
    # By hand: the standard deviation is sqrt(0.001675 / 3), and 3.182 the 97.5 % point for 3 degrees.
    reach = 3.182 * math.sqrt(0.001675 / 3 / 4)
    assert found.interval == pytest.approx((0.0275 - reach, 0.0275 + reach), abs=1e-4)
    assert not found.sure
    # What differs between seeds but not between the two of a pair cancels.
    assert paired([0.2, 0.5, 0.9], [0.1, 0.41, 0.8]).sure


def test_paired_differences_that_are_all_equal_take_their_interval_from_the_questions():
    assert paired([1.0, 1.0], [0.0, 0.0], n=500).sure
    assert not paired([1.0, 1.0], [0.0, 0.0], n=1).sure
    assert not paired([0.5, 0.7], [0.4, 0.6], n=10).sure  # one question of ten
    assert (
        paired([0.5, 0.5], [0.5, 0.5], n=100).interval[0]
        < 0
        < paired([0.5, 0.5], [0.5, 0.5], 100).interval[1]
    )
    # Shares that differ equally though their floats do not: 0.3 - 0.2 is not 0.1.
    assert paired([0.3, 0.1], [0.2, 0.0], n=10).interval == newcombe(0.2, 0.1, 10)
    # No questions, or one seed: nothing tells how far the mean may be off.
    assert paired([2.0, 3.0], [1.0, 2.0]).interval is None and not paired([2.0, 3.0], [1.0, 2.0]).sure
    assert paired([1.0], [0.0], n=1000).interval is None
    with pytest.raises(ValueError, match="2 seeds cannot be paired with 1"):
        paired([1.0, 1.0], [0.0])


def test_the_interval_of_a_difference_of_proportions():
    # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10: 9/10 - 3/10 and 10/10 - 0/10.
    assert newcombe(0.9, 0.3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert newcombe(1.0, 0.0, 10) == pytest.approx((0.6075, 1.0), abs=5e-5)
    assert newcombe(0.3, 0.9, 10) == pytest.approx((-0.8090, -0.1705), abs=5e-5)
