"""Which modules a file may name: a run directory names classes, and importing a module runs its code.

What a person types is what the person wants. What a file names is imported only if it belongs to this
project, was imported by the person's own program before, or was allowed by name.
"""

import contextlib
import contextvars
import shlex
import sys
from collections.abc import Collection, Iterator
from typing import Any

#: The packages of this project.
OWN = ("jaxgpt", "tasks")
#: Allows every module.
ALL = "*"

_allowed: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("allowed", default=())
_reading: contextvars.ContextVar[bool] = contextvars.ContextVar("reading", default=False)


@contextlib.contextmanager
def allowing(modules: bool | Collection[str]) -> Iterator[None]:
    """Files that are read inside may name these modules and what lies below them; True: any module."""
    named = ((ALL,) if modules else ()) if isinstance(modules, bool) else tuple(modules)
    token = _allowed.set(_allowed.get() + named)
    try:
        yield
    finally:
        _allowed.reset(token)


@contextlib.contextmanager
def from_file() -> Iterator[None]:
    """Names that are looked up inside come from a file."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def check(module: str) -> None:
    """Raises ValueError if a file names a module that it may not."""
    if not _reading.get() or module in sys.modules or module.split(".")[0] in OWN:
        return
    if _covered(module, _allowed.get()):
        return
    raise ValueError(
        f"the module {module} is not of jaxgpt or tasks, and importing it would run its code; if you know "
        f"it, allow it: --trust {module} (in Python: trust=True)"
    )


def _covered(module: str, names: Collection[str]) -> bool:
    """Whether a module, or what it lies in, is among the names."""
    return any(name in (ALL, module) or module.startswith(f"{name}.") for name in names)


def modules(data: Any) -> list[str]:
    """The modules that a configuration's JSON values name, and that a file of it may not name unallowed."""
    if isinstance(data, dict):
        kind = data.get("kind")
        own = [kind.split(":")[0]] if isinstance(kind, str) and ":" in kind else []
        inner = [module for value in data.values() for module in modules(value)]
        return sorted({m for m in own + inner if m.split(".")[0] not in OWN})
    return sorted({m for value in data for m in modules(value)}) if isinstance(data, list) else []


def option(data: Any) -> str:
    """` --trust MODULE,...` for a command that reads such a file; "" if it needs none.

    The modules that this command was allowed stand first; they may be needed for more than this file.
    """
    given = [name for name in dict.fromkeys(_allowed.get()) if name != ALL]
    named = given + [module for module in modules(data) if not _covered(module, given)]
    return f" --trust {shlex.quote(','.join(named))}" if named else ""
