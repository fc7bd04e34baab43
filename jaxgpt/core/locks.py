"""Holding a directory against other processes, also where the file system has no locks of its own."""

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from filelock import MarkerSoftFileLock, Timeout

from jaxgpt.core.wording import quoted
from jaxgpt.core.writing import unwritten

#: The lock file of a directory, and the one that stands for it where there are no locks.
FILES = LOCK, MARKER = ".lock", ".lock-file"
#: What flock says on a file system that has no locks: Lustre without `-o flock`, some NFS.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


class InUse(ValueError):
    """Another process holds the directory; the message is one line."""


@contextlib.contextmanager
def held(directory: Path, *, instead: str = "choose another --workdir") -> Iterator[str]:
    """Hold a directory; on leaving, its lock file is removed.

    A lock of the file system goes with its process, so none is ever left behind. Where there are none, a
    file stands for it, made exclusively, which is safe on NFS, too: it names its process and host, and one
    that a dead process of this host has left is taken over.

    Args:
      instead: what else to do than to wait, for the message.

    Yields:
      A line to show if the file system has no locks, else an empty text.

    Raises:
      InUse: if another process holds it, with its number and host.
      ValueError: if it cannot be locked, with the reason.
      OSError: if the lock file cannot be written, such as on a full disk.
    """
    path, marker = directory / LOCK, directory / MARKER
    with contextlib.ExitStack() as stack:
        while True:
            file = stack.enter_context(open(path, "a+", encoding="utf-8"))
            if not _locked(file, directory, instead):
                stack.enter_context(_marked(directory, instead))
                if holder := _holder(file):  # which was told that there are locks
                    raise InUse(_in_use(directory, holder, instead, path))
                note = f"{directory} is on a file system without locks; {marker} stands for one"
                break
            file.truncate(0)
            try:  # without a buffer, which closing would try to write once more
                os.write(file.fileno(), f"{os.getpid()} on {socket.gethostname()}\n".encode())
            except OSError as error:
                raise unwritten(path, error) from error
            if marker.exists():  # of a process that was told that there are none
                stack.enter_context(_marked(directory, instead))
            if _is(path, file):
                note = ""
                break
            stack.close()  # its holder removed the file meanwhile: that lock keeps nobody out
        stack.callback(path.unlink, missing_ok=True)
        yield note


def _locked(file: IO, directory: Path, instead: str) -> bool:
    """Whether the file is locked now; False if its file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InUse(_in_use(directory, _holder(file) or "unknown", instead, None)) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise ValueError(f"{directory} cannot be locked ({error.strerror}); {instead}") from error
        return False
    return True


@contextlib.contextmanager
def _marked(directory: Path, instead: str) -> Iterator[None]:
    path = directory / MARKER
    lock = MarkerSoftFileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        holder = "unknown" if lock.owner is None else f"{lock.owner.pid} on {lock.owner.hostname}"
        raise InUse(_in_use(directory, holder, instead, path)) from error
    try:
        yield
    finally:
        lock.release()


def _holder(file: IO) -> str:
    file.seek(0)
    return file.read(300).strip()


def _in_use(directory: Path, holder: str, instead: str, left: Path | None) -> str:
    """What to tell; `left` is a file that a process may have left behind."""
    text = f"{directory} is in use by process {quoted(holder)[1:-1]}; wait for it, stop it, or {instead}"
    if left is None:
        return text
    return f"{text}; its file system has no locks, so if that process is gone, remove {left}"


def _is(path: Path, file: IO) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
