"""One case under watch: how it ended, how long it took, and what it touched."""

import contextlib
import dataclasses
import os
import resource
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from jaxgpt.runs.checkpoints import CheckpointError

#: What may be spent before a refusal: seconds of the processor, and bytes of memory.
SECONDS, BYTES = 2.0, 400 * 2**20
#: Characters of an error's line.
LINE = 300
#: Virtual memory that a case may add; an allocation beyond fails before it hurts the machine.
ROOM = 6 * 2**30

_REPOSITORY = Path(__file__).resolve().parents[2]
#: Files of Python, of the libraries and of the machine, which any program opens.
_SYSTEM = tuple(
    os.path.realpath(path)
    for path in {
        *(sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), str(_REPOSITORY)),
        *("/proc", "/sys", "/dev/null", "/dev/urandom", "/usr", "/lib"),
        *filter(None, [os.environ.get("JAX_COMPILATION_CACHE_DIR")]),
        *(path for path in sys.path if path),
    }
)
_opened: list[str] | None = None


def _hook(event: str, arguments: tuple) -> None:
    if event == "open" and _opened is not None and isinstance(arguments[0], str | bytes | os.PathLike):
        _opened.append(os.path.realpath(os.fsdecode(arguments[0])))


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a case ended.

    Attributes:
      faults: a line each; a case without any is as it should be.
      refused: whether the directory was refused.
    """

    faults: tuple[str, ...]
    refused: bool


def watched(call: Callable[[], None], case: Path, *, begins: str) -> Ending:
    """Call a reader of a case.

    Args:
      case: the only folder whose files may be opened.
      begins: what an error's line begins with.
    """
    faults, refused = [], False
    peak, began = _peak(), time.process_time()
    with _recorded() as opened, _limited():
        try:
            call()
        except (ValueError, CheckpointError) as error:
            refused = True
            faults += _wrong_line(str(error), begins)
            if isinstance(error, UnicodeError):
                faults.append(f"a bare {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - that there is none is what is asked
            refused = True
            last = traceback.extract_tb(error.__traceback__)
            where = [f"{Path(f.filename).name}:{f.lineno}" for f in last if str(_REPOSITORY) in f.filename][
                -3:
            ]
            faults.append(f"traceback: {type(error).__name__}: {str(error)[:200]} at {' < '.join(where)}")
    seconds, grown = time.process_time() - began, _peak() - peak
    if refused and seconds > SECONDS:
        faults.append(f"{seconds:.1f} s to refuse")
    if grown > BYTES:
        faults.append(f"{grown >> 20} MiB more than before")
    inside = os.path.realpath(case)
    for path in opened:
        if not path.startswith((inside + os.sep, *_SYSTEM)) and path != inside:
            faults.append(f"opened {path}")
    return Ending(tuple(dict.fromkeys(faults)), refused)


def _wrong_line(line: str, begins: str) -> Iterator[str]:
    if "\n" in line or len(line) > LINE:
        yield f"an error of {len(line)} characters and {line.count(chr(10)) + 1} lines: {line[:100]!r}"
    if not line.startswith(begins):
        yield f"an error that does not begin with the file: {line[:150]!r}"
    if not line.isprintable():
        yield f"an error that cannot be printed: {line[:150]!r}"


@contextlib.contextmanager
def _recorded():
    global _opened
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    _opened = found = []
    try:
        yield found
    finally:
        _opened = None


_hooked: list[bool] = []


@contextlib.contextmanager
def _limited():
    """Room for no more than `ROOM` bytes beyond what is there."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _peak() -> int:
    """The most memory that this process has held, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def listing(folder: Path) -> dict[str, tuple]:
    """What lies in a folder, with sizes and times: equal before and after where nothing was written."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(root, name))
            found[os.path.join(root, name)] = (status.st_size, status.st_mtime_ns)
    return found


@contextlib.contextmanager
def unblocked(folder: Path, seconds: float = 20.0):
    """A reader that waits at a pipe is woken after some seconds, by an end that closes at once."""

    def wake() -> None:
        for path in folder.rglob("*"):
            if path.is_fifo():
                with contextlib.suppress(OSError):
                    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))

    timer = threading.Timer(seconds, wake)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def scratch() -> tempfile.TemporaryDirectory:
    """A folder for one case."""
    return tempfile.TemporaryDirectory(prefix="jaxgpt-fuzz-")
