"""Strings written from both ends: put back they are what was drawn; rules, splits and maps see strings."""

import dataclasses
import itertools
import random
import string

import numpy as np
import pytest

from jaxgpt.core.fields import from_json, to_json
from jaxgpt.lab import Attention, PlaceMap
from jaxgpt.task import Example, Task
from tasks.strings import Strings
from tasks.strings.rules.equal import Equal
from tasks.strings.rules.grid import Grid
from tasks.strings.rules.parity import Parity
from tasks.strings.writing_order import FARTHEST, EndsFirst, Turned, TurnedCounted

FORWARD = Strings(rule=Equal(pairs=("1=-3",), shortest=6, longest=9))
ENDS = dataclasses.replace(FORWARD, order="ends_first")
TURNED = dataclasses.replace(FORWARD, order="turned", turn=4)
COUNTED = dataclasses.replace(FORWARD, order="turned_counted", turn=4)


def of_symbols(task, alphabet):
    return dataclasses.replace(task, rule=dataclasses.replace(task.rule, alphabet=alphabet))


def first(task, split, count):
    return list(itertools.islice(task.examples(split), count))


def by_turns(text):
    """The same by taking from both ends of a list."""
    left, found = list(text), []
    while left:
        found.append(left.pop(0))
        if left:
            found.append(left.pop())
    return "".join(found)


def test_symbols_are_taken_from_both_ends_by_turns_and_put_back():
    for length in range(1, 30):
        text = string.printable[:length]
        assert EndsFirst().write(text) == by_turns(text)
        assert EndsFirst().read(by_turns(text)) == text
    assert EndsFirst().read("") == EndsFirst().write("") == ""


def test_symbols_behind_the_turn_are_taken_from_the_end():
    assert Turned(3).write("abcdefg") == "abcgfed" and Turned(3).read("abcgfed") == "abcdefg"
    assert Turned(3).write("abc") == "abc" and Turned(3).write("a") == "a"
    for task, text in ((TURNED, "01101001"), (TURNED, "011010")):
        example = task.typed(text)
        assert example.target == text[:4] + text[:3:-1] and example.canonical == text
        assert task.answer("", example.target) == text
        assert task.score(example, example.target) == FORWARD.score(FORWARD.typed(text), text)
    assert "the first 4 symbols, then the others from the last one back" in TURNED.notes()


def test_symbols_before_the_turn_tell_their_place_from_the_end():
    order, places = TurnedCounted(4), {}
    for length in range(30):
        for text in (string.ascii_letters[:length], ("~!" * 15)[:length]):
            written = order.write(text)
            assert len(written) == length and order.read(written) == text
            for at, symbol in enumerate(written[:4]):
                counted = length - at <= 4  # among the last four, too
                assert counted != symbol.isascii()
                if counted:
                    assert places.setdefault(symbol, (text[at], length - at)) == (text[at], length - at)
            assert written[4:] == text[4:][::-1]
    assert len(set(places.values())) == len(places) > 8  # another symbol for each symbol and place
    most = TurnedCounted(FARTHEST)
    assert most.read(most.write("~" * FARTHEST)) == "~" * FARTHEST
    for text in ("01101001", "011010"):
        example = COUNTED.typed(text)
        assert example.target == order.write(text) and example.canonical == text
        assert COUNTED.answer("", example.target) == text
        assert COUNTED.score(example, example.target) == FORWARD.score(FORWARD.typed(text), text)
    assert "the last 4 are written with their place from the end" in COUNTED.notes()
    assert COUNTED.yardsticks() == TURNED.yardsticks()  # as many symbols, and no choice more


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("order", [EndsFirst(), Turned(4), Turned(20), TurnedCounted(4)])
def test_each_written_symbol_has_the_name_of_its_place(base, order):
    text = string.ascii_letters[:11]
    for written, name in zip(order.write(text), order.names(11, base), strict=True):
        place = int(name)
        assert text[place if place < 0 else place - base] == written


def test_the_same_strings_are_of_each_split_in_both_orders():
    for split in ("train", "test"):
        plain, turned = first(FORWARD, split, 200), first(ENDS, split, 200)
        assert [e.target for e in turned] == [by_turns(e.target) for e in plain]
        assert [e.canonical for e in turned] == [e.target for e in plain]
        assert all(ENDS.split_of(ENDS.typed(e.target)) == split for e in plain)
    assert set(ENDS.forms()) == set(FORWARD.forms())


def test_what_is_written_is_put_back_before_it_is_judged_and_shown():
    asked, rng = first(ENDS, "test", 1)[0], random.Random(3)
    texts = ["".join(rng.choices("01", k=rng.randint(4, 11))) for _ in range(400)]
    train = [ENDS.typed(text) for text in texts[:100]]
    for text in texts:
        written = by_turns(text)
        right = 6 <= len(text) <= 9 and text[1] == text[-3]
        assert ENDS.score(asked, written) == {"exact_match": right}
        assert ENDS.diagnose(asked, written) == FORWARD.diagnose(asked, text)
        assert ENDS.answer("", written) == text
    plain = FORWARD.summary([(asked, text) for text in texts], [Example("", text) for text in texts[:100]])
    assert ENDS.summary([(asked, by_turns(text)) for text in texts], train) == plain
    assert plain["new strings"].value < 1
    assert "the first symbol, the last" in ENDS.notes() and "order" not in FORWARD.notes()
    assert from_json(Task, to_json(ENDS)) == ENDS


def test_places_of_a_map_are_called_what_they_are_in_the_string():
    plain, turned = FORWARD.attended(), ENDS.attended()
    assert turned.texts == tuple(map(by_turns, plain.texts)) and plain.names == ()
    count = turned.length
    assert turned.names == EndsFirst().names(count, 0)
    row, column = turned.names.index("-3"), turned.names.index("1")
    looks_at = np.zeros(count + 1, int)
    looks_at[row] = column + 1
    weights = np.eye(count + 1)[looks_at][None, None, None]
    found = PlaceMap(Attention(("x",) * (count + 1), (7,), weights, 9), called=turned.names)
    assert "Place -3 looks at place 1 most" in found.summary()
    figure = found.plot()
    assert "in the order of writing" in figure.get_supxlabel() and "writing" in figure.get_supylabel()
    panel = figure.axes[0]
    for axis, names in ((panel.xaxis, found.names[1]), (panel.yaxis, found.names[0])):
        told = [label.get_text() for label in axis.get_ticklabels()]
        assert told == [names[int(at)] for at in axis.get_ticklocs()] and len(told) > 2
    long = PlaceMap(
        Attention(("x",) * 101, (7,), np.eye(101)[None, None, None], 9), called=EndsFirst().names(100, 0)
    )
    told = [label.get_text() for label in long.plot().axes[0].xaxis.get_ticklabels()][1:]
    assert {int(name) < 0 for name in told} == {True, False}  # places from both ends are named
    assert any("in the order of writing" in block.caption for block in found.blocks()[:1])


def test_a_board_written_from_both_ends_is_drawn_as_places_alone():
    task = Strings(rule=Grid(rows=3, columns=4, distances=(2,)), order="ends_first")
    assert task.attended().board is None and len(task.attended().names) == 12


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Strings(rule=Parity(), order="ends_first"), ("order=ends_first", "rule=parity", "asks")),
        (lambda: dataclasses.replace(FORWARD, order="turned"), ("turn=0", "order=turned", "at least 1")),
        (lambda: dataclasses.replace(ENDS, turn=3), ("turn=3", "order=ends_first")),
        (lambda: dataclasses.replace(TURNED, turn=-3), ("turn=-3", "order=turned")),
        (lambda: dataclasses.replace(COUNTED, turn=1395), ("turn=1395", "at most 1,394")),
        (lambda: dataclasses.replace(COUNTED, turn=0), ("turn=0", "order=turned_counted", "at least 1")),
        (
            lambda: first(of_symbols(COUNTED, "0é"), "train", 9),
            ("order=turned_counted", "'é'", "its place", "order turned"),
        ),
        (lambda: ENDS.prompt("01"), ("task.order=ends_first", "'01'", "empty")),
        (lambda: dataclasses.replace(FORWARD.attended(), names=("0",)), ("1 names", "symbols")),
        (
            lambda: dataclasses.replace(
                Strings(rule=Grid(rows=1, columns=2, distances=(1,))).attended(), names=("0", "1")
            ),
            ("names", "board"),
        ),
    ],
)
def test_what_another_order_cannot_do_is_refused_in_one_line(make, words):
    with pytest.raises(ValueError) as error:
        make()
    message = str(error.value)
    assert "\n" not in message and all(word in message for word in words), message
    assert ENDS.prompt("") == "" and FORWARD.prompt("01") == "01"
