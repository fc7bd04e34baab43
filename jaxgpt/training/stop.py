"""Stopping on SIGTERM and Ctrl-C: the first asks, the second leaves at once."""

import contextlib
import os
import signal


class Stopped(BaseException):
    """Raised where work may be dropped at any point (compiling, evaluating) when a stop was asked for.

    Like KeyboardInterrupt no `Exception`, so that no handler takes it for an error.
    """


class StopRequest:
    """Remembers that a signal came; a context manager that installs and removes the handlers."""

    def __init__(self):
        self.requested = False
        #: Whether all processes know of it.
        self.agreed = False
        self._droppable = False

    def __enter__(self):
        self._old = {s: signal.signal(s, self._handle) for s in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_):
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _handle(self, number, frame):
        if self.requested and number == signal.SIGINT:
            os._exit(130)  # a second Ctrl-C; a checkpoint is only ever renamed into place when whole
        self.requested = True
        if self._droppable:
            raise Stopped

    @contextlib.contextmanager
    def droppable(self):
        """Inside, a signal raises `Stopped` at once instead of waiting for the end of a step."""
        self._droppable = True
        try:
            if self.requested:
                raise Stopped
            yield
        finally:
            self._droppable = False
