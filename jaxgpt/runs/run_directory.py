"""A run directory: what lies where, who holds it, and what it says of itself."""

import contextlib
import dataclasses
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from jaxgpt import tokenizers
from jaxgpt.core import fields, foreign, locks, trust
from jaxgpt.core.paths import broken_link, expanded
from jaxgpt.core.writing import remove_unfinished, write_atomically
from jaxgpt.runs import schema
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.resolved import Resolved


class RunDirectory:
    """Paths of a run: `experiment.json`, `resolved.json`, `tokenizer.json`, `metrics.jsonl`, `samples.txt`,
    `checkpoints/`, `evaluation.json`, `outcome.json` (time and machine) and the pictures.

    `selected_...` are those of the weights that were selected while training.
    """

    def __init__(self, path: Path | str):
        self.path = expanded(path)
        self.experiment = self.path / "experiment.json"
        self.resolved = self.path / "resolved.json"
        self.tokenizer = self.path / "tokenizer.json"
        self.metrics = self.path / "metrics.jsonl"
        self.wandb_id = self.path / "wandb-id.txt"
        self.samples = self.path / "samples.txt"
        self.checkpoints = self.path / "checkpoints"
        self.evaluation = self.path / "evaluation.json"
        self.learning_curve = self.path / "learning_curve.png"
        self.accuracy = self.path / "accuracy_grid.png"
        self.attention = self.path / "attention.png"
        self.attention_heads = self.path / "attention_heads.png"
        self.board = self.path / "board.png"
        self.distances = self.path / "distances.png"
        self.outcome = self.path / "outcome.json"
        self.selected_evaluation = self.path / "selected_evaluation.json"
        self.selected_accuracy = self.path / "selected_accuracy_grid.png"

    @property
    def name(self) -> str:
        """What the directory is called, also where it is given as `.` or `..`."""
        return self.path.resolve().name

    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.experiment.is_file()

    def untouched(self) -> bool:
        """Whether no run was begun here, or one was killed before its first file was whole."""
        return not os.path.lexists(self.experiment) and not any(self.checkpoints.glob("[0-9]*"))

    def sample_lines(self) -> list[str]:
        """The lines of `samples.txt`, each `step N: ...`."""
        if not self.samples.exists():
            return []
        lines = foreign.read_text(self.samples).splitlines()
        return [line for line in lines if re.match(r"step \d+: ", line)]

    def create(self) -> None:
        """Make the directory and try to write in it.

        Raises:
          ValueError: if that is not possible, in one line, before anything costly is done.
        """
        try:
            str(self.path.absolute()).encode()  # checkpoints are written by a library that takes no other
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".writable-{os.getpid()}"
            probe.write_text("")
            probe.unlink()
        except UnicodeEncodeError as error:
            raise ValueError(f"--workdir {self.path!s}: its name is not UTF-8; choose another") from error
        except OSError as error:
            raise _not_writable(self.path, error) from error

    def write(self, experiment: Experiment, resolved: Resolved, tokenizer: Tokenizer) -> None:
        """Record what the run is, and what followed from it."""
        # A run is there once its experiment is, so that comes last.
        write_atomically(
            self.tokenizer, json.dumps(tokenizers.to_json(tokenizer), ensure_ascii=True, indent=1) + "\n"
        )
        for path, config in ((self.resolved, resolved), (self.experiment, experiment)):
            told = {"schema": schema.NUMBER, **fields.to_json(config)}
            write_atomically(path, json.dumps(told, indent=1) + "\n")

    def forget_end(self) -> None:
        """Take away what says how a training ended, which another number of steps goes on with."""
        self.outcome.unlink(missing_ok=True)  # first: with it a run is finished
        for evaluation, picture in (
            (self.evaluation, self.accuracy),
            (self.selected_evaluation, self.selected_accuracy),
        ):
            for path in (evaluation, picture, gallery(evaluation)):
                path.unlink(missing_ok=True)

    def read(self) -> tuple[Experiment, Tokenizer]:
        """The experiment, with what its data told, and the tokenizer.

        Raises:
          ValueError: if the directory holds no run, its files were changed, or another version made them.
        """
        if not self.exists():
            raise ValueError(f"{self.path} holds no run: there is no {self.experiment.name} in it")
        data = foreign.read_json(self.experiment)
        with foreign.naming(self.experiment):
            experiment = fields.from_json(Experiment, schema.checked(data))
        resolved = self.read_resolved()
        with foreign.naming(self.resolved):
            experiment = dataclasses.replace(
                experiment,
                task=dataclasses.replace(experiment.task, fingerprint=resolved.fingerprint),
                model=dataclasses.replace(experiment.model, label_names=resolved.label_names),
            )
        return experiment, tokenizers.load(self.tokenizer)

    def read_resolved(self) -> Resolved:
        """What followed from the experiment and its data.

        Raises:
          ValueError: if the file is missing or was changed.
        """
        data = foreign.read_json(self.resolved)
        with foreign.naming(self.resolved):
            return fields.from_json(Resolved, schema.checked(data))

    def trust_option(self) -> str:
        """The option with which a command reads this run, ` --trust MODULE,...`; "" if it needs none."""
        return trust.option([foreign.read_json(self.experiment), foreign.read_json(self.tokenizer)])


@dataclasses.dataclass(frozen=True)
class FirstFree:
    """The directory `base`, or the first of `base-2`, `base-3`, ... that nobody has made."""

    base: Path

    def make(self) -> Path:
        """Choose and make it in one step, so that runs that are started together get one each.

        Raises:
          ValueError: if none can be made, in one line.
        """
        try:
            self.base.parent.mkdir(parents=True, exist_ok=True)
            for number in itertools.count(1):
                path = self.base if number == 1 else self.base.with_name(f"{self.base.name}-{number}")
                with contextlib.suppress(FileExistsError):
                    path.mkdir()
                    return path
        except OSError as error:
            raise _not_writable(self.base, error) from error
        raise AssertionError


@contextlib.contextmanager
def held(path: Path | str | FirstFree) -> Iterator[tuple[RunDirectory, str]]:
    """Make a run directory and hold it; one that was made here and holds nothing at the end is removed.

    Yields:
      The directory, and a line to show if its file system has no locks, else an empty text.

    Raises:
      ValueError: if it cannot be written to, or if another process holds it, with its number.
    """
    made = isinstance(path, FirstFree) or not expanded(path).exists()
    directory = RunDirectory(path.make() if isinstance(path, FirstFree) else path)
    directory.create()
    try:
        with locks.held(directory.path) as note:
            remove_unfinished(directory.path)
            yield directory, note
    finally:
        if made:
            with contextlib.suppress(OSError):  # it holds something
                directory.path.rmdir()


def _not_writable(path: Path, error: OSError) -> ValueError:
    reason = broken_link(path) or error.strerror
    return ValueError(f"--workdir {path} cannot be written to ({reason}); choose another")


def gallery(evaluation: Path) -> Path:
    """Where the task's own picture of the answers lies, if it draws one, beside an evaluation."""
    return evaluation.with_name(f"{evaluation.stem}_answers.png")


#: Fields that may change when a run goes on; any other difference is refused.
MUTABLE = (
    "optimizer.learning_rate",
    "optimizer.schedule",
    "optimizer.warmup_steps",
    "optimizer.final_fraction",
    "optimizer.weight_decay",
    "optimizer.clip_norm",
    "training.steps",
    "training.epochs",
    "training.skip_spikes",
    "training.chunk",
    "training.logits_mib",
    "model.attention.kernel",
    "training.accumulation",
    "training.log_every",
    "training.eval_every",
    "training.eval_examples",
    "training.test_examples",
    "training.extra_examples",
    "training.sample_every",
    "training.save_every",
    "training.keep_last",
    "training.keep_best",
    "training.on_device_mib",
    "training.mesh.seeds",
    "training.mesh.data",
    "training.mesh.fsdp",
    "training.mesh.sequence",
    "training.mesh.tensor",
    "training.tensorboard",
    "training.wandb",
    "model.remat",
)


def changes(old: Experiment, new: Experiment) -> list[str]:
    """The allowed differences between a run and its continuation, a line each.

    Raises:
      ValueError: if any other field differs, with all of them.
    """
    rows = fields.differences(old, new)
    steps, epochs = new.training.steps, new.training.epochs
    if epochs is not None and epochs == old.training.epochs and steps != old.training.steps:
        raise ValueError(
            f"training.steps={steps} and training.epochs={epochs} are two ways to say the same; set "
            "training.epochs to none for steps to count, or raise it"
        )
    # Files may lie elsewhere if their fingerprint tells that they are the same.
    movable = old.task.file_fields if old.task.fingerprint else ()
    mutable = {*MUTABLE, *(f"task.{name}" for name in movable)}
    refused = [row for row in rows if row.split(":")[0] not in mutable]
    if refused:
        raise ValueError(
            f"the run was begun with other settings and cannot go on with these: {'; '.join(refused)}; "
            "leave them out, or begin a run in another directory"
        )
    return rows
