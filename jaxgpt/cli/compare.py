"""What `jaxgpt compare` does: from the command line to a plan, its runs and its report."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import jax

from jaxgpt.cli.options import Given, Option, makeable
from jaxgpt.comparison import axes, findings, merging, page, preflight, results, running, sections, tables
from jaxgpt.comparison.axes import Axis
from jaxgpt.comparison.cells import BUDGETS, FILE, Plan, Request, check_unchanged, trust_option
from jaxgpt.core import hints, trust
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import visible
from jaxgpt.parallel import processes
from jaxgpt.runs import experiments
from jaxgpt.runs.run_directory import FirstFree, held
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

#: Fields beside the optimizer's that a sweep may try.
SWEPT = ("model.dropout", "model.attention_dropout", "model.init_std", "model.residual_init")


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
            _check_new(workdir)
        plan = preflight.plan(request(given))
    _show(plan, say)
    if given.flag("dry-run"):
        say("dry run: nothing was trained or written")
        return "dry run"
    first = jax.process_index() == 0
    files = trust.from_file() if given.flag("resume") else contextlib.nullcontext()
    with held(workdir) if first else contextlib.nullcontext((None, "")) as (home, note), files:
        directory = Path(processes.gathered(str(home and home.path))[0])
        if note:
            say(note)
        if first:
            if not given.flag("resume"):
                _check_new(directory)  # once more: another may have come first
            plan.write(directory)
        status, failed = running.run(plan, directory, say)
        if status == "stopped":
            words = ("--resume", "--workdir", directory, *processes.options())
            say(f"stopped; go on with: {hints.command('compare', *words)}{trust_option(directory)}")
            return status
        if first:
            _report(plan, directory, failed, say)
    return "failed" if failed else "finished"


def _check_new(workdir: Path) -> None:
    """Raises UsageError if a directory holds a comparison or anything else."""
    if (workdir / FILE).exists():
        raise UsageError(
            f"{workdir} already holds a comparison; go on with it by --resume, or choose another --workdir"
        )
    if workdir.is_dir() and any(not path.name.startswith(".") for path in workdir.iterdir()):
        raise UsageError(f"{workdir} is not empty and holds no comparison; choose another --workdir")


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
    _check_varied(varied)
    _check_sweep(sweep)
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


def _check_varied(varied: list[Axis]) -> None:
    """Raises UsageError for seeds: differences are paired by them."""
    for axis in varied:
        if axis.path in ("seeds", "training.seed"):
            raise UsageError(
                f"--vary {axis.path}: every cell has the same seeds, since differences are paired by seed; "
                "--seeds 4 trains each with four"
            )


def _check_sweep(sweep: list[Axis]) -> None:
    """Raises UsageError for a field that changes what a run costs, or what it is asked."""
    for axis in sweep:
        if not axis.path.startswith("optimizer.") and axis.path not in SWEPT:
            raise UsageError(
                f"--sweep {axis.path}: every option of a sweep has the same data, model and budget, so it "
                f"takes optimizer.* and {', '.join(SWEPT)}; --vary compares any field"
            )


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
    _report(plan, workdir, {}, say)
    return "finished"


def _show(plan: Plan, say: Say) -> None:
    say(tables.terminal(sections.plan_table(plan)))
    for note in plan.notes:
        say(f"- {visible(note)}")


def _report(plan: Plan, workdir: Path, failed: dict[str, str], say: Say) -> None:
    found = results.read(plan, workdir, failed)
    for budget in plan.budgets:
        if found.findings[budget]:
            table = sections.exact_match(found, budget)
            say(f"\n{table.title}\n{tables.terminal(table)}")
            for sentence in findings.sentences(found, budget):
                say(f"- {visible(sentence)}")
    written = page.write(found, workdir)
    say(f"written: {', '.join(map(str, written))}, and {workdir / 'pictures'}")


def _newest(given: Given) -> Path:
    base = _home(given)
    found = [path for path in base.parent.glob(f"{base.name}*") if (path / FILE).exists()]
    found = [p for p in found if p == base or p.name.removeprefix(f"{base.name}-").isdecimal()]
    if not found:
        raise UsageError("there is no such comparison in runs/; name one with --workdir")
    return max(found, key=lambda path: (path / FILE).stat().st_mtime)


def _home(given: Given) -> Path:
    return Path("runs") / f"compare-{(given.positional or 'addition').split(':')[-1].replace('_', '-')}"
