"""Loops that draw until they find: said after seconds, ended in one line, and no matter for what is found."""

import dataclasses
import itertools

import pytest

from jaxgpt import searching
from jaxgpt.evaluation.questions import distinct
from jaxgpt.few_shot import FewShot
from jaxgpt.searching import Search
from jaxgpt.task import Example, Task
from tasks.arithmetic.task import Arithmetic
from tasks.base_conversion import BaseConversion
from tasks.comparison import Comparison
from tasks.magic_squares.task import MagicSquares


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


def test_drills_end_too(hurried):
    task = MagicSquares(format="checked", drills=1)
    object.__setattr__(task, "_split_of", lambda centre: "test")
    with pytest.raises(ValueError, match=r"set task\.drills=0"):
        task._drill(0)
