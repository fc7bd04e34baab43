"""Synopses: splits, questions, scores, and the measures of a set of samples."""

import csv
import dataclasses
import os

import pytest

from jaxgpt.core.fields import from_json, override, to_json
from jaxgpt.task import Example, Task
from jaxgpt.training.experiment import Experiment
from tasks.synopses import Synopses, synopses

SPLITS = ("train", "validation", "test")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "plots.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["title", "synopsis"])
        for i in range(300):
            writer.writerow([f"Story {i}", f"Number {i} leaves home;\nit finds friend {i * i}. (Source: me)"])
        writer.writerow(["again", "Number 7 leaves home; it finds friend 49."])
        writer.writerow(["other", "Number 8 stops, and (then"])
    return Synopses(path=str(path), min_characters=10, max_characters=100)


def test_splits_are_disjoint_complete_and_repeatable(table):
    splits = {split: [e.target for e in table.examples(split)] for split in SPLITS}
    assert splits == {split: [e.target for e in table.examples(split, seed=5)] for split in SPLITS}
    together = [text for texts in splits.values() for text in texts]
    assert sorted(together) == sorted(set(table.documents()))
    assert len(together) == len(set(together)) == 301
    assert all(15 <= len(splits[split]) <= 50 for split in ("validation", "test"))
    for split in SPLITS:
        assert all(table.split_of(e) == split for e in [*table.examples(split), *table.questions(split)])


def test_documents_are_cleaned_and_counted(table):
    assert table.documents()[0] == "Number 0 leaves home; it finds friend 0."
    report = table.report()
    assert (report.read, report.kept, report.dropped["duplicates"]) == (302, 301, 1)


def test_questions_ask_for_the_last_word(table):
    asked = [q for split in SPLITS for q in table.questions(split)]
    assert len(asked) == 300
    for question in asked:
        assert question.key == question.prompt + question.target + "."
        assert table.score(question, question.target)["exact_match"] == 1
        assert table.score(question, question.target + ". More.")["exact_match"] == 1
        for wrong in (question.target[:-1], question.target + "1", question.target.strip(), "", " zero"):
            assert table.score(question, wrong)["exact_match"] == 0
    short = dataclasses.replace(table, question_characters=16)
    assert {q.prompt for q in short.questions("test")} == {"it finds friend"}


def test_the_file_is_read_again_when_it_changes(table):
    assert len(table.documents()) == 301
    with open(table.path, "w", encoding="utf-8") as file:
        file.write("title;synopsis\na;a whole new document\n")
    os.utime(table.path, ns=(1, 1))
    assert table.documents() == ("a whole new document",)


def test_errors_come_when_examples_are_read():
    task = Synopses()
    with pytest.raises(ValueError, match=r"task\.path is not set"):
        next(task.examples("train"))
    with pytest.raises(ValueError, match="no cleaning rule is called"):
        Synopses(rules=("shorts",))
    with pytest.raises(ValueError, match="min_characters=9 must be between 0 and max_characters=3"):
        Synopses(min_characters=9, max_characters=3)
    with pytest.raises(ValueError, match="question_characters=-1"):
        Synopses(question_characters=-1)


def test_nothing_left_says_which_rule_dropped_it(table):
    with pytest.raises(ValueError, match=r"keeps none of 302 documents, the rule 'short' drops 302"):
        dataclasses.replace(table, min_characters=5000, max_characters=9000).documents()


def test_one_document_is_enough(tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("just one document\n")
    task = Synopses(path=str(path), rules=())
    assert sum(len(list(task.examples(split))) for split in SPLITS) == 1


def test_summary_measures_variety_and_copies(table):
    training = list(table.examples("train"))
    copy = training[0].target
    result = table.summary([(Example("", ""), copy), (Example("", ""), "zzz zzz")], training)
    assert result["copy_characters_max"] == len(copy)
    words = [*copy.split(), "zzz", "zzz"]
    assert result["distinct_1"] == len(set(words)) / len(words)


def test_the_experiment_round_trips_and_takes_settings():
    experiment = synopses()
    assert from_json(Experiment, to_json(experiment)) == experiment
    assert Task.named("synopses") is Synopses
    changed = override(experiment, {"task.text-column": "plot"})
    changed = override(changed, {"task.rules": "spaces,short"})
    assert (changed.task.text_column, changed.task.rules) == ("plot", ("spaces", "short"))
