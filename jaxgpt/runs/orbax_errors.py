"""What Orbax raises and prints, as one kind of error and one line."""

import contextlib
import logging
import sys
from typing import Any

from jaxgpt.core.wording import one_line

#: What Orbax, tensorstore and the file system raise for a checkpoint that cannot be written.
UNWRITTEN = (OSError, ValueError, RuntimeError)
#: The same for one that cannot be read: its files may say anything.
FAILURES = (*UNWRITTEN, KeyError, TypeError)


@contextlib.contextmanager
def as_value_error():
    """Whatever Orbax raises for a file that is not as it wrote it."""
    try:
        yield
    except FAILURES:
        raise
    except Exception as error:
        raise ValueError(first_line(error)) from error


def hush() -> None:
    """Let Orbax print nothing: it reports every save at INFO, and what it cannot read at ERROR; we say it."""
    logging.getLogger("absl").setLevel(logging.CRITICAL)
    _hear_nothing_of_closed_loops()
    logging.getLogger("asyncio").addFilter(_not_of_arrays)


def _hear_nothing_of_closed_loops() -> None:
    """When one array cannot be written, Orbax closes its event loop, and tensorstore's threads, which come
    to it later with the others, would each print a traceback. The error itself is raised."""
    before = sys.unraisablehook
    if getattr(before, "jaxgpt", False):
        return

    def hook(unraisable: Any) -> None:
        error = unraisable.exc_value
        if not (isinstance(error, RuntimeError) and str(error) == "Event loop is closed"):
            before(unraisable)

    hook.jaxgpt = True
    sys.unraisablehook = hook


def _not_of_arrays(record: logging.LogRecord) -> bool:
    """Leaves out what asyncio says of arrays that could not be read, a page each; the first is raised."""
    return "driver" not in record.getMessage()


def told(skipped: list[str]) -> str:
    """Why checkpoints could not be read, on a line that a person can read."""
    return one_line("; ".join(skipped), 200) or "there is none"


def first_line(error: BaseException) -> str:
    """The first line of an error's message, shortened."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if len(text) <= 200 else text[:197] + "..."
