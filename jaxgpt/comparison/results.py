"""What the runs of a comparison found, seed by seed, read back from their directories."""

import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

from jaxgpt.comparison import decoding_speed
from jaxgpt.comparison.cells import FOLDER, Budget, Cell, Plan, directory
from jaxgpt.comparison.curves import Curve, Reached
from jaxgpt.comparison.running import chosen, is_trained, validation
from jaxgpt.core import foreign
from jaxgpt.evaluation import evaluation_file
from jaxgpt.evaluation.errors import figures
from jaxgpt.evaluation.evaluation import Errors, Evaluation, Row
from jaxgpt.evaluation.intervals import Difference, Estimate, paired, student_t
from jaxgpt.runs import records

#: With less exact match than this of every seed in every cell, nothing that could be compared was learned.
NOTHING = 0.1
#: Exact match of the test questions from which a seed has learned the task, or a length counts as mastered.
LEARNED = 0.99
#: Exact match on validation, up to which it is told how long a seed was trained.
SHARES = (0.9, LEARNED)

#: The last columns of `results.csv`.
_SPENT = ("examples", "tokens", "flops", "seconds")
_SIZES = ("parameters", "parameters_without_embeddings")
_FIGURE = ("seed", "kind", "group", "measure", "value", "n")


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one cell reached with one budget.

    Attributes:
      option: of the sweep, as validation chose it; tried: the exact match of each option on validation.
      overall, headings, groups: exact match; groups beyond what was trained on are not in_distribution.
      bits_per_byte: of held-out text; loss: nats a token of it, ends included.
      summary: the task's measures of all answers together.
      measures: every other figure by name.
      seconds: of training all seeds together, without compiling; None where the run does not tell.
      machine: what it was computed on; "" where the run does not tell.
      curve: exact match on validation while it was trained; without looks where none was asked for.
      decoding_speed: tokens that the first seed's model decodes in a second; None where it was not measured.
      errors: where answers are wrong and how; None where the task has no diagnosis.
      yardsticks: what the task's figures are held against, such as what chance gives.
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
    loss: Estimate | None
    summary: dict[str, Estimate]
    measures: dict[str, tuple[float | None, ...]]
    seconds: float | None
    machine: str
    curve: Curve
    decoding_speed: float | None
    errors: Errors | None
    yardsticks: dict[str, float]

    @property
    def success(self) -> Reached:
        """The seeds that have learned the task, as 0 or 1 of something: its `share` is the success rate."""
        return Reached(tuple(0 if value >= LEARNED else None for value in self.overall.exact_match.per_seed))

    def needs(self, share: float) -> Reached:
        """The training steps after which each seed's exact match on validation was at least this share."""
        return Reached(self.curve.first_at(share) if self.curve.steps else (None,) * self.seeds)

    def needed(self) -> list[tuple[float, str, tuple[float | None, ...]]]:
        """Each of `SHARES`, `examples` or `flops`, and how many of them each seed needed to it, None: never.

        Nothing where no look was recorded, which tells of no seed.
        """
        amounts = {"examples": self.examples_a_step, "flops": self.cell.flops} if self.curve.steps else {}
        return [
            (share, name, self.needs(share).times(factor).needs)
            for share in SHARES
            for name, factor in amounts.items()
        ]

    @property
    def seeds(self) -> int:
        return len(self.overall.exact_match.per_seed)

    @property
    def examples_a_step(self) -> int:
        return self.cell.experiment.training.batch_size

    def spent(self, steps: int) -> dict[str, float]:
        """What so many training steps of one seed are: examples, tokens (padding included) and operations."""
        examples = steps * self.examples_a_step
        facts = self.cell.facts
        return {
            "examples": examples,
            "tokens": examples * (facts.tokens + facts.source),
            "flops": steps * self.cell.flops,
        }

    def amounts(self, name: str) -> tuple[float | None, ...]:
        """What had been spent at each look: a name in `spent`, or `seconds` of all seeds together."""
        if name == "seconds":
            return self.curve.seconds
        return tuple(self.spent(step)[name] for step in self.curve.steps)

    def row(self, kind: str, group: str) -> Row | None:
        """The row of a `heading` or a `group`, or the `all` of the headline."""
        rows = {"all": (self.overall,), "heading": self.headings, "group": self.groups}[kind]
        return next((row for row in rows if row.group == group), None)

    def rows(self) -> list[tuple[str, Row]]:
        """Every row of exact match with its kind, the headline first."""
        found = [("all", self.overall), *(("heading", row) for row in self.headings)]
        return found + [("group" if row.in_distribution else "beyond", row) for row in self.groups]

    def evaluation(self) -> Evaluation:
        """As pictures take it."""
        return Evaluation("test", self.seeds, self.overall, self.groups)


@dataclasses.dataclass(frozen=True)
class Results:
    """Everything that was found.

    Attributes:
      findings: of each cell that has a result, by budget.
      missing: cells without a result, with the reason, by budget.
      workdir: with the runs and the report: `report.html`, `results.csv`, `cells/`.
    """

    plan: Plan
    findings: dict[Budget, tuple[Finding, ...]]
    missing: dict[Budget, dict[str, str]]
    workdir: Path | None = None

    def __repr__(self):
        return f"Results({len(self.plan.cells)} cells, {self.plan.seeds} seeds, in {str(self.workdir)!r})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The keys of `rows()`, in the order of `results.csv`."""
        paths = (axis.path for axis in self.plan.request.axes)
        return ("budget", "cell", *paths, "option", "steps", *_SPENT, "run", *_SIZES, *_FIGURE)

    def rows(self) -> list[dict[str, Any]]:
        """Every figure of every seed, as `results.csv` has it; a value is None where it was not finite.

        `kind` is `all` of the headline, `heading` or `group` of its parts, `beyond` of groups that are not
        like what was trained on, `curve` of looks at validation, whose `steps` are those until then,
        `needed` of what a seed needed until a share of validation was right, None where it never was, and
        `measure` of figures that are no exact match. `place`, `facet` and `wrong` tell where answers
        are wrong and how.
        """
        first = self.plan.cells[0].experiment.training.seed
        paths, found = [axis.path for axis in self.plan.request.axes], []
        for budget, findings in self.findings.items():
            for f in findings:
                head = {"budget": budget, "cell": f.cell.name} | {path: f.cell.values[path] for path in paths}
                head |= {"option": option_name(f.option), "steps": f.steps, **f.spent(f.steps)}
                head |= {"seconds": f.seconds, "run": f.folder}
                head |= dict(zip(_SIZES, (f.cell.facts.params, f.cell.facts.body), strict=True))
                for kind, row in f.rows():
                    for seed, value in enumerate(row.exact_match.per_seed, first):
                        figure = (seed, kind, row.group, "exact_match", value, row.n)
                        found.append(head | dict(zip(_FIGURE, figure, strict=True)))
                curve = f.curve
                for step, per_seed, seconds in zip(curve.steps, curve.per_seed, curve.seconds, strict=True):
                    spent = {"steps": step, **f.spent(step), "seconds": seconds}
                    for seed, value in enumerate(per_seed, first):
                        figure = (seed, "curve", "", "validation exact_match", value, None)
                        found.append(head | spent | dict(zip(_FIGURE, figure, strict=True)))
                for share, measure, needs in f.needed():
                    for seed, value in enumerate(needs, first):
                        figure = (seed, "needed", str(share), measure, value, None)
                        found.append(head | dict(zip(_FIGURE, figure, strict=True)))
                for name, per_seed in f.measures.items():
                    for seed, value in enumerate(per_seed, first):
                        figure = (seed, "measure", "", name, value, None)
                        found.append(head | dict(zip(_FIGURE, figure, strict=True)))
                for figure in () if f.errors is None else figures(f.errors, first):
                    found.append(head | dict(zip(_FIGURE, figure, strict=True)))
        return found

    def to_pandas(self) -> Any:
        """`rows()` as a `pandas.DataFrame`.

        Raises:
          ModuleNotFoundError: if pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "results.to_pandas() needs the package pandas, which is not installed: pip install pandas; "
                "results.rows() has the same as dictionaries"
            ) from None
        return pandas.DataFrame(self.rows(), columns=list(self.columns))

    def learned(self, budget: Budget) -> Literal["nothing", "everything", "something"]:
        """Whether there is a difference to look for: not where all seeds are near 0, or all are near 1.

        Each seed counts, since a mean hides the one of sixteen that learned everything.
        """
        seeds = [value for f in self.findings[budget] for value in f.overall.exact_match.per_seed]
        if max(seeds, default=0.0) < NOTHING:
            return "nothing"
        return "everything" if min(seeds) > LEARNED else "something"

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
    return paired(row.exact_match.per_seed, other.exact_match.per_seed)


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
    return Results(plan, findings, missing, workdir)


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
    found = evaluation_file.read(run.evaluation)
    if found.seeds != plan.seeds:
        raise ValueError(f"{run.evaluation} has {found.seeds} seeds, the comparison {plan.seeds}")
    if found.overall is None:
        raise ValueError(f"{run.evaluation} tells of no question; delete it and --resume")
    held_out = found.likelihood.get("held_out")
    bits = None if held_out is None else _over_seeds(held_out.bits_per_byte.per_seed)
    loss = None if held_out is None else _over_seeds(held_out.loss.per_seed)
    tried = {}
    if job.option:
        tried = {
            option_name(other.option): validation(workdir, other)
            for other in plan.jobs(cell, budget)
            if is_trained(workdir, other)
        }
    training = job.experiment.training
    recorded = records.read(run.metrics) if run.metrics.is_file() else []
    return Finding(
        cell,
        budget,
        job.folder,
        job.option,
        tried,
        training.steps,
        job.flops,
        found.overall,
        found.headings,
        found.groups,
        bits,
        loss,
        found.summary,
        _measures(found),
        records.training_seconds(recorded) if recorded else None,
        _machine(run.outcome),
        Curve.of(recorded, range(training.seed, training.seed + plan.seeds)),
        decoding_speed.read(run.path),
        found.errors,
        found.yardsticks,
    )


def _over_seeds(values: tuple[float, ...]) -> Estimate | None:
    """A figure of held-out text with its spread over seeds, and no other; None where it is not finite."""
    if not all(map(math.isfinite, values)):
        return None
    return Estimate(sum(values) / len(values), student_t(values, bounds=(0.0, math.inf)), values)


def option_name(option: dict[str, str]) -> str:
    """An option of a sweep as tables show it: `learning_rate=1e-3`."""
    return ", ".join(f"{path.split('.')[-1]}={text}" for path, text in option.items())


def _measures(found: Evaluation) -> dict[str, tuple[float | None, ...]]:
    """Every figure beside exact match that has one value a seed."""
    estimates = {}
    for name, part in found.likelihood.items():
        estimates |= {f"{name} loss": part.loss, f"{name} bits_per_byte": part.bits_per_byte}
    estimates |= found.scores | found.summary
    return {
        name: tuple(value if math.isfinite(value) else None for value in estimate.per_seed)
        for name, estimate in estimates.items()
    }


def _machine(outcome: Path) -> str:
    """What a run was computed on, in words; "" where it does not tell."""
    data = foreign.read_json(outcome) if outcome.is_file() else {}
    machine = data.get("machine", {}) if isinstance(data, dict) else None
    if not isinstance(machine, dict):
        raise ValueError(f"{outcome} does not say what a run was computed on; delete it and --resume")
    device, cores, processor = (machine.get(name) for name in ("device", "cores", "processor"))
    if device is None:
        return ""
    return f"{device}; {processor}, {cores} core{'s' if cores != 1 else ''}"
