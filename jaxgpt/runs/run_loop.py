"""The training loop: dispatches chunks, reads their metrics one chunk late, evaluates and saves."""

import contextlib
import dataclasses
import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxgpt.core.progress import Progress
from jaxgpt.models.transformer import Transformer
from jaxgpt.parallel import processes
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.pace import Pace
from jaxgpt.runs.records import Records
from jaxgpt.runs.stop import Stopped, StopRequest
from jaxgpt.training.selection import Selection
from jaxgpt.training.trainer import Measured, Trainer, TrainingError

#: Seconds a dispatch should take at most, so that a stop is answered soon.
DISPATCH_SECONDS = 2.0


@dataclasses.dataclass
class Hooks:
    """What the loop calls at its own times, in the first of several processes.

    Attributes:
      evaluate: scores the replicas on validation; returns values to record.
      sample: shows samples of the replicas.
      select: each replica's exact match on the task's selection questions.
    """

    evaluate: Callable[[int, list[Transformer]], dict[str, Any]]
    sample: Callable[[int, list[Transformer]], None]
    select: Callable[[int, list[Transformer]], list[float]]


class Loop:
    """Training of a run from where its trainer stands.

    Args:
      trainer: owned by the loop.
      selection: the weights selected until then; None where the run selects none.
      owed: what was to happen at this step and did not, because the run was stopped there: `eval`, `sample`,
        `select`, `save`.
    """

    def __init__(
        self,
        trainer: Trainer,
        *,
        checkpoints: Checkpoints,
        records: Records,
        stop: StopRequest,
        progress: Progress,
        hooks: Hooks,
        selection: Selection | None = None,
        owed: Sequence[str] = (),
    ):
        # With the steps that epochs come to.
        self.trainer, self.training = trainer, trainer.program.training
        self._looks, self._kept_steps = self.training.look_steps, self.training.kept_steps
        self.checkpoints, self.records = checkpoints, records
        self.stop, self.progress, self.hooks = stop, progress, hooks
        self.selection = selection
        self.saved: int | None = self.step if self.step else None
        self._pace: Pace | None = None  # of saves that nobody asked for
        self._blocked, self._measured = 0.0, True  # seconds that the last of them held training up
        self._limit = 1
        self._owed = [name for name in self._events(self.step) if name in owed] if self.step else []

    @property
    def step(self) -> int:
        """Updates that the weights have seen."""
        return self.trainer.steps_done

    def run(self) -> None:
        """Train to the last step; every event happens at the same step however often a run was stopped.

        Raises:
          TrainingError: if a loss or gradient is not finite, or too many updates in a row were skipped;
            nothing is saved after that step.
          Stopped: on a signal, after saving.
        """
        steps = self.trainer.num_steps
        self._handle(self._owed)
        if not self.training.save_every:
            size = sum(leaf.nbytes for leaf in jax.tree.leaves(self.trainer.state))
            self._pace = Pace(size, time.monotonic())
        while self.step < steps:
            self.checkpoints.check()
            stop, save = self._agree()
            if stop or save:
                self._save_interim()
            if stop:
                self.checkpoints.wait()
                self.stop.agreed = True
                raise Stopped
            self._dispatch(min(self._next_event() - self.step, self._limit))
            events = self._events(self.step)
            if events:
                self._read()
                self._handle(events)
        self._read()
        if self.saved != self.step:
            self.save()

    def _agree(self) -> tuple[bool, bool]:
        """Whether to stop, and to save: several processes do the same, and dispatch as many steps."""
        due = self._due()
        if jax.process_count() == 1:
            return self.stop.requested, due
        mine = np.asarray([not self.stop.requested, due, self._limit], np.int32)
        going, due, self._limit = map(int, multihost_utils.process_allgather(mine).reshape(-1, 3).min(axis=0))
        return not going, bool(due)

    def _due(self) -> bool:
        """Whether to save without being asked, which takes the time of the last such save into account."""
        if self._pace is None or not math.isfinite(self.checkpoints.seconds):
            return False
        now = time.monotonic()
        if not self._measured:
            self._pace.saved(now, self._blocked + self.checkpoints.seconds)
            self._measured = True
        return self._pace.due(now)

    def save(self) -> None:
        """Write a checkpoint of the present state, after every loss up to it has been seen to be finite."""
        losses = self._finite_losses()
        self.records.write(self.step, validation_loss=losses)
        if self.saved == self.step:  # on a stop, before this was done
            self.checkpoints.promote(self.step)
        else:
            self._write(losses, interim=False)
        if self.step >= self.trainer.num_steps:
            self.checkpoints.wait()

    def _save_interim(self) -> None:
        """Write a checkpoint to go on from, where the run has none of its own; no record tells of it."""
        if self.saved == self.step:
            return
        began = time.monotonic()
        self._write(self._finite_losses(), interim=True)
        self._blocked, self._measured = time.monotonic() - began, False

    def _finite_losses(self) -> list[float]:
        self._read()
        with self._telling():
            return self.trainer.finite_validation_losses()

    def _write(self, losses: list[float], *, interim: bool) -> None:
        state, note = self.trainer.state, None
        if self.selection is not None:
            state, note = state | {"selected": self.selection.params}, self.selection.note()
        loss = float(np.mean(losses))
        options = {"selection": note, "skipped": self.trainer.spikes.note(), "interim": interim}
        options["seconds"] = self.progress.seconds
        self.checkpoints.save(self.step, state, loss=loss, **options)
        self.saved = self.step

    def _dispatch(self, count: int) -> None:
        with self._telling():
            before = self.trainer.dispatch(count)
        if before is not None:
            self._log(before)

    def _read(self) -> None:
        """Wait for the metrics of what was dispatched last."""
        with self._telling():
            last = self.trainer.read()
        if last is not None:
            self._log(last)

    def _log(self, found: Measured) -> None:
        count, before = found.count, found.skipped_before
        self._limit = max(
            1, min(self.training.chunk, int(DISPATCH_SECONDS * count / max(found.seconds, 1e-6)))
        )
        self.progress.advance(found.first + count, float(found.loss[-1].mean()), int(found.skipped[-1].sum()))
        for i in range(count):
            step = found.first + i + 1
            if not self._is_logged(step):
                continue
            values = {"loss": found.loss[i], "grad_norm": found.grad_norm[i]}
            # A skipped update does not count for the schedule, so a replica may lag behind the steps.
            lags = before[i].tolist()
            rates = {lag: float(self.trainer.program.schedule(step - 1 - lag)) for lag in set(lags)}
            if before.any() or self.training.skip_spikes is not None:
                values["learning_rate"] = [rates[lag] for lag in lags]
                values["skipped"] = found.skipped[i]
            else:
                values["learning_rate"] = rates[0]
            values["seconds"] = round(self.progress.seconds, 3)
            values["tokens_per_second"] = round(self.progress.tokens_per_second)
            self.records.write(step, **values)

    def _is_logged(self, step: int) -> bool:
        return step % self.training.log_every == 0 or step == self.trainer.num_steps

    @contextlib.contextmanager
    def _telling(self):
        """What ends the training inside says what is kept of the run."""
        try:
            yield
        except TrainingError as error:
            raise TrainingError(error.what, f"{error.cure}, then --resume", kept=self._kept()) from None

    def _kept(self) -> str:
        last = self.checkpoints.steps()
        return f"the last checkpoint is of step {last[-1]}" if last else "no checkpoint was written"

    def _periods(self) -> dict[str, int]:
        t = self.training
        return {
            "eval": t.eval_every,
            "sample": t.sample_every,
            "select": t.select_every,
            "save": t.save_every,
        }

    def _next_event(self) -> int:
        ahead = [self.step + p - self.step % p for p in self._periods().values() if p]
        ahead += [step for step in (*self._looks, *self._kept_steps) if step > self.step]
        return min([*ahead, self.trainer.num_steps, self.step + self.training.chunk])

    def _events(self, step: int) -> list[str]:
        names = {name for name, period in self._periods().items() if period and step % period == 0}
        if step in self._looks:
            names.add("eval")
        if step in self._kept_steps:
            names.add("save")
        if step >= self.trainer.num_steps:  # where samples are shown with the final table
            names = names - {"sample"} | {"eval", "save"}
            if self.training.select_every:
                names.add("select")
        return sorted(names)

    def _handle(self, events: list[str]) -> None:
        # Before anything is saved: what goes on counts from the time beside its checkpoint, not from less.
        seconds = self.progress.seconds
        # Selected weights are part of what is saved, and the last ones may be selected, too.
        if "select" in events:
            self._select()
        if "save" in events:
            self.save()
        if not {"eval", "sample"} & set(events):
            return
        first, found = jax.process_index() == 0, {}
        with self._interruptible():
            models = self.trainer.models
            if "eval" in events and "save" not in self._events(self.step):  # which records the loss, too
                found = {"validation_loss": self._finite_losses()}
            if first and "eval" in events:
                found |= self.hooks.evaluate(self.step, models)
        if found:
            if not self._is_logged(self.step):  # a look is also told by the time it took
                found["seconds"] = round(seconds, 3)
            self.records.write(self.step, **found)
        with self._interruptible():
            if first and "sample" in events:
                self.hooks.sample(self.step, models)
            processes.gathered("looked at")  # here the others may wait long, in a transfer they may not

    def _select(self) -> None:
        with self._interruptible():
            models = self.trainer.models
            scores = self.hooks.select(self.step, models) if jax.process_index() == 0 else []
        scores = json.loads(processes.gathered(json.dumps(scores))[0])
        self.selection.update(self.step, self.trainer.state["params"], scores)
        if self.saved == self.step:  # on a stop, before this was done: the checkpoint tells of it, and stays
            self.checkpoints.select(self.step, scores)
        self.records.write(self.step, selection_exact_match=scores)

    @contextlib.contextmanager
    def _interruptible(self):
        """What a signal may cut short: the state is saved, and what was cut short is owed."""
        # Several processes stop between dispatches only, where they agree on it.
        droppable = self.stop.droppable() if jax.process_count() == 1 else contextlib.nullcontext()
        try:
            with droppable, self.progress.paused():
                yield
        except Stopped:
            self._save_interim()
            self.checkpoints.wait()
            raise


def compile_interruptibly(lowered: Any, stop: StopRequest) -> Any:
    """XLA compiles in a thread, so that a signal is answered meanwhile.

    Raises:
      Stopped: on a signal; the thread is left behind.
    """
    result: dict[str, Any] = {}

    def work():
        try:
            result["compiled"] = lowered.compile()
        except Exception as error:  # noqa: BLE001 - handed on to the thread that waits
            result["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    with stop.droppable():
        thread.start()
        while thread.is_alive():
            thread.join(0.05)
            if stop.requested:  # an exception from a handler is lost where it meets a finalizer
                raise Stopped
    if "error" in result:
        raise result["error"]
    return result["compiled"]
