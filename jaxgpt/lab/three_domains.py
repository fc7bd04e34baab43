"""The laboratory whole: one small model for each of three texts, then each of them trained on the others."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from jaxgpt.core import fields
from jaxgpt.core.writing import write_atomically
from jaxgpt.lab import fine_tuning_file
from jaxgpt.lab.fine_tuning import FineTuning, fine_tune
from jaxgpt.lab.fine_tunings import FineTunings
from jaxgpt.lab.loss_matrix import loss_matrix
from jaxgpt.lab.material import MOST, Reading
from jaxgpt.lab.report import Chapter
from jaxgpt.models.template import Template
from jaxgpt.runs import experiments, run_weights
from jaxgpt.runs.again import train_or_load
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.run import Run, load
from jaxgpt.task import SPLITS, Split
from jaxgpt.tokenizers import saved
from jaxgpt.tokenizers.characters import Characters
from jaxgpt.training.experiment import Experiment

#: Names of the texts, in the order of the page.
DOMAINS = ("wikipedia", "mathematics", "shakespeare")
#: Steps of training on another text.
STEPS = 200
#: The share of the training after which the earlier models are taken: iteration 4,000 of 5,000.
EARLIER = 0.8

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class ThreeDomains:
    """What was trained on three texts.

    Attributes:
      runs: by the name of their text.
      further: each pair's training on the other text: from the last step, and from the earlier one.
    """

    runs: Mapping[str, Run]
    further: tuple[tuple[FineTuning, ...], tuple[FineTuning, ...]]


def prepare(
    files: Mapping[str, str], folder: Path, *, seeds: int, values: Mapping[str, str]
) -> dict[str, Experiment]:
    """The experiment for each text; all read it by one alphabet, that of the three texts together.

    So every model can be asked about every text. Characters that its own text does not hold it has never
    seen: it learns to expect none of them.

    Args:
      files: of the texts, by their names.
      values: fields of the experiments, as text by dotted path.

    Raises:
      ValueError: for a file that cannot be read, or a field that does not fit.
    """
    given = {"seeds": str(seeds)} | dict(values)
    found = {
        name: run_weights.override(experiments.find(f"lab-{name}"), {"task.path": path} | given, begin=True)
        for name, path in files.items()
    }
    alphabet = {character for one in found.values() for split in SPLITS for character in text(one, split)}
    path = folder / "alphabet.json"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(saved.to_json(Characters("".join(sorted(alphabet)))), indent=1) + "\n")
    return {name: dataclasses.replace(one, tokenizer=str(path.absolute())) for name, one in found.items()}


def text(experiment: Experiment, split: Split) -> str:
    """The running text of a split."""
    return "".join(example.target for example in experiment.task.examples(split))


def carry_out(known: Mapping[str, Experiment], folder: Path, say: Say) -> ThreeDomains | None:
    """Train what is not there yet, and go on with what was stopped; None if a signal stopped it again.

    Args:
      known: from `prepare`.

    Raises:
      ValueError: as `jaxgpt.train`, also where a run there has other settings.
    """
    runs = {}
    for name, experiment in known.items():
        run = train_or_load(experiment, folder / "runs" / name, title=f"training on {name}", say=say)
        if run is None:
            return None
        runs[name] = run
    last, earlier = (
        tuple(_pairs(known, each, folder / "further", say))
        for each in (runs, {name: _earlier(run) for name, run in runs.items()})
    )
    return ThreeDomains(runs, (last, earlier))


def further_training(experiment: Experiment) -> Experiment:
    """The training on another text: short, at a third of the rate, which stays as it is."""
    training = dataclasses.replace(
        experiment.training, steps=STEPS, epochs=None, keep_spaced=0, eval_every=0, sample_every=0, looks=0
    )
    optimizer = experiment.optimizer
    optimizer = dataclasses.replace(
        optimizer, schedule="constant", warmup_steps=0, learning_rate=optimizer.learning_rate / 3
    )
    return dataclasses.replace(experiment, training=training, optimizer=optimizer)


def _earlier(run: Run) -> Run:
    """The run at the last checkpoint up to `EARLIER` of its training; at its first, without one."""
    folder = run.directory.checkpoints
    steps = Checkpoints(folder, fingerprint=run.tokenizer.fingerprint).steps()
    before = [step for step in steps if step <= EARLIER * run.step] or steps[:1]
    return load(run.directory.path, checkpoint=before[-1])


def _pairs(
    known: Mapping[str, Experiment], runs: Mapping[str, Run], folder: Path, say: Say
) -> Iterator[FineTuning]:
    """Each model trained on each other text; what an earlier call has found is read."""
    for first, second in itertools.permutations(runs, 2):
        run, experiment = runs[first], further_training(known[second])
        path = folder / f"{first}-{run.step}-{second}.json"
        made_of = [run.step, *(fields.to_json(one) for one in (run.experiment, experiment))]
        found = fine_tuning_file.read(path, made_of)
        if found is None:
            say(f"training the {first} model of step {run.step} on {second}")
            learned, trained_on = ((name, text(known[name], "test")[:MOST]) for name in (first, second))
            found = fine_tune(run, experiment, learned=learned, trained_on=trained_on)
            fine_tuning_file.write(path, found, made_of)
        yield found


def chapters(trained: ThreeDomains, readings: Sequence[Reading]) -> list[Callable[[], Chapter]]:
    """What only the three models together show."""
    return [lambda: _shared(readings), *(lambda each=each: _further(each) for each in trained.further)]


def _shared(readings: Sequence[Reading]) -> Chapter:
    """The losses on what all three texts are made of."""
    shared = set.intersection(*(set(one.training) for one in readings))
    texts = {one.name: "".join(c for c in one.held_out if c in shared) for one in readings}
    left = (f"{1 - len(texts[one.name]) / len(one.held_out):.1%} of {one.name}" for one in readings)
    return Chapter(
        "Losses across texts, characters that all three have",
        "A model has learned to expect no character that its own text does not hold, and pays for each. Here "
        f"such characters are taken out of the texts: {', '.join(left)}.",
        {"losses-shared": loss_matrix({one.name: one.run for one in readings}, texts)},
    )


def _further(each: Sequence[FineTuning]) -> Chapter:
    step = each[0].step
    return Chapter(
        f"Trained on another text, from step {step:,}",
        f"Each model of step {step:,} is trained {each[0].steps[-1]} steps on each of the other texts.",
        {f"further-{step}": FineTunings(tuple(each))},
    )


def introduction(trained: ThreeDomains) -> list[str]:
    """What was trained, in sentences."""
    run = next(iter(trained.runs.values()))
    count, training = len(run.models), run.experiment.training
    seeds = f"{count} seeds each; bands and intervals are over seeds" if count > 1 else "one seed each"
    return [
        f"Models of {Template(run.model.config).num_params:,} parameters, trained {run.step:,} steps of "
        f"{training.batch_size} windows of {run.model.config.max_length} characters; {seeds}.",
        "All three read by one alphabet, that of the three texts together, so that each can be asked about "
        "each text. The last tenth of every text is held out.",
    ]
