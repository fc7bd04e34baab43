"""Products and quotients of decimals, against exact fractions and rows of digits read as numbers."""

import doctest
import itertools
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks.decimals
from jaxgpt.core.fields import from_json, to_json
from jaxgpt.evaluation.exam import read_exam
from jaxgpt.runs import experiments
from jaxgpt.task import SPLITS, Example, Task
from jaxgpt.training.experiment import Experiment
from tasks.decimals import Decimals, working
from tasks.decimals.notation import Scientific, read

OPERATIONS = ["multiplication", "division"]
DIGITS = st.integers(2, 9)
VALUE = {symbol: value for value in range(-9, 10) for symbol in working.signed(value)}


def mantissas(places):
    return st.integers(10 ** (places - 1), 10**places - 1)


PAIRS = DIGITS.flatmap(lambda places: st.tuples(st.just(places), mantissas(places), mantissas(places)))


def number(value, exponent=0, *, negative=False):
    return Scientific(negative, str(value), exponent)


def split(rows, count):
    assert len(rows) % count == 0
    return [rows[i : i + count] for i in range(0, len(rows), count)]


def exact(question, symbol):
    a, b = map(Fraction, question.split(symbol))
    return a * b if symbol == "*" else a / b


def test_the_examples_of_the_package():
    assert doctest.testmod(tasks.decimals).failed == 0


@given(PAIRS)
def test_each_row_of_a_product_is_what_multiplying_on_paper_gives(pair):
    places, a, b = pair
    rows, result = working.multiplied(number(a, 3), number(b, -7)).split("=")
    before, low = 0, ""
    for digit, row in zip(reversed(str(b)), split(rows, 2 * places), strict=True):
        value = int((row[::2] + row[-1])[::-1])  # the last carry is the highest digit
        assert value == a * int(digit) + before
        before, low = value // 10, low + str(value % 10)
    assert int(str(before) + low[::-1]) == a * b
    assert result == f"+{a * b:0{2 * places}}"[:1] + f"{a * b:0{2 * places}}"[::-1] + "e-04"


@given(PAIRS)
def test_each_row_of_a_quotient_leaves_what_its_digit_leaves(pair):
    places, a, b = pair
    rows, result = working.divided(number(a, 0, negative=True), number(b)).split("=")
    left, whole = a, 0
    for row in split(rows, 2 * places + 5):
        factor = VALUE[row[0]]
        # What is left is less than ten of the next digit's: it can be put right.
        assert abs(left - factor * b) < b
        assert int(row[1::2][::-1]) == (left - factor * b) % 10 ** (places + 2)
        left, whole = 10 * (left - factor * b), 10 * whole + factor
    assert result == "-" + f"{whole:0{places + 1}}"[::-1] + "e+00"
    assert abs(whole - Fraction(a, b) * 10**places) < 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("places", [2, 5, 8])
def test_a_worked_answer_is_as_close_as_its_digits_allow(operation, places):
    task = Decimals(operation=operation, format="worked", digits=places)
    symbol = task._symbol
    for example in itertools.islice(task.examples("train"), 300):
        assert len(example.prompt + example.target) == working.length(places, operation)
        right = exact(example.key, symbol)
        error = abs(Fraction(task.answer("", example.target)) / right - 1)
        # Each operand is rounded, and a quotient's last digit, too.
        assert error < Fraction(2, 10 ** (places - 1))
        scores = task.score(example, example.target)
        assert scores["as_written"] == 1
        short = all(
            len(part.strip("-").replace(".", "").strip("0")) <= min(places, 7)
            for part in example.key.split(symbol)
        )
        if operation == "multiplication" and short:
            assert scores["exact_match"] == 1 and scores["log_smape"] == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_plain_answer_is_right_to_fifteen_digits(operation):
    task = Decimals(operation=operation)
    for example in itertools.islice(task.examples("test"), 300):
        question = example.prompt.removesuffix("=")
        right = exact(question, task._symbol)
        assert abs(Fraction(example.target) / right - 1) <= Fraction(1, 2 * 10**14)
        assert len(example.target.strip("-").replace(".", "").strip("0")) <= 15
        assert task.score(example, example.target) == {
            "exact_match": 1,
            "log_smape": 1,
            "as_written": 1,
            "right_sign": 1,
        }
        assert task.score(example, example.target + "1")["exact_match"] == 0
        turned = example.target[1:] if example.target.startswith("-") else f"-{example.target}"
        assert task.score(example, turned)["right_sign"] == 0
        assert task.score(example, f" {example.target}0")["right_sign"] == 1
        for other in ("one", "0", "-0", "inf"):
            assert task.score(example, other)["right_sign"] == 0


def test_operands_are_of_every_length_and_size_alike():
    task, rng = Decimals(), random.Random(0)
    drawn = [task._draw(rng) for _ in range(3400)]
    lengths = [sum(len(n.normalize().as_tuple().digits) == count for n in drawn) for count in range(1, 18)]
    assert min(lengths) > 130 and max(lengths) < 280  # 200 each
    assert {n.adjusted() for n in drawn} == set(range(-13, 15))
    assert 0.45 < sum(n < 0 for n in drawn) / len(drawn) < 0.55


def test_a_product_is_in_one_split_in_both_orders_and_a_quotient_is_not_turned():
    product, quotient = Decimals(), Decimals(operation="division")
    assert product.typed("1.5*-20").key == product.typed("-20 × 1.50=").key
    assert quotient.typed("1.5/20").key != quotient.typed("20/1.5").key
    assert product.typed("1e3 * .5").prompt == "1000*0.5="


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.5+2", "cannot read '1.5[+]2' as a question; write one such as 6741.74[*]-0.085784"),
        ("0.0*2", "a number is 0; write others"),
        ("1e60*2", "'1e60' is beyond 10\\^48"),
        (f"1.{'3' * 100}*2", "a number has more than 100 digits; round it"),
        ("1.5*", "cannot read"),
    ],
)
def test_what_is_no_question_is_told(text, message):
    with pytest.raises(ValueError, match=message):
        Decimals().typed(text)


def test_the_largest_exponents_leave_a_result_that_is_read():
    task = Decimals(format="worked", digits=2)
    example = task.typed("9.99e48*9.99e48")
    assert float(task.answer(example.prompt, example.target)) == pytest.approx(1e98)


def test_a_number_has_its_exponent_after_rounding():
    assert str(Scientific.of(read("-999.96"), 4)) == "-1000e+03"
    assert str(Scientific.of(read("0.000458"), 4)) == "+4580e-04"
    assert str(Scientific.of(read("1000"), 2)) == "+10e+03"


@pytest.mark.parametrize("completion", ["", "=", "=+1234e+00", "=+12345678e+0", "=+123x5678e+00", "7" * 90])
def test_a_completion_without_a_result_is_shown_and_wrong(completion):
    task = Decimals(format="worked", digits=4)
    example = task.typed("1.5*2")
    assert task.answer(example.prompt, completion) == completion[-40:]
    assert task.score(example, completion) == dict.fromkeys(
        ("exact_match", "log_smape", "as_written", "right_sign"), 0
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_digits": 0}, "min_digits=1"),
        ({"min_exponent": 3, "max_exponent": 2}, "min_exponent=3 and max_exponent=2"),
        ({"max_exponent": 25}, "max_exponent=25"),
        ({"digits": 1}, "digits=1 must be at least 2"),
        ({"max_digits": 101}, "max_digits=101 must be at most 100"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Decimals(**settings)


@pytest.mark.parametrize("name", ["decimals-multiplication", "decimals-division"])
def test_the_experiments_have_room_and_less_than_ten_million_weights(name):
    experiment = experiments.find(name)
    assert from_json(Experiment, to_json(experiment)) == experiment
    example = experiment.task.typed("6741.74*-85.5".replace("*", experiment.task._symbol))
    assert len(example.prompt + example.target) + 2 <= experiment.model.max_length


def test_the_exam_of_others_is_read(shared_data):
    for operation in OPERATIONS:
        task = Decimals(operation=operation, format="worked")
        asked = read_exam(str(shared_data / f"external/bittokens/{operation}_500.tsv"), task)
        assert len(asked) == 500
        close = [task.score(question.example, question.example.target)["log_smape"] for question in asked]
        assert sum(close) / 500 > 0.5


@pytest.mark.parametrize("operation", ["multiplication", "division"])
def test_no_prompt_of_few_digits_is_in_two_splits(operation):
    """Operands of 17 digits that are rounded to two are often the same ones."""
    task = Decimals(operation=operation, format="worked", digits=2, min_exponent=0, max_exponent=0)
    prompts = {split: {e.prompt for e in itertools.islice(task.examples(split), 500)} for split in SPLITS}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not prompts[one] & prompts[other]


def test_few_examples_are_in_the_splits_of_their_rounded_operands():
    """Also where the task asks whether its few examples leave a split any."""
    task = Decimals(format="worked", digits=3, max_digits=1, min_exponent=0, max_exponent=9)
    for split in SPLITS:
        for example in itertools.islice(task.examples(split), 20):
            assert task.split_of(Example("", "", key=example.key)) == task.split_of(example) == split
            by_prompt = "*".join(sorted(example.prompt.removesuffix("=").split("*")))
            assert Task.split_of(task, Example("", "", key=by_prompt)) == split


@pytest.mark.parametrize("digits", [2, 8])
@pytest.mark.parametrize(("operation", "held"), [("multiplication", "2.5*3.5"), ("division", "2.5/3.5")])
def test_what_is_rounded_to_a_question_of_the_file_is_kept_out(operation, held, digits, tmp_path):
    (tmp_path / "held").write_text(f"{held}\n")
    free = Decimals(operation=operation, format="worked", digits=digits)
    task = Decimals(operation=operation, format="worked", digits=digits, hold_out=str(tmp_path / "held"))
    others = [free.typed(f"{held}{'0' * digits}{n}") for n in range(1, 40)]
    assert {example.prompt for example in others} == {free.typed(held).prompt}
    assert {task.split_of(example) for example in others} == {"test"}
    assert "train" in {free.split_of(example) for example in others}
    assert task.split_of(task.typed(f"{held}51")) == free.split_of(free.typed(f"{held}51")) == "train"
