"""Loops that draw until they find: said after seconds, ended in one line, and no matter for what is found."""

import dataclasses
import itertools
import random

import pytest

from jaxgpt.evaluation.few_shot import FewShot
from jaxgpt.evaluation.questions import distinct
from jaxgpt.task import Example, Task, searching
from jaxgpt.task.searching import Search
from tasks.arithmetic.task import Arithmetic
from tasks.base_conversion import BaseConversion
from tasks.comparison import Comparison
from tasks.magic_squares.task import MagicSquares
from tasks.strings.rules.equal import Equal
from tasks.strings.rules.marked import Marked
from tasks.strings.rules.solve_equation import SolveEquation
from tasks.strings.trial import check_enough


@dataclasses.dataclass(frozen=True)
class Few(Task):
    """Numbers below `count`."""

    count: int = 1000

    def example(self, rng):
        return Example(str(rng.randrange(self.count)), "")


@dataclasses.dataclass(frozen=True)
class Shown(FewShot):
    """A task with one example to show, to which nothing can be added."""

    def example(self, rng):
        return Example("1", "1")


class Clock:
    """One second passes at each look at it."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def monotonic(self):
        self.now += self.step
        return self.now


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(searching, "time", Clock(1.0))


LOOPS = {
    "examples": lambda: next(Few(held_out=1e-9).examples("test")),
    "different questions": lambda: distinct(Few(count=30).examples("train"), 1000),
    "strings of a rule": lambda: check_enough(SolveEquation(shortest=3, longest=3), 1000),
    "shots": lambda: Shown(shots=3).prompt("7"),
    "extra questions": lambda: next(
        Arithmetic(max_digits=3, extra_digits=(9,), held_out=1e-9).extra_questions("test")
    ),
    "lengths apart": lambda: list(
        itertools.islice(Arithmetic(max_digits=4, min_difference=3).questions("test"), 10_000)
    ),
    "numbers that differ": lambda: next(
        Comparison(numbers="integers", min_count=100, max_count=100, max_digits=2, max_places=2).examples(
            "train"
        )
    ),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_every_search_says_so_and_ends_in_one_line(loop, hurried, capsys):
    with pytest.raises(ValueError) as error:
        LOOPS[loop]()
    message = str(error.value)
    assert "s of searching" in message and "; " in message and "\n" not in message
    said = capsys.readouterr().err.splitlines()
    assert len(said) >= 1 and all(line.startswith("searching for ") for line in said)


def test_a_loop_in_a_task_has_a_way_out_that_names_a_field(hurried):
    with pytest.raises(ValueError, match=r"change task\.held_out=1e-09"):
        LOOPS["examples"]()


def test_what_is_found_does_not_depend_on_the_clock(monkeypatch, capsys):
    found = []
    for step in (0.0, 0.02):
        monkeypatch.setattr(searching, "time", Clock(step))
        found.append(list(itertools.islice(Few().examples("test"), 300)))
    assert found[0] == found[1]
    assert "searching for test examples" in capsys.readouterr().err


def test_who_uses_what_is_found_is_not_counted(monkeypatch, capsys):
    clock = Clock(0.0)
    monkeypatch.setattr(searching, "time", clock)
    search = Search("things", "look elsewhere")
    for _ in range(10):
        search.missed()
        search.found()
        clock.now += 1000.0
    assert capsys.readouterr().err == ""


def test_a_task_that_can_count_does_so_first(hurried):
    for task in (BaseConversion(held_out=1e-6), Arithmetic(max_digits=1, held_out=1e-6)):
        with pytest.raises(ValueError, match="leaves no test"):
            next(task.examples("test"))


#: Fields of every task without an end under which it has few different examples.
TINY = {
    "adder_board": [{"max_digits": 1}, {"max_digits": 2}],
    "arithmetic": [
        {"max_digits": 1},
        {"max_digits": 2, "min_digits": 2},
        {"max_digits": 1, "operands": 3},
        {"format": "decomposition", "max_digits": 2},
    ],
    "base_conversion": [{"max_digits": 2}, {"from_base": 3, "to_base": 9, "min_digits": 1}],
    "comparison": [
        {"numbers": "integers", "max_digits": 1, "max_count": 3},
        {"numbers": "decimals", "max_digits": 1, "max_places": 1},
        {"numbers": "decimals", "max_digits": 1, "max_places": 1, "trailing_zeros": False},
        {"max_digits": 1, "max_places": 1},
    ],
    "decimals": [
        {"max_digits": 1, "min_exponent": 0, "max_exponent": 0},
        {"operation": "division", "max_digits": 1, "min_exponent": -1, "max_exponent": 1},
        {"format": "worked", "max_digits": 1, "min_exponent": 0, "max_exponent": 1},
    ],
    "fractions": [
        {"operation": "simplification", "max_term": 9},
        {"max_term": 4},
        {"operation": "product", "max_term": 5},
    ],
    "gcd": [{"max_operand": 100, "max_outcome": 1}, {"max_operand": 200, "max_outcome": 2}],
    "gpt3_arithmetic": [{"subtasks": ("arithmetic_1dc",)}, {"subtasks": ("arithmetic_2da",)}],
    "in_context": [{"shots": 1, "asked": (0, 1)}],
    "matrices": [
        {"min_size": 1, "max_size": 1},
        {"min_size": 1, "max_size": 2, "max_entry": 1, "operation": "product"},
        {"min_size": 1, "max_size": 2, "max_entry": 1, "operation": "transpose"},
        {"max_size": 2, "max_entry": 2, "operation": "trace"},
        {"max_size": 2, "max_entry": 2, "operation": "determinant"},
    ],
    "sorting": [{"max_items": 2, "max_digits": 1}, {"max_items": 2, "max_digits": 2}],
    "strings": [
        {"rule": Equal(pairs=("0=2",), shortest=3, longest=4)},
        {"rule": Marked(shortest=3, longest=4)},
    ],
}


def test_every_task_without_an_end_has_fields_that_leave_few_examples():
    assert set(TINY) == {name for name in Task.names() if Task.named(name).endless}


@pytest.mark.parametrize(
    "name, fields", [(name, fields) for name, several in TINY.items() for fields in several], ids=str
)
def test_every_task_counts_its_examples_where_they_are_few(hurried, name, fields):
    task = Task.named(name)(**fields)
    forms = set(task.forms())
    rng = random.Random(0)
    drawn = {task.example(rng).canonical for _ in range(10_000)}
    assert drawn <= forms and len(forms) <= 100_000
    if len(forms) < 300:
        assert drawn == forms
    for split in ("train", "validation", "test"):
        none = dataclasses.replace(task)
        none.__dict__["split_of"] = lambda example, split=split: "test" if split != "test" else "train"
        with pytest.raises(ValueError, match=f"leaves no {split} examples of the few"):
            next(none.examples(split))


LARGE = {
    "adder_board": {"max_digits": 1000},
    "strings": {},
    "arithmetic": {"max_digits": 1000},
    "base_conversion": {"max_digits": 1000},
    "decimals": {"max_digits": 100},
    "comparison": {"max_digits": 1000, "max_places": 1000, "max_count": 1000},
    "fractions": {"max_term": 10**30},
    "gcd": {"max_operand": 10**30},
    "gpt3_arithmetic": {},
    "in_context": {"rules": "words"},
    "matrices": {"max_size": 1000},
    "sorting": {"max_items": 10**6, "max_digits": 1000},
}


@pytest.mark.parametrize("name", TINY)
def test_a_task_with_many_examples_lists_none(name):
    assert Task.named(name)(**LARGE[name]).forms() is None
    assert Task.named(name)().forms() is None or name == "base_conversion"


def test_drills_end_too(hurried):
    task = MagicSquares(format="checked", drills=1)
    object.__setattr__(task, "_split_of", lambda centre: "test")
    with pytest.raises(ValueError, match=r"set task\.drills=0"):
        task._drill(0)
