"""Optimizers as a family: what a named one keeps, and one of a user, the tutorial's Lion."""

import dataclasses
import sys

import numpy as np
import pytest
from documents import ROOT, shown
from test_optimizers import AXES, trained, values
from tiny_runs import tiny

import jaxgpt
from jaxgpt.core.choice import FieldError
from jaxgpt.core.fields import differences, from_json, override, to_json
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers.adamw import AdamW
from jaxgpt.training.optimizers.muon import Muon

LION = "mine.lion:Lion"


@pytest.fixture
def lion(tmp_path, monkeypatch):
    """The tutorial's file where Python finds it; the class in it."""
    text = shown(ROOT / "docs/tutorial.md", "mine/lion.py")
    assert text.count("\n") < 40
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/lion.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield jaxgpt.Optimizer.named(LION)
    for name in ("mine", "mine.lion"):
        del sys.modules[name]


def test_a_named_one_keeps_what_the_experiment_set(lion):
    base = dataclasses.replace(tiny(), optimizer=AdamW(clip_norm=0.2, final_fraction=0.01, beta2=0.95))
    changed = override(base, {"optimizer": "muon", "optimizer.learning-rate": "3e-4"})
    assert changed.optimizer == Muon(learning_rate=3e-4, clip_norm=0.2, final_fraction=0.01, beta2=0.95)
    # Its beta2 is of another meaning, and what nobody set is its own.
    assert override(base, {"optimizer": LION}).optimizer == lion(clip_norm=0.2, final_fraction=0.01)
    assert override(changed, {"optimizer": "adamw"}).optimizer == AdamW(
        learning_rate=3e-4, clip_norm=0.2, final_fraction=0.01, beta2=0.95
    )


def test_members_that_keep_nothing_begin_with_their_defaults():
    base = override(tiny(), {"model.position": "rotary", "model.position.theta": "500"})
    assert override(base, {"model.position": "rotary"}).model.position.theta == 10_000
    assert override(base, {"task.held-out": "0.2", "task": "gcd"}).task.held_out == 0.2
    other = override(override(base, {"task.held-out": "0.2"}), {"task": "gcd"})
    assert other.task.held_out == type(other.task)().held_out


def test_an_own_default_is_not_replaced_by_another_members(lion, monkeypatch):
    @dataclasses.dataclass(frozen=True)
    class Slow(lion):
        learning_rate: float = 1e-4

    monkeypatch.setattr(sys.modules["mine.lion"], "Slow", Slow, raising=False)
    base = dataclasses.replace(tiny(), optimizer=AdamW(clip_norm=None))
    assert override(base, {"optimizer": "mine.lion:Slow"}).optimizer == Slow(clip_norm=None)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"optimizer": "addam"}, "optimizer=addam: no optimizer is called 'addam'; did you mean adamw? "),
        ({"optimizer": "json:dumps"}, "optimizer=json:dumps: 'json:dumps' is not an Optimizer"),
        ({"optimizer": LION, "optimizer.epsilon": "1"}, "no field 'optimizer.epsilon'; "),
    ],
)
def test_what_is_none_is_told_in_a_line(lion, values, message):
    with pytest.raises(FieldError, match=r"\A[^\n]{,200}\Z") as error:
        override(tiny(), values)
    assert str(error.value).startswith(message)


def test_one_that_cannot_take_over_a_value_says_where(lion, monkeypatch):
    @dataclasses.dataclass(frozen=True)
    class Loose(lion):
        def __post_init__(self):
            if self.clip_norm == 0.2:
                raise ValueError(f"clip_norm={self.clip_norm} is too small")

    monkeypatch.setattr(sys.modules["mine.lion"], "Loose", Loose, raising=False)
    base = dataclasses.replace(tiny(), optimizer=AdamW(clip_norm=0.2))
    with pytest.raises(FieldError, match=r"\Aoptimizer\.clip_norm=0\.2 is too small\Z"):
        override(base, {"optimizer": "mine.lion:Loose"})


def test_one_from_outside_is_written_and_read_again(lion):
    experiment = override(tiny(), {"optimizer": LION, "optimizer.beta2": "0.5"})
    written = to_json(experiment)
    assert written["optimizer"]["kind"] == LION and written["optimizer"]["beta2"] == 0.5
    assert from_json(Experiment, written) == experiment
    assert f"optimizer.kind: adamw -> {LION}" in differences(tiny(), experiment)


def test_one_from_outside_has_schedule_decay_and_clipping(lion):
    params, gradients = values(0), values(1)
    shared = {"schedule": "constant", "warmup_steps": 0, "learning_rate": 0.1, "weight_decay": 0.5}
    after = trained(lion(**shared), params, [gradients], axes=AXES)
    for name, before in params.items():
        decay = 0.5 * before if name.endswith(("kernel", "table")) else 0
        expected = before - 0.1 * (np.sign(gradients[name]) + decay)
        np.testing.assert_allclose(after[name], expected, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.thorough
def test_one_from_outside_trains(lion):
    options = {"optimizer": LION, "optimizer__learning_rate": "3e-3", "training__steps": "20"}
    trainer = jaxgpt.Trainer(tiny(**options))
    trainer.step(20)
    assert trainer.losses[-5:].mean() < 0.9 * trainer.losses[:5].mean()
