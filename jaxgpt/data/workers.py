"""Work spread over processes that end with the one that started them, however that ends.

The pools of the standard library leave their processes behind when the first one is killed; these hold one
end of a pipe each, and a pipe tells when its other end is gone.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection, get_context
from typing import Any

#: Called by the work with how much more of it is done.
Tell = Callable[[int], None]


def spread(
    work: Callable[[Any, Any, Tell], Any], given: Any, jobs: Iterable[Any], *, workers: int, tell: Tell
) -> Iterator[Any]:
    """The results of `work(given, job, tell)`, as they come.

    Args:
      work: a function of a module, which new processes import.
      given: the same in every call, sent once to each process.

    Raises:
      ValueError, OSError: of the work, with its message; an OSError, too, if a process ended.
    """
    jobs = iter(jobs)
    if workers == 1:
        for job in jobs:
            yield work(given, job, tell)
        return
    context = get_context("spawn")  # a copy of this process would have locks of threads that it has not
    busy: dict[connection.Connection, Any] = {}
    try:
        for _, job in zip(range(workers), jobs, strict=False):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, work, given), daemon=True)
            process.start()
            theirs.close()
            busy[ours] = process
            _send(ours, job)
        while busy:
            for pipe in connection.wait(list(busy)):
                kind, value = _received(pipe, busy[pipe])
                if kind == "told":
                    tell(value)
                    continue
                if kind == "failed":
                    raise value
                yield value
                more = next(jobs, None)
                if more is not None:
                    _send(pipe, more)
                    continue
                pipe.close()
                busy.pop(pipe).join()
    finally:
        for pipe, process in busy.items():
            pipe.close()
            process.terminate()
            process.join()


def _send(pipe: connection.Connection, job: Any) -> None:
    """Give a worker a job; that it has ended is told where its answer is awaited."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.send(job)


def _received(pipe: connection.Connection, process: Any) -> tuple[str, Any]:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):  # the second, if a job that was sent is not read
        process.join()
        raise OSError(
            f"a worker process ended with status {process.exitcode}, as one does that has too little memory; "
            "give the same command again, with fewer --workers"
        ) from None


def _serve(pipe: connection.Connection, work: Callable, given: Any) -> None:
    """What a worker process does until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it, too, and ends this one
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # every core has a process already
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            job = pipe.recv()
            try:
                result = work(given, job, lambda count: pipe.send(("told", count)))
            except (BrokenPipeError, ConnectionResetError):
                raise
            except (ValueError, OSError) as error:
                pipe.send(("failed", _plain(error)))
            else:
                pipe.send(("done", result))


def _plain(error: Exception) -> Exception:
    """An error that another process can make again from its message."""
    return (OSError if isinstance(error, OSError) else ValueError)(str(error))
