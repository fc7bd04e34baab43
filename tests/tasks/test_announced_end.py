"""Strings whose last symbols announce the end: read back they are what was drawn, and judged as that."""

import dataclasses
import itertools
import random
import unicodedata

import pytest

from jaxgpt.core.fields import from_json, to_json
from jaxgpt.task import Example, Task
from tasks.strings import Strings
from tasks.strings.announced_end import announce, plain
from tasks.strings.rules.equal import Equal
from tasks.strings.rules.fibonacci import Fibonacci
from tasks.strings.rules.grid import Grid
from tasks.strings.rules.parity import Parity

FORWARD = Strings(rule=Equal(pairs=("1=-3",), shortest=6, longest=9))
TOLD = dataclasses.replace(FORWARD, announced=3)


def first(task, split, count):
    return list(itertools.islice(task.examples(split), count))


def test_the_last_symbols_are_other_characters_that_unicode_calls_the_same():
    text = "".join(map(chr, range(0x21, 0x7F)))
    for count in (1, 5, len(text), len(text) + 9):
        written = announce(text, count)
        assert len(written) == len(text) and unicodedata.normalize("NFKC", written) == text
        changed = [place for place, (a, b) in enumerate(zip(text, written, strict=True)) if a != b]
        assert changed == list(range(len(text)))[-count:]
        assert plain(written) == text
    assert announce("01", 0) == "01"


def test_the_same_strings_are_of_each_split_with_their_ends_announced():
    for split in ("train", "test"):
        bare, told = first(FORWARD, split, 100), first(TOLD, split, 100)
        assert [e.canonical for e in told] == [e.target for e in bare]
        for one, other in zip(bare, told, strict=True):
            assert other.target[:-3] == one.target[:-3] and set(other.target[-3:]) <= set("０１")
            assert unicodedata.normalize("NFKC", other.target) == one.target
            assert TOLD.split_of(TOLD.typed(one.target)) == split


def test_what_is_written_is_read_as_a_string_wherever_its_end_is_announced():
    rng, asked = random.Random(5), first(TOLD, "test", 1)[0]
    texts = ["".join(rng.choices("01", k=rng.randint(4, 11))) for _ in range(300)]
    written = [announce(text, rng.randint(0, 5)) for text in texts]
    for text, seen in zip(texts, written, strict=True):
        right = 6 <= len(text) <= 9 and text[1] == text[-3]
        assert TOLD.score(asked, seen) == {"exact_match": right}
        assert TOLD.diagnose(asked, seen) == FORWARD.diagnose(asked, text)
        assert TOLD.answer("", seen) == text
    found = TOLD.summary([(asked, seen) for seen in written], [TOLD.typed(text) for text in texts[:50]])
    assert found == FORWARD.summary([(asked, text) for text in texts], [Example("", t) for t in texts[:50]])
    assert TOLD.prompt("01") == "01" and "3 symbols" in TOLD.notes()
    assert from_json(Task, to_json(TOLD)) == TOLD


def test_maps_are_over_what_the_model_reads_in_places_that_stay():
    bare, told = FORWARD.attended(), TOLD.attended()
    assert told.names == () and told.texts == tuple(announce(text, 3) for text in bare.texts)
    board = Strings(rule=Grid(rows=3, columns=4, distances=(2,)), announced=2).attended()
    assert board.board == (3, 4)
    lines = Strings(rule=Fibonacci(), announced=4)
    assert lines.rule.check(lines.answer("", first(lines, "test", 1)[0].target)) is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Strings(announced=-1), ("announced=-1",)),
        (lambda: Strings(announced=3, order="ends_first"), ("announced=3", "order=ends_first")),
        (lambda: Strings(announced=3, rule=Parity()), ("announced=3", "rule=parity", "no questions")),
        (lambda: announce("0１", 1), ("0１", "full-width")),
    ],
)
def test_an_end_that_cannot_be_announced_is_refused_in_one_line(make, words):
    with pytest.raises(ValueError) as error:
        make()
    message = str(error.value)
    assert "\n" not in message and all(word in message for word in words), message
