"""Sides of a comparison, each in a process of its own, timed in turns.

A side is this command with `--side NAME`: it prepares itself, prints one JSON line (what it is, how long it
took to compile), and then does a round for each line it is sent, printing the seconds that the round took.
So no side's settings, threads or memory touch another's, and a machine that drifts slows all of them.
"""

import argparse
import dataclasses
import datetime
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("jaxgpt", "jax", "jaxlib", "flax", "optax", "torch", "transformers")


@dataclasses.dataclass(frozen=True)
class Side:
    """What one side measured.

    Attributes:
      name: what it was asked for by.
      facts: what it said of itself before the first round.
      seconds: of each round.
      error: why it could not run, in one line.
    """

    name: str
    facts: dict[str, Any]
    seconds: tuple[float, ...]
    error: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """The distance of the quartiles, as a share of the median; 0 of a single round."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / self.median

    def over(self, peer: "Side") -> float:
        """How many times as fast as a peer: the median of the rounds' ratios."""
        return statistics.median(p / s for p, s in zip(peer.seconds, self.seconds, strict=True))


def alternate(
    script: str,
    names: Sequence[str],
    *,
    rounds: int,
    arguments: Sequence[str] = (),
    timeout: float = 1800,
    together: bool = False,
) -> dict[str, Side]:
    """Each side in turn, `rounds` times, after one round that is not counted.

    Args:
      script: the file that is run with `--side NAME`.
      arguments: of all sides.
      timeout: seconds that a side has to get ready, and for a round; then it is ended.
      together: whether all get ready at once, which makes their compile times worthless.
    """
    running: dict[str, subprocess.Popen] = {}
    facts, errors = {}, {}
    times: dict[str, list[float]] = {name: [] for name in names}
    # Sides share a GPU's memory, so none may take most of it beforehand.
    environment = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"} | os.environ

    def start(name):
        command = [sys.executable, script, "--side", name, *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        running[name] = subprocess.Popen(command, text=True, env=environment, **pipes)

    try:
        for name in names if together else ():
            start(name)
        for name in names:
            if name not in running:
                start(name)
            facts[name] = _answer(running[name], timeout)
            if error := facts[name].get("error"):
                errors[name] = error
                print(f"{name}: {error}", file=sys.stderr, flush=True)
        ready = [name for name in names if name not in errors]
        for index in range(rounds + 1):
            for name in ready:
                running[name].stdin.write("round\n")
                running[name].stdin.flush()
                answer = _answer(running[name], timeout)
                if "error" in answer:
                    raise RuntimeError(f"{name}: {answer['error']}")
                if index:  # the first round warms up
                    times[name].append(answer["seconds"])
        for name in ready:
            running[name].stdin.close()
            facts[name] |= _answer(running[name], timeout)
    finally:
        for process in running.values():
            _end(process)
    return {
        name: Side(name, {}, (), errors[name])
        if name in errors
        else Side(name, facts[name], tuple(times[name]))
        for name in names
    }


def options(doc: str, *, rounds: int) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds of each side; medians are quoted")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    parser.add_argument("--add", action="store_true", help="keep what was found earlier today")
    parser.add_argument("--together", action="store_true", help="prepare all sides at once")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    return parser


def serve(prepare: Callable[[], tuple]) -> None:
    """Be a side: `prepare` gives facts and the function of one round, which ends when its work has.

    A third thing it may give is a function of what is known in the end.
    """
    real, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    try:
        facts, work, *more = prepare()
    except Exception as error:  # noqa: BLE001  a peer that is not there, or not for this machine
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(json.dumps({"error": words[:300]}), file=real, flush=True)
        return
    print(json.dumps(facts), file=real, flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        work()
        print(json.dumps({"seconds": time.perf_counter() - began}), file=real, flush=True)
    last = {"peak_mib": peak_mib(), "device_mib": device_mib()}
    for known in more:
        last |= known()
    print(json.dumps(last), file=real, flush=True)


def _answer(process: subprocess.Popen, timeout: float) -> dict[str, Any]:
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    return json.loads(line) if line else {"error": f"ended with status {process.wait()}"}


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        stream.close()


def peak_mib() -> float:
    """The most memory that this process has held."""
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)


def device_mib() -> float | None:
    """The most memory of an accelerator that this process has used."""
    if "jax" in sys.modules:
        stats = sys.modules["jax"].devices()[0].memory_stats()
        return stats["peak_bytes_in_use"] / 2**20 if stats else None
    torch = sys.modules.get("torch")
    return torch.cuda.max_memory_allocated() / 2**20 if torch and torch.cuda.is_available() else None


def hardware() -> dict[str, Any]:
    """What the figures were measured on."""
    from jaxgpt.runs.machine import machine

    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {name: value for name, value in machine().items() if name not in _PACKAGES} | {
        "system": platform.platform(),
        "versions": versions,
    }


def write(name: str, rows: Sequence[dict[str, Any]], *, add: bool = False) -> Path:
    """Keep rows beside this file: one JSON of each benchmark, kind of device and day.

    The newest of a day replaces it, or with `add` goes behind it.
    """
    FOLDER.mkdir(exist_ok=True)
    command = shlex.join(["python", f"benchmarks/{name}.py", *sys.argv[1:]])
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = hardware()
    kind = re.sub(r"[^a-z0-9]+", "-", machine["device"].partition(" x ")[2].lower())
    path = FOLDER / f"{name}-{kind}-{today}.json"
    if add and path.exists():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        command, rows = f"{earlier['command']} && {command}", [*earlier["rows"], *rows]
    data = {"benchmark": name, "date": today, "commit": commit(), "command": command, "machine": machine}
    path.write_text(json.dumps(data | {"rows": list(rows)}, indent=1) + "\n", encoding="utf-8")
    return path


def commit() -> str:
    """The commit that is measured, where git tells."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()
