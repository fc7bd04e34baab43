"""The planted faults fit the code as it is; `python -m tests.mutants` says which test catches each."""

import ast
import collections
import subprocess
import sys
from pathlib import Path

import pytest
from mutants.fault import Fault, faults

ROOT = Path(__file__).resolve().parents[1]
FAULTS = faults()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted(fault):
    changed = fault.planted(ROOT)  # or an error that says which text is no longer there
    assert changed != (ROOT / fault.file).read_text(encoding="utf-8")
    ast.parse(changed)
    assert fault.breaks
    for test in fault.tests:
        assert (ROOT / test.partition("::")[0]).is_file(), f"{test}: no such test, for {fault.name}"


def file_of(test):
    return test.partition("::")[0]


def test_every_fault_names_a_test_of_the_default_suite(request):
    files = sorted({file_of(test) for fault in FAULTS for test in fault.tests})
    found = [item.nodeid for item in request.session.items]
    # Where only a part of the suite was asked for, they are collected now.
    if not set(files) <= set(map(file_of, found)):
        words = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", "--collect-only", *files]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        found = done.stdout.splitlines()

    def ran(test):
        return any(name == test or name.startswith((f"{test}::", f"{test}[")) for name in found)

    assert not [fault.name for fault in FAULTS if fault.tests and not any(map(ran, fault.tests))]


def test_names_are_unique_and_all_parts_have_faults():
    counts = collections.Counter(fault.name for fault in FAULTS)
    assert max(counts.values()) == 1, counts.most_common(1)
    assert len(FAULTS) >= 60


@pytest.mark.parametrize(("old", "count"), [("nothing of this kind", 0), ("import", 2)])
def test_a_text_that_does_not_occur_once_is_named(old, count, tmp_path):
    (tmp_path / "module.py").write_text("import a\nimport b\n")
    fault = Fault("some-fault", "module.py", old, "", "nothing")
    with pytest.raises(
        ValueError, match=rf"module\.py: the old text of the fault some-fault occurs {count} "
    ):
        fault.planted(tmp_path)
