"""`jaxgpt compare`: from the command line to a plan, its runs and its report."""

import argparse
from collections.abc import Callable
from pathlib import Path

from jaxgpt.cli.comparison_request import names_settings, request
from jaxgpt.cli.option_types import Repeated, path, paths
from jaxgpt.cli.options import COMMON, Parser, add_common, experiment_fields
from jaxgpt.cli.process import leave_at_once, say, start_jax
from jaxgpt.cli.writable import makeable
from jaxgpt.comparison import comparing, merging, preflight
from jaxgpt.comparison.cells import FILE, Plan, check_unchanged
from jaxgpt.core import trust
from jaxgpt.core.paths import newest_of
from jaxgpt.core.usage import UsageError
from jaxgpt.runs.run_directory import FirstFree

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "compare",
        "EXPERIMENT [--OPTION VALUE ...] [--FIELD VALUE ...]",
        fields=experiment_fields,
        description="Train an experiment with several tokenizers, or other fields varied, and report which\n"
        "does best, with intervals over seeds.",
    )
    parser.add_argument(
        "experiment", metavar="EXPERIMENT", nargs="?", help="what every cell trains (default: addition)"
    )
    parser.add_argument(
        "--tokenizers", metavar="NAME,...", help="tokenizers to compare, short names or directories"
    )
    parser.add_argument(
        "--vary",
        metavar="PATH=VALUE,...",
        action=Repeated,
        default=[],
        help="values of any other field to compare; may be repeated",
    )
    parser.add_argument(
        "--baseline",
        metavar="VALUE,...",
        help="values of the cell to compare with; default: the first of each",
    )
    parser.add_argument(
        "--sweep",
        metavar="PATH=VALUE,...",
        action=Repeated,
        default=[],
        help="each cell tries these, validation chooses; may be repeated",
    )
    parser.add_argument(
        "--budgets",
        metavar="BUDGET,...",
        help="examples, flops, or both; default: both, or the experiment's own",
    )
    parser.add_argument(
        "--workdir",
        metavar="DIR",
        type=path,
        help="directory of the comparison; default: runs/compare-EXPERIMENT, numbered if taken",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the comparison in --workdir: train what is missing",
    )
    parser.add_argument(
        "--merge",
        metavar="DIR,DIR",
        type=paths,
        help="join finished comparisons in --workdir instead of training",
    )
    parser.add_argument("--dry-run", action="store_true", help="check every cell, show the plan, and leave")
    add_common(parser.add_argument_group(COMMON))
    return parser


def run(given: argparse.Namespace) -> int:
    """Start JAX and compare; status 1 if a cell could not be trained."""
    start_jax(given.distributed)
    status = compare(given, say)
    if status == "stopped":
        leave_at_once()
    return 1 if status == "failed" else 0


def compare(given: argparse.Namespace, say: Say) -> str:
    """Run the command.

    Returns:
      `finished`, `stopped` by a signal, `failed` if a cell could not be trained, or `dry run`.

    Raises:
      ValueError: for anything that does not fit, in one line, before any training.
    """
    if given.merge is not None:
        with trust.from_file():
            return _merge(given, say)
    if given.resume:
        workdir = Path(given.workdir or _newest(given))
        there = (workdir / FILE).is_file()
        # Before the file is read: what is named here may be named by it.
        asked = request(given) if there and given.experiment is not None else None
        plan = Plan.read(workdir)
        if asked is not None:
            check_unchanged(plan.request, asked)
        elif names_settings(given):
            raise UsageError(
                "--resume goes on with the settings it finds; name the experiment to have them checked"
            )
    else:
        workdir = Path(given.workdir) if given.workdir else FirstFree(_home(given))
        makeable(workdir.base if isinstance(workdir, FirstFree) else workdir, name="--workdir")
        if isinstance(workdir, Path):
            comparing.check_new(workdir)
        plan = preflight.plan(request(given))
    comparing.show(plan, say)
    if given.dry_run:
        say("dry run: nothing was trained or written")
        return "dry run"
    return comparing.carry_out(plan, workdir, say, resume=given.resume).status


def _merge(given: argparse.Namespace, say: Say) -> str:
    if given.workdir is None:
        raise UsageError("--merge needs --workdir, where the joined comparison goes")
    if given.experiment is not None or given.fields:
        raise UsageError("--merge joins what is there: name no experiment and no fields")
    own = given.given - {"merge", "workdir", "traceback", "trust", "distributed"}
    if own:
        raise UsageError(f"--merge joins what is there, and takes no --{min(own)}; leave it out")
    workdir = Path(given.workdir)
    if workdir.exists() and any(workdir.iterdir()):
        raise UsageError(f"--workdir {workdir} is not empty; choose another for the joined comparison")
    makeable(workdir, name="--workdir")
    plan = merging.merge([Path(part) for part in given.merge.split(",") if part], workdir)
    comparing.report(plan, workdir, {}, say)
    return "finished"


def _newest(given: argparse.Namespace) -> Path:
    found = newest_of(_home(given), FILE)
    if found is None:
        raise UsageError("there is no such comparison in runs/; name one with --workdir")
    return found


def _home(given: argparse.Namespace) -> Path:
    return Path("runs") / f"compare-{(given.experiment or 'addition').split(':')[-1].replace('_', '-')}"
