"""`jaxgpt train`, and train.py: an experiment from its name to its results."""

import argparse
import textwrap
from pathlib import Path
from typing import Any, NoReturn

from jaxgpt.cli.option_types import path
from jaxgpt.cli.options import COMMON, Parser, add_common, experiment_fields
from jaxgpt.cli.process import leave_at_once, say, start_jax
from jaxgpt.core import hints, settings
from jaxgpt.core.paths import broken_link, expanded, newest_of
from jaxgpt.core.usage import UsageError


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "train",
        "[EXPERIMENT] [--OPTION VALUE ...] [--FIELD VALUE ...]",
        fields=experiment_fields,
        description=_introduction(),
    )
    parser.add_argument(
        "experiment",
        metavar="EXPERIMENT",
        nargs="?",
        help="one of --list, or package.module:function (default: addition)",
    )
    _add_options(parser)
    add_common(parser.add_argument_group(COMMON))
    return parser


def _introduction() -> str:
    """What a newcomer reads first."""
    return "\n".join(
        [
            "Train a transformer on an experiment, then ask it what it was not trained on; runs/ holds the",
            "results. Without EXPERIMENT it is addition: sums of two numbers of 1 to 10 digits.",
            "",
            "examples:",
            f"  {hints.command('train')}",
            f"  {hints.command('train', 'addition', '--tokenizer', 'digits:3:right', '--seeds', 4)}",
            f"  {hints.command('train', 'text', '--task.path', 'book.txt', '--training.steps', 500)}",
            "",
            "what there is:",
            f"  {hints.command('train', '--list'):<42} experiments, and what each of them needs",
            f"  {hints.command('train', 'addition', '--help'):<42} fields of one that people change first",
            f"  {hints.command('train', 'addition', '--help-all'):<42} all of its fields",
        ]
    ).replace("%", "%%")


def _add_options(group: Any) -> None:
    group.add_argument("--list", action="store_true", help="show the experiments and leave")
    group.add_argument(
        "--workdir",
        metavar="DIR",
        type=path,
        help="run directory; default: runs/EXPERIMENT, numbered if taken",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --workdir, or the newest of EXPERIMENT, or begin it",
    )
    group.add_argument(
        "--dry-run", action="store_true", help="show the resolved experiment, compile once, and leave"
    )
    group.add_argument(
        "--all", action="store_true", help="with fields at their defaults in the report before training"
    )
    group.add_argument("--help-all", action="store_true", help="show every field and leave")


def help_text(given: argparse.Namespace) -> str:
    """The page for newcomers, or the fields of the experiment that is named."""
    if not (given.experiment or given.help_all or given.fields or given.workdir):
        return parser().format_help()
    from jaxgpt.cli import field_groups
    from jaxgpt.core import fields
    from jaxgpt.runs import experiments

    name, experiment, _, begun = _chosen(given)
    there = expanded(experiment.model.init).is_dir()  # else the page says how to name the weights
    experiment = _overridden(experiment, given.fields, begun, own_weights=there)
    page = Parser(
        "train",
        f"{name} [--OPTION VALUE ...] [--FIELD VALUE ...]".replace("%", "%%"),
        description=textwrap.fill(experiments.about(experiments.function(name)), 98).replace("%", "%%"),
    )
    if given.help_all:
        groups = field_groups.every(experiment, "experiment")
    else:
        groups = field_groups.first(experiment)
        more = len(list(fields.describe(experiment))) - sum(len(rows) for _, rows in groups)
        page.epilog = f"{more} more fields: {hints.command('train', name, '--help-all')}".replace("%", "%%")
    field_groups.add(page, groups)
    options = page.add_argument_group("options")
    _add_options(options)
    add_common(options)
    return page.format_help()


def run(given: argparse.Namespace) -> int:
    """Train, and say how to ask what was trained."""
    from jaxgpt.cli.listing import listing

    if given.list:
        print(listing())
        return 0
    _, experiment, workdir, begun = _chosen(given)
    experiment = _overridden(experiment, given.fields, begun)
    if not given.distributed:
        settings.spread_seeds(experiment.seeds)
    start_jax(given.distributed, quiet=True)  # the run's report says it
    from jaxgpt.evaluation.questions import askable
    from jaxgpt.runs.session import train
    from jaxgpt.task import Task

    run = train(
        experiment,
        workdir,
        resume=given.resume,
        dry_run=given.dry_run,
        overridden=frozenset(name.replace("-", "_") for name in given.fields),
        shown="all" if given.all else "changed",
        say=say,
    )
    if run.status == "finished" and type(experiment.task).attended is not Task.attended:
        from jaxgpt.lab import attended_pictures
        from jaxgpt.parallel import processes

        processes.by_first(lambda: attended_pictures.draw(run, say))
    objective = experiment.objective
    if run.status == "finished" and experiment.task.sample_prompts and objective.asks:
        prompt = next(iter(askable(run.model, run.tokenizer, run.task, objective)), "")
        asked = _asked(prompt, experiment.task.temperature)
        again = hints.command("generate", run.directory.path, *asked)
        say(f"ask it: {again}{run.directory.trust_option()}")
    if run.status == "stopped":
        leave_at_once()
    return 0


def _asked(prompt: str, temperature: float) -> list[object]:
    """The options of `jaxgpt generate` that ask a prompt; of a task that writes from nothing, for samples."""
    if prompt.strip():
        return [f"--prompt={prompt}"] if prompt.startswith("--") else ["--prompt", prompt]
    drawn = ["--prompt", "", "--temperature", temperature, "--num-samples", 10]
    return drawn if temperature and not prompt else []


def _chosen(given: argparse.Namespace) -> tuple[str, Any, Any, bool]:
    """The name of the experiment, the experiment, its directory, and whether a run there has begun."""
    from jaxgpt.runs import experiments
    from jaxgpt.runs.run_directory import FirstFree, RunDirectory

    name = given.experiment or "addition"
    begun = given.resume
    if begun and given.experiment:
        experiments.function(name)  # raises if there is none, and trusts its module for the run's files
        # A preemptible machine is given one command again and again: the first time there is no run.
        there = given.workdir or _newest(name)
        begun = there is not None and not RunDirectory(there).untouched()
    if not begun:
        return name, experiments.find(name), given.workdir or FirstFree(_home(name)), False
    workdir = Path(given.workdir or _newest(name) or _none_of(name))
    experiment, _ = RunDirectory(workdir).read()
    if given.experiment and "task" not in given.fields:
        _check_task(name, experiment, workdir)
    return name, experiment, workdir, True


def _check_task(name: str, there: Any, workdir: Path) -> None:
    """See that a run is one of the experiment that is named with it.

    Experiments share tasks, and every other field may have been set, so that only the kind of the task tells
    them apart; the command of a run that began with another `--task` names it.

    Raises:
      UsageError: if the task of the run is of another kind.
    """
    from jaxgpt.runs import experiments

    own, found = (type(one.task).kind() for one in (experiments.find(name), there))
    if own != found:
        raise UsageError(
            f"{workdir} holds a run of the task {found}, and {name} has the task {own}; leave {name} out, or "
            f"choose another --workdir; if the run began with --task {found}, give that again"
        )


def _overridden(experiment: Any, values: dict[str, str], begun: bool, *, own_weights: bool = True) -> Any:
    """The experiment with the given fields; one that has not begun may start from the weights of another.

    Args:
      own_weights: whether to read those that the experiment itself starts from.
    """
    from jaxgpt.core import fields
    from jaxgpt.runs import run_weights
    from jaxgpt.training import start

    if begun:
        return fields.override(experiment, start.spelled_out(experiment, values))
    return run_weights.override(experiment, values, begin=own_weights)


def _newest(name: str) -> Path | None:
    """The directory in runs/ of an experiment's newest run."""
    return newest_of(_home(name), "experiment.json")


def _home(name: str) -> Path:
    """The directory of an experiment's first run."""
    return Path("runs") / name.split(":")[-1].replace("-", "_")


def _none_of(name: str) -> NoReturn:
    missing = broken_link(Path("runs")) or f"there is no run of {name} in runs/"
    raise UsageError(f"{missing}; name one with --workdir, or the experiment that is to begin")
