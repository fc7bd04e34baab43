"""The smallest experiment there is, run here or in a process of its own.

Compiled programs are kept in a folder for the time of the tests, since several processes run the same.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import pytest

from jaxgpt.core import fields
from jaxgpt.runs import experiments
from jaxgpt.training.experiment import Experiment

REPOSITORY = Path(__file__).resolve().parents[1]

#: Options of Python for a program of its own: warnings are errors, as in pyproject.toml.
STRICT = ("-W", "error", "-W", "ignore:Error reading persistent compilation cache entry")

#: Overrides that make of `addition` a model of 4,000 weights on sums of two digits.
TINY = {
    "task.max-digits": "1",
    "task.extra-digits": "",
    "model.num-layers": "1",
    "model.d-model": "16",
    "model.num-heads": "2",
    "model.max-length": "16",
    "model.position": "rotary",
    "model.init-std": "0.02",
    "optimizer.learning-rate": "2e-3",
    "optimizer.warmup-steps": "2",
    "training.steps": "20",
    "training.batch-size": "8",
    "training.train-examples": "100",
    "training.eval-examples": "8",
    "training.test-examples": "0",
    "training.log-every": "1",
    "training.chunk": "5",
}


def pytest_configure(config):
    """Share compiled programs between tests, xdist's workers and the processes that they start."""
    if hasattr(config, "workerinput"):  # a worker begins with what is set here
        return
    config.stash[_CACHE] = tempfile.mkdtemp(prefix="jaxgpt-tests-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = config.stash[_CACHE]
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"


def pytest_unconfigure(config):
    """Remove the compiled programs."""
    if _CACHE in config.stash:
        shutil.rmtree(config.stash[_CACHE], ignore_errors=True)


_CACHE = pytest.StashKey[str]()


def tiny(**overrides) -> Experiment:
    """The tiny experiment; `training__steps=3` overrides `training.steps`."""
    return fields.override(experiments.find("addition"), _tiny(overrides))


def with_training(experiment: Experiment, **values) -> Experiment:
    """The experiment with fields of its training replaced."""
    return dataclasses.replace(experiment, training=dataclasses.replace(experiment.training, **values))


def arguments(workdir, **overrides) -> list[str]:
    """The command line of the tiny experiment in `workdir`, behind `train`."""
    words = ["addition", "--workdir", str(workdir)]
    for name, value in _tiny(overrides).items():
        words += [f"--{name}", value]
    return words


def _tiny(overrides) -> dict[str, str]:
    given = {name.replace("__", ".").replace("_", "-"): str(value) for name, value in overrides.items()}
    if "training.epochs" in given:  # in place of steps
        return {name: value for name, value in (TINY | given).items() if name != "training.steps"}
    return TINY | given


def start(*words: str, cwd=None, variables=None, output=subprocess.PIPE, **options) -> subprocess.Popen:
    """`jaxgpt WORDS` in a process of its own, with its output in pipes or in the file `output`."""
    code = "import sys; from jaxgpt.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=cwd or REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu"} | (variables or {}),
        stdout=output,
        stderr=output,
        text=True,
        **options,
    )


def finish(process: subprocess.Popen, seconds: float = 120) -> tuple[int, str, str]:
    """Status, output and errors of a process that must end within `seconds`."""
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        raise AssertionError(f"no end after {seconds} s:\n{output}\n{errors}") from None
    return process.returncode, output, errors


def run(*words: str, seconds: float = 120, **options) -> tuple[int, str, str]:
    """Status, output and errors of `jaxgpt WORDS` in a process of its own."""
    return finish(start(*words, **options), seconds)


def losses(workdir) -> dict[int, float]:
    """The training losses that a run of one seed recorded, each step once."""
    return {record["step"]: record["loss"] for record in records(workdir) if "loss" in record}


def records(workdir) -> list[dict]:
    """What a run recorded of each step: {"step": 3, "loss": 1.5, ...}; of several seeds [1.5, 1.25]."""
    found: dict[int, dict] = {}
    rows = metrics(workdir)
    many = len({row["seed"] for row in rows} - {None}) > 1
    for row in rows:
        record = found.setdefault(row["step"], {"step": row["step"]})
        if many and row["seed"] is not None:
            values = record.setdefault(row["name"], [])
            assert len(values) == row["seed"], f"{row} is no value of the next seed"
            values.append(row["value"])
        else:
            assert row["name"] not in record, f"{row['name']} of step {row['step']} is recorded twice"
            record[row["name"]] = row["value"]
    return list(found.values())


def metrics(workdir) -> list[dict]:
    """The lines of a run's `metrics.jsonl`, which must be strict JSON."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    lines = (Path(workdir) / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line, parse_constant=refuse) for line in lines]


def copied(workdir, target) -> Path:
    """A copy of a run to spoil."""
    shutil.copytree(workdir, target)
    return Path(target)


def one_line(errors: str) -> str:
    """The error message, which must be the only line and no traceback."""
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, errors
    assert "Traceback" not in errors
    return lines[0]


@pytest.fixture
def jaxgpt(capsys):
    """Runs `jaxgpt WORDS` in this process: status, output and errors."""
    from jaxgpt.cli.main import main

    def call(*words):
        capsys.readouterr()
        path = list(sys.path)
        with contextlib.ExitStack() as stack:
            stack.callback(sys.path.__setitem__, slice(None), path)
            status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def small_disk(tmp_path):
    """A file system in memory, and how to set the room that is left on it, in KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mounting needs root")

    def leave(kib):
        used = sum(path.stat().st_blocks for path in place.rglob("*")) // 2
        subprocess.run(["mount", "-o", f"remount,size={used + kib}k", str(place)], check=True)

    yield place, leave
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def quick_compilation():
    """XLA optimizes little: for tests that compare nothing bit by bit with what others compiled."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> Path:
    """A run of 20 steps with checkpoints of steps 15 and 20; copy it before changing anything."""
    from jaxgpt.runs.session import train

    path = tmp_path_factory.mktemp("runs") / "finished"
    # Whichever test asks first, the run is compiled as every process compiles it.
    quick = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", False)
    train(tiny(training__save_every=5), path, say=lambda line: None)
    jax.config.update("jax_disable_most_optimizations", quick)
    return path
