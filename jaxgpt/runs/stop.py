"""Stopping on a signal: the first asks, a second Ctrl-C leaves at once.

SIGTERM and Ctrl-C ask for it, and so do SIGHUP, which comes when a terminal is closed, and SIGUSR1, which
Slurm sends ahead of a time limit (`--signal=USR1@120`). The latter two only where the platform has them and
nobody has had them ignored, as nohup does.
"""

import contextlib
import os
import signal
import sys
import threading

_ALWAYS = (signal.SIGTERM, signal.SIGINT)
_UNLESS_IGNORED = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGUSR1") if hasattr(signal, name))


class Stopped(BaseException):
    """Raised where work may be dropped at any point (compiling, evaluating) when a stop was asked for.

    Like KeyboardInterrupt no `Exception`, so that no handler takes it for an error.
    """


class StopRequest:
    """Remembers that a signal came; a context manager that installs and removes the handlers.

    In another thread than the main one it takes no signal: Python gives those to the main thread alone.
    """

    def __init__(self):
        self.requested = False
        #: Whether all processes know of it.
        self.agreed = False
        self._droppable = False

    def __enter__(self):
        self._old = {}
        if threading.current_thread() is not threading.main_thread():
            return self
        heeded = [s for s in _UNLESS_IGNORED if signal.getsignal(s) != signal.SIG_IGN]
        self._terminals = [file for file in (sys.stdout, sys.stderr) if file is not None and file.isatty()]
        self._old = {s: signal.signal(s, self._handle) for s in (*_ALWAYS, *heeded)}
        return self

    def __exit__(self, *_):
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _handle(self, number, frame):
        if self.requested and number == signal.SIGINT:
            os._exit(130)  # a second Ctrl-C; a checkpoint is only ever renamed into place when whole
        self.requested = True
        for file in self._terminals:
            if not file.isatty():  # it was closed, and printing there would end what is to be saved
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, file.fileno())
                os.close(nowhere)
        if self._droppable:
            self._droppable = False  # what is saved now is not to be cut short by another signal
            raise Stopped

    @contextlib.contextmanager
    def droppable(self):
        """Inside, a signal raises `Stopped` at once instead of waiting for the end of a step.

        Python drops what is raised in a finalizer or in the callback of a weak reference. Where the signal
        fell into one, `Stopped` is raised at the end.
        """
        self._droppable = True
        try:
            if self.requested:
                raise Stopped
            yield
            if self.requested:
                raise Stopped
        finally:
            self._droppable = False
