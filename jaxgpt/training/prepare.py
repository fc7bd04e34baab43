"""From an experiment to what its loop needs: tokenizer, tables, feed and program."""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from jaxgpt.core.nested import replaced
from jaxgpt.data.feed import DeviceFeed, HostFeed, make_feed
from jaxgpt.data.order import Order
from jaxgpt.data.packing import Packed, pack
from jaxgpt.data.positions import check_positions
from jaxgpt.data.rows import Rows, UnfitExample, build_rows
from jaxgpt.data.splits import Splits, Tables, naming
from jaxgpt.data.stream import Stream
from jaxgpt.evaluation.questions import distinct
from jaxgpt.models.checks import unpackable
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.template import Template
from jaxgpt.parallel import sharding
from jaxgpt.task import Example, Split
from jaxgpt.task.example_list import ExampleList, first_shuffled
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.program import Program
from jaxgpt.training.resolved import Resolved
from jaxgpt.training.tokenizer_building import tokenizer_and_unseen, unseen_again
from jaxgpt.training.training_config import TrainingConfig

if TYPE_CHECKING:
    from jaxgpt.training.given_weights import GivenWeights
    from jaxgpt.training.start import Start


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Everything a run computes with.

    Attributes:
      experiment: as it was given; its task knows the fingerprint of its files.
      model: the experiment's, with all that follows from the tokenizer and the data filled in.
      resolved: what a run records of that.
      examples: of the training split.
      table: the same as tokens; with `training.packing` several in a row.
      validation: rows of the validation split, for the loss that ranks checkpoints.
      selection: the questions that weights are selected by; empty if none are.
      start: the weights to start from, where they are not drawn.
      unseen: symbols of the alphabet that no training text shows.
      given: the weights of `model.init`, where they are not those of a directory of transformers.
    """

    experiment: Experiment
    tokenizer: Tokenizer
    model: ModelConfig
    resolved: Resolved
    program: Program
    examples: Sequence[Example]
    table: Rows | Packed | Stream
    feed: DeviceFeed | HostFeed
    validation: dict[str, np.ndarray]
    selection: list[Example]
    start: "Start | None" = None
    unseen: Sequence[str] = ()
    given: "GivenWeights | None" = None


def selection_questions(experiment: Experiment, tokenizer: Tokenizer, model: ModelConfig) -> list[Example]:
    """The questions that weights are selected by; none without `training.select_every`.

    Raises:
      ValueError: if the task has no such questions, or the model has no room for one.
    """
    training, task = experiment.training, experiment.task
    if not training.select_every:
        return []
    found = task.selection_questions(training.data_seed)
    if found is None:
        raise ValueError(
            f"training.select_every={training.select_every}: the task has no selection questions (for "
            "arithmetic set task.validation_digits); or set it to 0"
        )
    questions = distinct(found, training.select_examples)
    options = {"encoder_decoder": model.kind == "encoder_decoder", "max_length": model.max_length}
    with naming("selection"):
        check_positions(model, build_rows(questions, tokenizer, **options), offsets=False)
    return questions


def start_of(
    experiment: Experiment, model: ModelConfig, tokenizer: Tokenizer, given: "GivenWeights | None"
) -> "Start | None":
    """The weights that training starts from; None where they are drawn.

    Raises:
      ValueError: as `Start`, and if a new stack would never be trained.
    """
    if not model.init:
        return None
    from jaxgpt.training.start import Start

    first = experiment.training.seed
    start = Start(model, tokenizer, given, range(first, first + experiment.seeds))
    tuned = experiment.training.tuning.weights
    if start.new and tuned != "all":
        raise ValueError(
            f"training.tuning.weights={tuned} would leave the new {start.new} as it was drawn; set it to all"
        )
    return start


def training_examples(experiment: Experiment, split: Split, count: int) -> Sequence[Example]:
    """The first `count` examples of a split; for training all of them where the task is finite, or `at_most`.

    Those of a finite task are shuffled first where not all are taken, since a file may be sorted.

    Raises:
      ValueError: for `training.at_most` of a task that has no count of examples, and for more examples than
        the task knows that it has.
    """
    task, seed, most = experiment.task, experiment.training.data_seed, experiment.training.at_most
    if most is not None and (task.endless or task.layout == "stream"):
        raise ValueError(
            f"training.at_most={most} is for finite sets of questions, and task={type(task).kind()} is "
            + ("drawn without end: set training.train_examples" if task.endless else "a text: set it to none")
        )
    examples = task.examples(split, seed)
    if task.endless:
        if split == "train":
            task.check_training(count)
        examples = itertools.islice(examples, count)
    # A text's examples are few and long: there is nothing to be won.
    found = list(examples) if task.layout == "stream" else ExampleList(examples)
    if split == "train" and most is not None:
        return first_shuffled(found, seed, most)
    return found if task.endless or split == "train" else first_shuffled(found, seed, count)


def _check_packing(experiment: Experiment) -> None:
    """Raises ValueError if examples cannot share rows."""
    task, training = experiment.task, experiment.training
    packing = f"training.packing={training.packing}"
    if task.layout == "stream":
        raise ValueError(
            f"{packing} is for questions; task={type(task).kind()} is a text without padding: set it to none"
        )
    if not experiment.objective.next_token:
        kind = type(experiment.objective).kind()
        raise ValueError(f"{packing}: objective={kind} is of a row as a whole; set packing to none")
    if refusal := unpackable(experiment.model):
        raise ValueError(f"{packing}: model.{refusal}; or set training.packing=none")


def _check(experiment: Experiment) -> None:
    """Raises ValueError for what does not fit together, whatever the data."""
    if experiment.training.packing is not None:
        _check_packing(experiment)
    experiment.objective.check(experiment.model, experiment.task)
    for name in ("dtype", "param_dtype"):
        if getattr(experiment.model, name) == "float64" and not jax.config.jax_enable_x64:
            raise ValueError(
                f"model.{name}=float64 would be cut to float32; set JAX_ENABLE_X64=1 in the environment"
            )


def _tables(experiment: Experiment, splits: Splits, *, labelled: bool) -> Tables:
    """The tables that the objective makes; an example that does not fit is told with its place in the data.

    Args:
      labelled: questions of the test split have labels, which the training examples must have, too.
    """
    task, training, objective = splits.task, experiment.training, experiment.objective
    try:
        tables = objective.tables(splits)
        if labelled and training.test_examples and not task.endless:
            with naming("test"):  # refused now, not after training
                objective.check_questions(task.examples("test", training.data_seed), splits.model)
    except UnfitExample as error:
        place = task.place_of(error.example)
        raise ValueError(f"{place}: {error}" if place else str(error)) from error
    return tables


def _counted(training: TrainingConfig, rows: float) -> TrainingConfig:
    """The same with a number of steps in place of epochs of so many rows."""
    if training.epochs is None:
        return training
    steps = max(1, math.ceil(training.epochs * rows / training.batch_size))
    return dataclasses.replace(training, steps=steps, epochs=None)


def prepare(
    experiment: Experiment,
    tokenizer: Tokenizer | None = None,
    *,
    given: "GivenWeights | None" = None,
    sequence: int | None = None,
) -> Prepared:
    """Build everything but the weights; `tokenizer` is that of a run that goes on.

    Args:
      given: the weights of `model.init`; None: it names a directory of transformers.
      sequence: devices that the tokens of a row will be spread over; None: those of `training.mesh`.

    Raises:
      ValueError: for anything in the experiment that does not fit together or does not fit the data.
    """
    _check(experiment)
    training, objective = experiment.training, experiment.objective
    mesh = sharding.make_mesh(training.mesh, training.batch_size // training.accumulation, experiment.seeds)
    task = experiment.task.pinned()
    experiment = dataclasses.replace(experiment, task=task)
    examples = training_examples(experiment, "train", training.train_examples)
    if training.test_examples and task.endless:
        task.examples("test", training.data_seed)  # refused now, not after training, where there are none
    names = objective.label_names(examples, experiment.model)
    resumed = tokenizer is not None
    if tokenizer is None:
        tokenizer, unseen = tokenizer_and_unseen(experiment, examples)
    else:
        unseen = unseen_again(experiment, examples, tokenizer)
    model = experiment.model_for(tokenizer, names)
    sequence = training.mesh.sequence if sequence is None else sequence
    if sequence > 1:  # the kernel wants all queries of a row on one device
        model = replaced(model, {"attention.kernel": "explicit"})
    # A run that goes on has its weights, and may have outlived the directory.
    start = None if resumed else start_of(experiment, model, tokenizer, given)
    most = max(training.eval_examples, 1)
    splits = Splits(
        task,
        train=examples,
        validation=training_examples(experiment, "validation", most),
        tokenizer=tokenizer,
        model=model,
        validation_rows=most,
        seed=training.data_seed,
        multiple=sequence,
    )
    tables = _tables(experiment, splits, labelled=bool(names))
    table, window = tables.train, tables.window
    check_positions(model, table)
    if training.packing is not None:
        table = pack(table, training.packing, tokenizer.pad_id)
    training = _counted(
        training, len(table.stream) / window if isinstance(table, Stream) else table.num_examples
    )
    orders = [
        Order(table.num_examples, training.batch_size, training.seed + replica)
        for replica in range(experiment.seeds)
    ]
    template = Template(model)
    program = Program(
        template=template,
        optimizer=experiment.optimizer,
        training=training,
        seeds=experiment.seeds,
        mesh=mesh,
        window=window,
        objective=objective,
        vocabulary=tokenizer.vocabulary(),
    )
    feed = make_feed(table, orders, training.chunk, mesh, on_device_mib=training.on_device_mib)
    selection = selection_questions(experiment, tokenizer, model)
    resolved = Resolved.of(template, steps=training.steps, fingerprint=experiment.task.fingerprint)
    return Prepared(
        experiment,
        tokenizer,
        model,
        resolved,
        program,
        examples,
        table,
        feed,
        tables.validation,
        selection,
        start,
        unseen,
        given,
    )
