"""Checkpoints of a run: asynchronous, atomic, the last few and the best (Orbax)."""

import contextlib
import math
import os
import re
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

from jaxgpt.core import foreign
from jaxgpt.core.untrusted import refuse_links, refuse_sizes
from jaxgpt.core.wording import quoted, shown
from jaxgpt.models.config import ModelConfig
from jaxgpt.parallel import processes
from jaxgpt.runs import orbax_errors, schema
from jaxgpt.runs.checkpoint_state import State, check_shapes, flatten, unflatten
from jaxgpt.runs.digests import Digests
from jaxgpt.runs.interim import ButInterim, InterimMarks
from jaxgpt.runs.late_scores import LateScores
from jaxgpt.runs.orbax_errors import FAILURES, UNWRITTEN, as_value_error, first_line, told
from jaxgpt.training.selection import Params, Selection

#: Layers that are made quickly, whether there is anything to fill them with or not.
_FEW_LAYERS = 50


class CheckpointError(RuntimeError):
    """A checkpoint could not be written or read; the message is one line."""


class Checkpoints:
    """The folder `checkpoints` of a run directory.

    Args:
      directory: it is made if missing.
      fingerprint: of the run's tokenizer, kept beside every checkpoint: ids mean nothing without it.
      keep_last, keep_best: how many of the newest, and of the lowest `loss`, are kept.
      keep_steps: kept in any case.
      read_only: nothing is made or cleaned up; a training process may be at work in the folder.
    """

    def __init__(
        self,
        directory: Path,
        *,
        fingerprint: str,
        keep_last: int = 2,
        keep_best: int = 1,
        keep_steps: Sequence[int] = (),
        read_only: bool = False,
    ):
        from orbax.checkpoint import v1 as ocp

        orbax_errors.hush()
        self.directory = Path(directory).absolute()
        self._fingerprint = fingerprint
        if read_only and not self.directory.is_dir():
            raise CheckpointError(f"{self.directory} does not exist: the run has no checkpoint yet")
        refuse_links(self.directory)
        self._digests = Digests(self.directory)
        self._marks = InterimMarks(self.directory)
        self._late = LateScores(self.directory)
        #: Seconds that the last save took, from its call to its commit; infinite while it is written.
        self.seconds = 0.0
        self._manager = self._thread = self._failed = None
        policies = ocp.training.preservation_policies
        keep = [policies.LatestN(keep_last), policies.CustomSteps(keep_steps)]
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
        self._policy = ButInterim(policies.AnyPreservationPolicy(keep), self.interim)
        if not read_only and jax.process_index() == 0:
            self._sweep()

    def _sweep(self) -> None:
        """Remove what a process that was killed between writing and renaming left behind."""
        for left in self.directory.glob("*orbax-checkpoint-tmp*"):
            shutil.rmtree(left, ignore_errors=True)

    def _open(self):
        """The writer, made when it is first needed: it trusts every checkpoint that lies here."""
        if self._manager is not None:
            return
        for step in self.steps() if jax.process_index() == 0 else ():
            try:
                self._digests.check(step)
                self._metadata(step)["tokenizer"]  # Orbax forgives a file that it cannot read here, not later
            except FAILURES:
                self._set_aside(step)
        processes.gathered("set aside")
        # Every save is asked for by the loop, so nothing is left for a policy to decide.
        self._manager = self._ocp.training.Checkpointer(
            self.directory,
            save_decision_policy=self._ocp.training.save_decision_policies.FixedIntervalPolicy(1),
            preservation_policy=self._policy,
            cleanup_tmp_directories=True,
        )

    def _set_aside(self, step: int) -> None:
        target = self.directory / f"{step}.damaged"
        shutil.rmtree(target, ignore_errors=True)
        os.replace(self.directory / str(step), target)

    def selection(self, step: int) -> dict[str, Any]:
        """Where the weights come from that lie as `selected` beside those of `step`: `Selection.note`.

        Raises:
          CheckpointError: if no weights were selected in that run.
        """
        noted = None
        with contextlib.suppress(*FAILURES):
            noted = self._metadata(step).get("selection")
        if not isinstance(noted, dict):
            raise CheckpointError(
                f"{self.directory} holds no selected weights; train with training.select_every above 0"
            )
        return noted

    def select(self, step: int, scores: list[float]) -> None:
        """Note what the weights of a checkpoint scored that lies here since before they were asked. [R]

        Raises:
          OSError: if it cannot be written, in one line.
        """
        if jax.process_index() == 0:
            self._late.write(step, scores)

    def selected(self, step: int, params: Params, before: Params) -> Selection:
        """What was selected by `step`, those weights included that were asked after they were written.

        Args:
          params, before: `params` and `selected` of the checkpoint.

        Raises:
          CheckpointError: if no weights were selected in that run.
          ValueError: if what tells of them was changed.
        """
        found = Selection.restored(before, self.selection(step))
        if self._late.has(step):
            found.update(step, params, self._late.read(step, len(found.scores)))
        return found

    def skipped(self, step: int) -> dict[str, Any] | None:
        """How many updates had been skipped: `Spikes.note`; None if none was."""
        return self._metadata(step).get("skipped")

    def trained_for(self, step: int) -> float:
        """Seconds of training until then; 0 where an older version, which noted none, wrote it."""
        noted = self._metadata(step).get("seconds")
        known = isinstance(noted, int | float) and not isinstance(noted, bool) and 0 <= noted < 2**53
        return float(noted) if known else 0.0

    def _metadata(self, step: int) -> dict[str, Any]:
        """What was recorded with a checkpoint: the tokenizer's fingerprint and the loss."""
        refuse_sizes(self.directory / str(step))
        with as_value_error():
            found = self._ocp.metadata(self.directory / str(step)).custom_metadata
        if not isinstance(found, dict):
            raise ValueError("its metadata say nothing of the tokenizer")
        loss = found.get("loss", math.nan)
        if isinstance(loss, bool) or not isinstance(loss, int | float):
            raise ValueError(f"its metadata have the loss {shown(loss)}, which is no number")
        return found

    def interim(self, step: int) -> bool:
        """Whether a checkpoint is there to go on from alone: the next one takes its place."""
        return self._marks.has(step)

    def promote(self, step: int) -> None:
        """Make an interim checkpoint one like the others."""
        self._marks.remove(step)

    def steps(self) -> list[int]:
        """The steps that were committed, oldest first."""
        if not self.directory.is_dir():
            return []
        names = [
            entry.name for entry in self.directory.iterdir() if re.fullmatch(r"0|[1-9]\d{0,17}", entry.name)
        ]
        return sorted(map(int, names))

    def num_arrays(self) -> int | None:
        """Arrays of the newest checkpoint, as far as it tells; nothing of them is read."""
        try:
            found = foreign.read_json(self.directory / str(self.steps()[-1]) / "state" / "_METADATA")
            return len(found["tree_metadata"])
        except (*FAILURES, IndexError):
            return None

    def save(
        self,
        step: int,
        state: State,
        *,
        loss: float,
        selection: dict[str, Any] | None = None,
        interim: bool = False,
        skipped: dict[str, Any] | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Start to write; the arrays are copied first, so training may go on.

        Args:
          state: `params` and `optimizer`, and the `selected` parameters where some are.
          selection: where the selected ones come from.
          interim: it is there to go on from alone, and counts neither as newest nor as best.
          skipped: `Spikes.note`.
          seconds: of training until then.

        Raises:
          CheckpointError: if this save or the one before fails. Older checkpoints stay as they are.
        """
        self.wait()
        began, self.seconds = time.monotonic(), math.inf
        with self._translated(step):
            self._open()
            self._digests.forget(step)
            self._late.forget(step)
            self._marks.set(step, interim)
            pending = self._manager.save_async(
                step,
                flatten(state),
                force=True,
                overwrite=True,
                metrics={"loss": loss},
                custom_metadata={"schema": schema.NUMBER, "tokenizer": self._fingerprint}
                | {"loss": loss, "seconds": seconds}
                | ({} if selection is None else {"selection": selection})
                | ({} if skipped is None else {"skipped": skipped}),
            )
            self._step, self._failed = step, None
            self._thread = threading.Thread(target=self._commit, args=(pending, step, began))
            self._thread.start()

    def _commit(self, pending, step: int, began: float) -> None:
        try:
            pending.result()
            if jax.process_index() == 0:
                self._digests.write(step)
                self._marks.sweep()
                self._late.sweep()
            self.seconds = time.monotonic() - began
        except Exception as error:  # noqa: BLE001 - raised again in `wait`
            self._failed = error

    def check(self) -> None:
        """Raises CheckpointError if what was started has failed; waits for nothing."""
        if self._failed is not None:
            self.wait()

    def wait(self) -> None:
        """Block until what was started is committed.

        Raises:
          CheckpointError: if it could not be.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            with self._translated(self._step):
                if self._failed is not None:
                    raise self._failed

    @contextlib.contextmanager
    def _translated(self, step: int):
        try:
            yield
        except UNWRITTEN as error:
            self._discard(step)
            raise CheckpointError(
                f"the checkpoint of step {step} could not be written to {self.directory}: "
                f"{first_line(error)}; older checkpoints are intact; make room, then --resume"
            ) from error

    def _discard(self, step: int) -> None:
        """Remove what a failed save left behind and start afresh, so that a retry works."""
        with contextlib.suppress(*FAILURES):
            if self._manager is not None:
                self._manager.close()
        self._manager = None
        self._sweep()

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
                state = unflatten(self._load(candidate, flatten(like)), like)
                check_shapes(state, like)
                return candidate, state, skipped
            except FAILURES as error:
                skipped.append(f"the checkpoint of step {candidate} cannot be read: {first_line(error)}")
        raise CheckpointError(
            f"{self.directory}: no checkpoint in it can be read ({told(skipped)}); "
            "restore one from a copy or start a new --workdir"
        )

    def params(
        self, like: dict[str, Any], *, step: int | None = None, part: str = "params"
    ) -> tuple[int, dict[str, Any]]:
        """One part alone, of the newest readable checkpoint or of `step`.

        Args:
          part: `params`; `selected`, those selected by then; `kept`, those that are not trained.
        """
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
                late = part == "selected" and self._late.has(candidate)
                parts = dict.fromkeys((part, "params") if late else (part,), like)
                with context:
                    flat = self._load(candidate, parts)
                for name in parts:
                    check_shapes(flat[name], like)
                if late:
                    found = self.selected(candidate, dict(flat["params"]), dict(flat[part]))
                    return candidate, found.params
                return candidate, dict(flat[part])
            except FAILURES as error:
                skipped.append(f"step {candidate}: {first_line(error)}")
        raise CheckpointError(f"{self.directory}: no checkpoint in it can be read ({told(skipped)})")

    def check_tokenizer(self) -> None:
        """Raises CheckpointError if any checkpoint tells of another tokenizer than the run's."""
        for step in self.steps():
            self._check_tokenizer(step)

    def _check_tokenizer(self, step: int) -> None:
        """Raises CheckpointError if a checkpoint tells of another tokenizer than the run's."""
        try:
            metadata = self._metadata(step)
            used = metadata["tokenizer"]
        except FAILURES:
            return  # damaged; reading the arrays will tell
        try:
            schema.check(metadata.get("schema"))
        except ValueError as error:
            raise CheckpointError(f"{self.directory}: the checkpoint of step {step}: {error}") from error
        if used != self._fingerprint:
            raise CheckpointError(
                f"{self.directory.parent / 'tokenizer.json'} holds the tokenizer {self._fingerprint}, but "
                f"the checkpoint of step {step} was trained with {quoted(str(used))}: it is another run's; "
                "restore the file"
            )

    def _load(self, step: int, like: dict[str, Any]) -> dict[str, Any]:
        self._digests.check(step)
        with as_value_error():
            return self._ocp.load(self.directory / str(step), like, checkpointable_name="state")

    def best(self) -> int | None:
        """The step with the lowest loss among those that are kept."""
        losses = {}
        for step in self.steps():
            with contextlib.suppress(*FAILURES):
                losses[step] = self._metadata(step)["loss"]
        return min(losses, key=lambda step: (losses[step], -step)) if losses else None

    def close(self) -> None:
        """Wait for what is being written, and let go."""
        self.wait()
        if self._manager is not None:
            self._manager.close()


def check_layers(model: ModelConfig, checkpoints: Checkpoints) -> None:
    """Raises ValueError if a model has more layers than its checkpoint can hold, before any is made."""
    arrays, layers = checkpoints.num_arrays(), model.num_layers + (model.encoder_layers or 0)
    if arrays is not None and model.layers == "unrolled" and layers > max(arrays, _FEW_LAYERS):
        raise ValueError(
            f"model.num_layers={layers} is more than {checkpoints.directory} holds, {arrays} arrays; "
            "restore the file"
        )
