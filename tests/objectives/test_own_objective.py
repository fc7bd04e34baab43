"""An objective from outside: found by its name, trained with, and judged by -log p."""

import dataclasses
import sys
from types import ModuleType
from typing import Annotated

import jax.numpy as jnp
import numpy as np
import pytest
from tiny_runs import tiny

import jaxgpt
from jaxgpt.core.fields import from_json, to_json
from jaxgpt.objectives import Objective
from jaxgpt.objectives.losses import token_losses
from jaxgpt.tokenizers.vocabulary import Vocabulary

FOCAL = "mine.focal:Focal"


@pytest.fixture
def focal(monkeypatch):
    """The focal loss, in a module of its own."""

    @dataclasses.dataclass(frozen=True)
    class Focal(jaxgpt.NextToken):
        gamma: Annotated[float, "0 is the plain loss"] = 2.0

        def token_loss(self, logits, targets):
            losses = token_losses(logits, targets)
            return (1 - jnp.exp(-losses)) ** self.gamma * losses

    module = ModuleType("mine.focal")
    Focal.__module__, Focal.__qualname__, module.Focal = module.__name__, "Focal", Focal
    monkeypatch.setitem(sys.modules, "mine", ModuleType("mine"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return Focal


def test_what_members_share_is_none_itself():
    names = (
        "denoising labels masked multiple_choice multitask next_token permuted pretraining similarity span"
    )
    assert Objective.names() == names.split()


@pytest.mark.thorough
def test_one_from_outside_trains_and_is_judged_by_its_likelihood(focal):
    experiment = tiny(objective=FOCAL, objective__gamma="3.0")
    assert experiment.objective == focal(gamma=3.0)
    assert from_json(Objective, to_json(experiment.objective)) == experiment.objective
    plain, own = jaxgpt.Trainer(tiny()), jaxgpt.Trainer(experiment)
    np.testing.assert_array_equal(plain.validation_losses(), own.validation_losses())
    plain.step(1)
    own.step(1)
    assert own.losses[0, 0] < plain.losses[0, 0]  # every factor is below 1
    own.step(19)
    assert own.losses[-5:].mean() < own.losses[:5].mean()


@pytest.mark.thorough
def test_the_number_loss_is_added_to_the_own_one(focal):
    vocabulary = Vocabulary(["", "", "", *"0123456789"])
    logits, targets = jnp.asarray(np.random.default_rng(0).normal(size=(4, 13))), jnp.asarray([3, 5, 1, 12])
    number = {"number_loss": "mse", "number_loss_weight": 0.5}
    added = jaxgpt.NextToken(**number).training_loss(vocabulary)(logits, targets) - token_losses(
        logits, targets
    )
    assert (np.asarray(added) > 0).tolist() == [True, True, False, True]
    own = focal(**number).training_loss(vocabulary)(logits, targets)
    np.testing.assert_allclose(own, focal().token_loss(logits, targets) + added, rtol=1e-5)
