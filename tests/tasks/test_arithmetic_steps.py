"""Step-by-step addition against the layout of the source document."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.arithmetic import Arithmetic

TASK = Arithmetic(format="steps", max_digits=6)

# The first two trials as the document prints them, both right. Scanning moved blank lines and added `$` and
# spaces, which `tokens` takes away; everything else is compared.
TRIAL_1 = r"""
8292+29039\n\nSTEP 1
Number: 8292
ones->2
tens->9
hundreds->2
thousands->8
Number: 29039
ones->9
tens->3
hundreds->0
thousands->9
ten thousands->2
STEP 2
ones->2+9=11
Number: 11
ones->1
tens->1
STEP 3
tens->9+3+1=13
Number: 13
ones->3
tens->1
STEP 4
hundreds->2+0+1=3
Number: 3
ones->3
STEP 5
thousands-> $8+9=17$
Number: 17
ones->7
tens->1
STEP 6
ten thousands-> $2+1=3$
Number: 3
ones->3
STEP 7
ones->1
tens->3
hundreds->3
thousands->7
ten thousands->3
Number: 37331
RESULT
 $8292+29039=37331$
"""
TRIAL_2 = r"""
67677+92471\n\nSTEP 1
Number: 67677
ones->7
tens->7
hundreds->6
thousands->7
ten thousands->6
Number: 92471
ones->1
tens->7
hundreds->4
thousands->2
ten thousands->9
STEP 2
ones-> $7+1=8$
Number: 8
ones->8
STEP 3
tens-> $7+7=14$
Number: 14
ones->4
tens->1
STEP 4
hundreds-> $6+4+1=11$
Number: 11
ones->1
tens->1
STEP 5
thousands-> $7+2+1=10$
Number: 10
ones->0
tens->1
STEP 6
ten thousands-> $6+9+1=16$
Number: 16
ones->6
tens->1
STEP 7
hundred thousands-> $1=1$
Number: 1
ones->1
STEP 8
ones->8
tens->4
hundreds->1
thousands->0
ten thousands->6
hundred thousands->1
Number: 160148
RESULT
 $67677+92471=160148$
"""

TRIAL_1_EXACTLY = """8292+29039

STEP 1

Number: 8292
ones->2
tens->9
hundreds->2
thousands->8

Number: 29039
ones->9
tens->3
hundreds->0
thousands->9
ten thousands->2

STEP 2
ones->2+9=11

Number: 11
ones->1
tens->1

STEP 3
tens->9+3+1=13

Number: 13
ones->3
tens->1

STEP 4
hundreds->2+0+1=3

Number: 3
ones->3

STEP 5
thousands->8+9=17

Number: 17
ones->7
tens->1

STEP 6
ten thousands->2+1=3

Number: 3
ones->3

STEP 7
ones->1
tens->3
hundreds->3
thousands->7
ten thousands->3
Number: 37331

RESULT
8292+29039=37331"""


def tokens(text):
    return re.findall(r"[a-zA-Z]+|\d+|[^\s\w$]", text.replace(r"\n", "\n"))


def written(a, b):
    example = TASK._example((a, b))
    return example.prompt + example.target


@pytest.mark.parametrize(("a", "b", "trial"), [(8292, 29039, TRIAL_1), (67677, 92471, TRIAL_2)])
def test_the_trials_of_the_document_are_reproduced_token_for_token(a, b, trial):
    assert tokens(written(a, b)) == tokens(trial)


def test_the_blank_lines_are_those_of_the_document():
    assert written(8292, 29039) == TRIAL_1_EXACTLY
    assert TASK.prompt("8292+29039") == "8292+29039\n\nSTEP 1"  # what the document's authors typed


def test_the_failing_case_of_the_document():
    """`9+71421`, which the document's model read as 80959+71421."""
    lines = written(9, 71421).split("\n")
    sums = [line for line in lines if "=" in line]
    assert sums == [
        "ones->9+1=10",
        "tens->2+1=3",
        "hundreds->4=4",
        "thousands->1=1",
        "ten thousands->7=7",
        "9+71421=71430",
    ]
    assert TASK.answer("9+71421\n\nSTEP 1", TASK._example((9, 71421)).target) == "71430"


@settings(max_examples=100, deadline=None)
@given(a=st.integers(0, 10**30), b=st.integers(0, 10**30))
def test_each_step_adds_the_digits_of_its_place(a, b):
    text = written(a, b)
    sums = [line.split("->")[1] for line in text.split("\n") if "->" in line and "=" in line]
    assert len(sums) == len(str(a + b))
    for place, line in enumerate(sums):
        addition, total = line.split("=")
        below = 10**place
        carry = (a % below + b % below) // below
        digits = [n // below % 10 for n in (a, b) if n >= below or place == 0]
        assert list(map(int, addition.split("+"))) == digits + [carry] * (carry > 0)
        assert int(total) == sum(digits) + carry
    assert text.endswith(f"Number: {a + b}\n\nRESULT\n{a}+{b}={a + b}")


def test_scores_name_the_first_wrong_step():
    example = TASK._example((8292, 29039))
    perfect = {"exact_match": 1, "whole_match": 1, "steps_right": 1, "first_wrong_step": 0}
    assert TASK.score(example, example.target) == perfect
    slip = example.target.replace("tens->9+3+1=13", "tens->9+3+1=14")
    assert TASK.score(example, slip) == {
        "exact_match": 1,
        "whole_match": 0,
        "steps_right": 7 / 8,
        "first_wrong_step": 3,
    }
    misread = example.target.replace("Number: 8292", "Number: 8293")
    assert TASK.score(example, misread)["first_wrong_step"] == 1
    wrong_result = example.target[:-1] + "2"
    scores = TASK.score(example, wrong_result)
    assert (scores["exact_match"], scores["steps_right"], scores["first_wrong_step"]) == (0, 7 / 8, 8)
    cut = example.target[: example.target.index("STEP 4") - 2]
    assert TASK.score(example, cut)["first_wrong_step"] == 4
    junk = TASK.score(example, example.target + "\n\nSTEP 9\nones->1")
    assert (junk["exact_match"], junk["first_wrong_step"]) == (0, 9)
    samples = [(example, example.target), (example, slip), (example, slip), (example, cut)]
    assert TASK.summary(samples, []) == {"first_wrong_step_3": 0.5, "first_wrong_step_4": 0.25}


def test_the_right_sum_of_other_operands_is_wrong():
    example = TASK._example((9, 71421))
    other = TASK._example((10, 71420)).target
    assert TASK.score(example, other)["exact_match"] == 0
