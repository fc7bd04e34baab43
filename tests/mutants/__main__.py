"""Plant faults, one at a time, and say which test of the default suite catches each.

    python -m tests.mutants                      all of them, which takes an hour or more
    python -m tests.mutants --list               what there is
    python -m tests.mutants --only causal-mask   one, or several names

The working tree is left alone: faults are planted in a copy of it. First the tests that the faults name must
pass without a fault. Then each fault's own tests run until the first failure, one fault on each core.
"""

import argparse
import concurrent.futures
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .fault import Fault, faults

ROOT = Path(__file__).resolve().parents[2]
_ANYWHERE = shutil.ignore_patterns(".git", "__pycache__", "*.egg-info", ".*_cache", ".venv")
#: Seconds that the tests of one fault may take; a fault may also lead to an endless loop.
LIMIT = 300


def left_out(folder: str, names: list[str]) -> set[str]:
    """What is not copied: caches, and the runs that lie in the tree."""
    return set(_ANYWHERE(folder, names)) | ({"runs"} if Path(folder) == ROOT else set())


def run_tests(
    copy: Path, tests: Sequence[str], *options: str, limit: float | None = LIMIT
) -> tuple[int, str]:
    """Status and output of pytest in the copy; status -1 after `limit` seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests, *options],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit)
    except BaseException as error:  # what the tests started ends with them
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return -1, ""
    return process.returncode, output


def plant(copy: Path, file: str, text: str) -> None:
    """Write a file of the copy; Python must not take its old bytecode for it."""
    path = copy / file
    path.write_text(text, encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def outcome(fault: Fault, copy: Path) -> tuple[bool, str]:
    """Whether a fault is caught, and by which test."""
    planted, clean = fault.planted(copy), (copy / fault.file).read_text(encoding="utf-8")
    plant(copy, fault.file, planted)
    try:
        status, output = run_tests(copy, fault.tests, "-n0", "-x")
    finally:
        plant(copy, fault.file, clean)
    if status == 0:
        return False, "NOT CAUGHT"
    if status == -1:
        return True, f"no end after {LIMIT} s"
    found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.MULTILINE)
    if not found:
        return False, f"pytest ended with status {status}: {output.strip().splitlines()[-1:]}"
    return True, found.group(1)


def told(fault: Fault, copies: queue.SimpleQueue) -> bool:
    """Whether a fault is caught in one of several copies, after saying so."""
    copy, began = copies.get(), time.perf_counter()
    try:
        caught, by = outcome(fault, copy)
    finally:
        copies.put(copy)
    print(f"{fault.name:<34} {time.perf_counter() - began:5.0f} s   {by}", flush=True)
    return caught


def main(words: list[str] | None = None) -> int:
    """What `python -m tests.mutants` does; 1 if a fault is not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="show the faults and leave")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these faults alone")
    given = parser.parse_args(words)
    chosen = faults()
    if given.only:
        known = {fault.name: fault for fault in chosen}
        if unknown := [name for name in given.only if name not in known]:
            parser.error(f"{unknown[0]}: no such fault; --list shows them")
        chosen = [known[name] for name in given.only]
    if given.list:
        for fault in chosen:
            print(f"{fault.name:<34} {fault.file:<44} {fault.breaks}")
        return 0
    with tempfile.TemporaryDirectory(prefix="jaxgpt-mutants-") as name:
        copy = Path(name) / "copy"
        shutil.copytree(ROOT, copy, ignore=left_out)
        for fault in chosen:
            fault.planted(copy)  # all old texts are there, before anything takes time
        named = sorted({test for fault in chosen for test in fault.tests})
        status, output = run_tests(copy, named, limit=None)
        if status != 0:
            print(output)
            print("these tests fail without a fault; mend them first")
            return 1
        copies = queue.SimpleQueue()
        for number in range(os.cpu_count() or 1):
            copies.put(shutil.copytree(copy, Path(name) / str(number)))
        with concurrent.futures.ThreadPoolExecutor(copies.qsize()) as pool:
            missed = sum(pool.map(lambda fault: not told(fault, copies), chosen))
    print(f"{len(chosen) - missed} of {len(chosen)} faults are caught")
    return int(missed > 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(f"error: {error}")
