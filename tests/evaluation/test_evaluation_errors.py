"""Where a model is wrong and how, over questions and seeds, against counts by hand."""

import dataclasses
import json

import pytest
from evaluation_tasks import Doubles

from jaxgpt.evaluation import errors, evaluation_file, tally
from jaxgpt.evaluation.evaluation import Errors, Evaluation, Row
from jaxgpt.evaluation.intervals import bounded_mean, proportion, wilson
from jaxgpt.evaluation.questions import Question
from jaxgpt.evaluation.scoring import evaluate
from jaxgpt.task import Diagnosis

BLANK = {"exact_match": 1.0}


@dataclasses.dataclass(frozen=True)
class Diagnosed(Doubles):
    """`17=` -> `34`, with each digit looked at; a number below 3 has no diagnosis."""

    wrong_kinds = ("too short", "too long", "other")

    def diagnose(self, example, completion):
        number, wanted = int(example.prompt[:-1]), example.target
        if number < 3:
            return None
        places = {f"place {i}": completion[::-1][i : i + 1] == c for i, c in enumerate(wanted[::-1])}
        sizes = {-1: "too short", 0: "other", 1: "too long"}
        length = (len(completion) > len(wanted)) - (len(completion) < len(wanted))
        wrong = "" if completion == wanted else sizes[length]
        return Diagnosis(places, {"digits": str(len(wanted)), "last": "even"}, wrong)


def found_of(answers, numbers, beyond=()):
    """The errors of the answers of each seed to `number=`."""
    task = Diagnosed()
    questions = [Question(task.of(n), n not in beyond) for n in numbers]
    return errors.diagnose(task, questions, answers, tally.score(task, questions, answers))


def test_places_facets_and_kinds_by_hand():
    #          6     24    200   2 (no diagnosis)  1000 (beyond training)
    seeds = [["6", "25", "20", "5", "x"], ["7", "24", "200", "4", "x"], ["6", "24", "200", "4", "x"]]
    found = found_of(seeds, [3, 12, 100, 2, 500], beyond=[500])
    assert [(row.group, row.n, row.exact_match.per_seed) for row in found.places] == [
        ("place 0", 3, (2 / 3, 2 / 3, 1.0)),  # 20 has the ones of 200
        ("place 1", 2, (0.5, 1.0, 1.0)),  # 25 has the tens of 24, and 20 has a 2 where 200 has a 0
        ("place 2", 1, (0.0, 1.0, 1.0)),
    ]
    digits = [(row.group, row.n, row.exact_match.per_seed) for row in found.facets["digits"]]
    assert digits == [("1", 1, (1, 0, 1)), ("2", 1, (0, 1, 1)), ("3", 1, (0, 1, 1))]
    (even,) = found.facets["last"]
    assert even.exact_match == proportion([1 / 3, 2 / 3, 1.0], 3)
    assert found.wrong == {"too short": (1, 0, 0), "too long": (0, 0, 0), "other": (1, 1, 0)}
    assert found.wrong_answers == (2, 1, 0)
    # The third seed has no wrong answer, so it has no share of them.
    assert found.shares("other") == (0.5, 1.0, None) and found.shares("too long") == (0.0, 0.0, None)
    assert found.share("other") == (0.75, bounded_mean((0.5, 1.0)), (0.5, 1.0))


def test_the_share_of_a_kind_has_an_interval_where_there_is_one():
    lone = Errors((), {}, {"short": (3,), "other": (9,)})
    assert lone.share("short").mean == 0.25 and lone.share("short").interval == wilson(3, 12)
    one_of_two = Errors((), {}, {"short": (3, 0), "other": (9, 0)})
    assert one_of_two.share("short") == (0.25, None, (0.25,))
    none = Errors((), {}, {"short": (0, 0)})
    assert none.share("short") is None and none.shares("short") == (None, None)


def test_values_of_a_facet_stand_by_their_size():
    found = found_of([["x"] * 4], [10**9, 10**4, 3, 50])
    assert [row.group for row in found.facets["digits"]] == ["1", "3", "5", "10"]


def test_a_task_without_a_diagnosis_has_none():
    task = Doubles()
    questions, answers = [Question(task.of(7))], [["14"]]
    assert errors.diagnose(task, questions, answers, tally.score(task, questions, answers)) is None
    assert found_of([["4"]], [2]) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wrong": "other"}, r"wrong='other' where score has exact_match 1"),
        ({"wrong": "unheard of", "answer": "9"}, r"wrong='unheard of', which is not among its wrong_kinds"),
        ({"wrong": "", "answer": "9"}, r"wrong='' where score has exact_match 0"),
    ],
)
def test_a_diagnosis_that_contradicts_its_task_is_told_in_one_line(given, message):
    class Odd(Diagnosed):
        def diagnose(self, example, completion):
            return Diagnosis({}, {}, given["wrong"])

    task, answers = Odd(), [[given.get("answer", "14")]]
    questions = [Question(task.of(7))]
    with pytest.raises(ValueError, match=rf"\AOdd\.diagnose gives, for '7=', {message}\Z"):
        errors.diagnose(task, questions, answers, tally.score(task, questions, answers))


def test_places_must_follow_from_the_question_alone():
    class Odd(Diagnosed):
        def diagnose(self, example, completion):
            return Diagnosis({"a" if completion == "14" else "b": True}, {}, "")

        def score(self, example, completion):
            return BLANK

    questions, answers = [Question(Odd().of(7))], [["14"], ["15"]]
    with pytest.raises(ValueError, match="other places or facets for another answer"):
        errors.diagnose(Odd(), questions, answers, tally.score(Odd(), questions, answers))


@pytest.mark.thorough
def test_an_evaluation_has_the_errors_of_questions_like_the_training(tokenizer, build, oracle):
    oracle.answer = lambda seed, prompt: str(2 * int(prompt[:-1])) + "0" * (seed == 1)
    found = evaluate([build(), build(1)], tokenizer, Diagnosed(), n=30, n_extra=5).errors
    assert found.wrong == {"too short": (0, 0), "too long": (0, 30), "other": (0, 0)}
    assert found.shares("too long") == (None, 1.0)
    assert found.places[0].n == 30 and found.places[0].exact_match.per_seed[0] == 1.0
    assert sum(row.n for row in found.facets["digits"]) == 30
    assert evaluate([build()], tokenizer, Doubles(), n=5, n_extra=0).errors is None


ERRORS = Errors(
    (Row("ones", proportion((0.5, 1.0), 8), 8), Row("tens", proportion((0.0, 1.0), 2), 2)),
    {"chain": (Row("0", proportion((0.25, 1.0), 4), 4),)},
    {"short": (3, 0), "other": (1, 0)},
)


def test_errors_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "evaluation.json"
    evaluation = Evaluation("test", 2, Row("all", proportion((0.5, 1.0), 8), 8), errors=ERRORS)
    evaluation.write_json(path)
    assert evaluation_file.read(path) == evaluation
    data = json.loads(path.read_text())
    short, _ = data["errors"]["wrong"]
    assert short["share"] == 0.75 and short["per_seed"] == [0.75, None]  # for who reads the file alone
    del data["errors"]  # written before there was a diagnosis
    path.write_text(json.dumps(data))
    assert evaluation_file.read(path).errors is None


@pytest.mark.parametrize(
    "changed",
    [
        [],
        "text",
        {"places": None},
        {"places": [{"group": "ones"}]},
        {"facets": []},
        {"facets": {"chain": [{}]}},
        {"wrong": {}, "facets": 3},
        {"wrong": [{"kind": "short", "counts": [1]}]},
        {"wrong": [{"kind": "short", "counts": [1, -1]}]},
        {"wrong": [{"kind": "short", "counts": [1, 0.5]}]},
        {"wrong": [{"kind": 7, "counts": [1, 1]}]},
        {"wrong": [{"kind": "short", "counts": [1, 1]}] * 2},
    ],
    ids=range(12),
)
def test_errors_that_were_changed_are_told_in_one_line(changed, tmp_path):
    path = tmp_path / "evaluation.json"
    data = Evaluation("test", 2, Row("all", proportion((0.5, 1.0), 8), 8), errors=ERRORS).to_json()
    data["errors"] = data["errors"] | changed if isinstance(changed, dict) else changed
    path.write_text(json.dumps(data))
    with pytest.raises(
        ValueError, match=r"evaluation\.json is not an evaluation .*evaluated again\Z"
    ) as error:
        evaluation_file.read(path)
    assert "\n" not in str(error.value)


def test_the_figures_of_every_seed():
    found = list(errors.figures(ERRORS, 5))
    assert found[:2] == [(5, "place", "ones", "right", 0.5, 8), (6, "place", "ones", "right", 1.0, 8)]
    assert found[4:6] == [
        (5, "facet", "chain 0", "exact_match", 0.25, 4),
        (6, "facet", "chain 0", "exact_match", 1.0, 4),
    ]
    assert found[6:] == [
        (5, "wrong", "short", "share", 0.75, 4),
        (6, "wrong", "short", "share", None, 0),
        (5, "wrong", "other", "share", 0.25, 4),
        (6, "wrong", "other", "share", None, 0),
    ]
