"""The squares, the layouts and the task."""

import dataclasses
import itertools
import random

import numpy as np
import pytest
from variants import seldom

from jaxgpt.core.fields import from_json, to_json
from jaxgpt.task import SPLITS, Task
from jaxgpt.training.experiment import Experiment
from tasks import magic_squares
from tasks.magic_squares import MagicSquares
from tasks.magic_squares.squares import LINES, SYMMETRIES, cells, is_prime, prime_flags, squares, triple

SMALL = MagicSquares(limit=1000)
DOCUMENT = MagicSquares(format="matrix", rule="document", limit=100_000)

# Matrix 3984 as the source document shows it, its first column and diagonal sums included.
MATRIX_3984 = """38047 34381 42073
42193 38167 34141
34261 41953 38287

Sum of rows
38047+34381+42073=114501
42193+38167+34141=114501
34261+41953+38287=114501

Sum of columns
38047+42193+34261=114501
34381+38167+41953=114501
42073+34141+38287=114501

Sum of diagonals
38047+38167+38287=114501
34261+38167+42073=114501
###"""


def primes_by_division(limit):
    return {n for n in range(2, limit) if all(n % p for p in range(2, int(n**0.5) + 1))}


def squares_by_search(limit):
    """Every 3x3 magic square of different primes below `limit`, as the set of its turned forms' least.

    Chooses the centre and two corners; all other entries follow from the sums.
    """
    primes, found = primes_by_division(limit), set()
    for e in primes:
        for a, c in itertools.product([p for p in primes if 2 * e - p in primes], repeat=2):
            b, d = 3 * e - a - c, e - a + c
            square = (a, b, c, d, e, 2 * e - d, 2 * e - c, 2 * e - b, 2 * e - a)
            if len(set(square)) == 9 and primes.issuperset(square):
                assert {sum(square[i] for i in line) for line in LINES} == {3 * e}
                found.add(min(tuple(square[i] for i in turn) for turn in SYMMETRIES))
    return found


@pytest.mark.parametrize("limit", [100, 200, 500])
def test_squares_are_those_of_an_exhaustive_search(limit):
    listed = [cells(*row) for row in squares(2, limit, "all").tolist()]
    ours = [min(tuple(square[i] for i in turn) for turn in SYMMETRIES) for square in listed]
    assert set(ours) == squares_by_search(limit) and len(ours) == len(set(ours))


COUNTS = [  # a published table: entries from, below, squares, centres
    (2, 200, 5, 5),
    (2, 500, 40, 29),
    (2, 1000, 159, 79),
    (2, 10_000, 15_817, 1053),
    (1000, 10_000, 8364, 829),
    pytest.param(10_000, 100_000, 1_125_997, 7930, marks=pytest.mark.thorough),
    pytest.param(2, 100_000, 1_953_859, 9282, marks=pytest.mark.thorough),
]


@pytest.mark.parametrize(("min_entry", "limit", "count", "centres"), COUNTS)
def test_counts(min_entry, limit, count, centres):
    rows = squares(min_entry, limit, "all")
    assert (len(rows), len(np.unique(rows[:, 0]))) == (count, centres)
    smallest, largest = rows[:, 0] - rows[:, 1] - rows[:, 2], rows.sum(axis=1)
    assert smallest.min() >= min_entry and largest.max() < limit


def test_the_smallest_sum_is_177():
    assert min(3 * centre for centre in squares(2, 200, "all")[:, 0]) == 177


def test_primes():
    primes = primes_by_division(2000)
    assert set(np.flatnonzero(prime_flags(2000)).tolist()) == primes
    assert {n for n in range(2000) if is_prime(n)} == primes
    assert is_prime(2**61 - 1) and not is_prime((2**31 - 1) * (2**19 - 1)) and not is_prime(3215031751)


def test_symmetries_keep_the_triple_and_the_magic():
    square = cells(59, 42, 12)
    turned = {tuple(square[i] for i in turn) for turn in SYMMETRIES}
    assert len(turned) == 8 and {triple(t) for t in turned} == {(59, 42, 12)}
    assert all(sum(t[i] for i in line) == 177 for t in turned for line in LINES)


@pytest.mark.parametrize(
    ("number", "square"),
    [
        (1817, (15889, 8887, 23143, 23227, 15973, 8719, 8803, 23059, 16057)),
        (1819, (15809, 13883, 18311, 18503, 16001, 13499, 13691, 18119, 16193)),
        (3984, (38047, 34381, 42073, 42193, 38167, 34141, 34261, 41953, 38287)),
        (3985, (38153, 14891, 61487, 61511, 38177, 14843, 14867, 61463, 38201)),
        # Seen only through their sums: 15881+21863+10169 of Matrix 1816, 30893+38153+45413 of Matrix 3983.
        (1816, (15881, 10259, 21773, 21863, 15971, 10079, 10169, 21683, 16061)),
        (3983, (38069, 30977, 45413, 45497, 38153, 30809, 30893, 45329, 38237)),
    ],
)
def test_the_squares_that_the_document_shows_are_regenerated(number, square):
    assert cells(*squares(2, 100_000, "document")[number - 1].tolist()) == square


def test_the_document_keeps_the_first_square_of_each_centre():
    every = squares(2, 2000, "all")
    _, first = np.unique(every[:, 0], return_index=True)
    assert (squares(2, 2000, "document") == every[first][4:]).all()


def test_the_text_of_the_document():
    example = DOCUMENT._example(3983, 0)
    assert (example.prompt, example.target) == ("Matrix 3984\n", MATRIX_3984)
    # What the document's model wrote for `Matrix 5001`: that square, with wrong sums.
    copied = MATRIX_3984.replace("114501", "129401")
    assert DOCUMENT.score(example, copied)["exact_match"] == 0
    measures = DOCUMENT.summary([(example, copied)], [example])
    expected = {"parses": 1, "prime_entries": 1, "true_sums": 0, "copied": 1, "valid": 0}
    assert {name: measures[name].value for name in expected} == expected


def test_the_compact_layout():
    task = MagicSquares(limit=200)
    (example,) = [e for e in (task._example(row, 0) for row in range(5)) if e.key == "59"]
    assert example.prompt == "59="
    assert example.target == "12 42:47 29 101/113 59 5/17 89 71=177"
    assert task.answer(example.prompt, example.target) == "47 29 101\n113 59 5\n17 89 71\nsum 177"


@pytest.mark.parametrize("task", [SMALL, dataclasses.replace(SMALL, format="matrix")], ids=lambda t: t.format)
def test_targets_are_accepted_and_near_misses_are_not(task):
    rng = random.Random(0)
    for example in itertools.islice(task.examples("train"), 20):
        assert task.score(example, example.target)["exact_match"] == 1
        text = example.target
        digits = [i for i, character in enumerate(text) if character.isdigit()]
        if task.format == "compact":  # the differences are help, not part of the square
            digits = [i for i in digits if i > text.index(":")]
        at = rng.choice(digits)
        changed = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
        for completion in (changed, text[:-1], text + "0", text + "\n", " " + text, ""):
            assert task.score(example, completion)["exact_match"] == 0, completion


def test_the_centre_asked_for_counts_and_any_square_of_it_will_do():
    examples = list(dataclasses.replace(SMALL, orientations=8).examples("train"))
    one = examples[0]
    same = next(e for e in examples if e.prompt == one.prompt and e.target != one.target)
    other = next(e for e in examples if e.prompt != one.prompt)
    assert SMALL.score(one, same.target)["exact_match"] == 1
    assert SMALL.score(one, other.target)["exact_match"] == 0


@pytest.mark.parametrize("task", [SMALL, dataclasses.replace(SMALL, orientations=8), DOCUMENT])
def test_splits_are_disjoint_complete_and_deterministic(task):
    rows = [list(task.examples(split)) for split in SPLITS]
    keys = [{example.key for example in split} for split in rows]
    assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])
    assert all(task.split_of(e) == split for split, part in zip(SPLITS, rows, strict=True) for e in part)
    every = [example.prompt + example.target for part in rows for example in part]
    assert (
        len(set(every))
        == len(every)
        == task.orientations * len(squares(task.min_entry, task.limit, task.rule))
    )
    assert rows[0] == list(task.examples("train")) != list(task.examples("train", seed=1))
    asked = [example.prompt for example in task.questions("test")]
    assert len(asked) == len(set(asked)) and set(asked) == {e.prompt for e in rows[2]}


@pytest.mark.parametrize("text", ["Matrix", "5 9", "-59", "magic", "5.9", "Matrix x"])
@pytest.mark.parametrize(("task", "hint"), [(SMALL, "such as 59"), (DOCUMENT, "such as Matrix 3984")])
def test_what_is_no_question_is_refused_with_an_example(task, hint, text):
    with pytest.raises(ValueError, match=hint) as error:
        task.prompt(text)
    assert "\n" not in str(error.value)


def test_questions_that_people_type():
    assert {SMALL.prompt(text) for text in ("59", " 59 ", "059", "59=")} == {"59="}
    assert {DOCUMENT.prompt(text) for text in ("5001", "Matrix 5001", " matrix  5001\n")} == {"Matrix 5001\n"}
    assert SMALL.answer("59=", "no square") == "no square"
    assert DOCUMENT.answer("Matrix 3984\n", MATRIX_3984) == MATRIX_3984.removesuffix("\n###")


def test_ranges_without_squares_are_refused():
    with pytest.raises(ValueError, match=r"min_entry=2000 .* limit=1000"):
        MagicSquares(min_entry=2000, limit=1000)
    with pytest.raises(ValueError, match=r"limit=20 .* held_out=0.1"):
        MagicSquares(limit=20).examples("train")
    with pytest.raises(ValueError, match=r"held_out=0.0 .* test"):
        MagicSquares(limit=1000, held_out=0.0).examples("test")


@pytest.mark.parametrize(
    "name", seldom(["magic_squares", "magic_squares_document", "magic_squares_five"], ("magic_squares",))
)
def test_experiments_fit_their_model_and_survive_json(name):
    experiment = getattr(magic_squares, name)()
    assert from_json(Experiment, to_json(experiment)) == experiment
    if name == "magic_squares_five":  # nine million examples; all numbers have at most five digits
        longest = len("12345=12345 12345:" + "/".join(["12345 12345 12345"] * 3) + "=123456")
    else:
        longest = max(len(e.prompt + e.target) for split in SPLITS for e in experiment.task.examples(split))
    assert longest + 2 <= experiment.model.max_length
    assert all(experiment.task.prompt(text) for text in experiment.task.sample_prompts)


def test_the_task_is_found_by_name():
    assert Task.named("magic_squares") is MagicSquares and MagicSquares.kind() == "magic_squares"
