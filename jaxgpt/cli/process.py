"""What a command does with its process: the devices it starts, the lines it prints, and its end."""

import os
import sys
from typing import NoReturn

from jaxgpt.core import printing
from jaxgpt.core.usage import UsageError


def start_jax(distributed: bool, *, quiet: bool = False) -> None:
    """Join the other processes, and say on standard error which accelerator was found."""
    if distributed:
        from jaxgpt.parallel import processes

        processes.join()
    from jaxgpt.runs.opening import devices

    try:
        found = devices()
    except (RuntimeError, AssertionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UsageError(
            f"JAX cannot start a device ({reason}); unset JAX_PLATFORMS, or install the extra for your "
            "accelerator"
        ) from error
    if not quiet:
        printing.complain(f"device: {found}\n")


def say(line: str) -> None:
    """Print a line; of several processes the first alone speaks."""
    import jax

    if jax.process_index() == 0:
        printing.say(line)


def answer(line: str) -> None:
    """Print a line of what was asked for; where nobody reads it any more, the command ends."""
    import jax

    if jax.process_index() == 0:
        print(line, flush=True)


def left(status: int, message: str | None = None) -> int:
    """The status, when the other processes, if there are any, know of this one's end and why."""
    if processes := sys.modules.get("jaxgpt.parallel.processes"):
        if message is not None:
            processes.tell(status, message)
        processes.leave(status)
    return status


def leave_at_once() -> NoReturn:
    """End now: a compilation may still run in its thread, and waiting would outlast a grace period."""
    left(0)
    printing.flush()
    os._exit(0)
