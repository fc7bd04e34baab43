"""Finding experiments by name: functions annotated `-> Experiment` in the modules of `tasks`, or anywhere."""

import inspect
from collections.abc import Callable

from jaxgpt.core.choice import FieldError, imported, load_dotted, modules, nearest
from jaxgpt.core.wording import quoted
from jaxgpt.training.experiment import Experiment

#: The package whose modules are searched for short names.
PACKAGE = "tasks"


def available() -> dict[str, Callable[[], Experiment]]:
    """Every experiment with a short name."""
    found: dict[str, Callable[[], Experiment]] = {}
    for module in modules(PACKAGE):
        for name, value in vars(imported(f"{PACKAGE}.{module}")).items():
            if inspect.isfunction(value) and inspect.signature(value).return_annotation is Experiment:
                found[name] = value
    return dict(sorted(found.items()))


def find(name: str) -> Experiment:
    """The experiment called `name`, or what `package.module:function` returns.

    Raises:
      FieldError: if there is none, with the nearest names.
    """
    if ":" in name:
        function = load_dotted(name)
        experiment = function() if inspect.isfunction(function) else None
        if not isinstance(experiment, Experiment):
            raise FieldError(f"{name} is no function that returns an Experiment")
        return experiment
    experiments = available()
    key = name.replace("-", "_")
    if key not in experiments:
        raise FieldError(
            f"no experiment is called {quoted(name)}; "
            f"{nearest(name, [known.replace('_', '-') for known in experiments])}; "
            "one of your own is named package.module:function"
        )
    return experiments[key]()


def takes(experiment: Callable[[], Experiment]) -> str:
    """The time an experiment takes: the line of its docstring that begins with `Takes`."""
    lines = (inspect.getdoc(experiment) or "").split("\n")
    return next((line for line in lines if line.startswith("Takes ")), "")


def listing() -> str:
    """All experiments, a line each: what is learned, and how long it takes."""
    found = {name.replace("_", "-"): function for name, function in available().items()}
    width = max(map(len, found))
    lines = []
    for name, function in found.items():
        what = (inspect.getdoc(function) or "").split("\n")[0]
        lines.append(f"{name:<{width}} {what} {takes(function)}".rstrip())
    return "\n".join(lines)
