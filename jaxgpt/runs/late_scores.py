"""Scores that the weights of a checkpoint reached after it was written, because a stop came before."""

import json
import math
from pathlib import Path

from jaxgpt.core import foreign
from jaxgpt.core.writing import remove_unfinished, write_atomically


class LateScores:
    """A file for each such checkpoint, named by its step, in a folder beside the checkpoints.

    To write the checkpoint anew would remove it first, and a kill meanwhile would lose it.
    """

    def __init__(self, checkpoints: Path):
        self._checkpoints, self._folder = checkpoints, checkpoints / ".selection"

    def has(self, step: int) -> bool:
        """Whether the weights of a step were asked after they were written."""
        return self._path(step).exists()

    def read(self, step: int, seeds: int) -> list[float]:
        """What each replica's weights scored. [R]

        Raises:
          ValueError: if the file was changed.
        """
        found = foreign.read_json(self._path(step))
        known = isinstance(found, list) and len(found) == seeds
        if not known or any(type(v) not in (int, float) or not math.isfinite(v) for v in found):
            raise ValueError(f"{self._path(step)} does not hold a score of each seed; restore the file")
        return [float(value) for value in found]

    def write(self, step: int, scores: list[float]) -> None:
        """Note what the weights of a step that is written already scored.

        Raises:
          OSError: if it cannot be written, in one line.
        """
        self._folder.mkdir(exist_ok=True)
        write_atomically(self._path(step), json.dumps(scores))

    def forget(self, step: int) -> None:
        """Before a step is written."""
        self._path(step).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Forget the steps whose checkpoint is gone."""
        remove_unfinished(self._folder)
        for path in self._folder.glob("*.json"):
            if not (self._checkpoints / path.stem).is_dir():
                path.unlink(missing_ok=True)

    def _path(self, step: int) -> Path:
        return self._folder / f"{step}.json"
