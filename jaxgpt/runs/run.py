"""A trained run, read back from its directory: model, tokenizer, task and text in, text out."""

import dataclasses
import functools
import math
import operator
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import jax
import numpy as np

from jaxgpt.core import fields, foreign
from jaxgpt.core.nested import replaced
from jaxgpt.core.paths import broken_link, expanded
from jaxgpt.core.trust import allowing
from jaxgpt.core.untrusted import refuse_pickle
from jaxgpt.core.wording import one_line, quoted, shown
from jaxgpt.evaluation import evaluation_file
from jaxgpt.evaluation.evaluation import Evaluation
from jaxgpt.evaluation.scoring_options import TrainedOn
from jaxgpt.generation import Sampling
from jaxgpt.models.template import Template
from jaxgpt.models.transformer import Transformer
from jaxgpt.objectives.asking import Asking
from jaxgpt.objectives.base import Objective
from jaxgpt.parallel import sharding
from jaxgpt.parallel.mesh_config import MeshConfig
from jaxgpt.runs import records
from jaxgpt.runs.checkpoints import Checkpoints, check_layers
from jaxgpt.runs.records import Metric
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.task import Task
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.prepare import training_examples
from jaxgpt.training.program import Program

Which = Literal["last", "best", "selected"] | int


Status = Literal["finished", "stopped", "dry run", "loaded"]


@dataclasses.dataclass(frozen=True, repr=False)
class Run:
    """A run: what was trained, in memory, and what its directory tells of it.

        run = jaxgpt.train(experiment, "runs/x")  # or jaxgpt.load("runs/x")
        run.generate("9+71421")
        run.metrics[0]                            # Metric(step=1, seed=0, name='loss', value=2.6)
        run.evaluation.table()

    Attributes:
      directory: where its files are; of a dry run, would be.
      experiment: as its directory records it.
      tokenizer: None if a stop came before it was made.
      models: one a seed; `model` is the first. There is none where training did not end: `jaxgpt.load` reads
        the last checkpoint.
      step: updates that the weights have seen; of selected ones, that the run had seen.
      status: how training ended here; `loaded` if the run was read back.
    """

    directory: RunDirectory
    experiment: Experiment
    tokenizer: Tokenizer
    models: tuple[Transformer, ...]
    step: int
    status: Status = "loaded"

    def __repr__(self):
        return (
            f"Run({str(self.directory.path)!r}, {self.status}, step {self.step}, {len(self.models)} models)"
        )

    @property
    def model(self) -> Transformer:
        if not self.models:
            raise ValueError(
                f"{self.directory.path}: there is no model, training ended as {self.status!r}; go on with "
                "jaxgpt.train(..., resume=True), or read its last checkpoint with jaxgpt.load"
            )
        return self.models[0]

    @property
    def task(self) -> Task:
        return self.experiment.task

    @functools.cached_property
    def metrics(self) -> list[Metric]:
        """What the run recorded: step, seed, name and value of each line of its `metrics.jsonl`.

        Raises:
          ValueError: if the file was changed.
        """
        path = self.directory.metrics
        return records.read(path) if path.exists() else []

    @functools.cached_property
    def evaluation(self) -> Evaluation | None:
        """The scores at the end of training, as its `evaluation.json` has them; None where there are none.

        Where a stop came there are none: the file of a run that went on is of its earlier end.

        Raises:
          ValueError: if the file was changed.
        """
        path = self.directory.evaluation
        return evaluation_file.read(path) if self.status != "stopped" and path.exists() else None

    @functools.cached_property
    def trained_on(self) -> TrainedOn:
        """What the models were trained on, which `jaxgpt.evaluate` asks for; examples are drawn or read anew.

        Raises:
          ValueError: if the task's files are gone or hold something else.
        """
        training = self.experiment.training
        return TrainedOn(
            training_examples(self.experiment, "train", training.train_examples),
            objective=self.experiment.objective,
            data_seed=training.data_seed,
        )

    def generate(
        self,
        prompts: str | Sequence[str],
        *,
        max_new_tokens: int | None = None,
        sampling: Sampling = Sampling(),  # noqa: B008 - frozen
        stop: Sequence[str] = (),
    ) -> list[list[str]]:
        """Answers in ordinary notation to prompts in ordinary notation, `num_samples` for each.

        Args:
          prompts: such as `9+71421`; a single text counts as one prompt.
          max_new_tokens: none means what the model's `max_length` leaves each prompt; of an encoder it is how
            many tokens are filled in behind the prompt.

        Raises:
          ValueError: if a prompt is no question of the task, or does not fit the model; for sampling or a
            stop where the objective tells the likeliest answer alone.
        """
        _check_sampling(self.experiment.objective, sampling, stop)
        texts = [prompts] if isinstance(prompts, str) else list(prompts)
        if wrong := [text for text in texts if not isinstance(text, str)]:
            raise ValueError(f"prompts: {shown(wrong[0])} is no text; give it in quotation marks")
        try:
            asked = [self.task.prompt(text) for text in texts]
        except ValueError as error:
            raise ValueError(one_line(str(error))) from error
        limit = self.model.config.max_length
        for text, ids in zip(texts, self.tokenizer.encode_batch(asked), strict=True):
            if len(ids) >= limit:  # beside it stands the token that begins or ends a prompt
                raise ValueError(
                    f"the prompt {quoted(text)} of {len(ids)} tokens exceeds model.max_length={limit}; "
                    "shorten it"
                )
        asking = Asking(max_new_tokens=max_new_tokens, sampling=sampling, stop=stop)
        # Each prompt ends at its own place in the context, whatever else is asked with it.
        written = self.experiment.objective.predict(self.model, self.tokenizer, asked, asking)
        return [
            [self.task.answer(prompt, text) for text in answers]
            for prompt, answers in zip(asked, written, strict=True)
        ]


def _check_sampling(objective: Objective, sampling: Sampling, stop: Sequence[str]) -> None:
    """Raises ValueError for settings that the objective's answers would not heed."""
    given = {name: getattr(sampling, name) for name in sorted(fields.changed(sampling))}
    given |= {"stop": stop} if stop else {}
    if given and not objective.takes_sampling:
        told = ", ".join(f"{name}={shown(value)}" for name, value in given.items())
        raise ValueError(
            f"{told}: objective={type(objective).kind()} tells the likeliest answer and draws none; "
            f"leave out {', '.join(given)}"
        )


def _which(checkpoint: Which) -> Which:
    """The checkpoint that is meant, a step as an `int`.

    Raises:
      ValueError: if it is neither a name nor a whole number.
    """
    if isinstance(checkpoint, str) and checkpoint in ("last", "best", "selected"):
        return checkpoint
    try:
        if isinstance(checkpoint, bool | np.bool_):
            raise TypeError
        return operator.index(checkpoint)
    except TypeError:
        raise ValueError(
            f"checkpoint={shown(checkpoint)} must be last, best, selected or a step, a whole number"
        ) from None


def load(
    path: Path | str,
    *,
    checkpoint: Which = "last",
    attention_factor: float = 1.0,
    trust: bool | Collection[str] = False,
) -> Run:
    """Read a run directory written by train.py.

    Args:
      checkpoint: `last`, `best` (lowest validation loss), `selected` (best on the task's selection
        questions, each seed at its own step) or a step.
      attention_factor: multiplies the attention scores, a position scheme's bias included; above 1 attention
        is sharper than in training.
      trust: modules outside of jaxgpt and tasks that the run's files may name; they are imported, which runs
        their code. True: any. Those that are imported already need not be named.

    Raises:
      ValueError: if the path holds no run, is a pickle (which is never opened), or its parts do not fit; for
        another checkpoint.
      CheckpointError: if no checkpoint can be read.
    """
    checkpoint = _which(checkpoint)
    path = expanded(path)
    if path.is_file():
        refuse_pickle(path)
        raise ValueError(f"{path} is a file; give the run directory that a training made")
    if not path.exists():
        missing = broken_link(path) or f"{path} does not exist"
        raise ValueError(f"{missing}; give the run directory that a training made")
    directory = RunDirectory(path)
    with allowing(trust):
        experiment, tokenizer = directory.read()
    with foreign.naming(directory.experiment):
        config = experiment.model_for(tokenizer)
    if not 0 < attention_factor < math.inf:
        raise ValueError(f"attention_factor={attention_factor} must be positive and finite")
    config = replaced(config, {"attention.factor": attention_factor * config.attention.factor})
    with foreign.naming(directory.path):
        checkpoints = Checkpoints(directory.checkpoints, fingerprint=tokenizer.fingerprint, read_only=True)
    with foreign.naming(directory.experiment):
        check_layers(config, checkpoints)
        template = Template(config)
    training = dataclasses.replace(experiment.training, mesh=MeshConfig(seeds=1, data=1))
    mesh = sharding.local_mesh()
    with foreign.naming(directory.experiment):
        program = Program(template, experiment.optimizer, training, experiment.seeds, mesh, 0)
        like = program.abstract()
    selected = checkpoint == "selected"
    step = checkpoints.best() if checkpoint == "best" else checkpoint if isinstance(checkpoint, int) else None
    if selected and checkpoints.steps():
        checkpoints.selection(checkpoints.steps()[-1])  # or an error that says how to have one
    part = "selected" if selected else "params"
    step, params = checkpoints.params(like["params"], step=step, part=part)
    if "kept" in like:
        kept = checkpoints.params(like["kept"], step=step, part="kept")[1]
        params = program.weights({"params": params, "kept": kept})
    if experiment.seeds == 1:
        models = (template.model(params),)
    else:
        split = [jax.tree.map(lambda v, r=replica: v[r], params) for replica in range(experiment.seeds)]
        models = tuple(map(template.model, split))
    return Run(directory, experiment, tokenizer, models, step)
