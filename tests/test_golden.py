"""The golden figures: losses, answers and shapes that a change of structure leaves as they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: A decoder, an encoder with labels, numbers as one token; `python -m tests.golden` compares all rows.
ROWS = ("addition", "labels", "numbers")


@pytest.mark.thorough
def test_the_golden_figures_are_as_recorded():
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JAX")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.golden", *ROWS],
        cwd=Path(__file__).resolve().parents[1],
        env=variables,
        capture_output=True,
        text=True,
    )
    if done.stdout.startswith("skipped: "):
        pytest.skip(done.stdout.strip())
    if done.stdout.startswith("recorded on ") and done.returncode == 1:
        pytest.skip(done.stdout.splitlines()[0])
    assert done.returncode == 0, done.stdout + done.stderr
