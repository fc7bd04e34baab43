"""A value that does not fit is told by the field that it was given to, named once and in full."""

import re

import pytest

from jaxgpt.core import fields
from jaxgpt.nn.position import Position
from jaxgpt.noise import Noise
from jaxgpt.objectives import Objective
from jaxgpt.runs import experiments
from jaxgpt.training.experiment import Experiment

PARTS = [
    *(
        {"model": name}
        for name in ("longformer_base", "reformer_enwik8", "gemma3_1b", "albert_base", "char_gru")
    ),
    *({"model.position": name} for name in Position.names()),
    *({"objective.noise": name, "objective": "denoising"} for name in Noise.names()),
    *({"objective": name} for name in Objective.names()),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: " ".join(part.values()))
def test_a_number_that_does_not_fit(part):
    experiment = fields.override(experiments.find("addition"), part)
    _check(experiment, next(iter(part)))


@pytest.mark.parametrize("name", ["addition", "bert_pretraining", "magic_squares", "gpt3_arithmetic", "text"])
def test_a_number_that_does_not_fit_a_task(name):
    _check(experiments.find(name), "task")
    _check(experiments.find(name), "training")


def _check(experiment, part):
    paths = [row.path.split(".") for row in fields.describe(experiment)]
    known = {".".join(path[:n]) for path in paths for n in range(1, len(path) + 1)}
    for row in fields.describe(experiment):
        if row.path.startswith(part) and re.search("int|float", row.type):
            for number in (-1, 0, 7):
                told = (_typed(experiment, row.path, str(number)), _recorded(experiment, row.path, number))
                for message in told:
                    if message is not None and "is not of type" not in message:
                        assert re.match(r"[\w.]+", message)[0] in known, message


def _typed(experiment, path, text):
    try:
        fields.override(experiment, {path: text})
    except ValueError as error:
        return str(error)


def _recorded(experiment, path, value):
    data = fields.to_json(experiment)
    *above, name = path.split(".")
    inner = data
    for step in above:
        inner = inner[step]
    inner[name] = value
    try:
        fields.from_json(Experiment, data)
    except ValueError as error:
        return str(error)


def test_a_name_inside_a_message_is_no_place():
    """`task.order` in the way out is not where the message begins."""
    experiment = experiments.find("equal-places")
    with pytest.raises(
        ValueError, match=r"^task\.order=ends_first: rule=parity asks questions, .*forward\)$"
    ):
        fields.override(experiment, {"task.rule": "parity", "task.order": "ends_first"})


def test_the_place_stands_before_what_is_no_field():
    experiment = experiments.find("addition")
    with pytest.raises(ValueError, match=r"^training\.mesh\.data=0 must be at least 1"):
        fields.override(experiment, {"training.mesh.data": "0"})
    with pytest.raises(ValueError, match=r"^model\.window_position\.rotary_dim=-1 must be even"):
        fields.override(experiment, {"model": "gemma3_1b", "model.window_position.rotary_dim": "-1"})
