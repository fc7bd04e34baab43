"""Checkpoints of a run: asynchronous, atomic, the last few and the best (Orbax)."""

import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np

State = dict[str, Any]

#: What Orbax, tensorstore and the file system raise for a checkpoint that cannot be read or written.
FAILURES = (OSError, ValueError, KeyError, TypeError, RuntimeError)


class CheckpointError(RuntimeError):
    """A checkpoint could not be written or read; the message is one line."""


def flatten(state: State) -> dict[str, dict[str, Any]]:
    """The state as two flat dictionaries, which is what lies on disk."""
    leaves = jax.tree.leaves(state["optimizer"])
    return {"params": state["params"], "optimizer": {f"{i:05d}": leaf for i, leaf in enumerate(leaves)}}


def unflatten(flat: dict[str, dict[str, Any]], like: State) -> State:
    """The inverse of `flatten`; `like` gives the structure of the optimizer's state."""
    leaves = [flat["optimizer"][name] for name in sorted(flat["optimizer"])]
    structure = jax.tree.structure(like["optimizer"])
    return {"params": dict(flat["params"]), "optimizer": jax.tree.unflatten(structure, leaves)}


class Checkpoints:
    """The folder `checkpoints` of a run directory.

    Args:
      directory: it is made if missing.
      fingerprint: of the run's tokenizer, kept beside every checkpoint: ids mean nothing without it.
      keep_last, keep_best: how many of the newest, and of the lowest `loss`, are kept.
      read_only: nothing is made or cleaned up; a training process may be at work in the folder.
    """

    def __init__(
        self,
        directory: Path,
        *,
        fingerprint: str,
        keep_last: int = 2,
        keep_best: int = 1,
        read_only: bool = False,
    ):
        from orbax.checkpoint import v1 as ocp

        # Orbax reports every save at INFO through absl, and a broken sibling at WARNING.
        logging.getLogger("absl").setLevel(logging.ERROR)
        self.directory = Path(directory).absolute()
        self._fingerprint = fingerprint
        self._read_only = read_only
        if read_only and not self.directory.is_dir():
            raise CheckpointError(f"{self.directory} does not exist: the run has no checkpoint yet")
        refuse_links(self.directory)
        policies = ocp.training.preservation_policies
        keep = [policies.LatestN(keep_last)]
        if keep_best:
            keep.append(
                policies.BestN(
                    get_metric_fn=lambda metrics: metrics["loss"],
                    reverse=True,
                    n=keep_best,
                    keep_checkpoints_without_metrics=False,
                )
            )
        self._ocp = ocp
        self._policy = policies.AnyPreservationPolicy(keep)
        self._open()

    def _open(self):
        # Every save is asked for by the loop, so nothing is left for a policy to decide.
        self._manager = self._ocp.training.Checkpointer(
            self.directory,
            save_decision_policy=self._ocp.training.save_decision_policies.FixedIntervalPolicy(1),
            preservation_policy=self._policy,
            cleanup_tmp_directories=not self._read_only,
        )
        self._pending = None

    def steps(self) -> list[int]:
        """The steps that were committed, oldest first."""
        return sorted(c.step for c in self._manager.checkpoints)

    def began(self) -> bool:
        """Whether a checkpoint was ever committed, readable or not."""
        return any("orbax-checkpoint-tmp" not in entry.name for entry in self.directory.iterdir())

    def save(self, step: int, state: State, *, loss: float) -> None:
        """Start to write; the arrays are copied first, so training may go on.

        Raises:
          CheckpointError: if this save or the one before fails. Older checkpoints stay as they are.
        """
        self.wait()
        with self._translated(step):
            self._pending = self._manager.save_async(
                step,
                flatten(state),
                force=True,
                overwrite=True,
                metrics={"loss": loss},
                custom_metadata={"tokenizer": self._fingerprint},
            )
            self._step = step

    def wait(self) -> None:
        """Block until what was started is committed.

        Raises:
          CheckpointError: if it could not be.
        """
        if self._pending is not None:
            with self._translated(self._step):
                pending, self._pending = self._pending, None
                pending.result()

    @contextlib.contextmanager
    def _translated(self, step: int):
        try:
            yield
        except FAILURES as error:
            self._discard(step)
            raise CheckpointError(
                f"the checkpoint of step {step} could not be written to {self.directory}: "
                f"{first_line(error)}; older checkpoints are intact; make room, then --resume"
            ) from error

    def _discard(self, step: int) -> None:
        """Remove what a failed save left behind and start afresh, so that a retry works."""
        self._pending = None
        with contextlib.suppress(*FAILURES):
            self._manager.close()
        for left in self.directory.glob("*orbax-checkpoint-tmp*"):
            shutil.rmtree(left, ignore_errors=True)
        self._open()

    def restore(self, like: State, *, step: int | None = None) -> tuple[int, State, list[str]]:
        """The newest checkpoint that can be read, or that of `step`.

        Args:
          like: shapes, types and shardings, from `Program.abstract`.

        Returns:
          Its step, the state, and a line for every newer checkpoint that could not be read.

        Raises:
          CheckpointError: if none can be read. Training never starts again at 0 by itself.
        """
        steps = self.steps()
        if step is not None:
            if step not in steps:
                raise CheckpointError(f"{self.directory} has no checkpoint of step {step}; it has {steps}")
            steps = [step]
        skipped = []
        for candidate in reversed(steps):
            self._check_tokenizer(candidate)
            try:
                flat = self._manager.load(candidate, flatten(like))
                state = unflatten(flat, like)
                check_shapes(state, like)
                return candidate, state, skipped
            except FAILURES as error:
                skipped.append(f"the checkpoint of step {candidate} cannot be read: {first_line(error)}")
        raise CheckpointError(
            f"no checkpoint in {self.directory} can be read ({'; '.join(skipped) or 'there is none'}); "
            "restore one from a copy or start a new --workdir"
        )

    def params(self, like: dict[str, Any], *, step: int | None = None) -> tuple[int, dict[str, Any]]:
        """The weights alone, of the newest readable checkpoint or of `step`."""
        steps = self.steps()
        if step is not None and step not in steps:
            raise CheckpointError(f"{self.directory} has no checkpoint of step {step}; it has {steps}")
        skipped = []
        for candidate in [step] if step is not None else reversed(steps):
            self._check_tokenizer(candidate)
            try:
                context = self._ocp.Context(
                    pytree_options=self._ocp.options.PyTreeOptions(
                        loading=self._ocp.options.PyTreeOptions.Loading(partial_load=True)
                    )
                )
                with context:
                    flat = self._manager.load(candidate, {"params": like})
                check_shapes(flat["params"], like)
                return candidate, dict(flat["params"])
            except FAILURES as error:
                skipped.append(f"step {candidate}: {first_line(error)}")
        raise CheckpointError(
            f"no checkpoint in {self.directory} can be read ({'; '.join(skipped) or 'there is none'})"
        )

    def _check_tokenizer(self, step: int) -> None:
        """Raises CheckpointError if a checkpoint tells of another tokenizer than the run's."""
        try:
            used = self._manager.metadata(step).custom_metadata["tokenizer"]
        except FAILURES:
            return  # damaged; reading the arrays will tell
        if used != self._fingerprint:
            raise CheckpointError(
                f"the checkpoint of step {step} was trained with the tokenizer {used}, but "
                f"{self.directory.parent / 'tokenizer.json'} holds {self._fingerprint}: it is another "
                "run's; restore the file"
            )

    def best(self) -> int | None:
        """The step with the lowest loss among those that are kept."""
        known = [c for c in self._manager.checkpoints if c.metrics and "loss" in c.metrics]
        return min(known, key=lambda c: (c.metrics["loss"], -c.step)).step if known else None

    def close(self) -> None:
        """Wait for what is being written, and let go."""
        self.wait()
        self._manager.close()


def check_shapes(state: Any, like: Any) -> None:
    """Raises ValueError where an array has another shape or type than expected."""
    for (path, got), want in zip(
        jax.tree_util.tree_leaves_with_path(state), jax.tree.leaves(like), strict=True
    ):
        if got.shape != want.shape or got.dtype != want.dtype:
            name = jax.tree_util.keystr(path)
            raise ValueError(f"{name} is {got.dtype}{got.shape}, expected {want.dtype}{want.shape}")


def refuse_links(directory: Path) -> None:
    """Raises ValueError if anything below is a symbolic link, which could lead a reader elsewhere."""
    for root, folders, files in os.walk(directory):
        for name in folders + files:
            if os.path.islink(os.path.join(root, name)):
                raise ValueError(f"{os.path.join(root, name)} is a symbolic link; checkpoints hold none")


def refuse_pickle(path: Path) -> None:
    """Raises ValueError if a file starts like a Python pickle or a zip archive of one; nothing is opened."""
    with open(path, "rb") as file:
        head = file.read(4)
    if head[:1] == b"\x80" or head[:4] == b"PK\x03\x04":
        raise ValueError(
            f"{path} is a Python pickle, which can run code when it is opened, and is refused; "
            "give a run directory made by train.py"
        )


def first_line(error: BaseException) -> str:
    """The first line of an error's message, shortened."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if len(text) <= 200 else text[:197] + "..."


def as_numpy(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """Weights on the host."""
    return {name: np.asarray(value) for name, value in params.items()}
