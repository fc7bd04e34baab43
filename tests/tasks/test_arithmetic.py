"""The arithmetic task: notation, formats, splits, scores."""

import dataclasses
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt import tokenizers
from jaxgpt.core.fields import from_json, to_json
from jaxgpt.task import SPLITS, Task
from jaxgpt.training.experiment import Experiment
from tasks import arithmetic
from tasks.arithmetic import Arithmetic

PYTHON = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
OPERATIONS = {"+": "addition", "-": "subtraction", "*": "multiplication"}
NUMBERS = st.integers(min_value=0, max_value=10**24)
EVERY_FORMAT = [
    Arithmetic(operation=operation, format=form)
    for operation in OPERATIONS.values()
    for form in ("plain", "reversed")
] + [
    Arithmetic(operation="multiplication", format="partial"),
    *(
        Arithmetic(format=form)
        for form in (
            "padded",
            "ones_first",
            "indexed",
            "steps",
            "scratchpad",
            "scratchpad_simple",
            "decomposition",
            "decomposition_spaced",
        )
    ),
]
by_format = pytest.mark.parametrize("task", EVERY_FORMAT, ids=lambda t: f"{t.operation}-{t.format}")


def first(task, split, count, seed=0):
    return list(itertools.islice(task.examples(split, seed), count))


@pytest.mark.parametrize("symbol", PYTHON)
@pytest.mark.parametrize("form", ["plain", "reversed"])
@settings(max_examples=50, deadline=None)
@given(a=NUMBERS, b=NUMBERS)
def test_targets_state_what_python_computes_and_are_read_back(symbol, form, a, b):
    task = Arithmetic(operation=OPERATIONS[symbol], format=form)
    example = task._example((a, b))
    result = PYTHON[symbol](a, b)
    written = str(result) if form == "plain" else ("-" if result < 0 else "") + str(abs(result))[::-1]
    assert (example.prompt, example.target) == (f"{a}{symbol}{b}=", written)
    assert task.prompt(f" {a} {symbol} 00{b} =") == example.prompt
    assert task.answer(example.prompt, example.target) == str(result)


def test_the_worked_examples():
    assert Arithmetic()._example((9, 71421)).target == "03417"
    subtraction = Arithmetic(operation="subtraction")
    assert subtraction._example((5, 17)).target == "-21"
    assert subtraction._example((17, 17)).target == "0"
    task = Arithmetic(format="decomposition_spaced")
    assert task.prompt("65") == "6 5\n"
    assert task.answer("6 5\n", "ones->5\ntens->6") == "ones 5, tens 6"
    assert Arithmetic(format="decomposition").prompt("065") == "65\n"


@by_format
def test_every_target_is_accepted_and_near_misses_are_not(task):
    for example in first(task, "train", 30):
        assert task.score(example, example.target)["exact_match"] == 1
        changed = example.target[:-1] + str((int(example.target[-1]) + 1) % 10)
        for completion in (
            changed,
            example.target[:-1],
            example.target + "0",
            example.target + "\n",
            " ",
            "",
        ):
            assert task.score(example, completion)["exact_match"] == 0, completion


@by_format
def test_an_unreadable_completion_comes_back_as_it_stands(task):
    prompt = task.prompt("12" if "decomposition" in task.format else f"12{task._symbol}34")
    # A padded answer is any digits, others have no leading zeros.
    zeros = "0x" if task.format == "padded" else "00"
    for completion in ("", "4x6", "-", "ones->4\nones->6", "RESULT\n12+34=", zeros, "-0", "4 6"):
        assert task.answer(prompt, completion) == completion


@by_format
def test_splits_are_disjoint_and_deterministic(task):
    rows = {split: first(task, split, 200) for split in SPLITS}
    keys = [{example.canonical for example in rows[split]} for split in SPLITS]
    assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])
    assert rows["test"] == first(task, "test", 200)
    assert rows["test"] != first(task, "test", 200, seed=1)


@pytest.mark.parametrize("symbol", PYTHON)
def test_both_orders_of_the_operands_share_a_split(symbol):
    task = Arithmetic(operation=OPERATIONS[symbol])
    for a, b in itertools.combinations(range(0, 900, 37), 2):
        one, other = task._example((a, b)), task._example((b, a))
        assert one.prompt != other.prompt and task.split_of(one) == task.split_of(other)


def test_lengths_are_drawn_independently_and_uniformly():
    task = Arithmetic(format="plain", min_digits=2, max_digits=4)
    counts = dict.fromkeys(("{}+{} digits".format(*p) for p in itertools.product((2, 3, 4), repeat=2)), 0)
    for example in first(task, "train", 3600):
        assert example.group == "+".join(str(len(n)) for n in re.findall(r"\d+", example.prompt)) + " digits"
        counts[example.group] += 1
    assert min(counts.values()) > 320 and max(counts.values()) < 480  # 400 each, four deviations


def test_groups_sort_as_text():
    groups = {example.group for example in first(Arithmetic(), "train", 2000)}
    numeric = sorted(groups, key=lambda group: tuple(map(int, re.findall(r"\d+", group))))
    assert numeric == sorted(groups) and len(groups) == 100


@pytest.mark.parametrize("text", ["", "9", "9+", "9+x", "1+2+3", "-1+2", "9-71421", "1 2+3", "²+1", "a=1+2"])
def test_what_is_no_question_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"9\+71421") as error:
        Arithmetic().prompt(text)
    assert "\n" not in str(error.value)


def test_other_spellings_of_the_symbols_are_read():
    assert Arithmetic(operation="multiplication").prompt("12 × 3") == "12*3="
    assert Arithmetic(operation="subtraction").prompt("12 − 3") == "12-3="


def test_few_questions_are_listed_once():
    task = Arithmetic(max_digits=2)
    listed = [list(task.questions(split)) for split in SPLITS]
    assert {e.prompt for rows in listed for e in rows} == {
        f"{a}+{b}=" for a in range(100) for b in range(100)
    }
    assert sum(map(len, listed)) == 10_000
    assert list(task.questions("test", seed=1)) != listed[2]
    numbers = Arithmetic(format="decomposition", min_digits=2, max_digits=2)
    assert sorted(int(e.prompt) for split in SPLITS for e in numbers.questions(split)) == list(range(10, 100))


@pytest.mark.parametrize(("held_out", "split"), [(0.0, "test"), (0.5, "train"), (1e-9, "validation")])
def test_an_empty_split_is_an_error_and_no_endless_loop(held_out, split):
    with pytest.raises(ValueError, match=f"held_out={held_out}"):
        Arithmetic(max_digits=1, held_out=held_out).examples(split)


def test_extra_questions_of_a_length_do_not_depend_on_the_other_lengths():
    both = list(itertools.islice(Arithmetic(extra_digits=(12, 200)).extra_questions("test"), 40))
    alone = list(itertools.islice(Arithmetic(extra_digits=(200,)).extra_questions("test"), 20))
    assert [example.prompt for example in both[1::2]] == [example.prompt for example in alone]


def test_selection_questions_have_the_validation_lengths_and_are_neither_trained_nor_tested_on():
    task = Arithmetic(max_digits=4, extra_digits=(7, 9), validation_digits=(6, 8))
    rows = list(itertools.islice(task.selection_questions(seed=3), 40))
    assert [example.group for example in rows] == ["6+6 digits", "8+8 digits"] * 20
    assert all(task.split_of(example) == "validation" for example in rows)
    assert len({example.key for example in rows}) == 40
    assert rows == list(itertools.islice(task.selection_questions(seed=3), 40))
    assert rows != list(itertools.islice(task.selection_questions(seed=4), 40))
    assert Arithmetic().selection_questions() is None


def test_extra_questions_have_the_extra_lengths_and_their_split():
    task = Arithmetic(extra_digits=(12, 20))
    rows = list(itertools.islice(task.extra_questions("test"), 40))
    assert [example.group for example in rows] == ["12+12 digits", "20+20 digits"] * 20
    assert len({example.prompt for example in rows}) == 40
    assert all(task.split_of(example) == "test" for example in rows)
    assert all(task.score(example, example.target)["exact_match"] for example in rows)
    assert rows == list(itertools.islice(task.extra_questions("test"), 40))
    assert list(Arithmetic().extra_questions("test")) == []


@pytest.mark.parametrize(("shortest", "longest", "digits"), [(1, 10, 5), (1, 3, 3), (7, 9, 7), (10, 10, 10)])
def test_sums_to_probe_have_a_length_that_is_trained_on(shortest, longest, digits):
    texts, labels, _ = Arithmetic(format="plain", min_digits=shortest, max_digits=longest).probed()
    operands = {len(number) for text in texts for number in text.partition("=")[0].split("+")}
    assert len(texts) > 100 and operands == {digits}
    assert len([name for name in labels if name.startswith("carry into")]) == digits


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_digits": 0}, "min_digits=0"),
        ({"min_digits": 11}, "min_digits=11"),
        ({"extra_digits": (10,)}, "extra_digits=10"),
        ({"operation": "subtraction", "format": "steps"}, "format=steps .* operation=subtraction"),
        ({"operation": "subtraction", "format": "decomposition"}, "format=decomposition"),
        ({"operation": "multiplication", "format": "padded"}, "use format=plain, reversed or partial"),
        ({"format": "partial"}, "format=partial .* operation=addition"),
        ({"operands": 1}, "operands=1"),
        (
            {"operands": 3, "format": "steps"},
            "operands=3 .*format=steps; use .*plain, reversed, padded, ones_first or ",
        ),
        ({"operands": 3, "operation": "multiplication"}, "operands=3 .*operation=multiplication"),
        ({"validation_digits": (9,)}, "validation_digits=9 must be above max_digits=10"),
        (
            {"validation_digits": (12, 15), "extra_digits": (15, 20)},
            "validation_digits and extra_digits share 15",
        ),
        ({"law": "balanced_carries", "operands": 3}, "law=balanced_carries .*operands=3"),
        ({"law": "balanced_carries", "operation": "subtraction"}, "operation=subtraction"),
        ({"law": "balanced_carries", "format": "decomposition"}, "format=decomposition"),
        ({"law": "balanced_carries", "max_digits": 1001}, "max_digits=1001 must be at most 1,000"),
        ({"min_difference": 10}, "min_difference=10 .* at most 9"),
        ({"min_difference": -1}, "min_difference=-1"),
        ({"min_difference": 1, "format": "decomposition"}, "min_difference=1 .* at most 0"),
        ({"min_difference": 3, "law": "uniform"}, "min_difference=3 .*law=uniform; use law=digits"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message) as error:
        Arithmetic(**settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [n for n in arithmetic.__all__ if n != "Arithmetic"])
def test_experiments_fit_their_model_and_survive_json(name):
    experiment = getattr(arithmetic, name)()
    assert from_json(Experiment, to_json(experiment)) == experiment
    task = experiment.task
    longest = first(task, "train", 500) + list(itertools.islice(task.extra_questions("test"), 30))
    texts = [example.prompt + example.target for example in longest]
    ids = tokenizers.build(experiment.tokenizer, lambda: iter(texts)).encode_batch(texts)
    # The begin token is read with them; the end token is predicted and never read.
    assert max(map(len, ids)) + 1 <= experiment.model.max_length
    assert all(task.prompt(text) for text in task.sample_prompts)


def test_the_task_is_found_by_name():
    assert Task.named("arithmetic") is Arithmetic and Arithmetic.kind() == "arithmetic"
    assert dataclasses.replace(Arithmetic(), max_digits=3).max_digits == 3
