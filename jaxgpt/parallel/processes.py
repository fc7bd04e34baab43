"""Several processes of one run: how they join, agree, and end together.

JAX's own means are set here, and nowhere else. The processes meet at a coordinator, which lives in process 0:

- a process that does not find the others within `JOIN_SECONDS` ends;
- when one does not answer for `HEARTBEAT_SECONDS`, or process 0 is gone, JAX ends all others by SIGABRT with
  a page of its log. `jaxgpt --distributed` switches the log off (`TF_CPP_MIN_LOG_LEVEL`, unless the user has
  set it), and a handler here turns the signal into one line and status 2;
- a process that ends by itself leaves word with the coordinator first (`tell`), so that the others end at
  once and say why, instead of waiting for it in a transfer.
"""

import contextlib
import ctypes
import hashlib
import itertools
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
from jax._src import distributed  # the coordinator's client has no public name in JAX 0.10 to 0.12
from jax.errors import JaxRuntimeError

from jaxgpt.core import printing

#: Seconds until all processes must have come.
JOIN_SECONDS = 180
#: Seconds without a sign of life after which a process counts as gone. JAX takes up to 1.4 times as long.
HEARTBEAT_SECONDS = 30
#: Seconds that processes may be apart where they wait for each other; process 0 alone scores answers.
APART_SECONDS = 24 * 3600
#: Seconds a process has to end by itself after another has; it may come to the same error, or be saving.
GRACE_SECONDS = 10

#: What a failed transfer says of itself, in gloo and in NCCL.
_TRANSFERS = ("Gloo", "NCCL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "CANCELLED")
_AGAIN = "start all processes again, with --resume"
_WORD = "jaxgpt/word"

_rounds = itertools.count()


class _Process:
    """This process among the others; there is one of it, from `join` to `leave`."""

    def __init__(self):
        self.joined = False
        self.leaving = False
        self._once = threading.Lock()
        self._told = threading.Event()
        self._heard = threading.Event()
        self._word = ""
        self._status = 0
        self._patience = 2 * GRACE_SECONDS

    def join(self, seconds: int) -> None:
        """See `join`."""
        self._handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(self._aborted)
        _c_signal(signal.SIGABRT, ctypes.cast(self._handler, ctypes.c_void_p))
        self._seconds = seconds
        address, count, index = _variables()
        try:
            jax.distributed.initialize(
                coordinator_address=address,
                num_processes=count,
                process_id=index,
                initialization_timeout=seconds,
                heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
                shutdown_timeout_seconds=2 * HEARTBEAT_SECONDS,
            )
        except ValueError as error:
            raise ValueError(f"--distributed: {_missing()}") from error
        except JaxRuntimeError as error:
            raise ValueError(f"--distributed: {self._not_joined()} ({_first_line(error)})") from error
        except RuntimeError as error:  # of the scheduler's, or too late
            raise ValueError(f"--distributed: {_first_line(error)}") from error
        self.joined = True
        threading.Thread(target=self._listen, daemon=True).start()

    def _not_joined(self) -> str:
        state = distributed.global_state
        if state.process_id == 0:
            return (
                f"not all processes came to {state.coordinator_address} within {self._seconds} s; start all "
                "of them, with the same address and count, at a port that is free"
            )
        return (
            f"process 0 was not found at {state.coordinator_address} within {self._seconds} s; is it "
            "running there, and can this machine reach that port?"
        )

    def _aborted(self, number: int) -> None:
        """JAX gives up: another process is gone."""
        if self._told.is_set():  # this one has said why it ends, and waits for the others
            self._end(self._status, None)
        if not self.joined:
            self._end(2, f"--distributed: {self._not_joined()}")
        self._end(
            2,
            f"another process of this run is gone or cannot be reached; {_AGAIN} "
            "(TF_CPP_MIN_LOG_LEVEL=0 in the environment shows what JAX knows)",
        )

    def _listen(self) -> None:
        """Wait for word of another process, and end when it comes."""
        client = distributed.global_state.client
        while not self.leaving:
            try:
                word = client.blocking_key_value_get(_WORD, 3_600_000)
            except RuntimeError:  # after an hour, or since this process is about to end
                time.sleep(0.1)
                continue
            status, _, self._word = word.partition(" ")
            self._heard.set()
            # What ends all processes is told by each itself.
            if not self._told.wait(GRACE_SECONDS):
                self._meet("told", self._patience)
                self._end(int(status), self._word)
            return

    def tell(self, status: int, message: str) -> None:
        """Leave word for the others that this process ends; the first word stands."""
        self._status = status
        self._told.set()
        try:
            client = distributed.global_state.client
            client.key_value_set(_WORD, f"{status} process {_index()} ended: {message}")
        except RuntimeError:  # another was first, or there is no coordinator any more
            return

    def lost(self, message: str) -> str:
        """What to say of a failed transfer: why another process ended, if that becomes known."""
        if self._heard.wait(2):
            return self._word
        self._patience = 3
        return f"another process of this run is gone or cannot be reached ({message}); {_AGAIN}"

    def leave(self) -> None:
        """See `leave`."""
        if self._told.is_set():
            # Process 0 must not take the coordinator away while others still listen.
            self._meet("told", self._patience)
            self._end(self._status, None)
        if not self._meet("left", APART_SECONDS):
            self._end(2, self.lost("at the end"))
        self.leaving = True
        jax.distributed.shutdown()
        self.joined = False
        _c_signal(signal.SIGABRT, None)

    def _meet(self, name: str, seconds: float) -> bool:
        """Whether all processes come here in time."""
        try:
            distributed.global_state.client.wait_at_barrier(f"jaxgpt/{name}", int(1000 * seconds))
        except RuntimeError:
            return False
        return True

    def _end(self, status: int, message: str | None) -> None:
        """The end of this process, once, from whatever thread, without waiting for any other."""
        self._once.acquire()
        if message is not None:
            text = f"{'error' if status else 'stopped'}: {' '.join(message.splitlines())}\n"
            with contextlib.suppress(OSError):  # not sys.stderr, which another thread may hold
                os.write(2, text.encode(errors="backslashreplace"))
        printing.flush()
        os._exit(status)


_process = _Process()


def join(seconds: int = JOIN_SECONDS) -> None:
    """Join the other processes; to be called before JAX has devices.

    Where to find them is in the environment: `JAX_COORDINATOR_ADDRESS`, `JAX_NUM_PROCESSES` and
    `JAX_PROCESS_ID`, or what Slurm, Open MPI, Kubernetes or a TPU pod set.

    Raises:
      ValueError: if it is not, or if they do not come within `seconds`.
    """
    _process.join(seconds)


def joined() -> bool:
    """Whether this process has joined others and not left them."""
    return _process.joined


def options() -> tuple[str, ...]:
    """The options with which a command is again one of as many processes; none if it was alone."""
    return ("--distributed",) if jax.process_count() > 1 else ()


def tell(status: int, message: str) -> None:
    """Before this process ends by itself: the others end, too, with this status, and say why."""
    if _process.joined and _count() > 1:
        _process.tell(status, message)


def leave(status: int) -> int:
    """Wait for the others, and let go of them. After `tell` the process ends here.

    Returns:
      The status.
    """
    if _process.joined:
        _process.leave()
    return status


def lost(error: BaseException) -> str | None:
    """What to say of an error that comes of another process's end; None for any other."""
    if not _process.joined:
        return None
    cause: BaseException | None = error
    while cause is not None:  # Orbax, and our checkpoints, put errors of their own around it
        if isinstance(cause, RuntimeError) and any(word in str(cause) for word in _TRANSFERS):
            return _process.lost(_first_line(cause))
        cause = cause.__cause__ or cause.__context__
    return None


def gathered(text: str) -> list[str]:
    """The texts of all processes, in their order. All must come here, as often as the others."""
    if _count() == 1:
        return [text]
    client, name = distributed.global_state.client, f"jaxgpt/{next(_rounds)}"
    client.key_value_set(f"{name}/{_index()}", text)
    client.wait_at_barrier(name, 1000 * APART_SECONDS)
    found = client.key_value_dir_get(f"{name}/")
    return [value for _, value in sorted(found, key=lambda pair: int(pair[0].rsplit("/", 1)[1]))]


def by_first(work: Callable[[], None]) -> None:
    """Do something in process 0 alone, while the others wait.

    Raises:
      Exception: what `work` raised; in the other processes a ValueError with its message.
    """
    if jax.process_index() == 0:
        try:
            work()
        except Exception as error:
            gathered(_first_line(error))  # the others wait for word of it
            raise
    if word := gathered("")[0]:
        raise ValueError(f"process 0 ended: {word}")


def check_same(settings: Sequence[str]) -> None:
    """Compare what the processes were started with.

    Args:
      settings: `name=value` each.

    Raises:
      ValueError: in every process, if they differ, with the first process that does and where.
    """
    text = "\n".join(settings)
    digests = gathered(hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest())
    other = next((i for i, digest in enumerate(digests) if digest != digests[0]), None)
    if other is None:
        return
    texts = gathered(text)
    first, its = (set(texts[i].splitlines()) for i in (0, other))
    raise ValueError(
        f"the processes were started differently: process 0 with {', '.join(sorted(first - its))}, process "
        f"{other} with {', '.join(sorted(its - first))}; give all the same command"
    )


def check_shared(directory: Path, *, seconds: float = 10) -> None:
    """See that what the first process writes in a directory reaches the others within `seconds`.

    Raises:
      ValueError: in every process, if it does not reach all.
    """
    if _count() == 1:
        return
    token = gathered(secrets.token_hex(8))[0]
    file = directory / f".shared-{token}"
    if _index() == 0:
        file.write_text("")
    gathered("written")
    last = time.monotonic() + seconds
    while not (seen := file.exists()) and time.monotonic() < last:
        time.sleep(0.2)
    blind = [str(i) for i, text in enumerate(gathered("seen" if seen else "")) if not text]
    if _index() == 0:
        file.unlink()
    if blind:
        raise ValueError(
            f"--workdir {directory}: what process 0 writes there does not reach process {', '.join(blind)}; "
            "name a directory on a file system that all processes share"
        )


def _count() -> int:
    return distributed.global_state.num_processes  # jax.process_count() would start the devices


def _index() -> int:
    return distributed.global_state.process_id


def _variables() -> tuple[str | None, int | None, int | None]:
    """Address, count and number of this process, as far as the environment has them.

    Raises:
      ValueError: if one makes no sense.
    """
    address = os.environ.get("JAX_COORDINATOR_ADDRESS") or None
    if address is not None and not address.rpartition(":")[2].isdecimal():
        raise ValueError(f"JAX_COORDINATOR_ADDRESS={address} must be HOST:PORT")
    numbers = []
    for name in ("JAX_NUM_PROCESSES", "JAX_PROCESS_ID"):
        given = os.environ.get(name) or None
        if given is not None and not given.isdecimal():
            raise ValueError(f"{name}={given} must be a number")
        numbers.append(None if given is None else int(given))
    count, index = numbers
    if count is not None and index is not None and index >= count:
        raise ValueError(f"JAX_PROCESS_ID={index} must be below JAX_NUM_PROCESSES={count}")
    return address, count, index


def _missing() -> str:
    names = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
    missing = [name for name in names if not os.environ.get(name)]
    return (
        f"{' and '.join(missing) or 'something'} not set, and no Slurm, Open MPI, Kubernetes or TPU pod "
        "was found to tell; docs/scale.md has examples"
    )


def _first_line(error: BaseException) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if len(text) <= 200 else text[:197] + "..."


def _c_signal(number: int, handler) -> None:
    """Set a handler that runs at once in the thread that is hit; Python's would never run after SIGABRT."""
    library = ctypes.CDLL(None)
    library.signal.argtypes, library.signal.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    library.signal(number, handler)
