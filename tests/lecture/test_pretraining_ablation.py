"""GPT-1's ablation: what each arm starts from, what it differs in, and its average over tasks."""

import numpy as np

from jaxgpt.core import fields
from jaxgpt.lecture.rows import pretraining_ablation as row
from jaxgpt.lecture.rows.pretraining_ablation import ARMS, TASKS, PretrainingAblation

FILES = {"text": "plays.txt", "synopses": "synopses.csv"}


def test_arms_of_a_task_differ_in_what_they_are_called_after_alone():
    arms = {arm.name: arm for arm in PretrainingAblation().arms(FILES)}
    assert len(arms) == 3 + len(ARMS) * len(TASKS)
    models = {name: arms[name].training({}, quick=False) for name in list(arms)[:3]}
    language, lstm, still = models.values()
    kinds = {line.split(":")[0] for line in fields.differences(language, lstm)}
    assert {name.split(".")[1] for name in kinds} == {"mixer", "position"}
    assert all(":" in name for name in list(arms)[3:])
    assert still.model == language.model and still.task == language.task and still.training.steps == 1
    for task in TASKS:
        full, *others = (arms[f"{task}: {arm}"] for arm in ARMS)
        assert full.begins_from == "language model"
        for arm in others:
            given = {name for name in full.values if full.values[name] != arm.values[name]}
            assert (arm.begins_from != full.begins_from) + len(given) == 1, arm.name
            assert given <= {"objective.language_loss_weight"}
        assert full.training({}, quick=False).training.at_most == 1000


def test_the_average_is_over_tasks_seed_by_seed(monkeypatch):
    rng = np.random.default_rng(0)
    scores = {f"{task}: {arm}": tuple(rng.random(3)) for task in TASKS for arm in ARMS}
    monkeypatch.setattr(row, "_score", lambda run, task: scores[run])
    monkeypatch.setattr(row.reached, "bits_a_byte", lambda run: (2.0, 2.1, 2.2))
    names = [*scores, "language model", "LSTM language model"]
    parts = PretrainingAblation().parts({name: name for name in names}, FILES)
    for arm in ARMS:
        expected = 100 * np.mean([scores[f"{task}: {arm}"] for task in TASKS], axis=0)
        np.testing.assert_allclose(parts["average"].values[arm], expected)
        assert parts["sentence-order"].values[arm] == scores[f"sentence order: {arm}"]
    assert parts["average"].table().rows[0][-1].text == "74.7"
    assert parts["average"].bounds == (0, 100)  # in points
