"""What the tasks on numbers share: laws, notation, significant digits."""

import collections
import math
import random
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.arithmetic.task import Arithmetic
from tasks.base_conversion import BaseConversion
from tasks.comparison import Comparison
from tasks.decimals.task import Decimals
from tasks.fractions import Fractions
from tasks.gcd import Gcd
from tasks.matrices import Matrices
from tasks.modular import Modular
from tasks.numbers import check_range, log_uniform, of_digits, squeezed
from tasks.significant import read_decimal, rounded, written
from tasks.sorting import Sorting

REALS = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**9)


def test_log_uniform_is_log_uniform():
    rng, limit, draws = random.Random(0), 999, 30_000
    drawn = [log_uniform(rng, limit) for _ in range(draws)]
    assert min(drawn) == 1 and max(drawn) <= limit
    # 1..9, 10..99 and 100..999 each hold a third of the logarithms; four deviations are 0.011.
    for digits in (1, 2, 3):
        assert abs(sum(len(str(n)) == digits for n in drawn) / draws - 1 / 3) < 0.011
    counts = collections.Counter(drawn)
    for k in range(1, 10):
        share = math.log((k + 1) / k) / math.log(limit + 1)
        assert abs(counts[k] / draws - share) < 4 * math.sqrt(share / draws)


def test_log_uniform_up_to_one_is_one():
    assert {log_uniform(random.Random(i), 1) for i in range(50)} == {1}


def test_log_uniform_numbers_are_those_that_runs_were_trained_on():
    """Recorded: other numbers from the same seed would change the data of finished runs."""
    rng = random.Random(0)
    assert [log_uniform(rng, 10**6) for _ in range(5)] == [116555, 35296, 333, 35, 1168]
    assert [log_uniform(rng, 2**53 - 1) for _ in range(3)] == [2887739, 3200257694953, 69060]


@pytest.mark.parametrize("digits", [20, 309, 400])
def test_log_uniform_numbers_beyond_a_float_have_all_their_digits(digits):
    rng, draws = random.Random(0), 6000
    drawn = [log_uniform(rng, 10**digits - 1) for _ in range(draws)]
    assert min(drawn) >= 1 and max(drawn) < 10**digits
    lengths = [len(str(number)) for number in drawn]
    assert abs(sum(length <= digits // 2 for length in lengths) / draws - digits // 2 / digits) < 0.026
    first = collections.Counter(str(number)[0] for number in drawn)
    last = collections.Counter(number % 10 for number in drawn if number > 2**53)
    for digit in range(1, 10):  # Benford's law, within four deviations
        share = math.log10(1 + 1 / digit)
        assert abs(first[str(digit)] / draws - share) < 4 * math.sqrt(share / draws)
    expected = sum(last.values()) / 10
    assert all(abs(last[digit] - expected) < 4 * math.sqrt(expected) for digit in range(10)), last


@pytest.mark.parametrize("base", [2, 10, 16])
def test_numbers_of_a_length_are_uniform(base):
    rng = random.Random(1)
    assert {of_digits(rng, 1, base) for _ in range(400)} == set(range(base))
    counts = collections.Counter(of_digits(rng, 2, base) for _ in range(4000))
    expected = range(base, base**2)
    assert set(counts) == set(expected)
    assert max(counts.values()) < 4000 / len(expected) + 5 * math.sqrt(4000 / len(expected))


def test_a_question_is_squeezed():
    assert squeezed(" 3/4 +\t5 / 6 = ") == "3/4+5/6"
    assert squeezed(" −3 × 4 ÷ 5 =") == "-3*4/5"
    assert squeezed("1 1/2 + 1/3") == "1 1/2+1/3"  # a space in a number is no number


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (Fractions(), "1 1/2 + 1/3"),
        (Sorting(), "31 4 15"),
        (Sorting(), "31, 4 15"),
        (Gcd(), "8 4, 36"),
        (BaseConversion(), "1 2"),
        (Comparison(), "1 2 ? 3"),
        (Decimals(), "1 2*3"),
        (Decimals(), "1. 2*3"),
        (Matrices(), "1x2 3 -1 * 1x2 4 0"),
        (Matrices(operation="product"), "1x2 3 -1 + 2x1 4 0"),
        (Matrices(), "1x2 3.5 -1 + 1x2 4 0"),
    ],
)
def test_another_question_is_not_answered(task, text):
    with pytest.raises(ValueError, match="cannot read"):
        task.typed(text)


@pytest.mark.parametrize(
    ("task", "text", "prompt"),
    [
        (Decimals(), "−1.5 × 2", "-1.5*2="),
        (Decimals(), "1.5 x 2", "1.5*2="),
        (Decimals(operation="division"), "3 : 4", "3/4="),
        (Modular(operation="subtraction"), "57 − 99", "57-99="),
        (Matrices(), "1x2 3 −1 + 1x2 4 0 =", "1x2 3 -1 + 1x2 4 0 ="),
        (Arithmetic(operation="subtraction", format="plain"), "9 − 14", "9-14="),
        (Arithmetic(operation="multiplication", format="plain"), "9 x 14", "9*14="),
        (Gcd(), "gcd 84, 36", "84,36="),
        (Gcd(), "gcd (84, 36)", "84,36="),
    ],
)
def test_signs_as_people_write_them(task, text, prompt):
    assert task.prompt(text) == prompt


@pytest.mark.parametrize("digits", [1, 2])
def test_samples_of_a_sort_can_be_read(digits):
    task = Sorting(max_digits=digits, max_items=16)
    assert all(task.prompt(text) for text in task.sample_prompts)


def test_ranges():
    check_range("items", 1, 1, least=1)
    for low, high in ((0, 3), (3, 2)):
        with pytest.raises(ValueError, match=f"min_items={low} .*max_items={high}"):
            check_range("items", low, high, least=1)


@given(REALS)
def test_rounding_agrees_with_decimal(number):
    # 60 digits tell every such fraction from a tie.
    exact = Context(prec=60).divide(Decimal(number.numerator), Decimal(number.denominator))
    wanted = Context(prec=3, rounding=ROUND_HALF_EVEN).plus(exact)
    assert rounded(number) == Fraction(wanted)


@given(REALS)
def test_what_is_written_is_read_back_and_plain(number):
    short = rounded(number)
    text = written(short)
    assert read_decimal(text) == short
    assert "e" not in text.lower() and Decimal(text) == Decimal(text).normalize()
    assert len(text.replace("-", "").replace(".", "").strip("0")) <= 3


@pytest.mark.parametrize(
    ("number", "text"),
    [(Fraction(0), "0"), (Fraction(-271, 10_000), "-0.0271"), (Fraction(12_500), "12500"), (314, "314")],
)
def test_worked_numbers(number, text):
    assert written(number) == text and read_decimal(text) == number


@pytest.mark.parametrize(
    "text", ["", "-", "-0", "00", "01", "1.", "1.50", ".5", "1e3", " 1", "1/2", "--1", "٣"]
)
def test_other_spellings_are_refused(text):
    with pytest.raises(ValueError, match="ordinary notation"):
        read_decimal(text)
