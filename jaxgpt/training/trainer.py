"""Training in memory: steps, losses, weights and scores. Nothing is written, and no signal is taken."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from jaxgpt.evaluation.evaluation import Evaluation
from jaxgpt.evaluation.scoring import evaluate
from jaxgpt.evaluation.scoring_options import TrainedOn
from jaxgpt.models.template import Params
from jaxgpt.models.transformer import Transformer
from jaxgpt.parallel import sharding
from jaxgpt.task import Split
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.given_weights import GivenWeights
from jaxgpt.training.prepare import Prepared, prepare, start_of
from jaxgpt.training.program import State
from jaxgpt.training.spikes import MOST_IN_A_ROW, Spikes


class TrainingError(RuntimeError):
    """Training cannot go on. The message is one line: the cause, then the remedy.

    Args:
      kept: what of the run is saved, told between the two.
    """

    def __init__(self, what: str, cure: str = "", *, kept: str = ""):
        super().__init__("; ".join(part for part in (what, kept, cure) if part))
        self.what, self.cure = what, cure


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the steps of one dispatch gave: steps `first`, ..., `first + C - 1`, counted from 0.

    Attributes:
      loss: of each step and seed, on the step's own batch before its update. [C, R]
      grad_norm: global norm of the gradient, before clipping. [C, R]
      skipped_before: updates that had been skipped before each step. [C, R]
      skipped: updates that had been skipped after each step. [C, R]
      seconds: from the dispatch until the metrics were there.
    """

    first: int
    loss: np.ndarray
    grad_norm: np.ndarray
    skipped_before: np.ndarray
    skipped: np.ndarray
    seconds: float

    @property
    def count(self) -> int:
        return len(self.loss)


class Trainer:
    """An experiment in training.

        trainer = jaxgpt.Trainer(experiment)
        trainer.step(200)
        trainer.losses                      # [200, seeds]
        trainer.evaluate(n=500).table()
        trainer.models[0]

    `jaxgpt.train` does the same in a run directory, with checkpoints, records and resumption; its losses are
    the same, bit for bit.

    Attributes:
      experiment: as it was given.
      num_steps: of the whole training; of `training.epochs`, as many as its data make.
      tokenizer: the experiment's, trained on its training text where it has to be.
      steps_done: updates so far.
      state: of the compiled program; every step donates it, so keep `models` instead.

    Args:
      given: the weights of `model.init` where it names a run: those that
        `jaxgpt.runs.run_weights.weights_of(experiment)` finds.

    Raises:
      ValueError: for anything in the experiment that does not fit together, or does not fit the data.
    """

    def __init__(
        self,
        experiment: Experiment,
        *,
        tokenizer: Tokenizer | None = None,
        given: GivenWeights | None = None,
    ):
        self._begin(prepare(experiment, tokenizer, given=given))
        self.state = first_state(self.prepared)

    @classmethod
    def going_on(
        cls, prepared: Prepared, state: State, step: int, *, compiled: Callable, spikes: Spikes | None = None
    ) -> "Trainer":
        """A trainer after `step` updates.

        Args:
          state: what those left; the trainer owns and donates it.
          compiled: `Program.compile(...)` of this experiment, compiled.
          spikes: the updates skipped until then.
        """
        self = cls.__new__(cls)
        self._begin(prepared)
        self.state, self.steps_done, self._compiled = state, step, compiled
        self.spikes = spikes or self.spikes
        return self

    def _begin(self, prepared: Prepared) -> None:
        self.prepared, self.program = prepared, prepared.program
        self.experiment, self.tokenizer = prepared.experiment, prepared.tokenizer
        self.num_steps = prepared.resolved.steps
        self.steps_done = 0
        self.spikes = Spikes(self.program.seeds)
        self._compiled: Callable | None = None
        self._pending: tuple[int, int, Any, float] | None = None
        self._losses: list[np.ndarray] = []
        where = sharding.replicated(self.program.mesh)
        self._validation_data = {n: sharding.put(v, where) for n, v in prepared.validation.items()}
        self._validation = jax.jit(self.program.validation, out_shardings=where)
        self._whole = jax.jit(self.program.weights, out_shardings=where)

    def start_from(self, models: Sequence[Transformer]) -> None:
        """Begin at step 0 with the weights of these models, one a seed; what was trained here is dropped.

        Raises:
          ValueError: for another number of models than seeds, or for one whose weights have other names or
            shapes.
        """
        template, seeds = self.program.template, self.program.seeds
        if len(models) != seeds:
            raise ValueError(f"{len(models)} models for seeds={seeds}; give one for each")
        weights = [template.params(model) for model in models]
        for params in weights:
            if (shapes := {name: value.shape for name, value in params.items()}) != template.shapes:
                differ = sorted(dict(shapes.items() ^ template.shapes.items()))
                raise ValueError(f"a model's weights do not fit the experiment's: {', '.join(differ[:3])}")
        # By way of the host: a model lies on one device, and the replicas may lie on several.
        one = {name: np.stack([np.asarray(each[name]) for each in weights]) for name in template.shapes}
        self.state = self.program.init(each=one if seeds > 1 else {n: v[0] for n, v in one.items()})
        self.steps_done, self.spikes, self._pending, self._losses = 0, Spikes(seeds), None, []

    def step(self, count: int = 1) -> None:
        """Train `count` more steps.

        Raises:
          ValueError: for steps beyond `num_steps`, at which the learning rate's schedule ends.
          TrainingError: if a loss or gradient is not finite, or too many updates in a row were skipped.
        """
        steps, last = self.num_steps, self.steps_done + count
        if count < 0 or last > steps:
            raise ValueError(
                f"step({count}) after {self.steps_done} of training.steps={steps}, at which the schedule "
                f"ends; give at most {steps - self.steps_done}, or an experiment with more steps"
            )
        while self.steps_done < last:
            self.dispatch(min(last - self.steps_done, self.experiment.training.chunk))
        self.read()

    @property
    def losses(self) -> np.ndarray:
        """The training loss of each step that this trainer made, and of each seed. [steps, seeds]"""
        self.read()
        return np.concatenate([np.zeros((0, self.program.seeds), np.float32), *self._losses])

    @property
    def models(self) -> list[Transformer]:
        """A model for each seed, with weights of its own, which further steps leave as they are."""
        return self.models_of(self.state["params"])

    def evaluate(self, *, split: Split = "test", n: int = 1000, n_extra: int = 300) -> Evaluation:
        """Scores on held-out questions, as at the end of a run; see `jaxgpt.evaluate`.

        Raises:
          ValueError: if the experiment restores texts, so that there are no questions.
        """
        if not self.experiment.objective.asks:
            kind = type(self.experiment.objective).kind()
            raise ValueError(f"objective={kind}: there are no questions to score; see validation_losses()")
        return evaluate(
            self.models,
            self.tokenizer,
            self.experiment.task,
            split=split,
            n=n,
            n_extra=n_extra,
            trained_on=trained_on(self.prepared),
        )

    def validation_losses(self) -> list[float]:
        """The mean loss of each seed on the validation rows, without dropout."""
        losses = self._validation(_weights(self.state), self._validation_data)
        return [float(v) for v in np.asarray(losses.addressable_data(0))]

    def models_of(self, params: Params) -> list[Transformer]:
        """A model for each seed with these trained weights, a copy on one device."""
        whole = self._whole(_weights(self.state | {"params": params}))
        local = {name: value.addressable_data(0) for name, value in whole.items()}
        if self.program.seeds == 1:
            # A copy, since the next dispatch donates the original.
            return [self.program.template.model({n: v.copy() for n, v in local.items()})]
        return [
            self.program.template.model({name: value[replica] for name, value in local.items()})
            for replica in range(self.program.seeds)
        ]

    def dispatch(self, count: int) -> Measured | None:
        """Start `count` steps, at most `training.chunk`, and return the metrics of the previous dispatch.

        Raises:
          TrainingError: for what is read, as `read`.
        """
        first = self.steps_done
        where = sharding.replicated(self.program.mesh)
        data, indices = self.prepared.feed(first, count)
        if self._compiled is None:
            self._compiled = self.program.compile(self.prepared.feed.data).compile()
        began = time.perf_counter()
        self.state, metrics = self._compiled(
            self.state,
            data,
            indices,
            sharding.put(np.int32(first), where),
            sharding.put(np.int32(count), where),
        )
        self.steps_done = first + count
        before, self._pending = self._pending, (first, count, metrics, began)
        found = None if before is None else self._measure(*before)
        if jax.process_count() > 1:
            # Collectives of two processes must not be queued in different orders.
            jax.block_until_ready(metrics)
        return found

    def read(self) -> Measured | None:
        """Wait for the metrics of the last dispatch; None if they were read already.

        Raises:
          TrainingError: if a loss or gradient is not finite, or too many updates in a row were skipped.
        """
        if self._pending is None:
            return None
        pending, self._pending = self._pending, None
        return self._measure(*pending)

    def finite_validation_losses(self) -> list[float]:
        """`validation_losses`, once every training loss is read.

        Raises:
          TrainingError: if one is not finite: the last update spoiled the weights, and no step has seen them.
        """
        losses = self.validation_losses()
        if not np.isfinite(losses).all():
            replica = int(np.argmin(np.isfinite(losses)))
            raise self._not_finite(
                max(self.steps_done - 1, 0), replica, f"validation loss {losses[replica]} after"
            )
        return losses

    def _measure(self, first: int, count: int, metrics: Any, began: float) -> Measured:
        host = {name: np.asarray(value.addressable_data(0))[:count] for name, value in metrics.items()}
        seconds = time.perf_counter() - began
        self._losses.append(host["loss"])
        skipped = host.get("skipped", np.zeros_like(host["loss"])) > 0
        finite = np.isfinite(host["loss"]) & np.isfinite(host["grad_norm"]) | skipped
        if not finite.all():
            self._pending = None  # what came after it is spoiled, too
            i, replica = np.argwhere(~finite)[0].tolist()
            raise self._not_finite(first + i, replica, f"{_told(host, i, replica)} at")
        totals, stuck = self.spikes.count(skipped)
        if stuck is not None:
            self._pending = None
            i, replica = stuck
            raise TrainingError(
                f"{MOST_IN_A_ROW} updates in a row were skipped, the last with {_told(host, i, replica)} at "
                f"{self._place(first + i, replica)}: above training.skip_spikes="
                f"{self.experiment.training.skip_spikes}, or not finite",
                "raise it or lower optimizer.learning_rate",
            )
        return Measured(first, host["loss"], host["grad_norm"], totals - skipped, totals, seconds)

    def _not_finite(self, step: int, replica: int, what: str) -> TrainingError:
        return TrainingError(
            f"{what} {self._place(step, replica)}: not finite",
            "lower optimizer.learning_rate or set optimizer.clip_norm",
        )

    def _place(self, step: int, replica: int) -> str:
        rows = self.prepared.feed.orders[replica].batch(step)[:5].tolist()
        seed = self.experiment.training.seed + replica
        return f"step {step + 1} (seed {seed}, batch {step}, examples {rows}...)"


def first_state(prepared: Prepared) -> State:
    """The state before the first step: weights drawn, or those that the run starts from."""
    start = prepared.start or start_of(
        prepared.experiment, prepared.model, prepared.tokenizer, prepared.given
    )
    if start is None:
        return prepared.program.init()
    weights = start.weights()
    return prepared.program.init(each=weights) if start.apart else prepared.program.init(weights)


def trained_on(prepared: Prepared) -> TrainedOn:
    """What `evaluate` is to know of a training."""
    experiment = prepared.experiment
    return TrainedOn(
        prepared.examples, objective=experiment.objective, data_seed=experiment.training.data_seed
    )


def _told(host: dict[str, np.ndarray], step: int, replica: int) -> str:
    return f"loss {host['loss'][step, replica]} and gradient norm {host['grad_norm'][step, replica]}"


def _weights(state: State) -> State:
    """The parts of a state that the weights are made of."""
    return {name: state[name] for name in ("params", "kept") if name in state}
