"""Intervals for what an evaluation reports: proportions, means over seeds, ratios of sums."""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

Interval = tuple[float, float]
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A number with its interval.

    Attributes:
      mean: over seeds.
      interval: at 95 %; None where nothing tells how far the number may be off.
      per_seed: each seed's number.
    """

    mean: float
    interval: Interval | None
    per_seed: tuple[float, ...]


def wilson(successes: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a proportion (Wilson 1927, JASA 22(158); Agresti and Coull 1998).

    Unlike mean ± 1.96 standard errors it stays inside [0, 1] and has a width at 0 and n successes.

    Raises:
      ValueError: unless 0 <= successes <= n and n >= 1.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"successes={successes} of n={n} is not a proportion")
    z = float(stats.norm.ppf((1 + confidence) / 2))
    rate = successes / n
    centre = rate + z * z / (2 * n)
    reach = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    low, high = (centre - reach) / (1 + z * z / n), (centre + reach) / (1 + z * z / n)
    # Exact at the ends, where rounding would leave 1e-17.
    return (0.0 if successes == 0 else low, 1.0 if successes == n else high)


def student_t(
    values: Sequence[float], confidence: float = CONFIDENCE, bounds: Interval = (-math.inf, math.inf)
) -> Interval | None:
    """The interval of a mean from a few values of it (Student 1908).

    None where the values tell nothing of how far it may be off: there is one, or all are equal. Over seeds
    it says what other seeds would give on the same questions. `bounds` cuts it to what is possible, [0, 1]
    for a proportion.
    """
    array = np.asarray(values, np.float64)
    if len(array) < 2 or array.min() == array.max():
        return None
    reach = stats.t.ppf((1 + confidence) / 2, len(array) - 1) * array.std(ddof=1) / math.sqrt(len(array))
    mean = float(array.mean())
    return max(mean - float(reach), bounds[0]), min(mean + float(reach), bounds[1])


def leave_one_out(
    value: float,
    without: Sequence[float],
    confidence: float = CONFIDENCE,
    bounds: Interval = (-math.inf, math.inf),
) -> Interval | None:
    """The jackknife's interval of a number that is computed of several things together.

    For what no mean gives, such as the share of different words among all texts (Tukey 1958; Efron and
    Tibshirani 1993, An Introduction to the Bootstrap, section 11.2), with Student's t. Of a mean it is the
    interval of `student_t`, and as there None tells that nothing is known. Not for a largest or smallest
    value, which hangs on one thing alone.

    Args:
      value: of all things.
      without: of all but each one of them.
    """
    array = np.asarray(without, np.float64)
    count = len(array)
    if count < 2 or array.min() == array.max():
        return None
    error = math.sqrt((count - 1) / count * float(((array - array.mean()) ** 2).sum()))
    reach = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * error
    return max(value - reach, bounds[0]), min(value + reach, bounds[1])


def exact_share(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a share of a few things, such as seeds that succeed (Clopper and Pearson 1934).

    Wilson's is narrower, and of eight seeds it covers a rate of one half 92.9 % of the time.
    """
    found = stats.binomtest(successes, n).proportion_ci(confidence, "exact")
    return float(found.low), float(found.high)


def bounded_mean(
    values: Sequence[float], low: float = 0.0, high: float = 1.0, confidence: float = CONFIDENCE
) -> Interval:
    """The interval of the mean of something between `low` and `high`, from a few values of it.

    Gaffke's bound (Learned-Miller and Thomas 2019, arXiv 1905.06208): the values are weighted anew many
    times, with one more value that lies at the bound, as the next seed might. It holds for every distribution
    between the bounds as far as is known, for one with two peaks, too. For values of 0 and 1 alone it is the
    exact interval of Clopper and Pearson. It never leaves [low, high], and it has a width where all values
    are equal.

    Raises:
      ValueError: without a value, or for one outside of the bounds.
    """
    array = np.sort(np.asarray(values, np.float64))
    if not len(array) or not low <= array[0] <= array[-1] <= high:
        raise ValueError(f"values={list(values)}: give at least one, each between {low} and {high}")
    tail = (1 - confidence) / 2
    if array[0] == array[-1]:  # in closed form: the weight of the bound has a beta distribution
        reach = tail ** (1 / len(array))
        return low + (float(array[0]) - low) * reach, high - (high - float(array[0])) * reach
    weights = _weights(len(array))
    lower = weights @ np.append(array, low)
    upper = weights @ np.append(array, high)
    # Rounding may leave the bounds by 1e-17.
    return max(float(np.quantile(lower, tail)), low), min(float(np.quantile(upper, 1 - tail)), high)


@functools.lru_cache(maxsize=16)
def _weights(count: int) -> np.ndarray:
    """Weights of `count` values and one more: uniform over all that sum to 1, always the same ones."""
    return np.random.default_rng(0).dirichlet(np.ones(count + 1), 20_000)


def proportion(per_seed: Sequence[float], n: int) -> Estimate:
    """A share of n questions, answered by each seed.

    One seed: Wilson's interval over the questions. Several: `bounded_mean` over the seeds, what other seeds
    would give on the same questions.
    """
    mean = float(np.mean(per_seed))
    interval = bounded_mean(per_seed) if len(per_seed) > 1 else wilson(round(per_seed[0] * n), n)
    return Estimate(mean, interval, tuple(map(float, per_seed)))


class Difference(NamedTuple):
    """How much more one thing gives than another, seed by seed.

    Attributes:
      median: of the differences: that of a typical seed.
      interval: of the median, at 95 %; None with fewer than six seeds, where there is none.
      p: of the sign test: how often as many seeds would agree in sign if neither side were better.
      per_seed: each seed's difference.
    """

    median: float
    interval: Interval | None
    p: float
    per_seed: tuple[float, ...]

    @property
    def sure(self) -> bool:
        """Whether the interval excludes 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def paired(values: Sequence[float], baseline: Sequence[float]) -> Difference:
    """The median of values minus baseline, paired by seed, with its exact interval and the sign test.

    What two runs of one seed share, such as their batches and questions, cancels in their difference. The
    interval reaches from one ordered difference to another (`median_interval`); it excludes 0 where the exact
    two-sided sign test gives p <= 0.05. Both hold for any distribution, with two peaks or long tails.

    Raises:
      ValueError: if the two do not have as many seeds.
    """
    if len(values) != len(baseline):
        raise ValueError(f"{len(values)} seeds cannot be paired with {len(baseline)}")
    differences = np.subtract(values, baseline, dtype=np.float64)
    # Shares of questions that are equal may still differ by 1e-17 after the subtraction.
    differences = np.where(np.abs(differences) < 1e-12, 0.0, differences)
    fewer = int(min((differences > 0).sum(), (differences < 0).sum()))
    agree = len(differences) - fewer - int((differences == 0).sum())
    # A tie speaks against a difference, so it counts on the side of the fewer.
    p = min(1.0, 2 * float(stats.binom.sf(agree - 1, len(differences), 0.5)))
    return Difference(
        float(np.median(differences)), median_interval(differences), p, tuple(map(float, differences))
    )


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """The exact interval of a median: from the k-th smallest value to the k-th largest.

    k is the largest for which at most (1 - confidence) / 2 of all samples have fewer than k values on either
    side of the median (Thompson 1936; David and Nagaraja 2003, Order Statistics, section 7.1). Fewer than six
    values give none at 95 %: all of them lie on one side of the median too often.
    """
    array = np.sort(np.asarray(values, np.float64))
    k = int(stats.binom.ppf((1 - confidence) / 2, len(array), 0.5))
    while k and stats.binom.cdf(k - 1, len(array), 0.5) > (1 - confidence) / 2:
        k -= 1
    return (float(array[k - 1]), float(array[-k])) if k else None


def two_groups(values: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Shares that fall into a low and a high group, which no mean describes; None if they form one.

    They do where the widest gap between neighbours is a quarter at least, and wider than either group.
    """
    ordered = sorted(map(float, values))
    if len(ordered) < 2:
        return None
    gap, cut = max((b - a, i) for i, (a, b) in enumerate(itertools.pairwise(ordered), 1))
    low, high = tuple(ordered[:cut]), tuple(ordered[cut:])
    return (low, high) if gap >= max(0.25, low[-1] - low[0], high[-1] - high[0]) else None


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p-values after Holm's correction for their number (Holm 1979), in the order given.

    The smallest is multiplied by their number, the next by one less, and so on; none falls below an earlier.
    """
    found, least = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, p_values[index] * (len(p_values) - rank)))
        found[index] = least
    return tuple(found)


def mean_score(scores: np.ndarray) -> Estimate:
    """A mean score over questions and seeds, from [seeds, questions].

    Several seeds: `bounded_mean` over the seeds' means where every score lies between 0 and 1, else Student's
    interval. One: Student's over the questions. Neither goes below 0 where no score does.
    """
    per_seed = scores.mean(axis=1)
    low = 0.0 if scores.min() >= 0 else -math.inf
    high = 1.0 if low == 0 and scores.max() <= 1 else math.inf
    if len(per_seed) > 1 and high == 1:
        interval = bounded_mean(per_seed)
    else:
        interval = student_t(per_seed if len(per_seed) > 1 else scores[0], bounds=(low, high))
    return Estimate(float(per_seed.mean()), interval, tuple(map(float, per_seed)))


def ratio(numerators: np.ndarray, denominators: np.ndarray) -> Estimate:
    """Sum over sum, such as nats over tokens, from numerators [seeds, N] and counts [N].

    Several seeds: Student's interval over their ratios. One: the ratio estimator's over its N parts
    (Cochran 1977, Sampling Techniques, section 6.4).
    """
    total = max(float(denominators.sum()), 1.0)  # a ratio of nothing to nothing is 0
    per_seed = numerators.sum(axis=1) / total
    least = 0.0 if numerators.min(initial=0.0) >= 0 else -math.inf
    interval = student_t(per_seed, bounds=(least, math.inf))
    count = len(denominators)
    if len(per_seed) == 1 and count > 1:
        residuals = numerators[0] - per_seed[0] * denominators
        error = math.sqrt(float((residuals**2).sum()) * count / (count - 1)) / total
        reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * error
        interval = (max(float(per_seed[0]) - reach, least), float(per_seed[0]) + reach)
    return Estimate(float(per_seed.mean()), interval, tuple(map(float, per_seed)))


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The estimate in another unit; `factor` is positive."""
    interval = estimate.interval
    return Estimate(
        estimate.mean * factor,
        None if interval is None else (interval[0] * factor, interval[1] * factor),
        tuple(value * factor for value in estimate.per_seed),
    )
