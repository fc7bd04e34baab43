"""The tasks as tensorflow-datasets: each dataset a task, each config a variant of it.

    import tensorflow_datasets as tfds
    from tasks import datasets

    datasets.register()
    rows = tfds.data_source("arithmetic/addition", split="train", data_dir="data")
    rows[0]  # {"prompt": b"...", "target": b"...", "group": b"...", "key": b"..."}

The variants are the tasks of the experiments with the same names. tensorflow_datasets is imported by
`register`, not with this module.
"""

import functools
from collections.abc import Callable, Mapping

from jaxgpt.experiment import Experiment
from jaxgpt.task import Task
from tasks import arithmetic, magic_squares

#: The experiments whose tasks become the configs of a dataset, the default first.
DATASETS: Mapping[str, tuple[Callable[[], Experiment], ...]] = {
    "arithmetic": (
        arithmetic.addition,
        arithmetic.addition_plain,
        arithmetic.addition_steps,
        arithmetic.subtraction,
        arithmetic.multiplication,
        arithmetic.decomposition,
        arithmetic.decomposition_spaced,
    ),
    "magic_squares": (magic_squares.magic_squares, magic_squares.magic_squares_document),
}


def variants(name: str) -> dict[str, Task]:
    """The tasks of a dataset by the names of their configs."""
    return {experiment.__name__: experiment().task for experiment in DATASETS[name]}


@functools.cache
def register() -> None:
    """Make the datasets known to tensorflow-datasets; a second call does nothing."""
    from jaxgpt.data.builder import task_builder

    for name in DATASETS:
        task_builder(name, variants(name))
