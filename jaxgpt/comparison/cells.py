"""What a comparison trains: its cells, the runs of each, and the file that says so."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, Literal, get_args

from jaxgpt.comparison import axes
from jaxgpt.comparison.axes import Axis
from jaxgpt.comparison.reading import Facts
from jaxgpt.core import fields, foreign, trust
from jaxgpt.core.wording import one_line, quoted, shown
from jaxgpt.core.writing import write_atomically
from jaxgpt.runs import schema
from jaxgpt.runs.run_directory import RunDirectory
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment

Budget = Literal["examples", "flops"]
BUDGETS: tuple[Budget, ...] = get_args(Budget)

#: The plan's file in the directory of a comparison, and the folder of its runs.
FILE, FOLDER = "comparison.json", "cells"


@dataclasses.dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes:
      name: of the experiment.
      experiment: with the fields that were given, before anything is varied or settled.
      explicit: dotted paths of the fields that were given.
      sweep: options that every cell tries, the best on validation being reported.
      baseline: values of the cell that the others are compared with.
    """

    name: str
    experiment: Experiment
    explicit: tuple[str, ...]
    axes: tuple[Axis, ...]
    sweep: tuple[Axis, ...]
    budgets: tuple[Budget, ...]
    baseline: dict[str, str]

    def sets(self, path: str) -> bool:
        """Whether a field, a part of it or a whole that it belongs to was given or is varied."""
        named = [*self.explicit, *(axis.path for axis in self.axes if not axis.of_sizes)]
        return any(n == path or n.startswith(path + ".") or path.startswith(n + ".") for n in named)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "name": self.name,
            "experiment": fields.to_json(self.experiment),
            "explicit": list(self.explicit),
            "axes": {axis.path: list(axis.values) for axis in self.axes},
            "sweep": {axis.path: list(axis.values) for axis in self.sweep},
            "budgets": list(self.budgets),
            "baseline": self.baseline,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Request":
        """The inverse of `to_json`."""
        return cls(
            name=data["name"],
            experiment=fields.from_json(Experiment, data["experiment"]),
            explicit=tuple(data["explicit"]),
            axes=tuple(Axis(path, tuple(values)) for path, values in data["axes"].items()),
            sweep=tuple(Axis(path, tuple(values)) for path, values in data["sweep"].items()),
            budgets=tuple(data["budgets"]),
            baseline=dict(data["baseline"]),
        )


@dataclasses.dataclass(frozen=True)
class Cell:
    """One combination of the values that are varied.

    Attributes:
      name: as tables show it.
      slug: as folders show it.
      experiment: as it is trained for equal examples, without an option of the sweep.
    """

    values: dict[str, str]
    name: str
    slug: str
    experiment: Experiment
    facts: Facts

    @property
    def flops(self) -> int:
        """Of one training step."""
        return self.facts.flops * self.experiment.training.batch_size

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "values": self.values,
            "name": self.name,
            "slug": self.slug,
            "experiment": fields.to_json(self.experiment),
            "facts": dataclasses.asdict(self.facts),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Cell":
        """The inverse of `to_json`."""
        experiment, facts = fields.from_json(Experiment, data["experiment"]), Facts(**data["facts"])
        task = dataclasses.replace(experiment.task, fingerprint=facts.files)
        experiment = dataclasses.replace(experiment, task=task)
        return cls(dict(data["values"]), data["name"], data["slug"], experiment, facts)


@dataclasses.dataclass(frozen=True)
class Job:
    """One run of a cell: with one option of the sweep, for one number of steps."""

    cell: Cell
    option: dict[str, str]
    experiment: Experiment
    folder: str

    @property
    def flops(self) -> int:
        """Of the whole training of one seed."""
        return self.cell.flops * self.experiment.training.steps

    @property
    def name(self) -> str:
        """As progress shows it."""
        option = "".join(f", {path}={text}" for path, text in self.option.items())
        return f"{self.cell.name}{option}, {self.experiment.training.steps} steps"


@dataclasses.dataclass(frozen=True)
class Plan:
    """A comparison, checked and ready to train.

    Attributes:
      notes: what was done and checked so that the comparison is fair.
    """

    request: Request
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]

    @property
    def baseline(self) -> Cell:
        return next(cell for cell in self.cells if cell.values == self.request.baseline)

    @property
    def seeds(self) -> int:
        return self.cells[0].experiment.seeds

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets that were asked for; only the first where all give every cell the same steps."""
        asked = self.request.budgets
        steps = [[self.steps(cell, budget) for cell in self.cells] for budget in asked]
        return asked if steps.count(steps[0]) < len(steps) else asked[:1]

    def steps(self, cell: Cell, budget: Budget) -> int:
        """Training steps of a cell: the experiment's, or as many as cost the baseline's operations."""
        steps = cell.experiment.training.steps
        if budget == "examples" or cell.values == self.request.baseline:
            return steps
        return max(1, round(self.baseline.experiment.training.steps * self.baseline.flops / cell.flops))

    def jobs(self, cell: Cell, budget: Budget) -> list[Job]:
        """The runs of a cell, one an option of the sweep."""
        steps = self.steps(cell, budget)
        suffix = "" if steps == cell.experiment.training.steps else "--flops"
        found = []
        for option in axes.combinations(self.request.sweep):
            experiment = axes.apply(cell.experiment, option)
            # What is tried is chosen on validation; only what is chosen meets the test questions.
            tests = 0 if option else experiment.training.test_examples
            training = dataclasses.replace(experiment.training, test_examples=tests).of_steps(steps)
            experiment = dataclasses.replace(experiment, training=training)
            tried = "".join(f"--{path.split('.')[-1]}-{axes.slug({path: v})}" for path, v in option.items())
            found.append(Job(cell, option, experiment, cell.slug + suffix + tried))
        return found

    def all_jobs(self) -> list[Job]:
        """Every run once, budget by budget: a cell whose steps are the same under both is one run."""
        found = [
            job for budget in self.request.budgets for cell in self.cells for job in self.jobs(cell, budget)
        ]
        return list({job.folder: job for job in found}.values())

    def write(self, workdir: Path) -> None:
        """Record the plan in the directory of the comparison, whole or not at all."""
        data = {
            "schema": schema.NUMBER,
            "request": self.request.to_json(),
            "cells": [cell.to_json() for cell in self.cells],
            "notes": list(self.notes),
        }
        write_atomically(workdir / FILE, json.dumps(data, indent=1) + "\n")

    @classmethod
    def read(cls, workdir: Path) -> "Plan":
        """What `write` recorded.

        Raises:
          ValueError: if there is no comparison, or its file was changed.
        """
        path = workdir / FILE
        if not path.is_file():
            raise ValueError(f"{workdir} holds no comparison: there is no {FILE} in it")
        data = foreign.read_json(path)
        try:
            with foreign.naming(path):
                data = schema.checked(data)
                plan = cls(
                    Request.from_json(data["request"]),
                    tuple(Cell.from_json(cell) for cell in data["cells"]),
                    tuple(data["notes"]),
                )
                _check(plan)
                return plan
        except (KeyError, TypeError, AttributeError) as error:
            why = f"{path} is not the file of a comparison ({error!r}); restore it"
            raise ValueError(one_line(why)) from error


def _check(plan: Plan) -> None:
    """Raises ValueError for what no file of a comparison says, such as a folder that lies elsewhere."""
    texts = [plan.request.name, *plan.request.explicit, *plan.request.baseline.values(), *plan.notes]
    texts += [
        value for axis in (*plan.request.axes, *plan.request.sweep) for value in (axis.path, *axis.values)
    ]
    texts += [text for cell in plan.cells for text in (cell.name, cell.slug, *cell.values.values())]
    texts += [text for cell in plan.cells for text in (cell.facts.fingerprint, cell.facts.files)]
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if wrong is not None:
        raise ValueError(f"{shown(wrong)} stands where a text should; restore the file")
    for cell in plan.cells:
        if not re.fullmatch(r"[A-Za-z0-9+][A-Za-z0-9_.+-]*", cell.slug):
            raise ValueError(f"the folder {quoted(cell.slug)} is no name of a folder in it; restore the file")
        facts = {name: value for name, value in dataclasses.asdict(cell.facts).items() if name in _COUNTS}
        wrong = next((name for name, v in facts.items() if type(v) is not int or not 0 <= v < 2**63), None)
        if wrong is not None or not cell.facts.flops:
            raise ValueError(f"the {wrong or 'flops'} of {quoted(cell.name)} is no count; restore the file")
    slugs, unknown = [cell.slug for cell in plan.cells], set(plan.request.budgets) - set(BUDGETS)
    if not slugs or len(set(slugs)) < len(slugs) or unknown or not plan.request.budgets:
        raise ValueError("its cells or budgets are not those of a comparison; restore the file")
    if all(cell.values != plan.request.baseline for cell in plan.cells):
        raise ValueError("no cell is its baseline; restore the file")


#: Facts of a cell that count something.
_COUNTS = ("vocab_size", "tokens", "source", "params", "body", "flops")


def trust_option(workdir: Path) -> str:
    """As `RunDirectory.trust_option`, for a comparison; its tokenizers are named, not yet built."""
    data = foreign.read_json(workdir / FILE)
    specs = [cell["experiment"]["tokenizer"] for cell in data["cells"]]
    own = [{"kind": spec} for spec in specs if spec.split(":")[0] not in Tokenizer.names()]
    return trust.option([data, *own])


def directory(workdir: Path, job: Job) -> RunDirectory:
    """The run directory of a job.

    Raises:
      ValueError: if it is a link, which leads elsewhere.
    """
    path = workdir / FOLDER / job.folder
    if path.is_symlink() or path.parent.is_symlink():
        raise ValueError(f"{path} is a link that leads elsewhere; put the folder itself there")
    return RunDirectory(path)


def check_unchanged(recorded: Request, asked: Request) -> None:
    """Raises ValueError if a comparison would go on with other settings, naming the fields."""
    rows = fields.differences(recorded.experiment, asked.experiment)
    old, new = recorded.to_json(), asked.to_json()
    rows += [
        f"{part}: {_shown(old[part])} -> {_shown(new[part])}"
        for part in ("name", "axes", "sweep", "budgets", "baseline")
        if old[part] != new[part]
    ]
    if rows:
        raise ValueError(
            f"the comparison was begun with other settings and cannot go on with these: {'; '.join(rows)}; "
            "leave them out (--resume and --workdir are enough) or start a new --workdir"
        )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}={v if isinstance(v, str) else ','.join(v)}" for k, v in value.items()) or "none"
    return ",".join(value) if isinstance(value, list) else str(value)
