"""`jaxgpt evaluate --questions FILE`: a run, asked what others published."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jaxgpt.cli import output_name
from jaxgpt.cli.option_types import Repeated, path
from jaxgpt.cli.writable import writable
from jaxgpt.core.usage import UsageError


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of questions in a file."""
    group = parser.add_argument_group("questions that others published")
    group.add_argument(
        "--questions",
        metavar="FILE",
        type=path,
        help="ask these, lines of question<TAB>answer, and score as others do: exact match and log sMAPE",
    )
    group.add_argument(
        "--template",
        metavar="TEXT",
        action=Repeated,
        help="how their wording maps to the task's: 'What is {a} plus {b}? => {a}+{b}'; of several the first "
        "that fits",
    )
    group.add_argument(
        "--beside",
        metavar="NAME=FILE",
        action=Repeated,
        type=_named,
        help="others' answers to the same questions, one a line, for a row of the table",
    )


def check(given: argparse.Namespace) -> None:
    """That options fit together.

    Raises:
      UsageError: if not.
    """
    if given.questions is None:
        if given.template or given.beside:
            raise UsageError(f"--{'template' if given.template else 'beside'} needs --questions FILE")
        return
    if given.split != "test" or given.n_extra is not None:
        option = "--n-extra" if given.n_extra is not None else "--split"
        raise UsageError(f"{option} chooses among the task's own questions; leave it out with --questions")
    names = [name for name, _ in given.beside or ()]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"--beside {twice[0]} is given twice; give each file a name of its own")


def examine(
    given: argparse.Namespace,
    run: Any,
    experiment: Any,
    changed: Sequence[str],
    training: list,
    say: Callable[[str], None],
) -> None:
    """Ask a run the questions of the file, and write and print what it answered.

    Args:
      experiment: the run's, with the fields that were given.
      changed: how it differs from the run's, rows of `jaxgpt.core.fields.differences`.
      training: the examples it was trained on.

    Raises:
      ValueError: if a file or a template does not fit; before anything is asked.
    """
    from jaxgpt.core.progress import Counter
    from jaxgpt.evaluation import exam
    from jaxgpt.evaluation.scoring_options import TrainedOn
    from jaxgpt.evaluation.wording_template import Template

    templates = []
    for text in given.template or ():
        try:
            templates.append(Template.read(text))
        except ValueError as error:
            raise UsageError(f"--template {text!r}: {error}") from error
    questions = exam.read_exam(given.questions, experiment.task, templates)
    published = {
        name: exam.read_published(file, len(questions))[: given.n] for name, file in given.beside or ()
    }
    output = Path(given.output) if given.output else run.directory.path / f"{_name(given, changed)}.json"
    writable(output, name="", instead="name a file elsewhere with --output")
    own = run.experiment
    result = exam.examine(
        run.models,
        run.tokenizer,
        experiment.task,
        questions[: given.n],
        published=published,
        trained_on=TrainedOn(
            training,
            objective=own.objective,
            data_seed=own.training.data_seed,
        ),
        progress=Counter("evaluating", say),
    )
    say(result.table())
    result.write_json(output)
    say(f"written: {output}")


def _name(given: argparse.Namespace, changed: Sequence[str]) -> str:
    """The name of the file of figures: `questions_sums` for sums.tsv and a run without changes."""
    file = Path(given.questions)
    counts = [] if given.n is None else [f"n-{given.n}"]
    parts = ["questions", file.stem, *output_name.differing(given, changed, counts)]
    whole = str(file) == f"{file.stem}.tsv"  # else there may be another of this name
    return output_name.file_name(parts, left_out="" if whole else str(file))


def _named(text: str) -> tuple[str, str]:
    """A name and a file, `GPT-5=answers.txt`."""
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise ValueError("write NAME=FILE, such as GPT-5=answers.txt")
    return name, path(file)
