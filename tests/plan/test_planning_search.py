"""The order of candidates, and which of them are compiled, with a compiler that answers by a rule."""

import dataclasses

import pytest
from tiny_runs import tiny

from jaxgpt.cli import plan as command
from jaxgpt.plan import fitting as report
from jaxgpt.plan import targets
from jaxgpt.plan.candidates import Candidate, ordered


class Rule:
    """Answers as the compiling process does; remembers what it was asked."""

    def __init__(self, devices: int, state: int, activations: int, *, gradients: int = 0):
        self.devices, self.state, self.activations, self.gradients = devices, state, activations, gradients
        self.asked: list[Candidate] = []

    def needs(self, candidate: Candidate) -> tuple[int, int]:
        kept = 0.25 if candidate.remat == "block" else 1
        temporaries = int(self.activations * kept / candidate.pieces) + self.gradients // candidate.fsdp
        return self.state // candidate.fsdp, temporaries

    def compile(self, candidate: Candidate, memory: int) -> dict:
        data = self.devices // candidate.fsdp if candidate.data == -1 else candidate.data
        self.asked.append(candidate)
        arguments, temporaries = self.needs(candidate)
        found = {"mesh": {"data": data, "fsdp": candidate.fsdp, "tensor": candidate.tensor}}
        found["arguments"] = arguments
        if arguments > memory:
            return found | {"status": "too large", "reason": "its state alone"}
        parts = {"arguments": arguments, "temporaries": temporaries, "outputs": 0, "code": 0}
        parts["peak"] = arguments + temporaries
        return found | {"status": "compiled", "memory": parts, "seconds": 1.0}


def search(rule: Rule, memory: int, *, most: int = 8, **fields):
    experiment = tiny(training__batch_size=64, model__d_model=64, **fields)
    candidates = ordered(experiment, targets.parse(f"cpu:{rule.devices}"))
    return command._search(rule, candidates, memory, most, lambda line: None)


def test_what_fits_as_it_is_is_compiled_and_nothing_else():
    rule = Rule(8, state=50, activations=40)
    tried = search(rule, 100)
    assert tried[-1].fits and rule.asked == [Candidate(-1, 1, 1, "none", 1)]


def test_a_state_that_is_too_large_is_spread_before_anything_is_recomputed():
    rule = Rule(8, state=150, activations=20)
    tried = search(rule, 100)
    assert tried[-1].candidate == Candidate(2, 4, 1, "none", 1) and tried[-1].fits
    # One look at the copies told that no copy fits.
    assert [one.fsdp for one in rule.asked] == [1, 4]


def test_activations_that_are_too_large_are_cut_before_they_are_recomputed():
    assert search(Rule(8, state=10, activations=150), 100)[-1].candidate == Candidate(8, 1, 1, "none", 2)
    rule = Rule(8, state=10, activations=3000)
    found = search(rule, 100)[-1]
    # 3000 in 4 pieces are 750; recomputed they are 750, of which 8 pieces, a row a device each, leave 94.
    # Beside these there is room for a state of 3.
    assert found.candidate == Candidate(2, 4, 1, "block", 8) and found.fits
    # On each of both meshes one look told that fewer pieces do not fit.
    assert [(one.fsdp, one.pieces) for one in rule.asked if one.remat == "block"] == [(1, 1), (4, 1), (4, 8)]


def test_gradients_that_are_too_large_are_spread():
    """On every device they are 80; spread over four they leave room, without more pieces."""
    rule = Rule(8, state=60, activations=30, gradients=80)
    found = search(rule, 100)[-1]
    assert found.candidate == Candidate(2, 4, 1, "none", 1) and found.fits


def test_what_cannot_fit_by_what_was_found_is_not_compiled():
    rule = Rule(8, state=10, activations=1000)
    search(rule, 100)
    for one in rule.asked[1:]:
        first = rule.needs(rule.asked[0])[1] if one.remat == "none" else None
        assert first is None or first / one.pieces < 100


def test_at_most_so_many_are_compiled():
    rule = Rule(8, state=10, activations=10**9)
    tried = search(rule, 100, most=3)
    assert len(rule.asked) == 3 and not any(one.fits for one in tried)


@pytest.mark.parametrize(("target", "batch"), [("cpu:8", 64), ("h200:4x8", 64), ("v5e:4x4", 48)])
def test_candidates_fit_the_devices_and_the_batch(target, batch):
    experiment = tiny(training__batch_size=batch, model__d_model=64, model__num_heads=4)
    devices = targets.parse(target)
    _, *others = ordered(experiment, devices)
    assert others and len(set(others)) == len(others)
    for one in others:
        assert one.data * one.fsdp * one.tensor == devices.count
        assert batch % (one.data * one.fsdp * one.pieces) == 0 and 64 % one.fsdp == 0
        changed = one.apply(experiment)
        assert Candidate.of(changed) == one
        # Nothing but the mesh, the pieces and what is recomputed.
        mesh = dataclasses.replace(changed.training.mesh, data=-1, fsdp=1, tensor=1)
        training = dataclasses.replace(changed.training, mesh=mesh, accumulation=1)
        model = dataclasses.replace(changed.model, remat="none")
        assert dataclasses.replace(changed, training=training, model=model) == experiment


def test_a_batch_too_small_for_the_devices_is_computed_by_several_for_each_row():
    experiment = tiny(training__batch_size=4, model__d_model=64, model__num_heads=4)
    _, *others = ordered(experiment, targets.parse("cpu:8"))
    assert {one.tensor for one in others} == {2, 4}


def test_options_set_what_differs():
    experiment = tiny(training__batch_size=64)
    assert Candidate.of(experiment).options(experiment) == ""
    options = Candidate(2, 4, 1, "block", 2).options(experiment)
    expected = "--training.mesh.data 2 --training.mesh.fsdp 4 --model.remat block --training.accumulation 2"
    assert options == expected


def test_what_could_not_be_compiled_is_not_called_too_large():
    class Silent(Rule):
        def compile(self, candidate, memory):
            self.asked.append(candidate)
            return {"status": "failed", "reason": "no answer in 3 s"}

    rule = Silent(8, state=1, activations=1)
    tried = search(rule, 100, most=2)
    assert len(rule.asked) == 2 and not any(one.fits for one in tried)
    assert all("not known: no answer in 3 s" in line for line in report.table(tried)[1:])
