"""How long things take to begin: `python benchmarks/startup.py`.

`import jaxgpt`, `train.py --help`, and the default experiment up to its first step, with and without what
`jaxgpt.core.settings` sets, in turns, each in a process of its own. The compilation cache is filled before.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from alternate import write

ROOT = Path(__file__).parent.parent
_STEP = [sys.executable, "train.py", "--training.steps", "1", "--training.test-examples", "0"]
COMMANDS = {
    "import jax": [sys.executable, "-c", "import jax"],
    "import jaxgpt": [sys.executable, "-c", "import jaxgpt"],
    "import jaxgpt and its model": [sys.executable, "-c", "import jaxgpt; jaxgpt.Transformer"],
    "train.py --help": [sys.executable, "train.py", "--help"],
    "train.py --list": [sys.executable, "train.py", "--list"],
    "first step, settings off": _STEP,
    "first step, settings on": _STEP,
}


def main():
    """Print the figures and keep them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; medians are quoted")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    given = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for index in range(given.rounds + 1):
            for name, command in COMMANDS.items():
                environment = os.environ | {"XDG_CACHE_HOME": folder, "JAXGPT_SETTINGS": name.split()[-1]}
                if environment["JAXGPT_SETTINGS"] not in ("on", "off"):
                    environment["JAXGPT_SETTINGS"] = "on"
                more = ["--workdir", f"{folder}/{index}-{name}"] if command is _STEP else []
                began = time.perf_counter()
                subprocess.run([*command, *more], check=True, cwd=ROOT, env=environment, capture_output=True)
                if index:  # the first fills the cache
                    times[name].append(time.perf_counter() - began)
    rows = []
    for name, seconds in times.items():
        median = statistics.median(seconds)
        rows.append({"what": name, "seconds": median, "least": min(seconds), "most": max(seconds)})
        print(f"{name:<30}{median:>7.2f} s   ({min(seconds):.2f} to {max(seconds):.2f})")
    if not given.no_write:
        print(f"written: {write('startup', rows)}")


if __name__ == "__main__":
    main()
