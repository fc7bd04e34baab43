"""What the runs of a comparison found, seed by seed, read back from their directories."""

import dataclasses
import math
from pathlib import Path
from typing import Any

from jaxgpt.comparison.cells import FOLDER, Budget, Cell, Plan, directory
from jaxgpt.comparison.running import chosen, is_trained, validation
from jaxgpt.core.wording import one_line
from jaxgpt.evaluation.evaluation import Evaluation, Row
from jaxgpt.evaluation.intervals import Difference, Estimate, paired, proportion, student_t
from jaxgpt.runs import records
from jaxgpt.runs.run_directory import read_json

#: No figure of an evaluation is larger.
_LARGEST = 1e100


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one cell reached with one budget.

    Attributes:
      option: of the sweep, as validation chose it; tried: the exact match of each option on validation.
      overall, headings, groups: exact match; groups beyond what was trained on are not in_distribution.
      bits_per_byte: of held-out text.
      measures: every other figure by name.
      seconds: of training all seeds together, without compiling; None where the run does not tell.
      machine: what it was computed on; "" where the run does not tell.
    """

    cell: Cell
    budget: Budget
    folder: str
    option: dict[str, str]
    tried: dict[str, float]
    steps: int
    flops: int
    overall: Row
    headings: tuple[Row, ...]
    groups: tuple[Row, ...]
    bits_per_byte: Estimate | None
    measures: dict[str, tuple[float | None, ...]]
    seconds: float | None
    machine: str

    def row(self, kind: str, group: str) -> Row | None:
        """The row of a `heading` or a `group`, or the `all` of the headline."""
        rows = {"all": (self.overall,), "heading": self.headings, "group": self.groups}[kind]
        return next((row for row in rows if row.group == group), None)

    def evaluation(self) -> Evaluation:
        """As pictures take it."""
        return Evaluation("test", len(self.overall.exact_match.per_seed), self.overall, self.groups)


@dataclasses.dataclass(frozen=True)
class Results:
    """Everything that was found.

    Attributes:
      missing: cells without a result, with the reason, by budget.
    """

    plan: Plan
    findings: dict[Budget, tuple[Finding, ...]]
    missing: dict[Budget, dict[str, str]]

    def baseline(self, budget: Budget) -> Finding | None:
        """What the baseline reached."""
        wanted = self.plan.request.baseline
        return next((f for f in self.findings[budget] if f.cell.values == wanted), None)

    def difference(self, finding: Finding, kind: str, group: str) -> Difference | None:
        """Exact match of a cell minus the baseline's; None for the baseline itself and where one lacks it."""
        baseline = self.baseline(finding.budget)
        if baseline is None or baseline.cell.values == finding.cell.values:
            return None
        return difference(finding.row(kind, group), baseline.row(kind, group))

    def bits_difference(self, finding: Finding) -> Difference | None:
        """The same of bits per byte."""
        baseline = self.baseline(finding.budget)
        if baseline is None or baseline.cell.values == finding.cell.values:
            return None
        if baseline.bits_per_byte is None or finding.bits_per_byte is None:
            return None
        return paired(finding.bits_per_byte.per_seed, baseline.bits_per_byte.per_seed)


def difference(row: Row | None, other: Row | None) -> Difference | None:
    """Exact match of one row minus another's, paired by seed; None where one is missing."""
    if row is None or other is None:
        return None
    n = min(row.n, other.n)
    return paired(row.exact_match.per_seed, other.exact_match.per_seed, n)


def read(plan: Plan, workdir: Path, failed: dict[str, str] | None = None) -> Results:
    """The results of the runs that are finished.

    Raises:
      ValueError: if a run's file cannot be read.
    """
    findings: dict[Budget, tuple[Finding, ...]] = {}
    missing: dict[Budget, dict[str, str]] = {}
    for budget in plan.budgets:
        found, missing[budget] = [], {}
        for cell in plan.cells:
            finding = _finding(plan, workdir, cell, budget)
            if finding is not None:
                found.append(finding)
                continue
            reasons = [(failed or {}).get(job.folder) for job in plan.jobs(cell, budget)]
            missing[budget][cell.name] = next(filter(None, reasons), "not trained yet")
        findings[budget] = tuple(found)
        _check_questions(workdir, found)
    return Results(plan, findings, missing)


def _check_questions(workdir: Path, findings: list[Finding]) -> None:
    """Raises ValueError if cells of one task were asked different numbers of questions."""
    seen: dict[str, Finding] = {}
    for finding in findings:
        experiment = finding.cell.experiment
        one = seen.setdefault(f"{experiment.task} {experiment.training.test_examples}", finding)
        if one.overall.n != finding.overall.n:
            counts = [f"{f.overall.n:,} in {workdir / FOLDER / f.folder}" for f in (one, finding)]
            raise ValueError(
                f"cells of one task answered different numbers of questions: {' and '.join(counts)}; delete "
                "the evaluation.json that was written anew, and --resume asks them again"
            )


def _finding(plan: Plan, workdir: Path, cell: Cell, budget: Budget) -> Finding | None:
    job = chosen(workdir, plan, cell, budget)
    if job is None or not directory(workdir, job).evaluation.is_file():
        return None
    run = directory(workdir, job)
    data = read_json(run.evaluation)
    try:
        if len(data["per_seed"]) != plan.seeds:
            raise ValueError(
                f"{run.evaluation} has {len(data['per_seed'])} seeds, the comparison {plan.seeds}"
            )
        groups = tuple(_row(row, plan.seeds) for row in data["groups"])
        headings = tuple(_row(row, plan.seeds) for row in data["headings"])
        overall = _row(data | {"group": "all", "in_distribution": True}, plan.seeds)
        held_out = data["likelihood"].get("held_out")
        bits = None if held_out is None else _estimate(held_out["bits_per_byte"], plan.seeds)
        measures = _measures(data, plan.seeds)
    except (KeyError, TypeError, AttributeError) as error:
        why = f"{run.evaluation} is not an evaluation ({error!r}); delete it and --resume"
        raise ValueError(one_line(why)) from error
    tried = {}
    if job.option:
        tried = {
            option_name(other.option): validation(workdir, other)
            for other in plan.jobs(cell, budget)
            if is_trained(workdir, other)
        }
    training = job.experiment.training
    return Finding(
        cell,
        budget,
        job.folder,
        job.option,
        tried,
        training.steps,
        job.flops,
        overall,
        headings,
        groups,
        bits,
        measures,
        _seconds(run.metrics),
        _machine(run.outcome),
    )


def option_name(option: dict[str, str]) -> str:
    """An option of a sweep as tables show it: `learning_rate=1e-3`."""
    return ", ".join(f"{path.split('.')[-1]}={text}" for path, text in option.items())


def _row(data: dict[str, Any], seeds: int) -> Row:
    """A row of an evaluation's JSON; TypeError if it is none."""
    group, n, inside = data["group"], data["n"], data["in_distribution"]
    values = _per_seed(data, seeds)
    if type(group) is not str or type(inside) is not bool or type(n) is not int or not 0 < n < 2**53:
        raise TypeError("a row without group, n or in_distribution")
    if not all(value is not None and 0 <= value <= 1 for value in values):
        raise TypeError("an exact match that is no share")
    return Row(group, proportion(values, n), n, inside)


def _per_seed(data: dict[str, Any], seeds: int) -> tuple[float | None, ...]:
    """The figures of the seeds; TypeError if there are others."""
    values = data["per_seed"]
    if type(values) is not list or len(values) != seeds:
        raise TypeError(f"per_seed without {seeds} figures")
    for value in values:
        if value is not None and not (type(value) in (int, float) and abs(value) < _LARGEST):
            raise TypeError("per_seed with what is no figure")
    return tuple(values)


def _estimate(data: dict[str, Any], seeds: int) -> Estimate | None:
    values = _per_seed(data, seeds)
    if any(value is None or not math.isfinite(value) for value in values):
        return None
    return Estimate(sum(values) / len(values), student_t(values), values)


def _measures(data: dict[str, Any], seeds: int) -> dict[str, tuple[float | None, ...]]:
    """Every figure beside exact match that has one value a seed."""
    found = {}
    for name, part in data["likelihood"].items():
        for measure in ("loss", "bits_per_byte"):
            found[f"{name} {measure}"] = _per_seed(part[measure], seeds)
    for part in ("scores", "summary"):
        for name, value in data.get(part, {}).items():
            found[name] = _per_seed(value, seeds)
    return found


def _seconds(metrics: Path) -> float | None:
    found = records.read(metrics) if metrics.is_file() else []
    return records.training_seconds(found) if found else None


def _machine(outcome: Path) -> str:
    """What a run was computed on, in words; "" where it does not tell."""
    data = read_json(outcome) if outcome.is_file() else {}
    machine = data.get("machine", {}) if isinstance(data, dict) else None
    if not isinstance(machine, dict):
        raise ValueError(f"{outcome} does not say what a run was computed on; delete it and --resume")
    device, cores, processor = (machine.get(name) for name in ("device", "cores", "processor"))
    if device is None:
        return ""
    return f"{device}; {processor}, {cores} core{'s' if cores != 1 else ''}"
