"""Architectures by name: one function each, with the source of its numbers.

`vocab_size` is left to the tokenizer. A function of your own, annotated `-> ModelConfig`, is a preset too:
`--model my_package.my_models:my_preset`.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

from jaxgpt.choice import FieldError, load_dotted, nearest
from jaxgpt.models.config import ModelConfig
from jaxgpt.wording import quoted


def _is_preset(value) -> bool:
    """Whether it is a function without arguments that declares to return a ModelConfig."""
    if not inspect.isfunction(value) or inspect.signature(value).parameters:
        return False
    return inspect.get_annotations(value, eval_str=False).get("return") in (ModelConfig, "ModelConfig")


def functions() -> dict[str, Callable[[], ModelConfig]]:
    """The presets of this package by their names."""
    found = {}
    for part in pkgutil.iter_modules(__path__, f"{__name__}."):
        module = importlib.import_module(part.name)
        own = {k: v for k, v in vars(module).items() if _is_preset(v) and v.__module__ == part.name}
        found |= own
    return dict(sorted(found.items()))


def named(name: str) -> ModelConfig:
    """The preset called `name`, or what `package.module:function` returns.

    Raises:
      FieldError: if there is none (with the nearest names), or it gives no ModelConfig.
    """
    if ":" in name:
        function = load_dotted(name)
        if not _is_preset(function):  # looked at before it is called: a name must not run just anything
            raise FieldError(f"{name!r} is no function that takes nothing and is annotated -> ModelConfig")
        config = function()
        if not isinstance(config, ModelConfig):
            raise FieldError(f"{name!r} returned a {type(config).__name__}, not a ModelConfig")
        return config
    name = name.replace("-", "_")
    known = functions()
    if name not in known:
        raise FieldError(f"no preset is called {quoted(name)}; {nearest(name, list(known))}")
    return known[name]()
