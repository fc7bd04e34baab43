"""What a search says of its arms, from stands whose answer is known."""

import math

import numpy as np
import pytest

from jaxgpt.search import SearchConfig, Searched, search_findings, search_pictures
from jaxgpt.search.generation_step import Record, Stand
from tasks.constructions import Problem

PROBLEM = Problem.named("isosceles")(n=5)  # best known: 7


def stand(*best: int) -> Stand:
    """One generation a second, with the largest set after each."""
    records = tuple(Record({"improve": 1.0}, {size: 1}, {size: 1}) for size in best)
    return Stand(np.zeros((1, 25), bool), {}, 1.0, records)


def said(ours: list[Stand], theirs: list[Stand]) -> str:
    return " ".join(sentences(transformer=ours, none=theirs))


def sentences(**stands: list[Stand]) -> list[str]:
    """Of arms in the order in which they are given."""
    named = {arm.replace("_", "-"): found for arm, found in stands.items()}
    return search_findings.sentences(Searched(PROBLEM, SearchConfig(), named))


def test_a_larger_set_with_every_seed_of_six_is_sure():
    six = range(6)
    assert "the transformer helps: of 6 seeds 6 found a larger set" in said(
        [stand(4, 6) for _ in six], [stand(4, 5) for _ in six]
    )
    harm = said([stand(4, 5) for _ in six], [stand(4, 6) for _ in six])
    assert "the transformer does harm" in harm and "6 without it" in harm
    assert "(median difference -1 elements, 95 % interval -1 to -1; sign test p = 0.031" in harm
    assert "With fewer than six" not in said([stand(4, 6) for _ in six], [stand(4, 5) for _ in six])


def test_fewer_seeds_or_mixed_ones_are_not_sure():
    told = said([stand(4, 6)] * 5, [stand(4, 5)] * 5)
    assert "it is not sure that the transformer helps" in told and "fewer than six seeds" in told
    assert "(median difference 1 elements, too few seeds for an interval; sign test" in told
    mixed = said([stand(4, 6)] * 4 + [stand(4, 4)] * 2, [stand(4, 5)] * 6)
    assert "4 found a larger set with the transformer, 2 without it" in mixed and "not sure" in mixed
    assert "(median difference 1 elements, 95 % interval -1 to 1; sign test" in mixed


def test_every_arm_is_compared_with_the_search_without_a_model_whatever_their_order():
    few, many = [stand(4, 5)] * 6, [stand(4, 6)] * 6
    first, second, third, fourth = sentences(none=few, transformer=many, transformer_alone=many, bigram=few)
    assert first.startswith("At equal time the transformer helps: of 6 seeds 6 found a larger set")
    assert second.startswith(
        "At equal time the transformer alone finds larger sets than the search without a model: of 6 seeds 6"
    )
    assert third.startswith("At equal time the bigram and the search without a model find sets of one size")
    assert "(median difference 0 elements, 95 % interval 0 to 0)" in third
    assert fourth.startswith("The largest set has 6 elements")
    assert "transformer alone finds smaller sets" in sentences(transformer_alone=few, none=many)[0]
    assert sentences(none=few)[0].startswith("The largest set has 5 elements")


def test_what_both_had_at_the_beginning_speaks_for_nobody():
    assert "from the beginning, before the model has learned anything" in said([stand(6, 6)], [stand(6, 6)])
    told = said([stand(5, 6, 6), stand(6, 6, 6)], [stand(5, 5, 6), stand(6, 6, 6)])
    assert "sooner with 1, later with 0, and with 1 both were from the beginning" in told
    assert "from the beginning (median difference -1 seconds, too few seeds for an interval)" in told
    told = said([stand(5, 6, 6)] * 6, [stand(5, 5, 6)] * 6)
    assert "sooner with 6, later with 0 (median difference -1 seconds, 95 % interval -1 to -1)" in told
    # An arm without local search begins with less.
    assert "sooner with 0, later with 1" in said([stand(5, 5, 7)], [stand(7, 7, 7)])


def test_a_set_beyond_what_is_known_is_to_be_checked():
    assert "The largest set has 8 elements; the best known has 7. Have it checked" in said(
        [stand(8)], [stand(5)]
    )
    assert "Have it checked" not in said([stand(7)], [stand(5)])


def test_the_table_counts_a_seed_that_never_got_there_as_longest():
    searched = Searched(PROBLEM, SearchConfig(), {"none": [stand(5, 7), stand(5, 5), stand(7, 7)]})
    (row,) = search_findings.table(searched).rows
    assert [entry.text for entry in row[1:5]] == ["6.3", "2 of 3", "2 s", "1"]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (
            {0, 4, 20, 24},
            ["mirror", "flip", "half-turn", "quarter-turn", "4-fold", "8-fold", "diagonal", "antidiagonal"],
        ),
        ({0, 24}, ["half-turn", "diagonal", "antidiagonal"]),
        ({1, 5}, ["diagonal"]),
        ({1, 19}, ["antidiagonal"]),
        ({1}, []),
    ],
)
def test_symmetries_are_those_that_move_the_set_onto_itself(chosen, kept):
    searched = Searched(PROBLEM, SearchConfig(), {})
    assert search_findings.symmetries(searched, frozenset(chosen)) == kept
    assert search_findings.symmetry_words(searched, frozenset(chosen)) == (", ".join(kept) or "no symmetry")


@pytest.mark.parametrize("name", Problem.names())
def test_symmetries_are_named_only_where_a_problem_declares_some(name):
    problem = Problem.named(name)(n=4)
    searched = Searched(problem, SearchConfig(), {})
    told = search_findings.symmetry_words(searched, frozenset({1}))
    assert told == ("no symmetry" if name in ("isosceles", "no_three", "rectangles") else "")
    (panel,) = search_pictures.boards(problem, [[1]], [told]).axes
    assert panel.get_title(loc="left") == ("1: no symmetry" if told else "1")


def test_the_picture_ends_with_what_the_table_has():
    """Also of seeds whose search was over sooner than others'."""
    stands = {"none": [stand(5, 7), stand(5, 5, 5, 6)]}
    (panel,) = search_pictures.over_time(stands, 7).axes
    assert panel.get_title(loc="left") == "none: 6.5 at the end"


def test_the_picture_has_a_gain_of_the_last_generation(monkeypatch):
    """Where `sum` is exact, as it nearly is from Python 3.12 on, it is less than what is added one by one."""
    records = [Record({"improve": 0.1}, {size: 1}, {size: 1}) for size in [5] * 15 + [7]]
    exact = property(lambda stand: math.fsum(record.elapsed for record in stand.records))
    monkeypatch.setattr(Stand, "elapsed", exact)
    last = Stand(np.zeros((1, 25), bool), {}, 1.0, tuple(records))
    assert last.elapsed < np.cumsum([0.1] * 16)[-1]
    (panel,) = search_pictures.over_time({"none": [last]}, 7).axes
    assert panel.get_title(loc="left") == "none: 7.0 at the end"
