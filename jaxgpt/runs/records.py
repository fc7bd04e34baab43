"""Records of a run: `metrics.jsonl` always, TensorBoard and Weights & Biases where asked for.

A line of `metrics.jsonl` is one value:

    {"step": 20, "seed": 0, "name": "loss", "value": 1.25}
    {"step": 20, "seed": null, "name": "learning_rate", "value": 0.001}
"""

import contextlib
import importlib
import json
import math
import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgpt.core import foreign
from jaxgpt.core.wording import quoted, shown
from jaxgpt.core.writing import write_atomically
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.training.training_config import TrainingConfig

#: Bytes of `metrics.jsonl`, at most: a million recorded steps.
MOST = 2**30
#: The package that an extra brings.
MODULES = {"tensorboard": "tensorboardX", "wandb": "wandb"}
#: Counts over all seeds, of which TensorBoard and Weights & Biases are given the sum; of others the mean.
_COUNTS = ("skipped",)


class Metric(NamedTuple):
    """One value that a run recorded.

    Attributes:
      step: updates made until then.
      seed: of the replica; None for a value that all share.
      value: None where it was not finite.
    """

    step: int
    seed: int | None
    name: str
    value: float | None


class Records:
    """Writes the values of a run, a line each.

    Of several processes the first alone writes.

    Args:
      seeds: of the replicas, in their order.
      keep_until: values beyond this step, left by a run that was stopped, are dropped first.
    """

    def __init__(
        self,
        directory: RunDirectory,
        *,
        seeds: Sequence[int],
        keep_until: int,
        tensorboard: bool,
        wandb: bool,
        config: dict,
    ):
        self._seeds = seeds
        self._file = self._board = self._run = None
        if jax.process_index() != 0:
            return
        self._path = directory.metrics
        name = _wandb_id(directory, begun=keep_until > 0) if wandb else ""
        if directory.metrics.exists():
            kept = [metric for metric in read(directory.metrics) if metric.step <= keep_until]
            write_atomically(directory.metrics, _lines(kept))
        self._file = open(directory.metrics, "a", encoding="utf-8")  # noqa: SIM115 - closed in close()
        if tensorboard:
            # What a run that was stopped wrote beyond this step is written again, and hidden there.
            purge = keep_until + 1 if keep_until else None
            writer = optional(MODULES["tensorboard"], "tensorboard").SummaryWriter
            self._board = writer(str(directory.path), purge_step=purge)
        if wandb:
            self._run = optional(MODULES["wandb"], "wandb").init(
                project="jaxgpt",
                dir=str(directory.path),
                config=config,
                id=name,
                resume="allow",
            )

    def write(self, step: int, **values: float | Sequence[float] | np.ndarray) -> None:
        """Append values: a number that all seeds share, or one of each seed. What is not finite becomes null.

        Raises:
          OSError: if it cannot be written, in one line.
        """
        if self._file is None:
            return
        found, numbers = [], {}
        for name, value in values.items():
            shared = isinstance(value, int | float)
            each = [value] if shared else np.asarray(value).tolist()
            seeds = [None] if shared else self._seeds
            found += [Metric(step, s, name, _finite(v)) for s, v in zip(seeds, each, strict=True)]
            if not shared:
                value = sum(each) if name in _COUNTS else float(np.mean(value))
            if _finite(value) is not None:
                numbers[name] = value
        try:
            self._file.write(_lines(found))
            self._file.flush()
        except OSError as error:
            raise OSError(
                f"{self._path} cannot be written ({error.strerror}); make room, then --resume"
            ) from error
        if self._board is not None:
            for name, value in numbers.items():
                self._board.add_scalar(name, value, step)
        if self._run is not None:
            self._run.log(numbers, step=step)

    def close(self) -> None:
        """Flush and let go."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # what a full disk left in the buffer; `write` told of it
                self._file.close()
        if self._board is not None:
            self._board.close()
        if self._run is not None:
            self._run.finish()


def _wandb_id(directory: RunDirectory, *, begun: bool) -> str:
    """The name of the run at Weights & Biases; one that goes on keeps the one it has."""
    if begun and directory.wandb_id.exists():
        found = directory.wandb_id.read_text(encoding="utf-8").strip()
        if re.fullmatch(r"\w{1,64}", found):
            return found
        raise ValueError(
            f"{directory.wandb_id} holds no name of a run at Weights & Biases; remove it to begin a new one"
        )
    new = secrets.token_hex(4)
    write_atomically(directory.wandb_id, new + "\n")
    return new


def read(path: Path) -> list[Metric]:
    """The values that a run recorded; of one that is there twice the later.

    A last line that was cut off by a crash is left out.

    Raises:
      ValueError: for a line that holds something else.
    """
    found: dict[tuple[int, int | None, str], Metric] = {}
    lines = foreign.read_text(path, MOST).splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = foreign.parse_json(line)
        except (ValueError, RecursionError) as error:
            if number < len(lines):
                raise ValueError(f"{path}, line {number}: not a JSON object") from error
            break
        metric = _metric(row, f"{path}, line {number}")
        # A run whose disk was full wrote some values of a step, and wrote the step again when it went on.
        found[metric[:3]] = metric
    return list(found.values())


def _metric(row: Any, where: str) -> Metric:
    """A line of the file; ValueError if it is none."""
    if not isinstance(row, dict) or not _is_whole(row.get("step")):
        raise ValueError(f"{where}: not a value with a step")
    if "name" not in row and "value" not in row:
        raise ValueError(
            f"{where}: written by an older version of jaxgpt, a line a step; read it with that version, or "
            "train again"
        )
    if row.keys() != set(Metric._fields):
        raise ValueError(f"{where}: not a value with {', '.join(Metric._fields)}")
    name, seed, value = row["name"], row["seed"], row["value"]
    if type(name) is not str:
        raise ValueError(f"{where}: the name {shown(name)} is no text")
    if not (seed is None or _is_whole(seed)):
        raise ValueError(f"{where}: the seed {shown(seed)} is no whole number")
    if not (value is None or type(value) in (int, float)):
        raise ValueError(f"{where}: the value of {quoted(name)} is no number")
    return Metric(row["step"], seed, name, None if value is None else _finite(value))


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _lines(metrics: Iterable[Metric]) -> str:
    return "".join(json.dumps(metric._asdict(), allow_nan=False) + "\n" for metric in metrics)


def training_seconds(metrics: Iterable[Metric]) -> float:
    """Seconds spent on training steps, over all processes that a run was trained in."""
    return max(seconds_until(metrics).values(), default=0.0)


def seconds_until(metrics: Iterable[Metric]) -> dict[int, float]:
    """Seconds spent on training until each step that recorded its time, over all processes of a run."""
    found, before, last = {}, 0.0, 0.0
    for metric in metrics:
        if metric.name == "seconds" and metric.value is not None:
            # Before checkpoints told the time, a run that went on counted from 0 again.
            before += last if metric.value < last else 0.0
            last = metric.value
            found[metric.step] = before + last
    return found


def check_extras(training: TrainingConfig) -> None:
    """Raises ValueError if records are asked for whose package is not installed."""
    for name, wanted in (("tensorboard", training.tensorboard), ("wandb", training.wandb)):
        if wanted:
            optional(MODULES[name], name)


def optional(module: str, extra: str) -> Any:
    """A module that comes with an extra.

    Raises:
      ValueError: if it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"training.{extra} needs the package {module}, which is not installed: "
            f"pip install 'jaxgpt[{extra}]' (in a checkout: pip install -e '.[{extra}]'), or leave it off"
        ) from error


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
