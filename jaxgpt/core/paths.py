"""Paths as people give them: a home that nobody has, a link to nothing."""

import os
from pathlib import Path


def expanded(path: Path | str) -> Path:
    """A path in which `~` and `~name` stand for home directories.

    Raises:
      ValueError: if there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        home = Path(path).parts[0]
        raise ValueError(f"{path}: no home directory is known for {home}; write the path in full") from error


def broken_link(path: Path) -> str:
    """What is wrong with a path that runs through a link to nothing, and the way out; "" for any other."""
    for part in (*reversed(path.parents), path):
        if part.is_symlink() and not part.exists():
            return f"{part} is a link to {os.readlink(part)}, which does not exist; make that or remove it"
    return ""


def newest_of(base: Path, file: str) -> Path | None:
    """The folder with the newest `file` among `base`, `base-2`, `base-3`, ...; None if none has one."""
    if not base.parent.is_dir():
        return None
    found = []
    for path in base.parent.iterdir():  # a pattern would read `*` and `[` in a name as more than that
        front, _, number = path.name.rpartition("-")
        own = path.name == base.name or (front == base.name and number.isdecimal())
        if own and (path / file).exists():
            found.append(path)
    return max(found, key=lambda path: (path / file).stat().st_mtime, default=None)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
      ValueError: if that is not possible, in one line.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path} cannot be made: {broken_link(path) or error.strerror}") from error
