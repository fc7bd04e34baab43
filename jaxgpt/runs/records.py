"""Records of a run: `metrics.jsonl` always, TensorBoard and Weights & Biases where asked for."""

import contextlib
import importlib
import json
import math
import re
import secrets
from pathlib import Path
from typing import Any

import jax

from jaxgpt.core import foreign
from jaxgpt.core.wording import quoted
from jaxgpt.runs.run_directory import RunDirectory, write_atomically
from jaxgpt.training.training_config import TrainingConfig

#: Bytes of `metrics.jsonl`, at most: millions of steps.
MOST = 2**30
#: The package that an extra brings.
MODULES = {"tensorboard": "tensorboardX", "wandb": "wandb"}


class Records:
    """Writes one JSON object a record; every object has `step`.

    Of several processes the first alone writes.

    Args:
      keep_until: records beyond this step, left by a run that was stopped, are dropped first.
    """

    def __init__(
        self, directory: RunDirectory, *, keep_until: int, tensorboard: bool, wandb: bool, config: dict
    ):
        self._file = self._board = self._run = None
        if jax.process_index() != 0:
            return
        self._path = directory.metrics
        name = _wandb_id(directory, begun=keep_until > 0) if wandb else ""
        if directory.metrics.exists():
            kept = [r for r in read(directory.metrics) if r["step"] <= keep_until]
            write_atomically(directory.metrics, "".join(json.dumps(r) + "\n" for r in kept))
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

    def write(self, step: int, **values: Any) -> None:
        """Append a record; numbers that are not finite become null.

        Raises:
          OSError: if it cannot be written, in one line.
        """
        if self._file is None:
            return
        record = {"step": step} | {name: _plain(value) for name, value in values.items()}
        try:
            self._file.write(json.dumps(record, allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise OSError(
                f"{self._path} cannot be written ({error.strerror}); make room, then --resume"
            ) from error
        numbers = {n: v for n, v in record.items() if isinstance(v, int | float) and n != "step"}
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


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a run; a last line that was cut off by a crash is left out."""
    records = []
    lines = foreign.read_text(path, MOST).splitlines()
    for number, line in enumerate(lines, 1):
        try:
            record = foreign.parse_json(line)
        except (ValueError, RecursionError) as error:
            if number < len(lines):
                raise ValueError(f"{path}, line {number}: not a JSON object") from error
            break
        if not isinstance(record, dict) or type(record.get("step")) is not int:
            raise ValueError(f"{path}, line {number}: not a record with a step")
        lists = {name for name in record if name.endswith("es")}  # losses, matches: one a seed
        wrong = next((n for n, value in record.items() if not _is_figure(value, many=n in lists)), None)
        if wrong is not None:
            raise ValueError(f"{path}, line {number}: {quoted(wrong)} is no number")
        records.append(record)
    return records


def _is_figure(value: Any, *, many: bool) -> bool:
    """Whether a record can hold a value: a number or null, or a list of them."""
    if many:
        return isinstance(value, list) and all(_is_figure(entry, many=False) for entry in value)
    return value is None or type(value) in (int, float)


def training_seconds(records: list[dict[str, Any]]) -> float:
    """Seconds spent on training steps, over all processes that a run was trained in."""
    total = last = 0.0
    for record in records:
        if (seconds := record.get("seconds")) is not None:
            total += last if seconds < last else 0.0  # a run that went on counts from 0 again
            last = seconds
    return total + last


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


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
