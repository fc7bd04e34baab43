"""What `jaxgpt compare` is asked for, from its command line."""

import argparse

from jaxgpt.comparison import axes
from jaxgpt.comparison.axes import Axis
from jaxgpt.comparison.cells import BUDGETS, Request
from jaxgpt.core.usage import UsageError
from jaxgpt.runs import experiments, run_weights
from jaxgpt.training import start


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
    own = None if varied else experiments.compared(name)
    if own is not None:
        varied = [Axis(path, values) for path, values in own.vary.items()]
        axes.check_apart([*varied, *sweep], given.fields)
    if not varied:
        raise UsageError("nothing is compared; give --tokenizers A,B or --vary PATH=A,B")
    experiment = run_weights.override(experiments.find(name), given.fields, begin=True)
    axes.check_values(experiment, varied, sweep)
    budgets = (own.budgets if own else BUDGETS) if given.budgets is None else tuple(given.budgets.split(","))
    for budget in budgets:
        if budget not in BUDGETS or budgets.count(budget) > 1:
            raise UsageError(f"--budgets {given.budgets}: known: {', '.join(BUDGETS)}, each once")
    # A size leaves the other fields of the model to be settled.
    sized = {"model"} if start.is_size(given.fields.get("model", "")) else set()
    explicit = tuple(path.replace("-", "_") for path in given.fields if path not in sized)
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


def _labelled(value: str) -> str:
    return axes.label({"": value})
