"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

import contextlib
import time
from collections.abc import Callable

from jaxgpt.core import printing

#: Seconds between plain lines.
INTERVAL = 10.0


class Progress:
    """Steps, loss, speed and time left.

    Args:
      total: steps of the whole run; start: steps done before.
      tokens: that a step reads.
      say: prints a line where there is no terminal.
      spent: seconds that the steps before took.
    """

    def __init__(
        self, total: int, *, start: int, tokens: int, say: Callable[[str], None], spent: float = 0.0
    ):
        self._total, self._start, self._tokens, self._say = total, start, tokens, say
        self._spent = spent
        self._began = self._spoke = time.perf_counter()
        self._step = start
        self._bar = None
        if printing.is_terminal():
            from tqdm import tqdm

            self._bar = tqdm(total=total, initial=start, unit="step", dynamic_ncols=True, leave=True)

    @property
    def seconds(self) -> float:
        """Spent on steps, those before this process among them."""
        return self._spent + self._here

    @property
    def _here(self) -> float:
        """Spent on the steps of this process."""
        return time.perf_counter() - self._began

    @contextlib.contextmanager
    def paused(self):
        """Inside, no time counts: evaluations and samples are not training."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._began += time.perf_counter() - began

    @property
    def tokens_per_second(self) -> float:
        """Over this process's steps so far, padding included."""
        return (self._step - self._start) * self._tokens / max(self._here, 1e-9)

    def advance(self, step: int, loss: float, skipped: int = 0) -> None:
        """Note that `step` steps are done, and how many updates were skipped by then."""
        done, self._step = step - self._step, step
        speed = _short(self.tokens_per_second)
        skips = f"{skipped} skipped" if skipped else ""
        if self._bar is not None:
            shown = [f"loss {loss:.4f}", *([skips] if skips else []), f"{speed} tokens/s"]
            self._bar.set_postfix_str(", ".join(shown), refresh=False)
            self._bar.update(done)
            return
        now = time.perf_counter()
        if now - self._spoke >= INTERVAL or step >= self._total:
            self._spoke = now
            rate = (step - self._start) / max(self._here, 1e-9)
            left = (self._total - step) / max(rate, 1e-9)
            done = f"step {step}/{self._total}  loss {loss:.4f}" + (skips and f"  {skips}")
            self._say(f"{done}  {speed} tokens/s  {clock(left)} left")

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


class Counter:
    """Progress of a count, such as questions answered; called as `counter(done, total)`."""

    def __init__(self, label: str, say: Callable[[str], None]):
        self._label, self._say = label, say
        self._spoke = time.perf_counter()

    def __call__(self, done: int, total: int) -> None:
        if printing.is_terminal():
            end = "\n" if done >= total else ""
            printing.complain(f"\r{self._label}: {done}/{total}{end}")
        elif time.perf_counter() - self._spoke >= INTERVAL:
            self._spoke = time.perf_counter()
            self._say(f"{self._label}: {done}/{total}")


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _short(number: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return f"{number:.0f}"
