"""Gains in BLEU of one run over another are the differences of what the runs' evaluations have."""

import csv
import types

import numpy as np
import pytest

from jaxgpt.core.fields import override
from jaxgpt.evaluation.intervals import Estimate, student_t
from jaxgpt.evaluation.translation_scores import bleu
from jaxgpt.lecture import reached
from jaxgpt.lecture.bleu_gains import Translated, bleu_gains, translated
from jaxgpt.lecture.rows import translation as row_module
from jaxgpt.lecture.rows.translation import Translation, shown
from jaxgpt.runs import experiments
from jaxgpt.runs.session import train
from jaxgpt.task import Example

ENGLISH = ("one", "two", "three", "four", "five", "six", "seven")
FRENCH = ("un", "deux", "trois", "quatre", "cinq", "six", "sept")
LENGTHS = ("1 word", "2 words", "3 words")


def made(*seeds):
    """Sentences of two lengths, each with one right translation, and what seeds made of them."""
    examples = [Example(f"s{i}", "", LENGTHS[i % 2]) for i in range(len(seeds[0]))]
    return Translated(tuple(examples), tuple(map(tuple, seeds)), tuple((f"a b c d e{i}",) for i in range(8)))


RIGHT = tuple(f"a b c d e{i}" for i in range(8))
WRONG = tuple("a b c x y" for _ in range(8))
HALF = (*RIGHT[:4], *WRONG[4:])


def test_each_group_has_its_own_gain_and_the_first_row_has_all():
    arm, baseline = made(RIGHT, HALF), made(WRONG, WRONG)
    found = bleu_gains(("new", arm), ("old", baseline), LENGTHS[:2])
    assert [(gain.group, gain.count) for gain in found.gains] == [("", 8), (LENGTHS[0], 4), (LENGTHS[1], 4)]
    for gain in found.gains:
        kept = [i for i in range(8) if not gain.group or i % 2 == LENGTHS.index(gain.group)]
        references = [arm.references[i] for i in kept]
        scores = [bleu([texts[i] for i in kept], references) for texts in (RIGHT, HALF, WRONG)]
        gains = (scores[0] - scores[2], scores[1] - scores[2])
        assert gain.over_sentences.per_seed == pytest.approx(gains)
        assert gain.over_seeds == pytest.approx(student_t(gains, bounds=(-100, 100)))
        assert gain.over_sentences.interval[0] > 0
    rows = found.table().rows
    assert [row[4].sure for row in rows] == ["better"] * 3
    one = bleu_gains(("new", made(RIGHT)), ("old", made(WRONG)), ())
    assert one.gains[0].over_seeds is None and one.table().rows[0][3].text == ""
    assert "one seed. Over sentences" in one.table().caption
    assert "means of 2 seeds, paired. Over seeds" in found.table().caption


def test_numbers_and_picture_are_the_gains(tmp_path):
    found = bleu_gains(("new", made(HALF, RIGHT)), ("old", made(WRONG, HALF)), LENGTHS[:2])
    found.to_csv(tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["sentences"] for row in rows] == ["all", *LENGTHS[:2]]
    last = found.gains[-1].over_sentences
    assert float(rows[-1]["gain in BLEU"]) == last.mean == np.mean(last.per_seed)
    assert f"{last.mean:+.1f}" in found.summary() and "on sources of 2 words" in found.summary()
    axes = found.plot().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [LENGTHS[1], LENGTHS[0], "all"]


def test_bleu_and_chrf_of_each_arm_stand_by_length(monkeypatch):
    measured = ("BLEU", "BLEU, 1-3 words", "BLEU, 4-6 words", "chrF", "chrF, 1-3 words", "chrF, 4-6 words")
    row, files = Translation(), {"pairs": "pairs.tsv"}
    arms = [arm.name for arm in row.arms(files)]
    runs = {}
    for number, name in enumerate(arms):
        found = {
            key: Estimate(0.0, None, (10.0 * number + place, 10.0 * number + place + 0.5))
            for place, key in enumerate(measured)
        }
        runs[name] = types.SimpleNamespace(
            evaluation=types.SimpleNamespace(summary=found), weights=1000 * (number + 1)
        )
    monkeypatch.setattr(row_module.reached, "num_weights", lambda run: run.weights)
    monkeypatch.setattr(row_module, "translated", lambda run: made(RIGHT))
    monkeypatch.setattr(row_module, "bleu_gains", lambda *given: "gains")
    monkeypatch.setattr(row_module, "alignment", lambda run, sources: "alignment")
    parts = row.parts(runs, files)
    assert list(parts) == ["bleu", "length", "chrf", "chrf-length", "gain", "alignment"]
    for table, curves, first in (("bleu", "length", 0), ("chrf", "chrf-length", 3)):
        measure = measured[first]
        assert parts[table].measure == parts[curves].measure == measure
        assert parts[curves].places == ("1-3 words", "4-6 words")
        for number, name in enumerate(arms):
            shown_name = f"{name}; {1000 * (number + 1):,} weights"
            value = 10.0 * number + first
            assert parts[table].values[shown_name] == (value, value + 0.5)
            expected = ((value + 1, value + 1.5), (value + 2, value + 2.5))
            assert parts[curves].values[shown_name] == expected
    assert parts["chrf"].baseline == parts["bleu"].baseline and not parts["chrf"].published
    assert parts["chrf"].difference(f"{arms[1]}; 2,000 weights").median == 10


def test_sentences_that_are_shown_are_right_ones_the_longest_first():
    examples = tuple(Example(text, "") for text in ("a b", "a b c", "a", "b"))
    references = (("x",), ("y", "z"), ("x",), ("x",))
    assert shown(Translated(examples, (("x", "z", "x", "no"),), references)) == ["a b c", "a b", "a"]
    assert shown(Translated(examples, (("no",) * 4,), references)) == ["a b", "a b c", "a"]


@pytest.mark.thorough
def test_answers_are_those_that_the_run_was_scored_by(tmp_path):
    lines = [f"{ENGLISH[i]} {ENGLISH[j]}\t{FRENCH[i]} {FRENCH[j]} !\n" for i in range(7) for j in range(7)]
    lines += [f"{a}\t{b} !\n" for a, b in zip(ENGLISH, FRENCH, strict=True)]
    (tmp_path / "pairs.tsv").write_text("".join(lines))
    small = {"task.path": str(tmp_path / "pairs.tsv"), "task.held_out": "0.3", "model.d_model": "16"}
    small |= {"tokenizer": "bpe:280", "seeds": "2", "training.steps": "40", "training.test_examples": "30"}
    experiment = override(experiments.find("translation"), small)
    run = train(experiment, tmp_path / "run", say=lambda line: None)
    found = translated(run)
    for seed in range(2):
        recorded = reached.summary(run, "BLEU")[seed]
        assert bleu(found.texts[seed], found.references) == pytest.approx(recorded)
    for length in ("1 word", "2 words"):
        part = found.of_group(length)
        assert bleu(part.texts[1], part.references) == pytest.approx(
            reached.summary(run, f"BLEU, {length}")[1]
        )
    assert bleu_gains(("a", found), ("b", found), ()).gains[0].over_sentences.interval == (0, 0)
