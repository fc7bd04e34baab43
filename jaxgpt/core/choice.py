"""Families of frozen dataclasses whose members are found by name, and names in general.

There is no registry: a short name is that of a module in the family's package, any other is dotted.
"""

import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

from jaxgpt.core import trust
from jaxgpt.core.wording import quoted


class FieldError(ValueError):
    """A field that does not exist or a value that does not fit; the message is one line."""


#: Characters of a list of known names.
_KNOWN = 120


def nearest(word: str, known: list[str]) -> str:
    """`did you mean ...? ` for the nearest names, followed by the known ones, as many as fit on a line."""
    close = difflib.get_close_matches(word[:100], known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    names = ", ".join(sorted(known))
    if len(names) > _KNOWN:
        names = names[:_KNOWN].rpartition(", ")[0] + ", ..."
    return f"{hint}known: {names}"


#: The tasks that come with jaxgpt lie beside it.
_TASKS = Path(__file__).resolve().parents[2] / "tasks"


def imported(name: str) -> ModuleType:
    """A module, imported; `tasks` are those that come with jaxgpt, whatever else is called so.

    Raises:
      ModuleNotFoundError: if there is no such module.
      FieldError: if the program has imported other `tasks`, which hide a module of ours.
    """
    if name.partition(".")[0] == "tasks":
        _find_tasks()
    return importlib.import_module(name)


def modules(package: str) -> list[str]:
    """The names of the modules in a package; of `tasks`, of ours alone."""
    folders = [str(_TASKS)] if package == "tasks" else imported(package).__path__
    return [module.name for module in pkgutil.iter_modules(folders)]


def _find_tasks() -> None:
    """Have our `tasks` found; a module of that name which is there already keeps its own beside them."""
    theirs = sys.modules.get("tasks")
    if theirs is None:
        spec = importlib.util.spec_from_file_location("tasks", _TASKS / "__init__.py")
        sys.modules["tasks"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return
    folders = list(getattr(theirs, "__path__", ()))
    if any(Path(folder).resolve() == _TASKS for folder in folders):
        return
    names = {*vars(theirs), *(module.name for module in pkgutil.iter_modules(folders))}
    if hidden := sorted(names.intersection(modules("tasks"))):
        where = getattr(theirs, "__file__", None) or folders[0]
        raise FieldError(
            f"{where} hides jaxgpt's own tasks: {', '.join(hidden)} stand in both; call one of them otherwise"
        )
    theirs.__path__ = [*folders, str(_TASKS)]


_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def load_dotted(name: str) -> Any:
    """The object behind `package.module:attribute`.

    Raises:
      FieldError: if the name is malformed, the module or the attribute does not exist, or a file names it
        that may not (`jaxgpt.core.trust`).
    """
    if not _DOTTED.fullmatch(name):
        raise FieldError(f"{quoted(name)} is not of the form package.module:name")
    module_name, attribute = name.split(":")
    try:
        trust.check(module_name)
    except ValueError as error:
        raise FieldError(f"{quoted(name)}: {error}") from error
    try:
        module = imported(module_name)
    except ModuleNotFoundError as error:
        own = str(error.name).startswith("tasks.")
        hint = "; tasks is jaxgpt's own package, so call a folder of yours otherwise" if own else ""
        raise FieldError(f"{name!r}: no module named {error.name!r} can be imported{hint}") from error
    if module_name == "__main__" and not hasattr(module, attribute):
        raise FieldError(
            f"{name!r} was defined in a script or notebook, where alone it is found; define it in a module, "
            f"and name it my_module:{attribute} where this name stands"
        )
    if not hasattr(module, attribute):
        public = [n for n in vars(module) if not n.startswith("_")]
        raise FieldError(f"{module_name} has no {attribute!r}; {nearest(attribute, public)}")
    return getattr(module, attribute)


class Choice:
    """A family of frozen dataclasses, one a file, of which a field holds one.

    A family names the package its members live in: `class Position(Choice, package="jaxgpt.nn.position")`.
    Its member in `jaxgpt/nn/position/rotary.py` has the short name `rotary`; a short name that begins with a
    digit, such as `10e`, lives in `_10e.py`. A member that lives anywhere else is named
    `my_package.my_module:MyPosition`. There is no registry.
    """

    package: ClassVar[str]

    #: Fields that keep their value where a member named on the command line takes another one's place.
    keeps: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, package: str | None = None, **kwargs):
        super().__init_subclass__(**kwargs)
        if package is not None:
            cls.package = package

    @classmethod
    def names(cls) -> list[str]:
        """The short names of the members in the family's own package."""
        found = map(_short, modules(cls.package))
        return [name for name in found if name and _member(cls, name) is not None]

    @classmethod
    def named(cls, name: str) -> type[Self]:
        """The member class called `name` (a short or a dotted name).

        Raises:
          FieldError: if there is none, or if it is no member of this family.
        """
        name = name.replace("-", "_") if ":" not in name else name
        if ":" in name:
            member = load_dotted(name)
        else:
            member = _member(cls, name)
            if member is None:
                raise FieldError(
                    f"no {cls.__name__.lower()} is called {quoted(name)}; {nearest(name, cls.names())}"
                )
        if not (inspect.isclass(member) and issubclass(member, cls)):
            article = "an" if cls.__name__[0] in "AEIOU" else "a"
            raise FieldError(f"{quoted(name)} is not {article} {cls.__name__}")
        return member

    @classmethod
    def kind(cls) -> str:
        """The name under which `named` finds this class again."""
        prefix = cls.package + "."
        if cls.__module__.startswith(prefix):
            short = _short(cls.__module__.removeprefix(prefix).split(".")[0])
            if short and _member(family_of(cls), short) is cls:
                return short
        return f"{cls.__module__}:{cls.__name__}"

    @classmethod
    def only_here(cls) -> str:
        """Why no other process finds this class again, and the way out; "" if others do."""
        if cls.__module__ == "__main__":
            where = "in a script or notebook"
        elif "<locals>" in cls.__qualname__:
            where = "inside a function"
        elif (
            cls.__module__.startswith("tasks.") and _TASKS not in Path(inspect.getfile(cls)).resolve().parents
        ):
            where = "in another package called tasks, the name of jaxgpt's own"
        else:
            return ""
        return (
            f"{cls.__name__} is defined {where}, so no other process can load or resume what is trained with "
            "it: define it in a module, such as my_module.py, and import it from there"
        )


def family_of(cls: type[Choice]) -> type[Choice]:
    """The family that a class is a member of."""
    return next(c for c in reversed(cls.__mro__) if "package" in vars(c))


def _short(module: str) -> str:
    """The short name that a module stands for; "" for a private one."""
    if not module.startswith("_"):
        return module
    return module[1:] if module[1:2].isdigit() else ""


def _member(family: type[Choice], name: str) -> type[Choice] | None:
    module = f"_{name}" if name[:1].isdigit() else name
    if not module.isidentifier() or (module == name and name.startswith("_")):
        return None
    full = f"{family.package}.{module}"
    try:
        module = imported(full)
    except ModuleNotFoundError as error:
        if error.name == full:
            return None
        raise
    for value in vars(module).values():
        own = (
            inspect.isclass(value)
            and issubclass(value, family)
            and f"{value.__module__}.".startswith(f"{full}.")
        )
        # An abstract class that members share is no member.
        if (
            own
            and value is not family
            and not value.__name__.startswith("_")
            and not inspect.isabstract(value)
        ):
            return value
    return None
