"""Constructions: conflicts against the verifiers, optima by exhaustion, texts both ways, symmetries."""

import itertools

import numpy as np
import pytest

from tasks.constructions import Problem

#: A small size of each problem, and one that is solved by exhaustion; every problem must stand here.
SMALL = {"c4_free": (5, 5), "cap_sets": (2, 2), "isosceles": (4, 4), "no_three": (4, 3)}
SMALL |= {"rectangles": (3, 4), "sidon": (12, 17)}


def problem(name: str, n: int) -> Problem:
    return Problem.named(name)(n=n)


def test_every_problem_is_tested():
    assert sorted(SMALL) == Problem.names()


@pytest.mark.parametrize("name", SMALL)
def test_conflicts_are_the_sets_that_the_verifier_refuses_as_a_whole(name):
    small = problem(name, SMALL[name][0])
    some = (c for size in range(5) for c in itertools.combinations(range(small.size()), size))
    refused = [chosen for chosen in some if chosen in small.verify(chosen)]
    rows = small.conflicts()
    assert sorted(tuple(int(e) for e in row if e >= 0) for row in rows) == sorted(refused)
    assert all(e >= 0 for row in rows for e in row[:2])


@pytest.mark.parametrize("name", SMALL)
def test_the_verifier_finds_all_conflicts_of_a_large_set(name):
    """Of random sets, whatever the size; the table's conflicts are those of the test above."""
    small = problem(name, SMALL[name][0])
    drawn = np.random.default_rng(0).random((20, small.size())) < 0.6
    for row in drawn:
        chosen = frozenset(np.flatnonzero(row).tolist())
        expected = [c for c in small.conflicts() if chosen.issuperset(e for e in c.tolist() if e >= 0)]
        broken = small.verify(chosen)
        assert len(broken) == len(set(broken)) == len(expected)


def largest(rule: Problem) -> int:
    """By branching on every element, without a bound but that of the remaining ones."""
    best = 0

    def extend(chosen: tuple[int, ...], element: int) -> None:
        nonlocal best
        best = max(best, len(chosen))
        if len(chosen) + rule.size() - element <= best:
            return
        if not rule.verify((*chosen, element)):
            extend((*chosen, element), element + 1)
        extend(chosen, element + 1)

    extend((), 0)
    return best


@pytest.mark.parametrize(
    ("name", "n"), [(name, n) for name, (_, most) in SMALL.items() for n in range(2, most + 1)]
)
def test_the_best_known_score_is_that_of_exhaustive_search(name, n):
    rule = problem(name, n)
    assert rule.best_known() == largest(rule)


@pytest.mark.parametrize("name", SMALL)
def test_a_text_is_read_as_the_set_that_was_written(name):
    rule = Problem.named(name)()
    for row in np.random.default_rng(1).random((5, rule.size())) < [[0.0], [0.1], [0.5], [0.9], [1.0]]:
        chosen = frozenset(np.flatnonzero(row).tolist())
        assert rule.read(rule.write(chosen)) == chosen
        assert rule.score(chosen) == row.sum() == rule.write(chosen).count("1")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("isosceles", "row 1, column 3"),
        ("no_three", "row 1, column 3"),
        ("rectangles", "row 1, column 3"),
        ("cap_sets", "point 0002"),
        ("c4_free", "edge 1-4"),
        ("sidon", "number 3"),
    ],
)
@pytest.mark.parametrize("wrong", ["x", "\n", "２", "\x1b"])
def test_a_text_that_is_no_set_is_refused_with_its_place(name, place, wrong):
    rule = Problem.named(name)()
    text = rule.write([])
    for bad in (text[:2] + wrong + text[3:], text[:2] + wrong):
        with pytest.raises(ValueError, match=f"character 3, {place}, is .*; write 0 or 1") as error:
            rule.read(bad)
        assert str(error.value).isprintable()
    for bad in ("", text[1:], text + "0"):
        with pytest.raises(ValueError, match=f"has {rule.size()} characters") as error:
            rule.read(bad)
        assert f"text has {len(bad)} characters" in str(error.value) and str(error.value).isprintable()


@pytest.mark.parametrize("name", SMALL)
def test_symmetries_are_permutations_that_keep_the_conflicts(name):
    small = problem(name, SMALL[name][0])
    rows = small.conflicts()
    known = {frozenset(row[row >= 0].tolist()) for row in rows}
    for generators in small.symmetries().values():
        for goes in generators:
            assert sorted(goes) == list(range(small.size()))
            assert {frozenset(goes[row[row >= 0]].tolist()) for row in rows} == known
    assert np.array_equal(small.symmetries()["none"], np.arange(small.size())[None])


def test_the_groups_of_the_square_have_their_orders():
    """Closed under composition, by brute force."""
    orders = {"none": 1, "mirror": 2, "flip": 2, "diagonal": 2, "antidiagonal": 2, "half-turn": 2}
    orders |= {"quarter-turn": 4, "4-fold": 4, "8-fold": 8}
    groups = problem("isosceles", 3).symmetries()
    assert groups.keys() == orders.keys()
    for group, order in orders.items():
        generators = groups[group]
        found = {tuple(range(9))}
        while new := {tuple(goes[list(one)].tolist()) for one in found for goes in generators} - found:
            found |= new
        assert len(found) == order


def test_diagonals_exchange_rows_and_columns():
    groups = problem("isosceles", 4).symmetries()
    for row, column in itertools.product(range(4), repeat=2):
        (over,), (under,) = (groups[name][:, 4 * row + column] for name in ("diagonal", "antidiagonal"))
        assert (over, under) == (4 * column + row, 4 * (3 - column) + 3 - row)


@pytest.mark.parametrize("name", SMALL)
def test_whether_there_are_symmetries_is_told_without_listing_them(name):
    small = problem(name, SMALL[name][0])
    assert small.has_symmetries() == (len(small.symmetries()) > 1)


@pytest.mark.parametrize("name", SMALL)
def test_the_elements_of_conflicts_are_counted_as_they_are_listed(name):
    for n in range(2, 9) if name != "cap_sets" else (2, 3):
        rule = problem(name, n)
        listed = int((rule.conflicts() >= 0).sum())
        assert rule.conflict_elements() == (listed if rule.largest_conflict == 4 else None), n


def test_a_dimension_whose_points_cannot_be_counted_is_refused():
    assert problem("cap_sets", 39).size() < 2**63 < 3**40
    with pytest.raises(ValueError, match=r"^problem\.n=40: give at most 39$"):
        problem("cap_sets", 40)


@pytest.mark.parametrize("name", SMALL)
def test_a_size_below_the_smallest_is_refused(name):
    with pytest.raises(ValueError, match=r"problem\.n=0: give at least [12]$"):
        problem(name, 0)
