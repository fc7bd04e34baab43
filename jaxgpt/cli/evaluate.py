"""What `jaxgpt evaluate` does."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jaxgpt.cli.options import Given, Option, writable
from jaxgpt.core.usage import UsageError

Say = Callable[[str], None]

OPTIONS = (
    Option("split", "SPLIT", "train, validation or test", "test"),
    Option("n", "N", "questions; default: as many as the run asked at its end"),
    Option("n-extra", "N", "questions beyond what was trained on; default: as the run"),
    Option("checkpoint", "WHICH", "last, best, selected or a step", "last"),
    Option("attention-factor", "X", "multiplies the attention scores; above 1 sharpens attention", "1"),
    Option("output", "FILE", "where the figures go; default: RUN/evaluation.json, or beside it"),
)


def check(given: Given) -> None:
    """Raises UsageError for options that no run could be evaluated with."""
    split = given.get("split")
    if split not in ("train", "validation", "test"):
        raise UsageError(f"--split {split}: known: train, validation, test")
    for name in ("n", "n-extra"):
        if given.get(name) is not None:
            given.whole(name)
    if given.get("output") is not None:
        if Path(given.get("output")).suffix == ".png":
            raise UsageError(f"--output {given.get('output')}: the picture goes there; name a .json")
        writable(given.get("output"))


def evaluate(given: Given, checkpoint: str | int, say: Say) -> None:
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

    split = given.get("split")
    counts = {name: given.whole(name) for name in ("n", "n-extra") if given.get(name) is not None}
    factor = fields.parse(float, given.get("attention-factor"), "--attention-factor")
    run = load(given.positional, checkpoint=checkpoint, attention_factor=factor)
    if run.experiment.training.noise is not None:
        raise UsageError(
            f"{given.positional} restores texts, which the validation loss in its metrics.jsonl measures; "
            "there are no questions to score"
        )
    experiment = fields.override(run.experiment, given.fields)
    changed = fields.differences(run.experiment, experiment)
    if any(not row.startswith("task") for row in changed):
        raise UsageError(f"only --task fields can change in an evaluation, not {'; '.join(changed)}")
    # With its fingerprint it is the same data wherever it lies.
    same = experiment.task.fingerprint
    elsewhere = ("task.kind:",) if same else ("task.path:", "task.kind:")
    moved = any(row.startswith(elsewhere) for row in changed)
    movable = run.task.file_fields if same else ()
    fixed = {"hold_out", *(() if moved else run.task.split_fields)}
    for name in sorted(fixed.difference(movable)):
        if any(row.startswith(f"task.{name}:") for row in changed):
            option = name.replace("_", "-")
            raise UsageError(
                f"--task.{option} says what was not trained on: it cannot change in an evaluation"
            )
    own = {"n": run.experiment.training.test_examples, "n-extra": run.experiment.training.extra_examples}
    asked = own | ({} if own["n"] else {"n": 1000}) | counts
    others = [f"{name}-{count}" for name, count in counts.items() if count != own[name]]
    output, picture = _outputs(run.directory, given, changed, others)
    for path in (output, picture, gallery(output)):  # before a question is asked
        writable(path, name="", instead="name a file elsewhere with --output")
    result = score(
        run.models,
        run.tokenizer,
        experiment.task,
        split=split,
        n=asked["n"],
        n_extra=asked["n-extra"],
        trained_on=TrainedOn(
            _training(run.experiment, experiment),
            task=None if type(experiment.task) is type(run.task) else run.task,
            objective=experiment.training.objective,
            data_seed=experiment.training.data_seed,
        ),
        kept=Kept(gallery=gallery(output)),
        progress=Counter("evaluating", say),
    )
    say(result.table())
    result.write_json(output)
    plots.accuracy_grid(result, picture)
    say(f"written: {output} and {picture}")


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


def _outputs(
    directory: Any, given: Given, changed: Sequence[str], others: Sequence[str]
) -> tuple[Path, Path]:
    """Where an evaluation and its picture go: what differs from the one of the run itself gets a name."""
    if given.get("output"):
        return Path(given.get("output")), Path(given.get("output")).with_suffix(".png")
    own = {"split": "test", "checkpoint": "last", "attention-factor": "1"}
    parts = [f"{name}-{given.get(name)}" for name, value in own.items() if given.get(name) != value]
    if not parts and not changed and not others:
        return directory.evaluation, directory.accuracy
    if parts == ["checkpoint-selected"] and not changed and not others:
        return directory.selected_evaluation, directory.selected_accuracy
    parts += others
    for row in changed:
        path, _, values = row.partition(": ")
        parts.append(f"{path.removeprefix('task.')}-{values.rpartition(' -> ')[2]}")
    name = re.sub(r"[^\w.-]", "_", "_".join(["evaluation", *parts]))[:100]
    return directory.path / f"{name}.json", directory.path / f"{name}.png"
