"""`jaxgpt evaluate`: a run, scored on held-out questions."""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jaxgpt.cli import output_name, published_questions
from jaxgpt.cli.option_types import Among, path, whole
from jaxgpt.cli.options import COMMON, Parser, add_checkpoint, add_common, experiment_fields
from jaxgpt.cli.process import say, start_jax
from jaxgpt.cli.writable import writable
from jaxgpt.core.usage import UsageError

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "evaluate",
        "RUN [--OPTION VALUE ...] [--task.FIELD VALUE ...]",
        fields=experiment_fields,
        description="Score a run on held-out questions, and write the figures and their picture.",
    )
    parser.add_argument("run", metavar="RUN", type=path, help="a run directory, such as runs/addition")
    parser.add_argument(
        "--split",
        metavar="SPLIT",
        type=Among("train", "validation", "test"),
        default="test",
        help="train, validation or test (default: %(default)s)",
    )
    parser.add_argument(
        "--n", metavar="N", type=whole, help="questions; default: as many as the run asked at its end"
    )
    parser.add_argument(
        "--n-extra",
        metavar="N",
        type=whole,
        help="questions beyond what was trained on; default: as the run",
    )
    add_checkpoint(parser)
    parser.add_argument(
        "--attention-factor",
        metavar="X",
        default="1",
        help="multiplies the attention scores; above 1 sharpens attention (default: %(default)s)",
    )
    parser.add_argument(
        "--other-files",
        action="store_true",
        help="the task's files may hold other text than the run was trained on",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=path,
        help="where the figures go; default: RUN/evaluation.json, or beside it",
    )
    published_questions.add_options(parser)
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Check what can be checked before JAX starts, and evaluate."""
    published_questions.check(given)
    if given.output is not None:
        if Path(given.output).suffix == ".png":
            raise UsageError(f"--output {given.output}: the picture goes there; name a .json")
        writable(given.output)
    start_jax(given.distributed)
    evaluate(given, say)
    return 0


def evaluate(given: argparse.Namespace, say: Say) -> None:
    """Score a run and write the figures and their picture.

    Raises:
      ValueError: if the run cannot be read, restores texts, or was not trained on what is asked.
    """
    from jaxgpt.core import fields
    from jaxgpt.core.progress import Counter
    from jaxgpt.evaluation import plots
    from jaxgpt.evaluation.scoring import evaluate as score
    from jaxgpt.evaluation.scoring_options import Kept, TrainedOn
    from jaxgpt.runs.run import load
    from jaxgpt.runs.run_directory import gallery

    factor = fields.parse(float, given.attention_factor, "--attention-factor")
    run = load(given.run, checkpoint=given.checkpoint, attention_factor=factor)
    if not run.experiment.objective.asks:
        kind = type(run.experiment.objective).kind()
        raise UsageError(
            f"{given.run}: objective={kind} is measured by the validation loss in metrics.jsonl; there are "
            "no questions to score"
        )
    experiment = fields.override(run.experiment, given.fields)
    if given.other_files:
        task = dataclasses.replace(experiment.task, fingerprint="")
        experiment = dataclasses.replace(experiment, task=task)
    changed = fields.differences(run.experiment, experiment)
    _check_changed(run, experiment, changed, given.split)
    if given.questions is not None:
        published_questions.examine(
            given, run, experiment, changed, _training(run.experiment, experiment), say
        )
        return
    own = {"n": run.experiment.training.test_examples, "n-extra": run.experiment.training.extra_examples}
    counts = {"n": given.n, "n-extra": given.n_extra}
    counts = {name: count for name, count in counts.items() if count is not None}
    asked = own | ({} if own["n"] else {"n": 1000}) | counts
    others = [f"{name}-{count}" for name, count in counts.items() if count != own[name]]
    output, picture = _outputs(run.directory, given, output_name.differing(given, changed, others))
    for file in (output, picture, gallery(output)):  # before a question is asked
        writable(file, name="", instead="name a file elsewhere with --output")
    result = score(
        run.models,
        run.tokenizer,
        experiment.task,
        split=given.split,
        n=asked["n"],
        n_extra=asked["n-extra"],
        trained_on=TrainedOn(
            _training(run.experiment, experiment),
            task=None if type(experiment.task) is type(run.task) else run.task,
            objective=experiment.objective,
            data_seed=experiment.training.data_seed,
        ),
        kept=Kept(gallery=gallery(output)),
        progress=Counter("evaluating", say),
    )
    say(result.table())
    result.write_json(output)
    plots.accuracy_grid(result, picture)
    say(f"written: {output} and {picture}")


def _check_changed(run: Any, experiment: Any, changed: Sequence[str], split: str) -> None:
    """Raises UsageError for a field that cannot change after training."""
    if any(not row.startswith("task") for row in changed):
        raise UsageError(f"only --task fields can change in an evaluation, not {'; '.join(changed)}")
    # With its fingerprint it is the same data wherever it lies.
    same = experiment.task.fingerprint
    # Of another file for the split alone every question is asked.
    elsewhere = ("task.kind:",) if same else ("task.path:", f"task.{split}_path:", "task.kind:")
    moved = any(row.startswith(elsewhere) for row in changed)
    movable = run.task.file_fields if same else ()
    # Which fields decide may depend on other fields.
    fixed = {"hold_out", *(() if moved else (*run.task.split_fields, *experiment.task.split_fields))}
    for name in sorted(fixed.difference(movable)):
        if any(row.startswith(f"task.{name}:") for row in changed):
            option = name.replace("_", "-")
            raise UsageError(
                f"--task.{option} says what was not trained on: it cannot change in an evaluation"
            )


def _training(own: Any, changed: Any) -> list[Any]:
    """What a run was trained on; of a corpus that has moved, what its training split is where it is now."""
    from jaxgpt.training.prepare import training_examples

    count = own.training.train_examples
    try:
        return training_examples(own, "train", count)
    except ValueError:
        if own.task == changed.task:
            raise
        return training_examples(changed, "train", count)


def _outputs(directory: Any, given: argparse.Namespace, parts: Sequence[str]) -> tuple[Path, Path]:
    """Where an evaluation and its picture go: what differs from the one of the run itself gets a name."""
    if given.output:
        return Path(given.output), Path(given.output).with_suffix(".png")
    if not parts:
        return directory.evaluation, directory.accuracy
    if parts == ["checkpoint-selected"]:
        return directory.selected_evaluation, directory.selected_accuracy
    name = output_name.file_name(["evaluation", *parts])
    return directory.path / f"{name}.json", directory.path / f"{name}.png"
