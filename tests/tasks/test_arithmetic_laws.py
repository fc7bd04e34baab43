"""Sampling laws against counts over all pairs, and which questions are asked."""

import collections
import itertools
import math
import random

import pytest

from tasks.arithmetic import Arithmetic
from tasks.arithmetic.laws import _pair, balanced_carries, log_uniform


def carries(a: int, b: int) -> int:
    """Carries of a schoolbook addition, by digit sums: each carry takes nine off (Kummer)."""
    return (sum(map(int, str(a))) + sum(map(int, str(b))) - sum(map(int, str(a + b)))) // 9


def drawn(task, count, split="train"):
    return [
        tuple(map(int, example.key.split("+"))) for example in itertools.islice(task.examples(split), count)
    ]


def near(count, expected):
    """Within five standard deviations of a Poisson count."""
    return abs(count - expected) <= 5 * math.sqrt(expected)


def test_the_carry_counter_knows_examples():
    examples = {(123, 456): 0, (5, 5): 1, (999, 1): 3, (8292, 29039): 3, (95, 5): 2}
    assert {pair: carries(*pair) for pair in examples} == examples


@pytest.mark.parametrize("split", ["train", "test"])
def test_balanced_carries_are_uniform(split):
    counts = collections.Counter(
        carries(*pair) for pair in drawn(Arithmetic(law="balanced_carries", max_digits=5), 1200, split)
    )
    assert sorted(counts) == [0, 1, 2, 3, 4, 5]
    assert all(near(count, 200) for count in counts.values()), counts


def test_balanced_carries_draw_uniformly_among_the_pairs_with_so_many():
    """Given the lengths and the carries, each pair is as likely as any other, counted over all of them."""
    rng = random.Random(0)
    seen = collections.Counter(balanced_carries(rng, 2, 1, 2) for _ in range(20_000))
    cells = collections.defaultdict(list)
    for pair in itertools.product(range(100), repeat=2):
        cells[len(str(pair[0])), len(str(pair[1])), carries(*pair)].append(pair)
    for cell, pairs in cells.items():
        expected = sum(seen[pair] for pair in pairs) / len(pairs)
        statistic = sum((seen[pair] - expected) ** 2 / expected for pair in pairs)  # chi-squared
        assert abs(statistic - len(pairs)) < 5 * math.sqrt((2 + 1 / expected) * len(pairs)), cell


def test_balanced_carries_of_long_numbers_keep_to_the_lengths():
    rng = random.Random(0)
    lengths = [tuple(len(str(n)) for n in balanced_carries(rng, 2, 3, 60)) for _ in range(30)]
    assert all(3 <= length <= 60 for pair in lengths for length in pair)
    assert any(a > b for a, b in lengths) and any(a < b for a, b in lengths)


@pytest.mark.parametrize(("shorter", "count"), [(1000, 0), (1000, 3), (700, 5), (1000, 998)])
def test_a_thousand_digits_have_the_carries_asked_for(shorter, count):
    a, b = _pair(random.Random(0), 1000, shorter, count)
    assert (len(str(a)), len(str(b)), carries(a, b)) == (1000, shorter, count)


def test_balanced_carries_draw_the_pairs_that_runs_were_trained_on():
    """Recorded: other pairs from the same seed would change the data of finished runs."""
    rng = random.Random(0)
    short = [balanced_carries(rng, 2, 1, 5) for _ in range(4)]
    assert short == [(4998, 6), (29959, 283), (1859, 205), (9998, 5)]
    assert balanced_carries(rng, 2, 3, 60) == (
        621416143910508770884066975147074092675999142618217498,
        897582992806,
    )


def test_uniform_values_are_uniform():
    numbers = [n for pair in drawn(Arithmetic(law="uniform", max_digits=3), 3000) for n in pair]
    assert all(near(sum(n // 100 == hundred for n in numbers), 600) for hundred in range(10))
    assert min(drawn(Arithmetic(law="uniform", min_digits=2, max_digits=3), 500))[0] >= 10


@pytest.mark.parametrize("longest", [4, 40])
def test_log_uniform_numbers_have_uniform_lengths_and_benfords_first_digits(longest):
    rng = random.Random(0)
    numbers = [n for _ in range(5000) for n in log_uniform(rng, 2, 1, longest)]
    lengths = collections.Counter(len(str(n)) for n in numbers)
    assert all(near(lengths[length], 10_000 / longest) for length in range(1, longest + 1))
    first = collections.Counter(str(n)[0] for n in numbers)
    assert all(near(first[str(d)], 10_000 * math.log10(1 + 1 / d)) for d in range(1, 10)), first
    if longest > 20:  # digits beyond a float's are uniform
        last = collections.Counter(str(n)[-1] for n in numbers if len(str(n)) > 20)
        assert all(near(last[d], sum(last.values()) / 10) for d in "0123456789")


def test_min_difference_leaves_training_and_splits_alone_and_asks_what_is_left():
    plain, asked = Arithmetic(max_digits=6), Arithmetic(max_digits=6, min_difference=3)
    for split in ("train", "test"):
        one, other = (itertools.islice(task.examples(split), 100) for task in (plain, asked))
        assert list(one) == list(other)
    questions = list(itertools.islice(asked.questions("test"), 300))
    assert all(abs(a - b) >= 3 for a, b in (map(int, q.group[:3].split("+")) for q in questions))
    ordinary = itertools.islice(plain.questions("test"), 2000)
    kept = [q for q in ordinary if plain.headings(q) == ("lengths differ by 3+",)]
    assert questions == kept[:300]
    assert "min_difference" not in Arithmetic.split_fields


def test_min_difference_of_a_listed_task():
    task = Arithmetic(max_digits=2, min_difference=1)
    asked = [question for split in ("train", "validation", "test") for question in task.questions(split)]
    assert len(asked) == 2 * 10 * 90 and {q.group for q in asked} == {"1+2 digits", "2+1 digits"}
