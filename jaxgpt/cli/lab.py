"""`jaxgpt lab`: what runs know, and how they learned it, on one page."""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jaxgpt.cli.option_types import Repeated, path, whole
from jaxgpt.cli.options import COMMON, Parser, add_common, experiment_fields
from jaxgpt.cli.process import leave_at_once, say, start_jax
from jaxgpt.cli.writable import makeable
from jaxgpt.core import settings
from jaxgpt.core.usage import UsageError

if TYPE_CHECKING:
    from jaxgpt.lab.laboratory import Analyses

#: In place of runs: the whole laboratory.
THREE = "three-domains"
#: Ahead of a run: taggers of words that read its layers.
LADDER = "feature-ladder"
#: The prompts and targets of the laboratory, about articles, mathematics and tales.
PROMPTS = (
    ("In biology, mitochondria are", "p"),
    ("The integral of x^2 is", "x"),
    ("Once upon a time", "a"),
)


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "lab",
        f"RUN [RUN ...] | {THREE} | {LADDER} RUN [--OPTION VALUE ...]",
        fields=lambda: [*experiment_fields(), "ladder"],
        description="Show what runs know and how they learned it: one page, and the numbers of every "
        f"picture.\n{THREE} trains a model on each of three texts, then each of them on the others."
        f"\n{LADDER} RUN --task.path FILE trains taggers of a text's capitals on the run's frozen layers, and"
        "\nthe run's model itself; fields are those of task and ladder, such as --ladder.hidden 768.",
    )
    parser.add_argument(
        "runs",
        metavar="RUN ...",
        nargs="+",
        type=path,
        help=f"run directories, such as runs/addition; or {THREE}; or {LADDER} and one",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=path,
        help=f"directory of the page; default: lab in the first RUN, or runs/{THREE}",
    )
    parser.add_argument(
        "--prompt",
        metavar="TEXT",
        action=Repeated,
        default=[],
        help="a text that is looked at; may be repeated; default: one that was held out",
    )
    parser.add_argument(
        "--target",
        metavar="TEXT",
        action=Repeated,
        default=[],
        help="the token behind each --prompt that is asked about; default: the likeliest",
    )
    three = parser.add_argument_group(THREE)
    for name, kind in (("wikipedia", "articles"), ("mathematics", "mathematics"), ("shakespeare", "plays")):
        three.add_argument(f"--{name}", metavar="FILE", type=path, help=f"file of {kind}")
    three.add_argument(
        "--seeds", metavar="N", type=whole, default=1, help="models for each text (default: %(default)s)"
    )
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Analyse, and say where the page is; status 0 also where a signal stopped it."""
    if THREE in given.runs:
        settings.spread_seeds(given.seeds)
    start_jax(given.distributed, quiet=True)
    if LADDER in given.runs:
        return _feature_ladder(given)
    if THREE not in given.runs:
        return _of_runs(given)
    if _three_domains(given) == "stopped":
        leave_at_once()
    return 0


def _of_runs(given: argparse.Namespace) -> int:
    from jaxgpt.lab import laboratory
    from jaxgpt.lab.material import asked, reading
    from jaxgpt.runs.run import load

    if given.fields:
        raise UsageError(f"--{next(iter(given.fields))} is for {THREE}; runs are read as they are")
    own = {"wikipedia", "mathematics", "shakespeare", "seeds"} & given.given
    if own:
        raise UsageError(f"--{min(own)} is for {THREE}")
    readings = [reading(name, load(path)) for name, path in _named(given.runs).items()]
    folder = Path(given.output or Path(given.runs[0]) / "lab")
    makeable(folder, name="--output")
    prompts = asked(readings, given.prompt, given.target)
    found = laboratory.analyse(readings, prompts, say)
    names = ", ".join(one.name for one in readings)
    _write(folder, f"What it learned: {names}", [], found)
    return 0


def _named(runs: Sequence[str]) -> dict[str, str]:
    """Runs by the names of their directories; by all of their paths where two have one name.

    A name is a part of file names, so that it holds no slash.
    """
    names = [Path(run).resolve().name for run in runs]
    if len(set(names)) < len(names):
        names = ["-".join(part for part in Path(run).parts if part != "/") for run in runs]
    for number, name in enumerate(names, 1):
        if name in names[: number - 1]:
            names[number - 1] = f"{name}-{number}"
    return dict(zip(names, runs, strict=True))


def _write(folder: Path, title: str, introduction: Sequence[str], found: "Analyses") -> None:
    from jaxgpt.lab import report

    told = [*introduction, *(f"Not on this page: {reason}." for reason in found.left_out)]
    for line in told[len(introduction) :]:
        say(line)
    page = report.write(folder, title, told, found.chapters)
    say(f"written: {page}, and the numbers of every picture in {folder / report.NUMBERS}")


def _feature_ladder(given: argparse.Namespace) -> int:
    """Train the rungs on a run's layers; a table, and a picture and its numbers in files."""
    from jaxgpt.core import fields
    from jaxgpt.evaluation import plots
    from jaxgpt.lab.ladder_training import LadderConfig, feature_ladder
    from jaxgpt.runs import experiments
    from jaxgpt.runs.run import load

    if len(given.runs) != 2 or given.runs[0] != LADDER:
        raise UsageError(f"{LADDER} takes one run: jaxgpt lab {LADDER} RUN --task.path FILE")
    for name in given.fields:
        part, _, field = name.partition(".")
        if part not in ("task", "ladder") or not field:
            raise UsageError(f"--{name} is no field of {LADDER}, which has --task. and --ladder. ones")
    if own := {"wikipedia", "mathematics", "shakespeare", "seeds", "prompt", "target"} & given.given:
        raise UsageError(f"--{min(own)} is not for {LADDER}; its seeds are --ladder.seeds")
    task = experiments.find("truecasing").task
    both = dataclasses.make_dataclass("Both", [("task", type(task)), ("ladder", LadderConfig)], frozen=True)
    asked = fields.override(both(task, LadderConfig()), given.fields)
    folder = Path(given.output or Path(given.runs[1]) / "lab")
    makeable(folder, name="--output")
    found = feature_ladder(load(given.runs[1]), asked.task, asked.ladder, say=say)
    folder.mkdir(parents=True, exist_ok=True)
    found.to_csv(folder / "feature_ladder.csv")
    plots.save(found.plot(), folder / "feature_ladder.png")
    say(f"{found}\n{found.summary()}")
    say(f"written: {folder / 'feature_ladder.png'}, and its numbers in feature_ladder.csv beside it")
    return 0


def _three_domains(given: argparse.Namespace) -> str:
    """Train and analyse the three models.

    Returns:
      `finished`, or `stopped` by a signal.
    """
    from jaxgpt.lab import laboratory, three_domains
    from jaxgpt.lab.material import asked, reading

    if given.runs != [THREE]:
        raise UsageError(f"{THREE} stands alone: name no runs beside it")
    files = {name: getattr(given, name) for name in three_domains.DOMAINS}
    if missing := [name for name, file in files.items() if file is None]:
        raise UsageError(f"{THREE} needs a file of text: --{missing[0]} FILE")
    if given.target and len(given.target) != len(given.prompt or ()):  # told before anything is trained
        count = len(given.prompt or ())
        raise UsageError(f"{len(given.target)} targets for {count} prompts; give one for each, or none")
    folder = Path(given.output or Path("runs") / THREE)
    makeable(folder, name="--output")
    known = three_domains.prepare(files, folder, seeds=given.seeds, values=given.fields)
    trained = three_domains.carry_out(known, folder, say)
    if trained is None:
        say("stopped; the same command goes on")
        return "stopped"
    readings = [reading(name, run) for name, run in trained.runs.items()]
    prompts = asked(readings, given.prompt, given.target) if given.prompt else PROMPTS
    found = laboratory.analyse(readings, prompts, say, more=three_domains.chapters(trained, readings))
    _write(folder, "What three models learn of three texts", three_domains.introduction(trained), found)
    return "finished"
