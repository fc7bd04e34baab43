"""A comparison from its plan to its report: what `jaxgpt.compare` and the command of that name share."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxgpt.comparison import axes, findings, measure_tables, page, preflight, results, running, sections
from jaxgpt.comparison.axes import Axis
from jaxgpt.comparison.cells import BUDGETS, FILE, Budget, Plan, Request, check_unchanged, trust_option
from jaxgpt.comparison.results import Results
from jaxgpt.core import hints, printing, tables, trust
from jaxgpt.core.paths import expanded
from jaxgpt.core.usage import UsageError
from jaxgpt.core.wording import quoted, visible
from jaxgpt.parallel import processes
from jaxgpt.runs.run_directory import FirstFree, held
from jaxgpt.training.experiment import Experiment

Say = Callable[[str], None]


def compare(
    experiment: Experiment,
    vary: Mapping[str, Sequence[Any]],
    *,
    seeds: int | None = None,
    workdir: Path | str | None = None,
    resume: bool = False,
    baseline: Mapping[str, Any] | None = None,
    sweep: Mapping[str, Sequence[Any]] | None = None,
    budgets: Sequence[Budget] = BUDGETS,
    say: Say = printing.say,
) -> Results:
    """Train an experiment under every value of some fields, and compare what each reaches.

        results = jaxgpt.compare(experiment, {"tokenizer": ["digits", "bytes"]}, seeds=4)
        results.rows()       # a dictionary a figure: tokenizer, seed, group, measure, value, ...
        results.to_pandas()

    It is the command `jaxgpt compare` on an experiment: the same checks before anything trains, the same
    files and the same report in `workdir`. What all cells must share is settled as there: the context is as
    long as the longest cell needs, and positions that one cell cannot have are rotary in all, unless `vary`
    names them.

    Args:
      vary: values of each field that is compared, by its dotted path; several fields give their product.
        A value is written as on the command line, or as in Python.
      seeds: replicas of every cell; None leaves the experiment's.
      workdir: of the comparison. None: a new folder among the system's temporary files, which stays there
        and is told; `results.workdir` is its path.
      resume: go on with the comparison that is there, or begin it where there is none.
      baseline: values of the cell that the others are compared with; of a field without a name the first.
      sweep: as `vary`, of what every cell tries; validation chooses.
      budgets: `examples`: the same steps in every cell; `flops`: as many as cost the baseline's operations.
      say: takes each line of what is told; by default it is printed.

    Returns:
      What was found. Cells that could not be trained, or were not trained when a signal came, are in
      `results.missing`, each with its reason.

    Raises:
      ValueError: for anything that does not fit, in one line, before any training.
    """
    if seeds is not None:
        experiment = dataclasses.replace(experiment, seeds=seeds)
    asked = _request(experiment, vary, baseline or {}, sweep or {}, budgets)
    home = FirstFree(Path(tempfile.gettempdir()) / "jaxgpt-compare") if workdir is None else expanded(workdir)
    resume = resume and workdir is not None and (home / FILE).is_file()
    if resume:
        plan = Plan.read(home)
        check_unchanged(plan.request, asked)
    else:
        if workdir is not None:
            check_new(home)
        plan = preflight.plan(asked)
    show(plan, say)
    done = carry_out(plan, home, say, resume=resume)
    return results.read(plan, done.workdir, done.failed)


class Done(NamedTuple):
    """How a comparison ended: `finished`, `stopped` or `failed`; where; why runs failed, by folder."""

    status: str
    workdir: Path
    failed: dict[str, str]


def carry_out(plan: Plan, workdir: Path | FirstFree, say: Say, *, resume: bool) -> Done:
    """Train what is missing in the directory of a comparison, and write the report."""
    first = jax.process_index() == 0
    files = trust.from_file() if resume else contextlib.nullcontext()
    with held(workdir) if first else contextlib.nullcontext((None, "")) as (home, note), files:
        directory = Path(processes.gathered(str(home and home.path))[0])
        if note:
            say(note)
        if first:
            if not resume:
                check_new(directory)  # once more: another may have come first
            plan.write(directory)
        status, failed = running.run(plan, directory, say)
        if status == "stopped":
            words = ("--resume", "--workdir", directory, *processes.options())
            say(f"stopped; go on with: {hints.command('compare', *words)}{trust_option(directory)}")
            return Done(status, directory, failed)
        processes.by_first(lambda: report(plan, directory, failed, say))
    return Done("failed" if failed else "finished", directory, failed)


def check_new(workdir: Path) -> None:
    """Raises UsageError if a directory holds a comparison or anything else."""
    if (workdir / FILE).exists():
        raise UsageError(
            f"{workdir} already holds a comparison; go on with it by --resume, or choose another --workdir"
        )
    if workdir.is_dir() and any(not path.name.startswith(".") for path in workdir.iterdir()):
        raise UsageError(f"{workdir} is not empty and holds no comparison; choose another --workdir")


def show(plan: Plan, say: Say) -> None:
    """Say what will be compared."""
    say(tables.terminal(sections.plan_table(plan)))
    for note in plan.notes:
        say(f"- {visible(note)}")


def report(plan: Plan, workdir: Path, failed: dict[str, str], say: Say) -> None:
    """Say what was found, and write the report."""
    found = results.read(plan, workdir, failed)
    for budget in plan.budgets:
        if found.findings[budget]:
            for table in (sections.exact_match(found, budget), measure_tables.table(found, budget)):
                if table is not None:
                    say(f"\n{table.title}\n{tables.terminal(table)}")
            for sentence in findings.sentences(found, budget):
                say(f"- {visible(sentence)}")
    written = page.write(found, workdir)
    say(f"written: {', '.join(map(str, written))}, and {workdir / 'pictures'}")


def _request(
    experiment: Experiment,
    vary: Mapping[str, Sequence[Any]],
    baseline: Mapping[str, Any],
    sweep: Mapping[str, Sequence[Any]],
    budgets: Sequence[Budget],
) -> Request:
    """What is asked for.

    Raises:
      ValueError: for a field, a value or a budget that does not fit.
    """
    varied = tuple(Axis.of_values(path, values) for path, values in vary.items())
    tried = tuple(Axis.of_values(path, values) for path, values in sweep.items())
    axes.check_apart([*varied, *tried], ())
    axes.check_values(experiment, varied, tried)
    if len(axes.combinations(varied)) < 2:
        raise ValueError("vary gives one cell, which is no comparison; give several values of a field")
    if not budgets or not set(budgets) <= set(BUDGETS) or len(set(budgets)) < len(budgets):
        raise ValueError(f"budgets={quoted(str(budgets))}: known: {', '.join(BUDGETS)}, each once")
    named = {path.replace("-", "_"): axes.as_text(path, value) for path, value in baseline.items()}
    known = {axis.path: axis.values for axis in varied}
    for path, text in named.items():
        if text not in known.get(path, ()):
            shown = "; ".join(f"{name}: {', '.join(values)}" for name, values in known.items())
            raise ValueError(f"baseline: {path}={quoted(text)} is no value that is compared; known: {shown}")
    chosen = {axis.path: named.get(axis.path, axis.values[0]) for axis in varied}
    name = type(experiment.task).kind().split(":")[-1]
    return Request(name, experiment, (), varied, tried, tuple(budgets), chosen)
