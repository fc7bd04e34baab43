"""Interim checkpoints: there to go on from alone, until the next checkpoint takes their place."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax


class InterimMarks:
    """An empty file for each interim checkpoint, named by its step, in a folder beside the checkpoints."""

    def __init__(self, directory: Path):
        self._directory, self._marks = directory, directory / ".interim"

    def has(self, step: int) -> bool:
        """Whether the checkpoint of a step is interim."""
        return (self._marks / str(step)).exists()

    def remove(self, step: int) -> None:
        """Make an interim checkpoint one like the others."""
        if jax.process_index() == 0:
            (self._marks / str(step)).unlink(missing_ok=True)

    def set(self, step: int, interim: bool) -> None:
        """Before a step is written, so that a kill at any moment leaves none that passes for another."""
        if jax.process_index() != 0:
            return
        self.remove(step)
        if interim:
            self._marks.mkdir(parents=True, exist_ok=True)
            (self._marks / str(step)).touch()

    def sweep(self) -> None:
        """Forget the marks of steps whose checkpoint is gone."""
        for mark in self._marks.glob("*"):
            if not (self._directory / mark.name).is_dir():
                mark.unlink(missing_ok=True)


class ButInterim:
    """A policy for checkpoints that are not interim; of those the newest is kept until another comes."""

    def __init__(self, policy: Any, interim: Callable[[int], bool]):
        self._policy, self._interim = policy, interim

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> list[bool]:
        """Orbax's question, which of the checkpoints to keep."""
        others = [one for one in checkpoints if not self._interim(one.step)]
        kept = self._policy.should_preserve(others, context=context) if others else []
        steps = {one.step for one, keep in zip(others, kept, strict=True) if keep}
        return [one.step in steps or one is checkpoints[-1] for one in checkpoints]
