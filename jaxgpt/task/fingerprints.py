"""Fingerprints of a task's files: their sizes and digests."""

import functools
import hashlib
from collections.abc import Mapping

from jaxgpt.core.paths import expanded


def file_stamp(path: str) -> tuple[int, int]:
    """Modification time and size of a file, a key to cache its contents by; zeros if there is no file."""
    try:
        file = expanded(path)
        if not path or not file.is_file():
            return 0, 0
        status = file.stat()
    except (OSError, ValueError):  # a name too long, or with a null byte; reading says so
        return 0, 0
    return status.st_mtime_ns, status.st_size


def fingerprint_files(paths: Mapping[str, str]) -> str:
    """Bytes and digest of each file, with commas between; empty where none is named, or it is none.

    Args:
      paths: of each field of a task that names a file, in an order that stays.
    """
    return ",".join(_marks(paths)).rstrip(",")


def check_files(recorded: str, paths: Mapping[str, str]) -> None:
    """Compare the files with a fingerprint of them; a file that is missing is told by who reads it.

    Raises:
      ValueError: if a file is not as recorded; the message names the field and what is otherwise.
    """
    marks = recorded.split(",")
    marks += [""] * (len(paths) - len(marks))
    for (field, path), old, new in zip(paths.items(), marks, _marks(paths), strict=False):
        if old == new or (path and not new):
            continue
        option = f"--task.{field.replace('_', '-')}"
        then, now = old.split("-")[0], new.split("-")[0]
        if not old or not new:
            what = f"{path or option}: a file is {'named' if new else 'left out'}, unlike at first"
        elif then != now:
            what = f"{path} has {now} bytes, and had {then} when the run began"
        else:
            what = f"{path} holds other text than when the run began, in as many bytes ({now})"
        raise ValueError(
            f"{what}; restore it or name a copy with {option}, or begin anew in another --workdir; an "
            "evaluation on it as it is now needs --other-files"
        )


def _marks(paths: Mapping[str, str]) -> list[str]:
    return [_mark(path, file_stamp(path)) for path in paths.values()]


@functools.lru_cache(maxsize=16)
def _mark(path: str, stamp: tuple[int, int]) -> str:
    """The bytes of a file and a digest of them; `stamp` tells a changed file from the one that was read."""
    if not stamp[1]:
        return ""
    try:
        with open(expanded(path), "rb") as file:
            return f"{stamp[1]}-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    except OSError:
        return ""
