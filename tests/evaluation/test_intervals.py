"""Intervals against published tables and hand calculations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from jaxgpt.evaluation.intervals import (
    bounded_mean,
    exact_share,
    holm,
    leave_one_out,
    mean_score,
    median_interval,
    paired,
    proportion,
    ratio,
    scaled,
    student_t,
    two_groups,
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


def test_leaving_out_one_at_a_time_gives_of_a_mean_what_student_does():
    values = np.asarray([0.1, 0.5, 0.2, 0.9])
    without = [np.delete(values, i).mean() for i in range(4)]
    assert leave_one_out(values.mean(), without) == pytest.approx(student_t(values))
    assert leave_one_out(values.mean(), without, bounds=(0.4, 0.45)) == (0.4, 0.45)
    assert leave_one_out(1.0, [2.0]) is None and leave_one_out(1.0, [2.0, 2.0]) is None


def test_a_proportion_takes_the_interval_that_fits_the_number_of_seeds():
    assert proportion([0.75], 8).interval == wilson(6, 8)
    several = proportion([0.5, 0.75], 8)
    assert several.mean == 0.625 and several.per_seed == (0.5, 0.75)
    assert several.interval == bounded_mean([0.5, 0.75])


@pytest.mark.parametrize(("right", "n"), [(4, 4), (0, 4), (3, 8), (15, 16), (1, 2)])
def test_of_seeds_that_fail_or_succeed_the_mean_has_the_exact_interval_of_a_share(right, n):
    exact = stats.binomtest(right, n).proportion_ci(0.95, "exact")
    assert bounded_mean([1.0] * right + [0.0] * (n - right)) == pytest.approx(
        (exact.low, exact.high), abs=0.01
    )


def test_a_bounded_mean_moves_with_its_bounds_and_never_leaves_them():
    low, high = bounded_mean([0.2, 0.9, 0.5])
    assert bounded_mean([-0.6, 0.8, 0.0], -1, 1) == pytest.approx((2 * low - 1, 2 * high - 1))
    assert bounded_mean([0.8, 0.1, 0.5]) == pytest.approx((1 - high, 1 - low), abs=0.01)
    assert bounded_mean([1.0] * 8)[1] == 1.0 and bounded_mean([0.0])[0] == 0.0
    with pytest.raises(ValueError, match=r"each between 0\.0 and 1\.0"):
        bounded_mean([0.5, 1.5])
    with pytest.raises(ValueError, match="give at least one"):
        bounded_mean([])


def _modes(low: float, high: float, share: float):
    """Seeds of two kinds, each asked 200 questions: a binomial mixture."""

    def draw(rng, size):
        return rng.binomial(200, np.where(rng.random(size) < share, high, low)) / 200

    return draw, share * high + (1 - share) * low


#: Distributions of a seed's exact match, each with its mean.
SEEDS = {
    "beta, even": (lambda rng, size: rng.beta(2, 2, size), 0.5),
    "beta, near 1": (lambda rng, size: rng.beta(9, 1, size), 0.9),
    "beta, at both ends": (lambda rng, size: rng.beta(0.2, 0.3, size), 0.4),
    "two points, often": (lambda rng, size: np.where(rng.random(size) < 0.8, 1.0, 0.126), 0.8252),
    "two points, seldom": (lambda rng, size: np.where(rng.random(size) < 0.1, 0.98, 0.02), 0.116),
    "binomials, learned or not": _modes(0.05, 0.995, 0.7),
    "binomials, near each other": _modes(0.6, 0.8, 0.5),
}


@pytest.mark.parametrize("seeds", [4, 8, 16])
@pytest.mark.parametrize("name", SEEDS)
def test_the_interval_of_a_mean_over_seeds_covers_it(name, seeds):
    draw, mean = SEEDS[name]
    samples = draw(np.random.default_rng(seeds), (250, seeds))
    covered = sum(low <= mean <= high for low, high in map(bounded_mean, samples))
    assert covered / 250 >= 0.93


@pytest.mark.parametrize("seeds", [6, 8, 16])
@pytest.mark.parametrize("name", SEEDS)
def test_the_interval_of_a_median_over_seeds_covers_it(name, seeds):
    draw, _ = SEEDS[name]
    rng = np.random.default_rng(seeds)
    median = np.median(draw(rng, 100_001))
    samples = draw(rng, (1000, seeds))
    covered = sum(low <= median <= high for low, high in map(median_interval, samples))
    assert covered / 1000 >= 0.93


@pytest.mark.parametrize("seeds", [4, 8, 16])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_the_interval_of_a_success_rate_covers_it(rate, seeds):
    assert _coverage(exact_share, rate, seeds) >= 0.95


def _coverage(interval, rate, seeds):
    bounds = [interval(k, seeds) for k in range(seeds + 1)]
    covered = [k for k, (low, high) in enumerate(bounds) if low <= rate <= high]
    return stats.binom.pmf(covered, seeds, rate).sum()


def test_wilson_s_interval_would_cover_a_success_rate_of_few_seeds_too_seldom():
    assert _coverage(wilson, 0.5, 8) == pytest.approx(0.9297, abs=1e-4)
    assert _coverage(wilson, 0.3, 4) < 0.92


def test_student_s_interval_would_miss_seeds_of_two_kinds():
    # Why it is not used for shares: of four seeds, each of which learns in four of five cases.
    draw, mean = SEEDS["two points, often"]
    samples = draw(np.random.default_rng(0), (1000, 4))
    found = [student_t(sample, bounds=(0.0, 1.0)) for sample in samples]
    assert sum(i is not None and i[0] <= mean <= i[1] for i in found) / 1000 < 0.7


#: Distributions of a seed's bits per byte or loss, which lie around one centre, each with its mean.
LOSSES = {
    "normal": (lambda rng, size: rng.normal(1.25, 0.05, size), 1.25),
    "lognormal": (lambda rng, size: rng.lognormal(math.log(2.0), 0.1, size), 2.0 * math.exp(0.1**2 / 2)),
}


@pytest.mark.parametrize("seeds", [4, 8, 16])
@pytest.mark.parametrize("name", LOSSES)
def test_student_s_interval_covers_the_mean_of_losses_around_one_centre(name, seeds):
    draw, mean = LOSSES[name]
    samples = draw(np.random.default_rng(seeds), (2000, seeds))
    found = [student_t(sample, bounds=(0.0, math.inf)) for sample in samples]
    covered = sum(low <= mean <= high for low, high in found)
    assert 0.93 <= covered / 2000 <= 0.97


def test_a_mean_score_takes_its_interval_over_seeds_or_over_questions():
    one = np.array([[1.0, 2.0, 6.0]])
    assert mean_score(one) == (3.0, student_t([1.0, 2.0, 6.0], bounds=(0, math.inf)), (3.0,))
    two = np.array([[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]])
    assert mean_score(two) == (4.0, student_t([3.0, 5.0], bounds=(0, math.inf)), (3.0, 5.0))
    assert mean_score(two)[1][0] == 0.0  # nothing that is nowhere negative has a negative interval
    shares = np.array([[1.0, 0.5], [0.0, 0.5]])
    assert mean_score(shares).interval == bounded_mean([0.75, 0.25])
    assert mean_score(np.array([[-1.0, 2.0, 6.0]])).interval == student_t([-1.0, 2.0, 6.0])


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
    assert found.interval == pytest.approx(student_t(numerators[0], bounds=(0.0, math.inf)))


def test_a_ratio_over_seeds_and_in_another_unit():
    estimate = ratio(np.array([[1.0, 5.0], [2.0, 7.0]]), np.array([1, 2]))
    assert estimate == (2.5, student_t([2.0, 3.0], bounds=(0, math.inf)), (2.0, 3.0))
    low, high = estimate.interval
    assert scaled(estimate, 10) == (25.0, (10 * low, 10 * high), (20.0, 30.0))


def test_paired_differences_have_an_exact_interval_that_agrees_with_the_sign_test():
    values = [0.93, 0.88, 0.99, 0.91, 0.95, 0.97, 0.92, 0.90]
    baseline = [0.90, 0.87, 0.93, 0.90, 0.91, 0.90, 0.90, 0.89]
    found = paired(values, baseline)
    assert found.median == pytest.approx(0.025) and found.interval == pytest.approx((0.01, 0.07))
    assert found.p == pytest.approx(stats.binomtest(8, 8).pvalue) and found.sure
    one_against = paired(values, [*baseline[:-1], 0.91])
    assert one_against.p == pytest.approx(stats.binomtest(7, 8).pvalue) and not one_against.sure
    with pytest.raises(ValueError, match="2 seeds cannot be paired with 1"):
        paired([1.0, 1.0], [0.0])


def test_fewer_than_six_seeds_leave_a_difference_unsure():
    assert paired([1.0] * 5, [0.0] * 5).interval is None and not paired([1.0] * 5, [0.0] * 5).sure
    assert paired([1.0] * 6, [0.0] * 6).interval == (1.0, 1.0) and paired([1.0] * 6, [0.0] * 6).sure
    assert paired([1.0], [0.0]).p == 1.0


def test_a_tie_speaks_against_a_difference():
    tied = paired([0.5] * 3 + [0.3 + 0.1], [0.5] * 3 + [0.4])  # which differ by 1e-17 in floats
    assert tied.per_seed == (0.0, 0.0, 0.0, 0.0) and tied.p == 1.0
    assert not paired([1.0] * 7 + [0.5], [0.0] * 7 + [0.5]).sure
    assert not paired([0.5] * 8, [0.5] * 8).sure


@settings(max_examples=60)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_a_difference_is_sure_where_the_sign_test_says_so(differences):
    found = paired(differences, [0] * len(differences))
    assert found.sure == (found.p <= 0.05)


@pytest.mark.parametrize("n", range(6, 40))
def test_the_interval_of_a_median_reaches_as_far_as_the_binomial_says(n):
    low, high = median_interval(list(range(1, n + 1)))
    k = int(low)
    assert high == n + 1 - k
    assert stats.binom.cdf(k - 1, n, 0.5) <= 0.025 < stats.binom.cdf(k, n, 0.5)


def test_seeds_that_learn_or_do_not_form_two_groups():
    assert two_groups([1.0, 0.126, 0.99, 0.1]) == ((0.1, 0.126), (0.99, 1.0))
    assert two_groups([0.9, 0.95, 1.0, 0.97]) is None and two_groups([0.5]) is None
    assert two_groups([0.0, 0.3, 0.6, 0.9]) is None  # spread evenly: no gap is wider than what it leaves


def test_holm_by_hand():
    # Holm 1979: 0.01 times 4; 0.02 times 3; then at least as much as before.
    assert holm([0.04, 0.01, 0.02, 0.3]) == pytest.approx((0.08, 0.04, 0.06, 0.3))
    assert holm([0.9, 0.8]) == (1.0, 1.0) and holm([]) == ()
