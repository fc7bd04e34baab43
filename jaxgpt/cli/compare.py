"""What `jaxgpt compare` does: from the command line to a plan, its runs and its report."""

from collections.abc import Callable
from pathlib import Path

from jaxgpt.cli.options import Given, Option, makeable
from jaxgpt.comparison import axes, comparing, merging, preflight
from jaxgpt.comparison.axes import Axis
from jaxgpt.comparison.cells import BUDGETS, FILE, Plan, Request, check_unchanged
from jaxgpt.core import trust
from jaxgpt.core.usage import UsageError
from jaxgpt.runs import experiments
from jaxgpt.runs.run_directory import FirstFree
from jaxgpt.training import start

Say = Callable[[str], None]

OPTIONS = (
    Option("tokenizers", "NAME,...", "tokenizers to compare, short names or directories"),
    Option("vary", "PATH=VALUE,...", "values of any other field to compare; may be repeated", repeats=True),
    Option("baseline", "VALUE,...", "values of the cell to compare with; default: the first of each"),
    Option(
        "sweep", "PATH=VALUE,...", "each cell tries these, validation chooses; may be repeated", repeats=True
    ),
    Option("budgets", "BUDGET,...", "examples, flops, or both; default: both"),
    Option(
        "workdir", "DIR", "directory of the comparison; default: runs/compare-EXPERIMENT, numbered if taken"
    ),
    Option("resume", "flag", "go on with the comparison in --workdir: train what is missing"),
    Option("merge", "DIR,DIR", "join finished comparisons in --workdir instead of training"),
    Option("dry-run", "flag", "check every cell, show the plan, and leave"),
)


def compare(given: Given, say: Say) -> str:
    """Run the command.

    Returns:
      `finished`, `stopped` by a signal, `failed` if a cell could not be trained, or `dry run`.

    Raises:
      ValueError: for anything that does not fit, in one line, before any training.
    """
    if given.get("merge") is not None:
        with trust.from_file():
            return _merge(given, say)
    if given.flag("resume"):
        workdir = Path(given.get("workdir") or _newest(given))
        there = (workdir / FILE).is_file()
        # Before the file is read: what is named here may be named by it.
        asked = request(given) if there and given.positional is not None else None
        plan = Plan.read(workdir)
        if asked is not None:
            check_unchanged(plan.request, asked)
        elif _settings(given):
            raise UsageError(
                "--resume goes on with the settings it finds; name the experiment to have them checked"
            )
    else:
        workdir = Path(given.get("workdir")) if given.get("workdir") else FirstFree(_home(given))
        makeable(workdir.base if isinstance(workdir, FirstFree) else workdir, name="--workdir")
        if isinstance(workdir, Path):
            comparing.check_new(workdir)
        plan = preflight.plan(request(given))
    comparing.show(plan, say)
    if given.flag("dry-run"):
        say("dry run: nothing was trained or written")
        return "dry run"
    return comparing.carry_out(plan, workdir, say, resume=given.flag("resume")).status


def request(given: Given) -> Request:
    """What the command line asks for.

    Raises:
      ValueError: for an option that does not fit, in one line.
    """
    name = given.positional or "addition"
    varied = [Axis.from_text("vary", text) for text in given.repeated["vary"]]
    if given.get("tokenizers") is not None:
        varied.insert(0, Axis.of_tokenizers(given.get("tokenizers")))
    sweep = [Axis.from_text("sweep", text) for text in given.repeated["sweep"]]
    axes.check_apart([*varied, *sweep], given.fields)
    if not varied:
        raise UsageError("nothing is compared; give --tokenizers A,B or --vary PATH=A,B")
    experiment = start.override(experiments.find(name), given.fields, begin=True)
    for axis in (*varied, *sweep):
        for value in axis.values:
            axes.apply(experiment, {axis.path: value})  # unknown fields and values, before anything is built
    axes.check_varied(varied)
    axes.check_sweep(sweep)
    budgets = BUDGETS if given.get("budgets") is None else tuple(given.get("budgets").split(","))
    for budget in budgets:
        if budget not in BUDGETS or budgets.count(budget) > 1:
            raise UsageError(f"--budgets {given.get('budgets')}: known: {', '.join(BUDGETS)}, each once")
    explicit = tuple(path.replace("-", "_") for path in given.fields)
    baseline = _baseline(varied, given.get("baseline"))
    return Request(name, experiment, explicit, tuple(varied), tuple(sweep), budgets, baseline)


def _baseline(varied: list[Axis], text: str | None) -> dict[str, str]:
    """The values of the cell that is named; of an axis without a name the first."""
    named: dict[str, str] = {}
    for value in text.split(",") if text else ():
        axis = next(
            (a for a in varied if value in (*a.values, *map(_labelled, a.values)) and a.path not in named),
            None,
        )
        if axis is None:
            known = "; ".join(f"{a.path}: {', '.join(a.values)}" for a in varied)
            raise UsageError(f"--baseline {text}: {value!r} is no value that is compared; known: {known}")
        named[axis.path] = next(v for v in axis.values if value in (v, _labelled(v)))
    return {axis.path: named.get(axis.path, axis.values[0]) for axis in varied}


def _settings(given: Given) -> bool:
    """Whether the command line says what to compare, and not only where."""
    where = {"workdir", "resume", "dry-run", "traceback", "trust", "distributed"}
    return bool(set(given.options) - where or given.fields or any(given.repeated.values()))


def _labelled(value: str) -> str:
    return axes.label({"": value})


def _merge(given: Given, say: Say) -> str:
    if given.get("workdir") is None:
        raise UsageError("--merge needs --workdir, where the joined comparison goes")
    if given.positional is not None or given.fields:
        raise UsageError("--merge joins what is there: name no experiment and no fields")
    workdir = Path(given.get("workdir"))
    if workdir.exists() and any(workdir.iterdir()):
        raise UsageError(f"--workdir {workdir} is not empty; choose another for the joined comparison")
    makeable(workdir, name="--workdir")
    plan = merging.merge([Path(part) for part in given.get("merge").split(",") if part], workdir)
    comparing.report(plan, workdir, {}, say)
    return "finished"


def _newest(given: Given) -> Path:
    base = _home(given)
    found = [path for path in base.parent.glob(f"{base.name}*") if (path / FILE).exists()]
    found = [p for p in found if p == base or p.name.removeprefix(f"{base.name}-").isdecimal()]
    if not found:
        raise UsageError("there is no such comparison in runs/; name one with --workdir")
    return max(found, key=lambda path: (path / FILE).stat().st_mtime)


def _home(given: Given) -> Path:
    return Path("runs") / f"compare-{(given.positional or 'addition').split(':')[-1].replace('_', '-')}"
