"""Records at TensorBoard and at Weights & Biases: a run that goes on is one run there, each step once."""

import sys
import types

import numpy as np
import pytest
from tiny_runs import arguments, records

from jaxgpt.runs.records import Records
from jaxgpt.runs.run_directory import RunDirectory


class Service:
    """Stands in for both packages; remembers how it was begun and what was written."""

    def __init__(self):
        self.begun, self.written = [], []

    def SummaryWriter(self, path, **options):
        self.begun.append(options)
        return self

    def init(self, **options):
        self.begun.append(options)
        return self

    def add_scalar(self, name, value, step):
        self.written.append((step, name))

    def log(self, numbers, step):
        self.written += [(step, name) for name in numbers]

    def close(self):
        pass

    finish = close


@pytest.fixture
def services(monkeypatch):
    found = {"tensorboardX": Service(), "wandb": Service()}
    for name, service in found.items():
        module = types.ModuleType(name)
        module.SummaryWriter, module.init = service.SummaryWriter, service.init
        monkeypatch.setitem(sys.modules, name, module)
    return found


@pytest.mark.thorough
def test_a_run_that_goes_on_is_the_same_run_there(services, jaxgpt, tmp_path):
    workdir = tmp_path / "run"
    both = {"training__tensorboard": "true", "training__wandb": "true"}
    status, _, errors = jaxgpt("train", *arguments(workdir, training__steps=10, **both))
    assert status == 0, errors
    status, _, errors = jaxgpt("train", "--resume", "--workdir", workdir, "--training.steps", "15")
    assert status == 0, errors
    first, second = services["tensorboardX"].begun
    assert (first["purge_step"], second["purge_step"]) == (None, 11)
    first, second = services["wandb"].begun
    assert first["id"] == second["id"] and first["resume"] == second["resume"] == "allow"
    written = services["wandb"].written
    assert written == services["tensorboardX"].written
    losses = [step for step, name in written if name == "loss"]
    assert losses == list(range(1, 16)) == [r["step"] for r in records(workdir) if "loss" in r]


def test_services_are_given_the_mean_over_seeds_and_the_sum_of_counts(services, tmp_path, monkeypatch):
    told = {}
    monkeypatch.setattr(services["wandb"], "log", lambda numbers, step: told.update(numbers))
    options = {"keep_until": 0, "tensorboard": False, "wandb": True, "config": {}}
    found = Records(RunDirectory(tmp_path), seeds=(0, 1), **options)
    found.write(1, loss=np.asarray([1.0, 2.0]), skipped=[3, 4], seconds=1.5, grad_norm=[1.0, float("inf")])
    found.close()
    assert told == {"loss": 1.5, "skipped": 7, "seconds": 1.5}


def test_another_run_has_another_name_there(services, tmp_path):
    for name in ("one", "two", "one"):  # the last is a run that begins anew where one was
        directory = RunDirectory(tmp_path / name)
        directory.path.mkdir(exist_ok=True)
        Records(directory, seeds=(0,), keep_until=0, tensorboard=False, wandb=True, config={}).close()
    assert len({options["id"] for options in services["wandb"].begun}) == 3


def test_a_name_that_was_spoiled_is_refused(services, tmp_path):
    directory = RunDirectory(tmp_path)
    directory.wandb_id.write_text("../x y\n")
    with pytest.raises(ValueError, match=r"wandb-id\.txt holds no name of a run .*; remove it"):
        Records(directory, seeds=(0,), keep_until=5, tensorboard=False, wandb=True, config={})
