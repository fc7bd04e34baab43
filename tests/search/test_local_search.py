"""Local search: tables and moves against counts of the verifiers, its sets, symmetries, the same twice."""

import dataclasses
import itertools
import re
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgpt import search
from jaxgpt.search import conflict_tables, moves, orbits
from tasks.constructions import Problem

#: One problem for each table: conflicts of three elements, and of three and four.
PROBLEMS = {"isosceles": 4, "sidon": 14}
#: States of every search, so that programs are compiled once.
STATES = 16


def problem(name: str, n: int) -> Problem:
    return Problem.named(name)(n=n)


def conflicts_of(rule: Problem, chosen: set[int], element: int) -> int:
    """In how many conflicts an element is, or would be, by the verifier."""
    return sum(element in conflict for conflict in rule.verify(chosen | {element}))


def all_counts(rule: Problem, sets: np.ndarray) -> np.ndarray:
    members = [set(np.flatnonzero(row).tolist()) for row in sets]
    return np.array([[conflicts_of(rule, m, e) for e in range(rule.size())] for m in members])


@pytest.fixture(scope="module", params=PROBLEMS)
def rule(request) -> Problem:
    return problem(request.param, PROBLEMS[request.param])


@pytest.fixture(scope="module")
def table(rule):
    return orbits.orbits_of(rule, "none", 2**20).table


def drawn(rule: Problem, share: float) -> np.ndarray:
    return np.random.default_rng(0).random((STATES, rule.size())) < share


def test_placed_states_count_the_conflicts_that_the_verifier_finds(rule, table):
    sets = drawn(rule, 0.4)
    states = moves.placed(table, jnp.asarray(sets))
    assert np.array_equal(states.inside, sets)
    assert np.array_equal(states.counts, all_counts(rule, sets))
    assert np.array_equal(states.valid(), [not rule.verify(np.flatnonzero(row).tolist()) for row in sets])
    for row, members in zip(sets, np.asarray(states.members), strict=True):
        assert sorted(members[members < rule.size()]) == np.flatnonzero(row).tolist()
        assert (members[: row.sum()] < rule.size()).all()


def test_moves_that_add_and_drop_keep_the_counts(rule, table):
    """A walk of random moves, with no move in between: at its end the counts are those of a new start."""
    sets = drawn(rule, 0.3)
    states, rng = moves.placed(table, jnp.asarray(sets)), np.random.default_rng(1)
    flip = jax.jit(moves.States.flip)
    for _ in range(12):
        element = rng.integers(rule.size() + 1, size=len(sets))
        states = flip(states, table, jnp.asarray(element, jnp.int32))
        for row, one in zip(sets, element, strict=True):
            row[one : one + 1] ^= True
        assert np.array_equal(states.inside, sets)
    assert np.array_equal(states.counts, all_counts(rule, sets))


def test_a_move_is_worth_the_weight_less_the_penalty_of_its_conflicts(rule, table):
    sets = drawn(rule, 0.3)
    weights = np.linspace(0.5, 1, rule.size())

    def worth(row: np.ndarray) -> float:
        return weights[row].sum() - 1.5 * len(rule.verify(np.flatnonzero(row).tolist()))

    values = moves.values(moves.placed(table, jnp.asarray(sets)), jnp.asarray(weights), 1.5)
    for row, value in zip(sets, np.asarray(values), strict=True):
        flipped = row ^ np.eye(rule.size(), dtype=bool)
        assert value == pytest.approx([worth(other) - worth(row) for other in flipped], abs=1e-5)


def test_degrees_are_the_conflicts_of_all_elements_and_cost_weight(rule, table):
    everything = rule.verify(range(rule.size()))
    degrees = np.array([sum(element in one for one in everything) for element in range(rule.size())])
    assert np.array_equal(table.degrees(), degrees) and len(set(degrees)) > 1
    sizes = np.arange(rule.size()) % 4 + 1
    weights = moves.weights_of(table, jnp.asarray(sizes), 0.5)
    share = (degrees - degrees.min()) / (degrees.max() - degrees.min())
    assert weights == pytest.approx(sizes / 4 - 0.5 * share, abs=1e-6)


def test_degrees_of_orbits_count_pairs_once():
    """By the sets of two and three orbits that the verifier refuses, and none of whose parts it does."""
    halves = orbits.orbits_of(problem("isosceles", 4), "half-turn", 2**20)
    parts = [set(np.flatnonzero(halves.number == orbit).tolist()) for orbit in range(len(halves.sizes))]
    degrees = np.zeros(len(parts), int)
    for some in [*itertools.combinations(range(8), 2), *itertools.combinations(range(8), 3)]:
        own = [parts[orbit] for orbit in some]
        broken = problem("isosceles", 4).verify(set().union(*own))
        degrees[list(some)] += any(all(part & set(one) for part in own) for one in broken)
    assert np.array_equal(halves.table.degrees(), degrees)


def test_draws_have_the_probabilities_of_a_softmax_over_what_is_allowed():
    values, allowed = np.array([0.0, 1.0, 2.0, 5.0]), np.array([True, True, True, False])
    shape = (20_000, 4)
    draw = jax.jit(moves.draw)
    chosen, _ = draw(jax.random.key(0), jnp.broadcast_to(values, shape), jnp.broadcast_to(allowed, shape))
    expected = np.exp(values) * allowed / (np.exp(values) * allowed).sum()
    assert np.bincount(chosen, minlength=4) / len(chosen) == pytest.approx(expected, abs=0.02)
    none, _ = draw(jax.random.key(0), jnp.broadcast_to(values, shape), jnp.zeros(shape, bool))
    assert (none == 4).all()


def test_filled_sets_hold_no_conflict_and_nothing_can_be_added(rule):
    found = search.fill(rule, states=STATES)
    for row in found.sets:
        chosen = set(np.flatnonzero(row).tolist())
        assert not rule.verify(chosen)
        assert all(rule.verify(chosen | {e}) for e in set(range(rule.size())) - chosen)
    assert len(np.unique(found.sets, axis=0)) > 5
    assert np.array_equal(found.scores, found.sets.sum(1))
    assert rule.score(found.best) == found.scores.max()


def test_the_search_finds_an_optimum_and_only_sets_without_conflict(rule):
    found = search.local(rule, states=STATES, steps=150, seed=3)
    assert len(found.best) == found.scores.max() == rule.best_known()
    assert found.scores.mean() > search.fill(rule, states=STATES).scores.mean()
    assert not any(rule.verify(np.flatnonzero(row).tolist()) for row in found.sets)
    assert found.evaluations >= STATES * 150 * rule.size()
    again = search.local(rule, states=STATES, steps=150, seed=3)
    assert np.array_equal(found.sets, again.sets)
    assert not np.array_equal(found.sets, search.local(rule, states=STATES, steps=150, seed=4).sets)


def test_sets_to_begin_from_are_kept_where_nothing_better_comes(rule):
    good = search.local(rule, states=STATES, steps=150, seed=3).sets
    kept = search.local(rule, states=STATES, steps=0, start=good)
    assert np.array_equal(kept.sets, good)
    spoiled = np.ones_like(good)  # full of conflicts, which `steps` are enough to lose
    found = search.local(rule, states=STATES, steps=150, start=spoiled)
    assert found.scores.min() > 0
    assert not any(rule.verify(np.flatnonzero(row).tolist()) for row in found.sets)


def test_enough_ends_the_search():
    rule = problem("isosceles", 4)
    short = search.local(rule, states=STATES, steps=10**6, enough=6)
    assert len(short.best) == 6 and short.evaluations < STATES * 1000 * rule.size()
    whole = search.local(rule, states=STATES, steps=20, enough=10**12)  # more than int32 holds
    assert whole.evaluations >= STATES * 20 * rule.size()


def test_orbits_are_in_conflict_where_the_verifier_says_so():
    """All sets of orbits of half a turn, whose conflicts have two or three orbits; then a move of each."""
    rule = problem("isosceles", 4)
    halves = orbits.orbits_of(rule, "half-turn", 2**20)
    assert halves.sizes.tolist() == [2] * 8
    sets = np.array(list(itertools.product([False, True], repeat=8)))
    states = moves.placed(halves.table, jnp.asarray(sets))
    members = [np.flatnonzero(row).tolist() for row in halves.elements(sets)]
    assert np.array_equal(states.valid(), [not rule.verify(chosen) for chosen in members])
    element = np.arange(len(sets)) % 8
    moved = jax.jit(moves.States.flip)(states, halves.table, jnp.asarray(element, jnp.int32))
    anew = moves.placed(halves.table, jnp.asarray(sets ^ np.eye(8, dtype=bool)[element]))
    assert np.array_equal(moved.counts, anew.counts)


@pytest.mark.parametrize(
    ("name", "n", "symmetry"),
    [
        ("isosceles", 5, "4-fold"),
        ("isosceles", 6, "none"),
        ("no_three", 5, "8-fold"),
        ("cap_sets", 3, "none"),
    ],
)
def test_a_tested_table_is_that_of_the_listed_conflicts(name, n, symmetry):
    """Orbits have different sizes on a grid with a middle; some of them hold conflicts."""
    rule = problem(name, n)
    tested = orbits.orbits_of(rule, symmetry, 2**20)
    listed = orbits.orbits_of(Listed(rule), symmetry, 2**20)
    assert np.array_equal(tested.number, listed.number)
    assert np.array_equal(tested.sizes, listed.sizes)
    assert np.array_equal(tested.table.bits, listed.table.bits) and tested.table.bits.any()


@dataclasses.dataclass(frozen=True)
class Listed:
    """A problem without its test of three elements: its conflicts are those that the verifier finds."""

    rule: Problem
    largest_conflict = 3

    def size(self) -> int:
        return self.rule.size()

    def conflicts(self) -> np.ndarray:
        return np.array(self.rule.verify(range(self.size())))

    def symmetries(self) -> dict[str, np.ndarray]:
        return self.rule.symmetries()

    def has_symmetries(self) -> bool:
        return self.rule.has_symmetries()


@pytest.mark.parametrize(("name", "symmetry"), [("isosceles", "4-fold"), ("rectangles", "half-turn")])
def test_a_symmetric_search_finds_the_largest_symmetric_set(name, symmetry):
    """Against exhaustion of all sets of orbits, which are found here by following the generators."""
    rule = problem(name, 4)
    generators = rule.symmetries()[symmetry]
    parts = []
    for element in range(rule.size()):
        part = {element}
        while new := {int(goes[e]) for e in part for goes in generators} - part:
            part |= new
        parts += [part] * (part not in parts)
    unions = [set().union(*some) for k in range(len(parts) + 1) for some in itertools.combinations(parts, k)]
    largest = max(len(union) for union in unions if not rule.verify(union))
    found = search.local(rule, STATES, 60, symmetry, moves=search.Moves(polish=0))
    for row in found.sets:
        assert set(np.flatnonzero(row).tolist()) in unions
        assert not rule.verify(np.flatnonzero(row).tolist())
    assert found.scores.max() == largest


def test_the_polish_goes_on_without_the_symmetry():
    rule = problem("isosceles", 4)
    symmetric = search.local(rule, STATES, 60, "4-fold", moves=search.Moves(polish=0))
    polished = search.local(rule, STATES, 60, "4-fold", moves=search.Moves(polish=100))
    assert polished.scores.max() == rule.best_known() > symmetric.scores.max()
    assert (polished.scores >= symmetric.scores).all()
    assert not any(rule.verify(np.flatnonzero(row).tolist()) for row in polished.sets)


def test_a_table_that_is_too_large_is_refused_before_it_is_built():
    rule = problem("isosceles", 100)
    assert search.table_bytes(rule) > 10**11
    with pytest.raises(
        ValueError, match=r"takes [\d,]+ bytes, more than table_limit=2,147,483,648; .*symmetry"
    ):
        search.fill(rule)
    with pytest.raises(ValueError, match=r"without the symmetry takes [\d,]+ bytes, .*; set moves.polish=0"):
        search.local(problem("isosceles", 64), symmetry="4-fold")
    small = problem("sidon", 14)
    needed = search.table_bytes(small)
    assert orbits.orbits_of(small, "none", needed).table.others.nbytes == needed
    with pytest.raises(ValueError, match="table_limit"):
        search.local(small, table_limit=needed - 1)
    small = problem("isosceles", 5)
    needed = search.table_bytes(small, "half-turn")
    assert orbits.orbits_of(small, "half-turn", needed).table.bits.nbytes == needed
    assert needed < search.table_bytes(small)


@pytest.mark.parametrize(
    ("name", "n", "symmetry", "message"),
    [
        (
            "isosceles",
            10**6,
            "none",
            r"Isosceles\(n=1000000\) has 1,000,000,000,000 elements; give",
        ),
        ("isosceles", 10**6, "half-turn", "has 1,000,000,000,000 elements; give a smaller problem"),
        ("cap_sets", 26, "none", "has 2,541,865,828,329 elements; give a smaller problem"),
        ("isosceles", 1000, "none", "the table of conflicts takes 125,000,000,000,125,000 bytes"),
        ("c4_free", 200, "none", "the table of conflicts takes 9,315,100,872 bytes, more than table_limit"),
        (
            "rectangles",
            300,
            "8-fold",
            "without the symmetry takes [0-9,]+ bytes, .* moves.polish=0",
        ),
        ("sidon", 3000, "none", "the table of conflicts takes"),
    ],
)
def test_a_problem_that_is_too_large_is_refused_before_it_is_listed(monkeypatch, name, n, symmetry, message):
    def listed(rule):
        raise AssertionError("listed")

    rule = problem(name, n)
    monkeypatch.setattr(type(rule), "symmetries", listed)
    monkeypatch.setattr(type(rule), "conflicts", listed)
    with pytest.raises(ValueError, match=message) as error:
        search.local(rule, STATES, 1, symmetry)
    assert str(error.value).isprintable()
    if symmetry == "half-turn":
        with pytest.raises(ValueError, match=message):
            search.table_bytes(rule, symmetry)


def test_with_a_symmetry_too_conflicts_of_four_elements_are_refused_before_they_are_listed(monkeypatch):
    """Their list is as large as without; the table would fit."""
    rule = problem("rectangles", 6)
    needed = search.table_bytes(rule)
    assert search.table_bytes(rule, "half-turn") < needed
    assert len(search.fill(rule, STATES, "half-turn", table_limit=needed).sets) == STATES

    def listed(rule):
        raise AssertionError("listed")

    monkeypatch.setattr(type(rule), "conflicts", listed)
    told = rf"^listing the conflicts takes {needed:,} bytes, more than .*; choose a smaller problem, or set"
    with pytest.raises(ValueError, match=told):
        search.fill(rule, STATES, "half-turn", table_limit=needed - 1)


@pytest.mark.parametrize(
    ("name", "n", "symmetry"),
    [
        ("c4_free", 36, "none"),
        ("rectangles", 30, "none"),
        ("rectangles", 30, "half-turn"),
        ("sidon", 130, "none"),
    ],
)
def test_listing_conflicts_takes_little_more_memory_than_their_table(name, n, symmetry):
    """Than that without a symmetry, which the limit counts."""
    rule = problem(name, n)
    needed = search.table_bytes(rule)
    assert needed > 2**23  # what does not grow with the conflicts is little beside it
    tracemalloc.start()
    try:
        orbits.orbits_of(rule, symmetry, needed)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * needed


@pytest.mark.parametrize("size", [9, 40])
def test_a_list_is_the_same_in_whatever_parts_it_is_built(monkeypatch, size):
    """Each conflict once in the list of each of its elements."""
    rule = problem("sidon", size)
    rows = np.random.default_rng(0).permutation(rule.conflicts())
    monkeypatch.setattr(conflict_tables, "_PART", 7)
    others = np.asarray(conflict_tables.list_table(size, rows).others)
    assert others.nbytes == conflict_tables.list_table_bytes(size, rows)
    for element in range(size + 1):
        listed = sorted(sorted(other.tolist()) for other in others[element] if size + 1 not in other)
        held = [[e if e >= 0 else size for e in row.tolist()] for row in rows if element in row]
        assert listed == sorted(sorted(e for e in row if e != element) for row in held)


@pytest.mark.parametrize(
    ("name", "n", "symmetry", "larger"),
    [
        ("isosceles", 5, "none", True),
        ("isosceles", 5, "diagonal", True),
        ("no_three", 6, "8-fold", False),
        ("rectangles", 5, "8-fold", False),
        ("cap_sets", 3, "none", False),
        ("c4_free", 6, "none", False),
        ("sidon", 12, "none", False),
    ],
)
def test_a_larger_symmetry_is_advised_where_there_is_one(name, n, symmetry, larger):
    way_out = "search with a larger symmetry, " * larger + "choose a smaller problem, or set table_limit"
    with pytest.raises(ValueError, match=f"bytes, more than table_limit=9; {way_out}$"):
        orbits.orbits_of(problem(name, n), symmetry, 9)


@pytest.mark.parametrize(("name", "n"), [("c4_free", 6), ("rectangles", 4), ("isosceles", 4)])
def test_the_bytes_of_a_table_are_known_before_conflicts_are_listed(monkeypatch, name, n):
    """Exactly, where all elements are in as many conflicts."""
    rule = problem(name, n)
    needed = search.table_bytes(rule)
    (table,) = jax.tree.leaves(orbits.orbits_of(rule, "none", needed).table)
    assert table.nbytes == needed

    def listed(rule):
        raise AssertionError("listed")

    monkeypatch.setattr(type(rule), "conflicts", listed)
    with pytest.raises(ValueError, match=f"takes {needed:,} bytes, more than table_limit={needed - 1:,}; "):
        orbits.orbits_of(rule, "none", needed - 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"symmetry": "x\n"},
            "none of this problem's: none, mirror, flip, half-turn, quarter-turn, 4-fold, 8-fold",
        ),
        ({"symmetry": "8-fold"}, "every orbit of symmetry='8-fold' holds a conflict; choose another one"),
        ({"states": 0}, r"states=0 and steps=1000: give states >= 1 and 0 <= steps < 2\^31"),
        ({"steps": 2**31}, r"steps=2147483648: give states >= 1 and 0 <= steps < 2\^31"),
        ({"start": np.zeros((3, 16), bool)}, r"start has the shape \(3, 16\); give \(2, 16\)"),
        ({"start": np.eye(2, 16, dtype=bool), "symmetry": "half-turn"}, r"start\[0\] does not have this sym"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as error:
        search.local(problem("isosceles", 4), **{"states": 2, **options})
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "wrong",
    [
        *({"coldest": 0}, {"coldest": 2}, {"coldest": float("nan")}, {"coldest": 1e-50}),
        *({"warmest": value} for value in (float("inf"), float("nan"), 1e39)),
        *({"penalty": value} for value in (0, 1e-50, float("inf"), float("nan"), 1e39)),
        *({"degree_cost": value} for value in (-1, float("inf"), float("nan"), 1e39)),
        *({"tabu": -1}, {"tabu": 2**14}, {"polish": -1}, {"polish": 2**31}),
    ],
)
def test_moves_out_of_range_are_refused(wrong):
    """Of 1e39 float32 makes infinity, of 1e-50 zero: with either no move has a value."""
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={re.escape(str(value))}.*: give"):
        search.Moves(**wrong)


def test_all_conflicts_may_be_pairs():
    """The largest sets of corners of a pentagon without a side have two."""

    class Corners(Problem):
        def size(self):
            return 5

        def conflicts(self):
            return np.array([[0, 1], [1, 2], [2, 3], [3, 4], [0, 4]])

        def verify(self, chosen):
            return [side for side in map(tuple, self.conflicts().tolist()) if set(chosen).issuperset(side)]

    found = search.local(Corners(), states=4, steps=10)
    assert {len(row.nonzero()[0]) for row in found.sets} == {2}
    assert not any(Corners().verify(row.nonzero()[0].tolist()) for row in found.sets)


def test_a_problem_without_a_conflict_is_wholly_taken():
    """Of two numbers none is the sum of two others, and an empty list has one dimension."""

    class Free(Problem):
        def size(self):
            return 2

        def conflicts(self):
            return np.array([])

        def verify(self, chosen):
            return []

    assert search.local(Free(), states=4, steps=2).best == frozenset({0, 1})
