"""Comparisons without training: a request from words, and runs whose figures are written by hand."""

import dataclasses
import json

from tiny_runs import TINY

from jaxgpt.cli import compare as command
from jaxgpt.comparison import preflight
from jaxgpt.comparison.cells import FOLDER
from jaxgpt.evaluation.evaluation import Evaluation, Likelihood, Row
from jaxgpt.evaluation.intervals import Estimate, proportion

#: Sums of up to two digits, small enough for a preflight to take no time.
FIELDS = TINY | {
    "task.max-digits": "2",
    "training.test-examples": "50",
    "training.train-examples": "200",
    "seeds": "2",
}
del FIELDS["model.position"]  # the experiment's own is coupled


def words(*more, **overrides):
    """The command line of a small comparison, behind `compare`; `without="seeds"` leaves a field out."""
    given = FIELDS | {name.replace("__", ".").replace("_", "-"): str(v) for name, v in overrides.items()}
    line = ["addition"]
    for name, value in given.items():
        if value != "LEFT OUT":
            line += [f"--{name}", value]
    return [*line, *map(str, more)]


def given(*line):
    """A parsed command line."""
    return command.parser().parse(list(map(str, line)))


def plan(*more, **overrides):
    """The plan of a small comparison."""
    return preflight.plan(command.request(given(*words(*more, **overrides))))


def row(group, per_seed, n=100, inside=True):
    """A row of an evaluation with each seed's exact match."""
    return Row(group, proportion(per_seed, n), n, inside)


def evaluation(overall, groups=(), headings=(), bits=(1.0, 2.0)):
    """An evaluation with each seed's figures; groups and headings are rows."""
    line = Estimate(sum(bits) / len(bits), None, tuple(bits))
    return Evaluation(
        "test",
        len(overall),
        row("all", overall),
        tuple(groups),
        tuple(headings),
        likelihood={"held_out": Likelihood(line, line, 10, 20)},
    )


def finish(workdir, plan, found, curve=lambda cell: {}):
    """Write the runs of a plan as if they were trained.

    `found(cell, budget)` is an evaluation, `curve(cell)` each seed's exact match on validation by step.
    """
    for budget in plan.request.budgets:
        for cell in plan.cells:
            for job in plan.jobs(cell, budget):
                write_run(workdir, job, found(cell.name, budget), curve=curve(cell.name))
    plan.write(workdir)


def write_run(workdir, job, evaluation, seconds=(5.0, 65.0), curve=None):
    """One run's files, as far as a report reads them."""
    path = workdir / FOLDER / job.folder
    path.mkdir(parents=True, exist_ok=True)
    evaluation.write_json(path / "evaluation.json")
    rows = [{"step": i, "seed": None, "name": "seconds", "value": s} for i, s in enumerate(seconds, 1)]
    for step, values in (curve or {}).items():
        rows += [
            {"step": step, "seed": seed, "name": "validation_exact_match", "value": value}
            for seed, value in enumerate(values)
        ]
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "outcome.json").write_text(json.dumps({"machine": {"device": "1 x cpu", "cores": 2}}))
    (path / "experiment.json").write_text("{}")
    (path / "decoding.json").write_text('{"tokens_per_second": 1234.5}')


def with_experiment(plan, **training):
    """The plan with fields of every cell's training replaced."""
    cells = []
    for cell in plan.cells:
        changed = dataclasses.replace(cell.experiment.training, **training)
        cells.append(
            dataclasses.replace(cell, experiment=dataclasses.replace(cell.experiment, training=changed))
        )
    return dataclasses.replace(plan, cells=tuple(cells))


#: Exact match of each seed on all questions, by cell.
OVERALL = {
    "digits": (0.90, 0.92, 0.94, 0.92, 0.91, 0.93, 0.90, 0.94),
    "digits:2:right": (0.95, 0.97, 0.98, 0.98, 0.96, 0.98, 0.94, 1.00),
    "digits:2:left": (0.50, 0.52, 0.54, 0.52, 0.51, 0.53, 0.50, 0.54),
}

#: Exact match of each seed on validation, by cell and step.
CURVES = {
    "digits": {1: (0.0,) * 8, 2: (0.5,) * 8, 20: (0.9,) * 8},
    "digits:2:right": {1: (0.1,) * 8, 2: (0.9,) * 6 + (0.8,) * 2, 20: (0.99,) * 5 + (0.8,) * 3},
    "digits:2:left": {1: (0.0,) * 8, 2: (0.2,) * 8, 20: (0.5,) * 8},
}

#: Bits per byte of each seed.
BITS = (1.0, 1.25, 1.5, 1.25) * 2


def figures(cell, budget):
    """The evaluation of a cell: right where both lengths are equal, and `left` wrong where they differ."""
    wrong = cell == "digits:2:left"
    apart = ((0.1, 0.12, 0.14, 0.12) if wrong else (0.9, 0.9, 1.0, 0.9)) * 2
    groups = [
        row("1+1 digits", (1.0,) * 8, n=10),
        row("1+2 digits", apart, n=50),
        row("2+2 digits", (0.99, 0.99, 0.99, 1.0) * 2, n=30),
        row("4+4 digits", (0.0,) * 7 + (0.05,), n=20, inside=False),
        row("5+5 digits", (0.0,) * 8, n=20, inside=False),
    ]
    headings = [row("equal lengths", (0.98, 0.99, 0.98, 0.99) * 2), row("lengths differ by 1-2", apart)]
    overall = OVERALL[cell]
    if budget == "flops" and cell == "digits:2:right":
        overall = OVERALL["digits"]
    return evaluation(overall, groups, headings, bits=BITS)
