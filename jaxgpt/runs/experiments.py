"""Finding experiments by name: functions annotated `-> Experiment` in the modules of `tasks`, or anywhere."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jaxgpt.core.choice import FieldError, imported, load_dotted, modules, nearest
from jaxgpt.core.wording import quoted
from jaxgpt.training.experiment import Experiment

#: The package whose modules are searched for short names.
PACKAGE = "tasks"


class Compared(NamedTuple):
    """What `jaxgpt compare EXPERIMENT` compares where the command line names nothing.

    It stands under the experiment's name in `COMPARED` of the module that defines it.

    Attributes:
      vary: the values of each field, as on the command line.
      budgets: `examples`, `flops`, or both.
    """

    vary: Mapping[str, tuple[str, ...]]
    budgets: tuple[str, ...] = ("examples", "flops")


def available() -> dict[str, Callable[[], Experiment]]:
    """Every experiment with a short name."""
    found: dict[str, Callable[[], Experiment]] = {}
    for module in modules(PACKAGE):
        for name, value in vars(imported(f"{PACKAGE}.{module}")).items():
            if name.startswith("_") or not inspect.isfunction(value):
                continue
            if inspect.signature(value).return_annotation is Experiment:
                found[name] = value
    return dict(sorted(found.items()))


def find(name: str) -> Experiment:
    """The experiment called `name`, or what `package.module:function` returns.

    Raises:
      FieldError: if there is none, with the nearest names.
    """
    found = function(name)
    experiment = found() if inspect.isfunction(found) else None
    if not isinstance(experiment, Experiment):
        raise FieldError(f"{name} is no function that returns an Experiment")
    return experiment


def function(name: str) -> Any:
    """What returns the experiment called `name`.

    Raises:
      FieldError: if there is none, with the nearest names.
    """
    if ":" in name:
        return load_dotted(name)
    experiments = available()
    key = name.replace("-", "_")
    if key not in experiments:
        raise FieldError(
            f"no experiment is called {quoted(name)}; "
            f"{nearest(name, [known.replace('_', '-') for known in experiments])}; "
            "one of your own is named package.module:function"
        )
    return experiments[key]


def compared(name: str) -> Compared | None:
    """What is compared of the experiment called `name`; None if its module does not say.

    Raises:
      FieldError: if there is no such experiment.
    """
    found = function(name)
    known = getattr(inspect.getmodule(found), "COMPARED", {})
    return known.get(getattr(found, "__name__", ""))


def summary(experiment: Callable[[], Experiment]) -> str:
    """The first line of an experiment's docstring: what is learned."""
    return (inspect.getdoc(experiment) or "").split("\n")[0]


def takes(experiment: Callable[[], Experiment]) -> str:
    """The time an experiment takes: the line of its docstring that begins with `Takes`."""
    return _line(experiment, "Takes ")


def needs(experiment: Callable[[], Experiment]) -> str:
    """What an experiment cannot do without: the line of its docstring that begins with `Needs`."""
    return _line(experiment, "Needs ")


def about(experiment: Callable[[], Experiment]) -> str:
    """What an experiment learns, needs and takes, in a few sentences."""
    return " ".join(filter(None, (summary(experiment), needs(experiment), takes(experiment))))


def _line(experiment: Callable[[], Experiment], beginning: str) -> str:
    lines = (inspect.getdoc(experiment) or "").split("\n")
    return next((line for line in lines if line.startswith(beginning)), "")


def heading(experiment: Callable[[], Experiment]) -> str:
    """What `--list` groups an experiment under: `HEADING` of its module in `tasks`, or else `other`."""
    package, module = experiment.__module__.split(".")[:2]
    return getattr(imported(f"{package}.{module}"), "HEADING", "other")
