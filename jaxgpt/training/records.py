"""Records of a run: `metrics.jsonl` always, TensorBoard and Weights & Biases where asked for."""

import importlib
import json
import math
from pathlib import Path
from typing import Any

from jaxgpt.training.rundir import RunDirectory, write_atomically


class Records:
    """Writes one JSON object a record; every object has `step`.

    Args:
      keep_until: records beyond this step, left by a run that was stopped, are dropped first.
    """

    def __init__(
        self, directory: RunDirectory, *, keep_until: int, tensorboard: bool, wandb: bool, config: dict
    ):
        if directory.metrics.exists():
            kept = [r for r in read(directory.metrics) if r["step"] <= keep_until]
            write_atomically(directory.metrics, "".join(json.dumps(r) + "\n" for r in kept))
        self._file = open(directory.metrics, "a", encoding="utf-8")  # noqa: SIM115 - closed in close()
        self._board = self._run = None
        if tensorboard:
            self._board = optional("tensorboardX", "tensorboard").SummaryWriter(str(directory.path))
        if wandb:
            self._run = optional("wandb", "wandb").init(
                project="jaxgpt", dir=str(directory.path), config=config
            )

    def write(self, step: int, **values: Any) -> None:
        """Append a record; numbers that are not finite become null."""
        record = {"step": step} | {name: _plain(value) for name, value in values.items()}
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        numbers = {n: v for n, v in record.items() if isinstance(v, int | float) and n != "step"}
        if self._board is not None:
            for name, value in numbers.items():
                self._board.add_scalar(name, value, step)
        if self._run is not None:
            self._run.log(numbers, step=step)

    def close(self) -> None:
        """Flush and let go."""
        self._file.close()
        if self._board is not None:
            self._board.close()
        if self._run is not None:
            self._run.finish()


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a run; a last line that was cut off by a crash is left out."""
    records = []
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number < len(lines):
                raise ValueError(f"{path}, line {number}: not a JSON object") from error
    return records


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
            f"pip install 'jaxgpt[{extra}]', or leave the option off"
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
