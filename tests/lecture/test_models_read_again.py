"""The rows that ask trained models further questions: which seed gets what, and what stands beside it."""

import json
import os
import types
from pathlib import Path

import numpy as np
import pytest

from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab.feature_ladder import FINE_TUNED, FRESH, READINGS, FeatureLadder, Rung
from jaxgpt.lab.ladder_training import LadderConfig
from jaxgpt.lecture import kept_ladders, make
from jaxgpt.lecture.kept_ladders import kept_ladder
from jaxgpt.lecture.rows import frozen_features, zero_shot_sizes
from jaxgpt.task import Task

FILES = {"text": "plays.txt"}
NAMES = (FRESH, *READINGS, FINE_TUNED)


def finished(folder, models=(0, 1, 2), step=1000, tokenizer="characters"):
    """A stand-in for a run in a folder."""
    return types.SimpleNamespace(
        models=models,
        tokenizer=types.SimpleNamespace(fingerprint=tokenizer),
        step=step,
        directory=types.SimpleNamespace(path=folder),
    )


def test_each_seed_of_the_ladder_is_a_pretraining_of_its_own(monkeypatch, tmp_path):
    names = NAMES

    def ladder(source, task, config):
        seed, tokenizer = source
        assert (config.seeds, config.seed) == (1, seed) and tokenizer.fingerprint == "characters"
        assert task.path == "plays.txt" and task.words == 8
        rungs = (Rung(name, 1e-3, (0.5 + place / 100 + seed / 1000,)) for place, name in enumerate(names))
        return FeatureLadder(tuple(rungs), 0.4, 100, config.labelled)

    monkeypatch.setattr(kept_ladders, "feature_ladder", ladder)
    monkeypatch.setattr(frozen_features.reached, "exact_match", lambda run: (0.7, 0.8, 0.9))
    row = frozen_features.FrozenFeatures()
    (arm,) = row.arms(FILES)
    parts = row.parts({arm.name: finished(tmp_path)}, FILES)
    found = parts["ladder"]
    assert list(found.values) == list(names) and found.baseline == FINE_TUNED
    assert found.values["last"] == pytest.approx((52, 52.1, 52.2))
    assert found.difference("last").median == pytest.approx(-5)
    assert "most frequent tag is right for 40.0 %" in found.table().caption
    assert found.bounds == (0, 100)  # in percent
    assert found.published[FINE_TUNED] == "96.4" and found.published["concat-last-4"] == "96.1"
    assert parts["next-sentence"].estimate(arm.name).mean == pytest.approx(0.8)


@pytest.fixture
def taggers(monkeypatch):
    """The seeds whose ladder was trained, in their order; a ladder is right by chance."""
    trained, rng = [], np.random.default_rng(0)

    def ladder(source, task, config):
        trained.append(config.seed)
        rungs = (Rung(name, 1e-3, tuple(rng.random(config.seeds).tolist())) for name in NAMES)
        return FeatureLadder(tuple(rungs), rng.random(), 100, config.labelled)

    monkeypatch.setattr(kept_ladders, "feature_ladder", ladder)
    return trained


def tagged(path, **settings):
    path.write_text("So It Is.\n" * 9)
    return Task.named("truecasing")(path=str(path), **settings)


def test_a_ladder_is_trained_once_and_a_stop_loses_the_seed_at_work_alone(taggers, tmp_path):
    run, task = finished(tmp_path), tagged(tmp_path / "plays.txt")
    configs = [LadderConfig(seeds=1, seed=seed) for seed in range(3)]
    first = [kept_ladder(run, seed, task, configs[seed]) for seed in (0, 1)]
    assert taggers == [0, 1]
    moved = tagged(tmp_path / "elsewhere.txt")
    again = [kept_ladder(run, seed, moved, configs[seed]) for seed in range(3)]
    assert taggers == [0, 1, 2] and again[:2] == first


@pytest.mark.parametrize(
    "changed",
    [
        {"config": LadderConfig(seeds=1, steps=299)},
        {"run": {"step": 1001}},
        {"run": {"tokenizer": "bytes"}},
        {"task": {"words": 7}},
        {"text": "It Is So.\n" * 9},
    ],
    ids=["config", "step", "tokenizer", "task", "file"],
)
def test_a_ladder_of_anything_else_is_not_read(changed, taggers, tmp_path):
    config = LadderConfig(seeds=1)
    task = tagged(tmp_path / "plays.txt")
    kept_ladder(finished(tmp_path), 0, task, config)
    task = tagged(tmp_path / "plays.txt", **changed.get("task", {}))
    if "text" in changed:
        (tmp_path / "plays.txt").write_text(changed["text"])
        os.utime(tmp_path / "plays.txt", (1, 1))
    run, config = finished(tmp_path, **changed.get("run", {})), changed.get("config", config)
    found = kept_ladder(run, 0, task, config)
    assert taggers == [0, 0]
    assert kept_ladder(run, 0, task, config) == found and taggers == [0, 0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"chance": ', '"chance": 7'),
        lambda text: text.replace(FINE_TUNED, "tuned"),
        lambda text: json.dumps(json.loads(text) | {"ladder": {"rungs": [[FRESH, 1, 2]]}}),
        lambda text: json.dumps(json.loads(text) | {"ladder": None}),
    ],
    ids=["cut", "list", "share", "name", "shape", "none"],
)
def test_a_damaged_ladder_is_trained_again(damage, taggers, tmp_path):
    run, task, config = finished(tmp_path), tagged(tmp_path / "plays.txt"), LadderConfig(seeds=1)
    kept_ladder(run, 0, task, config)
    (path,) = tmp_path.glob("feature-ladder-*.json")
    whole = path.read_text()
    path.write_text(damage(whole))
    assert path.read_text() != whole
    found = kept_ladder(run, 0, task, config)
    assert taggers == [0, 0]
    assert kept_ladder(run, 0, task, config) == found and taggers == [0, 0]


def test_every_size_is_asked_the_same_questions_of_the_held_out_text(monkeypatch):
    asked = []

    def score_file(models, tokenizer, test, path):
        asked.append((models[0], test, Path(path).read_text()))
        values = {"acc": 0.4, "perplexity": 50.0} if test == "lambada" else {"acc": 0.7}
        measures = [
            types.SimpleNamespace(key=key, estimate=Estimate(value, None, (value, value + 0.01)))
            for key, value in values.items()
        ]
        return types.SimpleNamespace(measures=measures)

    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), 5)) for _ in range(40)]
    text = "\n".join(" ".join(rng.choice(words, 8)) for _ in range(400))
    example = types.SimpleNamespace(target=text)
    task = types.SimpleNamespace(examples=lambda split: [example] if split == "test" else None)
    monkeypatch.setattr(zero_shot_sizes, "score_file", score_file)
    monkeypatch.setattr(zero_shot_sizes.reached, "num_weights", lambda run: run.weights)
    monkeypatch.setattr(zero_shot_sizes.reached, "bits_a_byte", lambda run: (2.0, 2.1))
    row = zero_shot_sizes.ZeroShotSizes()
    arms = row.arms(FILES)
    runs = {
        arm.name: types.SimpleNamespace(models=(i,), tokenizer=None, task=task, weights=1000 * (i + 1))
        for i, arm in enumerate(arms)
    }
    parts = row.parts(runs, FILES)
    assert list(parts) == ["last-words", "left-out-words", "loss"]
    for test in ("lambada", "cbt"):
        texts = [text for _, name, text in asked if name == test]
        assert len(texts) == len(arms) == 4 and len(set(texts)) == 1 and texts[0]
    table = parts["last-words"]
    assert next(iter(table.values)) == table.baseline == "width 16; 1,000 weights"
    assert list(table.published.values()) == ["35.13", "15.60", "10.87", "8.63"]
    assert set(table.values.values()) == {(50.0, 50.01)} and table.better == "less"
    assert set(parts["left-out-words"].values.values()) == {(0.7, 0.71)}
    assert parts["loss"].better == "less" and list(parts["loss"].published.values())[-1] == "0.93"


def test_a_text_that_is_too_short_is_told_before_anything_is_trained(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("".join(f"A line of {i} words, and no more.\n" for i in range(300)))
    for row in (frozen_features.FrozenFeatures(), zero_shot_sizes.ZeroShotSizes()):
        with pytest.raises(ValueError, match=r"short\.txt: .*give a longer text"):
            make([row], {"text": str(path)}, tmp_path / "lecture", seeds=2, say=pytest.fail)
    assert not (tmp_path / "lecture").exists()
