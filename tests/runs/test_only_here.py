"""What is defined in a script or notebook is told before it is trained with, and not compared."""

import dataclasses
import sys

import pytest
from tiny_runs import arguments, tiny

from jaxgpt.cli import compare as command
from jaxgpt.comparison import preflight
from jaxgpt.core import fields
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.runs import session
from jaxgpt.task import Task
from jaxgpt.tokenizers.digits import Digits
from jaxgpt.training.experiment import Experiment
from tasks.arithmetic.task import Arithmetic


@dataclasses.dataclass(frozen=True)
class OwnTask(Arithmetic):
    """A task of the user's."""


@dataclasses.dataclass(frozen=True)
class OwnPosition(Rotary):
    """A position scheme of the user's."""


class OwnDigits(Digits):
    """A tokenizer of the user's."""


@pytest.fixture
def script(monkeypatch):
    """Has the classes stand in the script that runs."""
    for cls in (OwnTask, OwnPosition, OwnDigits):
        monkeypatch.setattr(cls, "__module__", "__main__")
        monkeypatch.setattr(sys.modules["__main__"], cls.__name__, cls, raising=False)


def with_own(part) -> Experiment:
    """The tiny experiment with a part of the user's."""
    experiment = tiny()
    if part == "task":
        values = {f.name: getattr(experiment.task, f.name) for f in dataclasses.fields(Arithmetic) if f.init}
        return dataclasses.replace(experiment, task=OwnTask(**values))
    if part == "tokenizer":
        return dataclasses.replace(experiment, tokenizer=f"{OwnDigits.__module__}:OwnDigits:1")
    model = dataclasses.replace(experiment.model, position=OwnPosition())
    return dataclasses.replace(experiment, model=model)


NAMES = {"task": "OwnTask", "position": "OwnPosition", "tokenizer": "OwnDigits"}


@pytest.mark.parametrize("part", NAMES)
def test_it_is_said_before_training(script, part, quick_compilation):
    said = []
    session.train(with_own(part), "unused", dry_run=True, say=said.append)
    assert said[0].startswith(
        f"warning: {NAMES[part]} is defined in a script or notebook, so no other process"
    )
    assert "my_module.py" in said[0] and not said[1].startswith("warning")


@pytest.mark.parametrize("part", NAMES)
def test_a_module_of_ones_own_is_found_everywhere(part):
    assert with_own(part).only_here() == []


@pytest.mark.parametrize("part", NAMES)
def test_a_comparison_refuses(script, part):
    words = [*arguments("unused", training__test_examples=10), "--vary", "model.d-ff=16,32"]
    request = command.request(command.parser().parse(words))
    own = dataclasses.replace(with_own(part), training=request.experiment.training)
    request = dataclasses.replace(request, experiment=own)
    with pytest.raises(ValueError, match=rf"{NAMES[part]} is defined in a script or notebook"):
        preflight.plan(request)


def test_a_class_inside_a_function():
    @dataclasses.dataclass(frozen=True)
    class Local(Task):
        """A task that nothing else can name."""

    (line,) = fields.only_here(Local())
    assert line.startswith("Local is defined inside a function, so no other process")


def test_a_run_of_a_script_tells_what_to_do(script, monkeypatch):
    data = fields.to_json(with_own("task"))
    monkeypatch.delattr(sys.modules["__main__"], "OwnTask")
    with pytest.raises(ValueError, match=r"__main__:OwnTask.*define it in a module.*my_module:OwnTask"):
        fields.from_json(Experiment, data)
