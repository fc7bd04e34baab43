"""Functions without arguments, found by name: those of a package, or any by `package.module:function`."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

from jaxgpt.core.choice import FieldError, load_dotted, nearest
from jaxgpt.core.wording import quoted


def _gives(value: Any, result: type) -> bool:
    """Whether it is a function without arguments that declares to return a `result`."""
    if not inspect.isfunction(value) or inspect.signature(value).parameters:
        return False
    return inspect.get_annotations(value, eval_str=False).get("return") in (result, result.__name__)


def found(package: str, result: type) -> dict[str, Callable[[], Any]]:
    """The functions annotated `-> result` in the modules of a package, by their names."""
    known = {}
    for part in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        module = importlib.import_module(part.name)
        known |= {k: v for k, v in vars(module).items() if _gives(v, result) and v.__module__ == part.name}
    return dict(sorted(known.items()))


def called(name: str, package: str, result: type, *, noun: str) -> Any:
    """What the function called `name` returns, or what `package.module:function` does.

    Raises:
      FieldError: if there is none (with the nearest names), or it gives no `result`.
    """
    if ":" in name:
        function = load_dotted(name)
        if not _gives(function, result):  # looked at before it is called: a name must not run just anything
            raise FieldError(
                f"{name!r} is no function that takes nothing and is annotated -> {result.__name__}"
            )
        value = function()
        if not isinstance(value, result):
            raise FieldError(f"{name!r} returned a {type(value).__name__}, not a {result.__name__}")
        return value
    name = name.replace("-", "_")
    known = found(package, result)
    if name not in known:
        raise FieldError(f"no {noun} is called {quoted(name)}; {nearest(name, list(known))}")
    return known[name]()
