"""Digests of a checkpoint's files: array formats notice a missing byte, but not a bit that turned."""

import hashlib
import json
from pathlib import Path

from jaxgpt.core import foreign
from jaxgpt.core.untrusted import refuse_sizes
from jaxgpt.core.wording import one_line
from jaxgpt.core.writing import remove_unfinished, write_atomically


def of_files(directory: Path) -> dict[str, str]:
    """The SHA-256 of every file below a directory, by its path there."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            with open(path, "rb") as file:
                found[path.relative_to(directory).as_posix()] = hashlib.file_digest(
                    file, "sha256"
                ).hexdigest()
    return found


class Digests:
    """A folder with the digests of each step's checkpoint, beside the checkpoints."""

    def __init__(self, checkpoints: Path):
        self._checkpoints = checkpoints
        self._folder = checkpoints / ".sha256"

    def write(self, step: int) -> None:
        """Record the files of a step as they are, and forget steps whose checkpoint is gone."""
        self._folder.mkdir(exist_ok=True)
        remove_unfinished(self._folder)
        for path in self._folder.glob("*.json"):
            if not (self._checkpoints / path.stem).is_dir():
                path.unlink(missing_ok=True)
        write_atomically(self._path(step), json.dumps(of_files(self._checkpoints / str(step)), indent=1))

    def forget(self, step: int) -> None:
        """Before a step is written anew."""
        self._path(step).unlink(missing_ok=True)

    def check(self, step: int) -> None:
        """Raises ValueError if the files of a step are not as they were recorded, or too large."""
        refuse_sizes(self._checkpoints / str(step))
        if not self._path(step).exists():
            return  # killed between the commit and its digests: the arrays themselves must tell
        recorded = foreign.read_json(self._path(step))
        if not isinstance(recorded, dict):
            raise ValueError(f"{self._path(step)} has no digests")
        found = of_files(self._checkpoints / str(step))
        for name in recorded:
            if found.get(name) != recorded[name]:
                raise ValueError(one_line(f"{step}/{name} is not as it was written", 100))

    def _path(self, step: int) -> Path:
        return self._folder / f"{step}.json"
