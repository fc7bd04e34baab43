"""Writing files so that a reader, or a crash, finds the old or the new one whole."""

import contextlib
import errno
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

#: The name that `replacing` gives, with the number of the process that writes.
_UNFINISHED = re.compile(r"\..+\.(\d+)-\d+\.tmp")


def write_atomically(path: Path, text: str) -> None:
    """Write a text file, whole or not at all, in UTF-8.

    What UTF-8 has no form for, such as half a pair of surrogates, is escaped.

    Raises:
      OSError: if it cannot be written, in one line that names it; the old file stays.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place at the end, whole or not at all.

    Raises:
      OSError: as `write_atomically`.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes were writing in a folder, by the names that `replacing` gives.

    For a process that holds the folder and writes nothing there at this moment. What other processes of this
    machine are writing stays.
    """
    for path in folder.glob(".*.tmp"):
        found = _UNFINISHED.fullmatch(path.name)
        if found and (int(found[1]) == os.getpid() or not _lives(int(found[1]))):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def unwritten(path: Path, error: OSError) -> OSError:
    """What to raise where a file could not be written: the system's own error often lacks its name."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return OSError(f"{path} cannot be written ({error.strerror or error})" + "; make room" * full)
