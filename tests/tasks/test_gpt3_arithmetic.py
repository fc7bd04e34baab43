"""GPT-3's ten arithmetic tasks: problems, formats, splits, shots."""

import ast
import collections
import dataclasses
import itertools
import operator
import random
import re
from typing import get_args

import pytest

from jaxgpt.core.fields import from_json, override, to_json
from jaxgpt.task import SPLITS, Task
from jaxgpt.training.experiment import Experiment
from tasks.arithmetic.task import Arithmetic
from tasks.gpt3_arithmetic import Gpt3Arithmetic, gpt3_arithmetic
from tasks.gpt3_arithmetic.problems import KINDS, Problem
from tasks.gpt3_arithmetic.task import Name

#: Of the files that the paper released (openai/gpt-3, data/), in lm-evaluation-harness's wording.
PUBLISHED = {
    "arithmetic_1dc": [("(9 + 8) * 2", 34), ("(4 - 7) - 3", -6), ("(1 - 9) * 5", -40), ("(5 - 5) * 1", 0)],
    "arithmetic_2da": [("48 plus 76", 124)],
    "arithmetic_2ds": [("17 minus 14", 3), ("33 minus 88", -55), ("55 minus 0", 55)],
    "arithmetic_2dm": [("95 times 45", 4275), ("54 times 4", 216), ("25 times 0", 0)],
    "arithmetic_5da": [("65360 plus 16204", 81564), ("132 plus 79778", 79910)],
}
LARGEST = {"arithmetic_1dc": 9} | {f"arithmetic_{n}d{op}": 10**n - 1 for n in (2, 3, 4, 5) for op in "as"}
LARGEST["arithmetic_2dm"] = 99
by_format = pytest.mark.parametrize("form", ["plain", "worked"])


def asked(example):
    """The problem in a prompt, as an expression of Python's."""
    question = re.fullmatch(r"Question: What is (.*)\?\nAnswer:", example.prompt)[1]
    return question.replace("plus", "+").replace("minus", "-").replace("times", "*")


def value(expression):
    """What an expression of numbers comes to."""
    functions = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}

    def of(node):
        if isinstance(node, ast.Constant):
            return node.value
        return functions[type(node.op)](of(node.left), of(node.right))

    return of(ast.parse(expression, mode="eval").body)


def first(task, count, split="train", seed=0):
    return list(itertools.islice(task.examples(split, seed), count))


@pytest.mark.parametrize("name", PUBLISHED)
def test_questions_and_answers_are_written_as_published(name):
    task = Gpt3Arithmetic(subtasks=(name,))
    for text, answer in PUBLISHED[name]:
        prompt = f"Question: What is {text}?\nAnswer:"
        assert task.prompt(text) == task.prompt(prompt) == task.prompt(f"Q: What is {text}?") == prompt
        example = task._example(name, Problem(*_numbers(text)))
        assert (example.prompt, example.target, example.group) == (prompt, f" {answer}", name)


def _numbers(text):
    words = {"plus": "+", "minus": "-", "times": "*"}
    found = re.findall(r"[0-9]+|plus|minus|times|[-+*]", text)
    return tuple(int(w) for w in found if w.isdigit()), "".join(
        words.get(w, w) for w in found if not w.isdigit()
    )


def test_the_worked_examples():
    task = Gpt3Arithmetic(format="worked")
    for text, target in (
        ("48 plus 76", " 421"),
        ("34 minus 53", " -91"),
        ("24 times 42", " 84,69,8001"),  # 24*2=48, 24*4=96
        ("7 times 5", " 53,53"),
        ("(9 + 8) * 2", " 71,43"),
        ("(4 - 7) - 3", " -3,-6"),
        ("(5 * 2) - 8", " 01,2"),
    ):
        problem = Problem(*_numbers(text))
        assert task._example("", problem).target == target
        assert task.answer("", target) == str(value(asked(task._example("", problem))))


def turned(number):
    """Its digits the other way round, the sign in front."""
    text = str(number)
    return "-" * text.startswith("-") + text.lstrip("-")[::-1]


@by_format
def test_every_target_states_what_python_computes(form):
    for example in first(Gpt3Arithmetic(format=form), 1000):
        result = value(asked(example))
        assert re.split("[ ,]", example.target)[-1] == (turned(result) if form == "worked" else str(result))
        assert Gpt3Arithmetic(format=form).answer(example.prompt, example.target) == str(result)


def test_worked_numbers_lead_to_the_answer():
    for example in first(Gpt3Arithmetic(format="worked"), 1000):
        steps = [int(turned(step)) for step in example.target.strip().split(",")]
        assert steps[-1] == value(asked(example))
        if example.group == "arithmetic_2dm":  # ones times the first, tens times the first
            assert sum(step * 10**place for place, step in enumerate(steps[:-1])) == steps[-1]
        elif example.group == "arithmetic_1dc":
            inner = re.search(r"\((.*)\)", asked(example))[1]
            assert steps[:-1] == [value(inner)]
        else:
            assert len(steps) == 1


@by_format
def test_every_target_is_accepted_and_near_misses_are_not(form):
    task = Gpt3Arithmetic(format=form)
    for example in first(task, 200):
        target = example.target
        assert task.score(example, target)["exact_match"] == 1
        changed = target[:-1] + str((int(target[-1]) + 1) % 10)
        wrongs = [
            changed,
            target + "0",
            target + " ",
            target + "\n",
            "",
            " ",
            "x" + target[1:],
            target.strip(),
            " " + target,
        ]
        if form == "plain":
            wrongs.append(" 0" + target.strip())
        for completion in wrongs:
            assert task.score(example, completion)["exact_match"] == 0, completion


@by_format
def test_answers_are_diagnosed_as_those_of_plain_arithmetic(form):
    task = Gpt3Arithmetic(format=form, shots=1)
    example = task.with_shots(task._example("arithmetic_5da", Problem((81828, 27182), "+")))
    found = task.diagnose(example, " 010801" if form == "worked" else " 108010")
    assert found.wrong == "off by one carry"
    assert [place for place, right in found.places.items() if not right] == ["thousands"]
    assert found.facets == {"longest carry chain": "3", "length of the longest operand": "5"}
    for example in first(Gpt3Arithmetic(format=form), 500):
        if example.group == "arithmetic_1dc":
            assert task.diagnose(example, example.target) is None
            continue
        right = task.diagnose(example, example.target)
        assert right.wrong == "" and all(right.places.values())
        assert task.diagnose(example, "none").wrong == "not a number"
        if example.target != " 0":
            assert task.diagnose(example, example.target + "1").wrong == "wrong length"


def test_of_worked_answers_the_last_number_alone_counts():
    task = Gpt3Arithmetic(format="worked")
    example = task._example("arithmetic_2da", Problem((48, 76), "+"))
    assert task.score(example, " 999,421")["exact_match"] == 1
    for wrong in (" 421,124", " 124", "421", " 4210", " 421,", " 421, 421", " ,421", " 4-21", " +421"):
        assert task.score(example, wrong)["exact_match"] == 0
        assert task.answer(example.prompt, wrong) in (wrong, "421")


@pytest.mark.parametrize("name", KINDS)
def test_numbers_are_uniform_below_their_limit(name):
    numbers = [
        int(n) for e in first(Gpt3Arithmetic(subtasks=(name,)), 2000) for n in re.findall(r"\d+", asked(e))
    ]
    limit = LARGEST[name] + 1
    assert min(numbers) >= 0 and max(numbers) < limit
    tenths = collections.Counter(10 * n // limit for n in numbers)
    expected = len(numbers) / 10
    # 400 or 600 each, six deviations: of few problems whole keys are held out.
    assert all(abs(tenths[i] - expected) < 6 * expected**0.5 for i in range(10)), tenths


def test_three_numbers_have_all_operations_equally():
    counts = collections.Counter(
        re.sub(r"\d", "d", asked(e)) for e in first(Gpt3Arithmetic(subtasks=("arithmetic_1dc",)), 1800)
    )
    assert set(counts) == {f"(d {a} d) {b} d" for a in "+-*" for b in "+-*"}
    assert min(counts.values()) > 130 and max(counts.values()) < 270  # 200 each, five deviations


def test_examples_and_questions_are_of_the_ten_alike():
    task = Gpt3Arithmetic()
    assert get_args(Name) == tuple(KINDS)
    counts = collections.Counter(e.group for e in first(task, 3000))
    assert set(counts) == set(KINDS) and min(counts.values()) > 220 and max(counts.values()) < 380
    for n in (10, 95, 1000):
        counts = collections.Counter(q.group for q in itertools.islice(task.questions("test"), n))
        assert max(counts.values()) - min(counts.values()) <= 1 and len(counts) == 10


@pytest.mark.thorough
def test_questions_end_with_the_shortest_list_and_repeat_none():
    task = Gpt3Arithmetic()
    questions = list(task.questions("test"))
    assert len({q.prompt for q in questions}) == len(questions) > 7500
    counts = collections.Counter(q.group for q in questions)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert questions != list(task.questions("test", seed=1))
    products = Gpt3Arithmetic(subtasks=("arithmetic_2dm",))
    listed = [q.prompt for split in SPLITS for q in products.questions(split)]
    assert len(listed) == 10_000 == len(set(listed))


def test_a_problem_is_in_one_split_in_both_orders_and_whichever_of_the_ten_asks_it():
    task = Gpt3Arithmetic()
    rng = random.Random(0)
    for _ in range(500):
        a, b, c = (rng.randrange(100) for _ in range(3))
        for symbol in "+-*":
            problems = [Problem(pair, symbol) for pair in ((a, b), (b, a))]
            examples = [task._example(n, p) for p in problems for n in ("arithmetic_2da", "arithmetic_5da")]
            assert len({task.split_of(e) for e in examples}) == 1
            one, other = (task._example("", Problem((*pair, c), symbol + "-")) for pair in ((a, b), (b, a)))
            assert task.split_of(one) == task.split_of(other)
    keys = [{e.canonical for e in first(task, 2000, split)} for split in SPLITS]
    assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])


@pytest.mark.parametrize("shots", [1, 4])
@by_format
def test_shots_are_of_the_same_one_of_the_ten(form, shots):
    task = Gpt3Arithmetic(format=form, shots=shots)
    plain = Gpt3Arithmetic(format=form)
    for bare, question in itertools.islice(
        zip(plain.questions("test"), task.questions("test"), strict=True), 40
    ):
        *shown, asked_last = question.prompt.split("\n\n")
        assert asked_last == bare.prompt and len(shown) == shots and question.target == bare.target
        for shot in shown:
            prompt, target = shot[: shot.index("Answer:") + 7], shot[shot.index("Answer:") + 7 :]
            problem = plain.typed(prompt)
            assert plain.split_of(problem) == "train"
            assert plain.answer(prompt, target) == str(value(asked(problem)))
            assert KINDS[question.group].has(Problem(*_numbers(prompt)))
        assert plain.prompt(asked_last) == bare.prompt


def test_a_typed_question_has_the_shots_of_its_kind():
    shown = Gpt3Arithmetic(shots=3).prompt("24 x 42").split("\n\n")
    assert len(shown) == 4 and all(" times " in text for text in shown)
    six_digits = Gpt3Arithmetic(shots=1).prompt("123456 + 1")
    assert six_digits.endswith("\n\nQuestion: What is 123456 plus 1?\nAnswer:")


@pytest.mark.parametrize(
    "text", ["", "48", "48 plus", "48 plus 76 plus 1", "6+(4*8)", "-1 + 2", "4 8 + 1", "²+1", "(1+2)*x"]
)
def test_what_is_no_question_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="48 plus 76") as error:
        Gpt3Arithmetic().prompt(text)
    assert "\n" not in str(error.value)


def test_other_spellings_are_read():
    task = Gpt3Arithmetic()
    assert task.prompt("24×42") == task.prompt("24 x 42") == "Question: What is 24 times 42?\nAnswer:"
    assert task.prompt(" 34 − 053 ") == "Question: What is 34 minus 53?\nAnswer:"
    assert task.prompt("(9+8)*2") == "Question: What is (9 + 8) * 2?\nAnswer:"


def test_what_others_write_around_a_question_is_read_as_arithmetic_reads_it():
    texts = ("48+76", "48+76=", "$48+76=", "48 plus 76 =", "Q: What is 48 plus 76?\n\nA:", "What is 48 + 76?")
    for text in texts:
        assert Gpt3Arithmetic().typed(text).key == Arithmetic().typed(text).key == "48+76"
    assert Gpt3Arithmetic().typed("$(9+8)*2=").prompt == "Question: What is (9 + 8) * 2?\nAnswer:"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"subtasks": ()}, "subtasks= is empty"),
        ({"subtasks": ("arithmetic_2da", "arithmetic_2da")}, "arithmetic_2da twice"),
        ({"shots": -1}, "shots=-1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Gpt3Arithmetic(**settings)


def test_the_experiment_fits_its_model_and_survives_json():
    experiment = gpt3_arithmetic()
    assert from_json(Experiment, to_json(experiment)) == experiment
    assert Task.named("gpt3_arithmetic") is Gpt3Arithmetic and Gpt3Arithmetic.kind() == "gpt3_arithmetic"
    narrowed = override(experiment, {"task.subtasks": "arithmetic_2dm,arithmetic_4ds", "task.shots": "5"})
    assert narrowed.task.sample_prompts == ("24 times 42",)
    assert {e.group for e in first(narrowed.task, 30)} == {"arithmetic_2dm", "arithmetic_4ds"}
    with pytest.raises(ValueError, match="arithmetic_2dm"):
        override(experiment, {"task.subtasks": "arithmetic-2dx"})
    for name in KINDS:
        task = dataclasses.replace(experiment.task, subtasks=(name,))
        assert all(task.typed(text).group == name for text in task.sample_prompts)
