"""Where answers of arithmetic are wrong, against carries found by remainders and kinds written by hand."""

import doctest
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.arithmetic import Arithmetic, diagnosis
from tasks.arithmetic.choices import FORMATS
from tasks.arithmetic.diagnosis import WRONG_KINDS, kind, longest_chain
from tasks.arithmetic.notation import SYMBOLS, Question

NUMBERS = st.integers(min_value=0, max_value=10**12)
#: Every operation in every format that holds a result.
SETTINGS = [
    Arithmetic(operation=operation, format=name, max_digits=3)
    for name, form in FORMATS.items()
    for operation, symbol in SYMBOLS.items()
    if symbol in form.symbols
]


def passed_on(question):
    """For each place whether it passes a carry or a borrow on: what is below, and in it, does not fit."""
    most = max(map(len, map(str, question.operands))) + 3
    if question.symbol == "-":
        small, large = sorted(question.operands)
        return [large % 10**k < small % 10**k for k in range(1, most)]
    return [sum(n % 10**k for n in question.operands) >= 10**k for k in range(1, most)]


def runs(flags):
    """The longest run of true flags, by looking at every stretch."""
    stretches = itertools.combinations(range(len(flags) + 1), 2)
    return max((end - start for start, end in stretches if all(flags[start:end])), default=0)


def test_the_example_of_the_module():
    assert doctest.testmod(diagnosis) == (0, 4)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from("+-"), st.tuples(NUMBERS, NUMBERS))
def test_the_longest_chain_of_two_numbers(symbol, operands):
    question = Question(symbol, operands)
    assert longest_chain(question) == runs(passed_on(question))


@settings(max_examples=50, deadline=None)
@given(st.lists(NUMBERS, min_size=3, max_size=30))
def test_the_longest_chain_of_many_numbers(operands):
    question = Question("+", tuple(operands))
    assert longest_chain(question) == runs(passed_on(question))


@pytest.mark.parametrize(
    ("symbol", "operands", "length"),
    [
        ("+", (12, 34), 0),
        ("+", (5, 5), 1),
        ("+", (95, 17), 2),
        ("+", (999, 1), 3),
        ("+", (505, 505), 1),  # two carries that are no neighbours
        ("+", (99,) * 12, 3),  # 1,188: 108 in the ones, so the hundreds pass a carry on, too
        ("-", (1000, 1), 3),
        ("-", (1, 1000), 3),
        ("-", (57, 35), 0),
    ],
)
def test_chains_by_hand(symbol, operands, length):
    assert longest_chain(Question(symbol, operands)) == length


@pytest.mark.parametrize("task", SETTINGS, ids=lambda task: f"{task.operation}-{task.format}")
def test_a_right_answer_has_every_place_right_and_no_kind(task):
    rng = random.Random(0)
    for _ in range(50):
        example = task.example(rng)
        found = task.diagnose(example, example.target)
        assert found.wrong == "" and all(found.places.values())
        shown = task.answer(example.prompt, example.target)
        assert len(found.places) == len(shown.removeprefix("-")) + (task.operation == "subtraction")
        operands = tuple(map(int, example.key.split(SYMBOLS[task.operation])))
        facets = {"length of the longest operand": str(len(str(max(operands))))}
        if task.operation != "multiplication":
            facets["longest carry chain"] = str(runs(passed_on(Question(SYMBOLS[task.operation], operands))))
        assert found.facets == facets


@pytest.mark.parametrize("task", SETTINGS, ids=lambda task: f"{task.operation}-{task.format}")
def test_a_kind_is_told_exactly_where_the_score_says_wrong(task):
    rng = random.Random(1)
    for _ in range(200):
        example = task.example(rng)
        text = list(example.target)
        for _ in range(rng.randint(0, 2)):
            place = rng.randrange(len(text))
            text[place : place + rng.randint(0, 1)] = rng.choice(["", "0", "1", "9", "-", "a"])
            text = text or ["0"]
        found = task.diagnose(example, "".join(text))
        assert (found.wrong == "") == (task.score(example, "".join(text))["exact_match"] == 1)
        assert found.wrong in ("", *WRONG_KINDS)


def last(task, text, new):
    """The right completion with what follows its last line end or `=` replaced."""
    target = task.typed(text).target
    cut = max(target.rfind("\n"), target.rfind("=")) + 1
    return target[:cut] + new


@pytest.mark.parametrize(
    ("form", "operation", "text", "completion", "wrong", "places"),
    [
        ("plain", "addition", "9+71421", "71420", "off by one carry", "tens"),
        ("plain", "addition", "9+71421", "71431", "other digits", "ones"),
        ("plain", "addition", "9+71421", "71439", "other digits", "ones"),  # 9 more, and no carry
        ("plain", "addition", "9+71421", "7143", "wrong length", "all"),  # without its ones all have moved
        ("plain", "addition", "9+71421", "071430", "wrong length", ""),
        ("plain", "addition", "9+71421", "", "not a number", "all"),
        ("plain", "addition", "9+71421", "7143o", "not a number", "all"),
        ("plain", "addition", "60+50", "10", "wrong length", "hundreds"),  # though off by one carry, too
        ("plain", "addition", "99+2", "1", "wrong length", "tens hundreds"),
        ("plain", "addition", "95+17", "102", "off by one carry", "tens"),
        ("plain", "addition", "195+105", "200", "off by one carry", "hundreds"),
        ("plain", "addition", "195+105", "290", "off by one carry", "tens hundreds"),  # the chain breaks
        ("plain", "addition", "195+105", "390", "other digits", "tens"),  # a digit lacks it, the next has it
        ("plain", "subtraction", "5-17", "12", "wrong sign", "sign"),
        ("plain", "subtraction", "5-17", "-22", "off by one carry", "tens"),
        ("plain", "subtraction", "17-5", "-12", "wrong sign", "sign"),
        ("plain", "subtraction", "5-5", "-0", "not a number", "all"),
        ("plain", "multiplication", "12*34", "418", "off by one carry", "tens"),
        ("plain", "multiplication", "12*34", "818", "other digits", "tens hundreds"),
        ("reversed", "addition", "9+71421", "02417", "off by one carry", "tens"),
        ("reversed", "addition", "9+71421", "034170", "wrong length", ""),
        ("reversed", "addition", "9+71421", "0 417", "not a number", "all"),
        ("reversed", "subtraction", "5-17", "-22", "off by one carry", "tens"),
        ("reversed", "subtraction", "5-17", "21", "wrong sign", "sign"),
        ("padded", "addition", "95+17", "201", "off by one carry", "tens"),
        ("padded", "addition", "12+34", "64", "wrong length", ""),  # the number, without its zero
        ("padded", "addition", "12+34", "641", "off by one carry", ""),  # 146: the zero is no place of 46
        ("padded", "addition", "12+34", "-64", "not a number", "all"),
        ("indexed", "addition", "95+17", "a2b0c1", "off by one carry", "tens"),
        ("indexed", "addition", "95+17", "a2b1", "wrong length", "hundreds"),
        ("indexed", "addition", "95+17", "a2c1b1", "not a number", "all"),
        ("steps", "addition", "95+17", "95+17=102", "off by one carry", "tens"),
        ("steps", "addition", "95+17", "95+17=12", "wrong length", "hundreds"),
        ("steps", "addition", "95+17", "95+17=", "not a number", "all"),
        ("steps", "addition", "95+17", "96+16=112", "not a number", "all"),  # the result of another sum
        ("scratchpad_simple", "addition", "95+17", "102", "off by one carry", "tens"),
        ("scratchpad_simple", "addition", "95+17", "1120", "wrong length", "ones tens"),
        ("scratchpad", "addition", "95+17", "1 0 2", "off by one carry", "tens"),
        ("scratchpad", "addition", "95+17", "112", "not a number", "all"),
        ("partial", "multiplication", "12*34", "814", "off by one carry", "tens"),
        ("partial", "multiplication", "12*34", "80", "wrong length", "hundreds"),
        ("partial", "multiplication", "12*34", "", "not a number", "all"),
    ],
)
def test_wrong_answers_by_hand(form, operation, text, completion, wrong, places):
    task = Arithmetic(operation=operation, format=form)
    if form in ("scratchpad_simple", "scratchpad", "partial"):
        completion = last(task, text, completion)
    elif form == "steps":
        target = task.typed(text).target
        completion = target[: target.rindex("\n") + 1] + completion
    found = task.diagnose(task.typed(text), completion)
    assert found.wrong == wrong
    failed = [name for name, right in found.places.items() if not right]
    assert failed == list(found.places) if places == "all" else set(failed) == set(_names(places))


def _names(text):
    """`ones ten thousands` as names of places."""
    words = iter(text.split())
    return [f"ten {next(words)}" if word == "ten" else word for word in words]


@settings(max_examples=200, deadline=None)
@given(NUMBERS, st.integers(1, 12), st.sampled_from([1, -1]))
def test_a_power_of_ten_is_one_carry(number, power, sign):
    other = number + sign * 10**power
    if other < 0 or len(str(other)) != len(str(number)):
        return
    assert kind(str(number), str(other)) == "off by one carry"
    assert kind(str(number), str(other + 2 * sign)) != "off by one carry"


def test_decompositions_have_no_result():
    task = Arithmetic(format="decomposition")
    example = task.typed("65")
    assert task.diagnose(example, example.target) is None
