"""What `jaxgpt compare` is asked for, from its command line."""

import argparse

from jaxgpt.compare import axes
from jaxgpt.compare.axes import Axis
from jaxgpt.compare.cells import BUDGETS, Request
from jaxgpt.core.usage import UsageError
from jaxgpt.runs import experiments
from jaxgpt.training import start

#: Fields beside the optimizer's that a sweep may try.
SWEPT = ("model.dropout", "model.attention_dropout", "model.init_std", "model.residual_init")


def request(given: argparse.Namespace) -> Request:
    """What the command line asks for.

    Raises:
      ValueError: for an option that does not fit, in one line.
    """
    name = given.experiment or "addition"
    varied = [Axis.from_text("vary", text) for text in given.vary]
    if given.tokenizers is not None:
        varied.insert(0, Axis.of_tokenizers(given.tokenizers))
    sweep = [Axis.from_text("sweep", text) for text in given.sweep]
    axes.check_apart([*varied, *sweep], given.fields)
    if not varied:
        raise UsageError("nothing is compared; give --tokenizers A,B or --vary PATH=A,B")
    experiment = start.override(experiments.find(name), given.fields, begin=True)
    for axis in (*varied, *sweep):
        for value in axis.values:
            axes.apply(experiment, {axis.path: value})  # unknown fields and values, before anything is built
    _check_varied(varied)
    _check_sweep(sweep)
    budgets = BUDGETS if given.budgets is None else tuple(given.budgets.split(","))
    for budget in budgets:
        if budget not in BUDGETS or budgets.count(budget) > 1:
            raise UsageError(f"--budgets {given.budgets}: known: {', '.join(BUDGETS)}, each once")
    explicit = tuple(path.replace("-", "_") for path in given.fields)
    baseline = _baseline(varied, given.baseline)
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


def names_settings(given: argparse.Namespace) -> bool:
    """Whether the command line says what to compare, and not only where."""
    where = {"workdir", "resume", "dry-run", "traceback", "trust", "distributed"}
    return bool(given.given - where or given.fields)


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
        if axis.path.partition(".")[0] != "optimizer" and axis.path not in SWEPT:
            raise UsageError(
                f"--sweep {axis.path}: every option of a sweep has the same data, model and budget, so it "
                f"takes optimizer, optimizer.* and {', '.join(SWEPT)}; --vary compares any field"
            )


def _labelled(value: str) -> str:
    return axes.label({"": value})
