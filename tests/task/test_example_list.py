"""Examples in little memory, against a list of them."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxgpt.task import Example, example_list, shuffled
from jaxgpt.task.example_list import ExampleList, first_shuffled

EXAMPLES = st.lists(st.builds(Example, *[st.text(max_size=3)] * 4), max_size=9)
BOUNDS = st.none() | st.integers(-12, 12)


@pytest.fixture(autouse=True)
def few_together(monkeypatch):
    monkeypatch.setattr(example_list, "_TOGETHER", 2)


@settings(max_examples=300)
@given(EXAMPLES, BOUNDS, BOUNDS, st.none() | st.sampled_from([-3, -1, 1, 2]))
def test_it_is_the_list_that_it_was_made_from(examples, start, stop, step):
    found = ExampleList(iter(examples))
    assert (len(found), list(found)) == (len(examples), examples)
    assert found[start:stop:step] == examples[start:stop:step]
    assert [found[i] for i in range(-len(examples), len(examples))] == examples * 2


def test_beyond_its_end_is_nothing():
    with pytest.raises(IndexError):
        ExampleList([Example("a", "b")])[1]


def test_examples_of_a_class_of_ones_own_stay_what_they_are():
    @dataclasses.dataclass(frozen=True)
    class Weighed(Example):
        weight: float = 1.0

    examples = [Example("a", "b"), Example("c", "d"), Weighed("e", "f", weight=2.0)]
    assert list(ExampleList(examples)) == examples and ExampleList(examples)[2].weight == 2.0


def test_text_comes_back_as_it_was():
    odd = Example("\ud800\x00\n", '"\\é\U0001f600', "", "\x1f")
    assert list(ExampleList([odd])) == [odd]


@given(EXAMPLES, st.integers(0, 3), st.integers(0, 12))
def test_the_first_of_an_order_are_those_of_the_whole(examples, seed, count):
    assert first_shuffled(ExampleList(examples), seed, count) == list(shuffled(examples, seed))[:count]


def test_many_digits_take_less_than_their_text(monkeypatch):
    monkeypatch.undo()
    examples = [
        Example(f"{n}=", f"{n * n}:{n + 1} {n + 2}/{n * 7}", "5 digits", str(n)) for n in range(9000, 14000)
    ]
    written = sum(len(e.prompt + e.target + e.group + e.key) for e in examples)
    assert sum(map(len, ExampleList(examples)._parts)) < written / 2
