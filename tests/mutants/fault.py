"""A fault: a small change of one file that some test must catch."""

import dataclasses
import importlib
import pkgutil
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Fault:
    """One change of one file.

    Attributes:
      name: short, of words with hyphens.
      file: from the repository's root.
      old: the exact text that is replaced; it occurs once in the file.
      new: what replaces it.
      breaks: what no longer holds, in a few words.
      tests: files of the default suite, or single tests, that are expected to catch it; empty: all of it.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...] = ()

    def planted(self, root: Path) -> str:
        """The text of the file with the fault in it.

        Raises:
          ValueError: unless the old text occurs exactly once.
        """
        path = root / self.file
        if not path.is_file():
            raise ValueError(f"{self.file}: no such file, for the fault {self.name}")
        text = path.read_text(encoding="utf-8")
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"{self.file}: the old text of the fault {self.name} occurs {count} times, not once; "
                "bring the fault up to date"
            )
        return text.replace(self.old, self.new)


def faults() -> list[Fault]:
    """All faults, in the order of their files."""
    folder = importlib.import_module(".faults", __package__)
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    modules = [importlib.import_module(f".faults.{name}", __package__) for name in names]
    return [fault for module in modules for fault in module.FAULTS]
