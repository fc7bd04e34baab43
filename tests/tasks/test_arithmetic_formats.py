"""Formats from papers, each against an example that its paper prints, and sums of more than two numbers."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.arithmetic import Arithmetic
from tasks.arithmetic.formats import HINTS

NUMBERS = st.integers(min_value=0, max_value=10**30)

# Rows of the data files of Lee et al. (repository lee-ny/teaching_arithmetic, folders ar_simple and
# algo_reasoning).
SIMPLIFIED = """Input:
199+949
Target:
A->8 , C->1
A->4 , C->1
A->1 , C->1.
1148"""
SIMPLIFIED_UNEQUAL = """Input:
0+11
Target:
A->1 , C->0
A->1 , C->0.
11"""
DETAILED = """Input:
638+662
Target:
<scratch>
[6,3,8] has 3 digits.
[6,6,2] has 3 digits.
[6,3,8] + [6,6,2] , A=[] , C=0 , 8+2+0=10 , A->0 , C->1
[6,3] + [6,6] , A=[0] , C=1 , 3+6+1=10 , A->0 , C->1
[6] + [6] , A=[0,0] , C=1 , 6+6+1=13 , A->3 , C->1
[] + [] , A=[3,0,0] C=1 , END
</scratch>
1 3 0 0"""
DETAILED_UNEQUAL = """Input:
22+1
Target:
<scratch>
[2,2] has 2 digits.
[1] has 1 digits.
[2,2] + [1] , A=[] , C=0 , 2+1+0=3 , A->3 , C->0
[2] + [] , A=[3] , C=0 , 2+0+0=2 , A->2 , C->0
[] + [] , A=[2,3] C=0 , END
</scratch>
2 3"""


@pytest.mark.parametrize(
    ("form", "operands", "written"),
    [
        ("scratchpad_simple", (199, 949), SIMPLIFIED),
        ("scratchpad_simple", (0, 11), SIMPLIFIED_UNEQUAL),
        ("scratchpad", (638, 662), DETAILED),
        ("scratchpad", (22, 1), DETAILED_UNEQUAL),
        ("padded", (653, 49), "653+049=2070"),  # Cho et al., section 3
        ("ones_first", (653, 49), "356+94=207"),  # McLeish et al., section 3
        ("indexed", (42, 39), "a2b4+a9b3=a1b8"),  # Zhou et al.: a4b2+a3b9=a8b1, digits and places turned
        ("indexed", (135, 0), "a5b3c1+a0=a5b3c1"),
    ],
)
def test_what_the_papers_print(form, operands, written):
    task = Arithmetic(format=form)
    example = task._example(operands)
    assert example.prompt + example.target == written
    assert task.prompt(" {} + {} ".format(*operands)) == example.prompt
    assert task.answer(example.prompt, example.target) == str(sum(operands))


@pytest.mark.parametrize("form", ["padded", "ones_first", "indexed", "scratchpad", "scratchpad_simple"])
@settings(max_examples=40, deadline=None)
@given(a=NUMBERS, b=NUMBERS)
def test_a_target_is_read_back_as_the_sum(form, a, b):
    task = Arithmetic(format=form)
    example = task._example((a, b))
    assert task.answer(example.prompt, example.target) == str(a + b)
    assert task.score(example, example.target)["exact_match"] == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_partial_products_are_what_python_computes(a, b):
    task = Arithmetic(operation="multiplication", format="partial")
    example = task._example((a, b))
    products, _, answer = example.target.partition("=")
    digits = [int(digit) for digit in str(b)[::-1]]
    values = [int(product[::-1]) for product in products.split("+")]
    assert values == [a * digit * 10**place for place, digit in enumerate(digits)]
    assert int(answer[::-1]) == sum(values) == a * b
    assert task.answer(example.prompt, example.target) == str(a * b)


def test_the_worked_multiplication():
    example = Arithmetic(operation="multiplication", format="partial")._example((12, 34))
    assert (example.prompt, example.target) == ("12*34=", "84+063=804")


@pytest.mark.parametrize("form", ["scratchpad", "scratchpad_simple", "partial"])
def test_the_answer_counts_and_a_slip_in_the_working_is_seen(form):
    task = Arithmetic(operation="multiplication" if form == "partial" else "addition", format=form)
    example = task._example((85, 19))
    slip = {"scratchpad": ("5+9", "5+8"), "scratchpad_simple": ("A->4", "A->3"), "partial": ("567+", "467+")}
    changed = example.target.replace(*slip[form], 1)
    assert changed != example.target
    assert task.score(example, example.target) == {"exact_match": 1, "whole_match": 1}
    assert task.score(example, changed) == {"exact_match": 1, "whole_match": 0}
    assert task.score(example, example.target[:-1]) == {"exact_match": 0, "whole_match": 0}


def test_index_hints_are_checked_when_an_answer_is_read():
    task = Arithmetic(format="indexed")
    prompt = task.prompt("42+39")
    for completion in ("a1c8", "b1a8", "a1b8c", "18", "a1b8c0", "a", ""):
        assert task.answer(prompt, completion) == completion


def test_index_hints_are_letters_of_their_own_and_end_somewhere():
    assert len(set(HINTS)) == len(HINTS) > 201 and HINTS.isalpha()
    with pytest.raises(ValueError, match=f"{len(HINTS) + 1} digits .*format=padded"):
        Arithmetic(format="indexed").prompt("1" * (len(HINTS) + 1) + "+1")


@pytest.mark.parametrize("form", ["plain", "reversed", "padded", "ones_first", "indexed"])
@settings(max_examples=25, deadline=None)
@given(numbers=st.lists(NUMBERS, min_size=3, max_size=12))
def test_sums_of_more_than_two_numbers(form, numbers):
    task = Arithmetic(format=form, operands=len(numbers))
    example = task._example(tuple(numbers))
    assert task.prompt(" + ".join(map(str, numbers))) == example.prompt
    assert task.answer(example.prompt, example.target) == str(sum(numbers))


def test_padded_sums_have_room_for_the_largest():
    for operands, digits in ((2, 4), (3, 4), (10, 4), (11, 5), (101, 6)):
        task = Arithmetic(format="padded", operands=operands)
        assert len(task._example((0, 999, *[5] * (operands - 2))).target) == digits
        largest = task._example((999,) * operands)
        assert len(largest.target) == digits
        assert task.answer(largest.prompt, largest.target) == str(999 * operands)


def test_more_than_two_numbers_are_grouped_by_the_longest():
    task = Arithmetic(operands=3, extra_digits=(12,))
    example = task._example((12, 3456, 7))
    assert example.prompt == "12+3456+7=" and example.target == "5743"
    assert example.group == "longest 04 digits"
    assert task.headings(example) == ("lengths differ by 3+",)
    assert task.headings(task._example((12, 34, 56))) == ("equal lengths",)
    (extra,) = itertools.islice(task.extra_questions("test"), 1)
    assert extra.group == "longest 12 digits"
    splits = {task.split_of(task._example(p)) for p in itertools.permutations((12, 3456, 7))}
    assert len(splits) == 1
    assert all(task.prompt(text).count("+") == 2 for text in task.sample_prompts)
    with pytest.raises(ValueError, match=r"such as 9\+71421\+65"):
        task.prompt("1+2")
