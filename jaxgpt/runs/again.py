"""A training that is part of a longer work: done once, and read where it is done already."""

from collections.abc import Callable
from pathlib import Path

from jaxgpt.runs.run import Run, load
from jaxgpt.runs.run_directory import RunDirectory, changes
from jaxgpt.runs.session import train
from jaxgpt.training.experiment import Experiment


def train_or_load(
    experiment: Experiment, path: Path | str, *, title: str, say: Callable[[str], None]
) -> Run | None:
    """The finished run of an experiment: read, gone on with, or begun; None if a signal stopped it.

    Args:
      title: is said before a training.

    Raises:
      ValueError: as `jaxgpt.train`, also where a run there has other settings.
    """
    directory = RunDirectory(path)
    run = load(directory.path) if directory.outcome.exists() else None  # the last file of a training
    if run is None or changes(run.experiment, experiment) or run.step < directory.read_resolved().steps:
        say(title)
        run = train(experiment, directory.path, resume=True, say=say)
    return None if run.status == "stopped" else run
