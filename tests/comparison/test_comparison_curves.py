"""Learning curves from records, and how much training seeds needed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jaxgpt.comparison.curves import Curve, Reached
from jaxgpt.evaluation.intervals import bounded_mean
from jaxgpt.runs.records import Metric


def looked(step, values, seconds=None):
    found = [Metric(step, seed, "validation_exact_match", v) for seed, v in enumerate(values, 3)]
    return found + ([] if seconds is None else [Metric(step, None, "seconds", seconds)])


def test_a_curve_is_read_from_records():
    records = [*looked(10, [0.1, 0.2], 5.0), Metric(10, 3, "loss", 1.0), *looked(40, [0.95, 0.5], 20.0)]
    records += [*looked(60, [0.9]), *looked(80, [0.8, 1.0], 4.0)]  # one seed was lost; the run went on
    curve = Curve.of(records, range(3, 5))
    assert curve == Curve((10, 40, 80), ((0.1, 0.2), (0.95, 0.5), (0.8, 1.0)), (5.0, 20.0, 24.0))
    assert curve.first_at(0.9) == (40, 80) and curve.first_at(0.97) == (None, 80)
    assert curve.estimates()[0].mean == pytest.approx(0.15)
    assert curve.estimates()[2].interval == bounded_mean([0.8, 1.0])
    assert (
        Curve.of([], range(2)) == Curve((), (), ())
        and Curve((5,), ((0.5,),), (None,)).estimates()[0].interval is None
    )


def test_seeds_that_never_got_there_are_counted_and_not_dropped():
    found = Reached((300, None, 100, 200))
    assert found.count == 3 and found.share.mean == 0.75
    assert found.median == 200 and Reached((None, None, 100)).median is None
    exact = stats.binomtest(3, 4).proportion_ci(0.95, "exact")
    assert found.share.interval == pytest.approx((exact.low, exact.high))
    assert found.times(128).needs == (38400, None, 12800, 25600) and found.times(128).median == 25600


def test_the_interval_of_a_need_may_go_beyond_the_training():
    assert Reached((1, 2, 3, 4, 5, 6, 7, None)).interval == (1, math.inf)
    assert Reached((1, 2, 3, None)).interval is None  # too few seeds for any


@given(st.lists(st.one_of(st.none(), st.integers(1, 20)), min_size=1, max_size=12))
def test_the_median_is_kaplan_and_meier_s(needs):
    times = [21 if need is None else need for need in needs]
    censored = stats.CensoredData.right_censored(times, [need is None for need in needs])
    survival = stats.ecdf(censored).sf
    below = [
        t
        for t, p in zip(survival.quantiles, survival.probabilities, strict=True)
        if p <= 0.5 + 1e-9 and t < 21
    ]
    assert Reached(tuple(needs)).median == (min(below) if below else None)


def test_a_curve_needs_no_seed_to_get_anywhere():
    curve = Curve((1, 2), ((0.0,) * 8, (0.0,) * 8), (1.0, 2.0))
    found = Reached(curve.first_at(0.99))
    assert found.count == 0 and found.median is None and found.interval == (math.inf, math.inf)
    assert np.isclose(found.share.interval[1], stats.beta.ppf(0.975, 1, 8))
