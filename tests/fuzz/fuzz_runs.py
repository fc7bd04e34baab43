"""Run directories: loaded, gone on with as far as the first step, their records read."""

import shutil
from pathlib import Path
from random import Random

from fuzz_mutators import mutate
from fuzz_subjects import Subject

import jaxgpt
from jaxgpt.core.foreign import read_json
from jaxgpt.runs import records, session
from jaxgpt.runs.run_directory import RunDirectory


def read(path: Path, rng: Random) -> None:
    """Load a run, or do what `train --resume` does before it prepares."""
    directory = RunDirectory(path)
    if rng.random() < 0.5:
        run = jaxgpt.load(path, checkpoint=rng.choice(("last", "last", "best", 20)))
        assert isinstance(run.metrics, list) and run.evaluation is None
        return
    experiment, _ = directory.read()
    session._check_resumed(directory, experiment, lambda line: None)
    session._owed(directory, 20, 1, asks=True)
    records.training_seconds(records.read(directory.metrics))
    for file in (directory.evaluation, directory.outcome):
        if file.is_file():
            read_json(file)


def spoil(path: Path, rng: Random) -> str:
    """As `mutate`; the digests that would tell of it are often gone, and the few files of JSON often hit."""
    if rng.random() < 0.5:
        shutil.rmtree(path / "checkpoints" / ".sha256", ignore_errors=True)
    if rng.random() < 0.6:
        return mutate(path, rng, "*.json*")
    return mutate(path, rng)


def subject(finished_run: Path) -> Subject:
    return Subject((finished_run,), read, spoil)
