"""Whether a place can be written to, seen before anything costly is done."""

import errno
import os
from pathlib import Path

from jaxgpt.core.paths import broken_link
from jaxgpt.core.usage import UsageError


def writable(output: Path | str, *, name: str = "--output ", instead: str = "name another") -> None:
    """See that a file can be made, or be replaced by another.

    Args:
      name: what the message begins with, ahead of the file; instead: the way out.

    Raises:
      UsageError: if not, with the reason.
    """
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{name}{output} is a directory; name a file in it")
    if broken := broken_link(path):
        raise UsageError(f"{name}{output}: {broken}")
    if not path.parent.exists():
        raise UsageError(f"{name}{output}: the directory {path.parent} does not exist")
    try:
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        _try_to_write(path.parent / f".{path.name}.{os.getpid()}.tmp")
    except OSError as error:
        raise UsageError(f"{name}{output} cannot be written to ({error.strerror}); {instead}") from error


def makeable(directory: Path | str, *, name: str) -> None:
    """See that a directory can be made, or be written to; nothing is left.

    Raises:
      UsageError: if not, with the reason; `name` is the option that names it.
    """
    path = Path(directory)
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        _try_to_write(path / f".writable-{os.getpid()}")
    except OSError as error:
        raise UsageError(
            f"{name} {directory} cannot be written to ({error.strerror}); choose another"
        ) from error


def _try_to_write(path: Path) -> None:
    with open(path, "x"):
        pass
    path.unlink()
