"""The JSON and the table of an evaluation."""

import dataclasses
import json
import math

import pytest

from jaxgpt.evaluation.evaluation import Errors, Evaluation, Likelihood, Mistake, NotAsked, Row
from jaxgpt.evaluation.intervals import Estimate, proportion


def row(group, rate, n=50, inside=True):
    return Row(group, proportion([rate], n), n, inside, {"steps_right": Estimate(rate, None, (rate,))})


LINE = Estimate(1.5, (1.25, 1.75), (1.5,))
EVALUATION = Evaluation(
    split="test",
    seeds=1,
    overall=row("all", 0.84, 1000),
    groups=(row("2 digits", 0.9), row("3 digits", 0.5), row("12 digits", 0.1, inside=False)),
    headings=(row("lengths differ by 3+", 0.25),),
    summary={"coverage": Estimate(0.125, None, (0.125,)), "broken": Estimate(math.nan, None, (math.nan,))},
    likelihood={"held_out": Likelihood(LINE, LINE, 10, 20), "train": Likelihood(LINE, LINE, 30, 40)},
    baseline_bits_per_byte=2.5,
    not_asked=(NotAsked("15 digits", 7, "99 tokens, model.max_length is 66", False),),
    mistakes=(Mistake("2 digits", "1\n+1=", "2", "3\t" * 40, "two", "3\t" * 40, {"exact_match": 0.0}),),
)


def test_the_promised_names_stand_at_the_top():
    data = EVALUATION.to_json()
    assert (data["exact_match"], data["n"], data["seeds"]) == (0.84, 1000, 1)
    low, high = data["interval"]
    assert 0 <= low < 0.84 < high <= 1
    assert [g["group"] for g in data["groups"]] == ["2 digits", "3 digits", "12 digits"]
    for group in data["groups"]:
        assert {"group", "exact_match", "interval", "n", "in_distribution"} <= set(group)
    assert data["likelihood"]["held_out"]["bits_per_byte"]["mean"] == 1.5
    assert data["mistakes"][0]["target"] == "2"


def test_the_file_is_strict_json_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text("old")
    EVALUATION.write_json(path)

    def refuse(name):
        raise AssertionError(name)

    data = json.loads(path.read_text(), parse_constant=refuse)
    assert data == json.loads(json.dumps(EVALUATION.to_json()))
    assert data["summary"]["broken"]["mean"] is None
    assert [p.name for p in tmp_path.iterdir()] == ["evaluation.json"]


def test_a_lone_surrogate_does_not_stop_the_writing(tmp_path):
    Evaluation("test", 1, None, samples=("a\ud800b",)).write_json(tmp_path / "e.json")
    assert json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))["samples"] == ["a\ud800b"]


def test_what_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "evaluation.json"
    path.write_text("old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        EVALUATION.write_json(path)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_the_table_shows_everything_within_100_columns():
    table = EVALUATION.table()
    assert max(map(len, table.splitlines())) <= 100
    assert table.isascii() and "\t" not in table
    for text in ("0.8400", "lengths differ by 3+", "12 digits", "beyond what was trained on", "steps_right"):
        assert text in table
    for text in (
        "coverage",
        "1.5000 (1.2500-1.7500)",
        "2.5000",
        "not asked",
        "15 digits: 7, 99 tokens",
        r"1\n+1=",
    ):
        assert text in table
    inside, outside = table.split("beyond what was trained on")
    assert "2 digits" in inside and "12 digits" in outside


def test_what_figures_are_held_against_stands_below_them():
    held = {"exact match by chance": 0.5, "least loss": 0.72119, "tiny": 3.25e-20}
    lines = dataclasses.replace(EVALUATION, yardsticks=held).table().splitlines()
    start = lines.index("to compare with")
    assert [line.split("  ")[0] for line in lines[start + 1 : start + 4]] == list(held)
    assert [line.split()[-1] for line in lines[start + 1 : start + 4]] == ["0.5", "0.7212", "3.25e-20"]
    assert any(line.startswith("coverage") for line in lines[:start])
    assert "to compare with" not in EVALUATION.table()


def test_wrong_answers_are_told_by_kind_and_by_facet():
    chains = (row("0", 0.9, 600), row("1", 0.75, 400))
    errors = Errors(
        (), {"longest carry chain": chains}, {"off by one carry": (120,), "other": (40,), "long": (0,)}
    )
    lines = dataclasses.replace(EVALUATION, errors=errors).table().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("160 wrong answers"))
    assert [line.split("  ")[0] for line in lines[start + 1 : start + 6]] == (
        ["off by one carry", "other", "by longest carry chain", "0", "1"]
    )
    assert lines[start + 1].split()[-3:] == ["0.7500", "0.6776-0.8107", "120"]
    assert lines[start + 4].split()[-3:] == ["0.9000", "0.8734-0.9215", "600"]
    assert not any(line.startswith("long ") for line in lines)
    right = dataclasses.replace(errors, wrong={"other": (0,)})
    assert "longest carry chain" not in dataclasses.replace(EVALUATION, errors=right).table()


def test_many_groups_give_way_to_headings_or_to_the_worst():
    many = tuple(row(f"{i:02}+{j:02} digits", (i * 10 + j) / 100) for i in range(10) for j in range(10))
    table = Evaluation("test", 1, row("all", 0.5), many, (row("equal lengths", 0.7),)).table()
    assert len(table.splitlines()) < 15 and "equal lengths" in table
    worst = Evaluation("test", 1, row("all", 0.5), many).table()
    assert "00+00 digits" in worst and "09+09 digits" not in worst and "10 lowest of 100" in worst


def test_a_mistake_that_reads_like_the_answer_is_shown_as_it_stands():
    same = Mistake("", "1=", "02", "2", "2", "2", {})
    table = Evaluation("test", 1, row("all", 0.5), mistakes=(same,)).table()
    assert "expected '02'  got '2'" in table
