"""Locks: one process a directory, on file systems with locks of their own and without."""

import errno
import os
import subprocess
import sys
import threading

import pytest

from jaxgpt.core import locks
from jaxgpt.data.tokenizing import tokenize
from jaxgpt.runs import run_directory as rundir

NONE = ["ENOSYS", "ENOLCK", "EOPNOTSUPP"]
OTHER = """
import filelock, sys
lock = filelock.MarkerSoftFileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def without_locks(monkeypatch, name="ENOSYS"):
    def flock(file, how):
        number = getattr(errno, name)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(locks.fcntl, "flock", flock)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds `tmp_path` by a file."""
    marker = tmp_path / locks.MARKER
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(marker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def entered(folder):
    with locks.held(folder) as note:
        return note


@pytest.mark.parametrize("name", NONE)
def test_without_locks_a_file_stands_for_one(tmp_path, monkeypatch, name):
    without_locks(monkeypatch, name)
    with locks.held(tmp_path) as note:
        assert "without locks" in note and str(tmp_path / locks.MARKER) in note
        with pytest.raises(locks.InUse) as error:
            entered(tmp_path)
        assert f"in use by process {os.getpid()}" in str(error.value) and "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_file_of_a_process_that_lives_keeps_others_out_until_it_is_dead(tmp_path, monkeypatch, holder):
    without_locks(monkeypatch)
    with pytest.raises(locks.InUse, match=rf"in use by process {holder.pid} on .*remove .*{locks.MARKER}"):
        entered(tmp_path)
    holder.kill()
    holder.wait()
    assert "without locks" in entered(tmp_path)


def test_a_file_of_another_host_is_never_taken_over(tmp_path, monkeypatch, holder):
    without_locks(monkeypatch)
    marker = tmp_path / locks.MARKER
    text = marker.read_text()
    holder.kill()
    holder.wait()
    own = next(line for line in text.splitlines() if line.startswith("host="))
    marker.write_text(text.replace(own, "host=elsewhere"))
    with pytest.raises(locks.InUse, match=rf"{holder.pid} on elsewhere.*if that process is gone, remove"):
        entered(tmp_path)


def test_one_is_told_that_there_are_locks_and_another_that_there_are_none(tmp_path, monkeypatch):
    """A server that runs out of locks says ENOLCK to one of two."""
    with locks.held(tmp_path), monkeypatch.context() as patch:
        without_locks(patch, "ENOLCK")
        with pytest.raises(locks.InUse, match=f"in use by process {os.getpid()}"):
            entered(tmp_path)
    with monkeypatch.context() as patch:
        without_locks(patch, "ENOLCK")
        with locks.held(tmp_path):
            patch.undo()
            with pytest.raises(locks.InUse, match=f"in use by process {os.getpid()}"):
                entered(tmp_path)
    assert entered(tmp_path) == ""


def test_an_error_that_is_no_other_process_is_told_as_it_is(tmp_path, monkeypatch):
    without_locks(monkeypatch, "EIO")
    with pytest.raises(ValueError, match=r"cannot be locked \(Input/output error\)") as error:
        entered(tmp_path)
    assert not isinstance(error.value, locks.InUse)


def test_a_lock_whose_file_was_removed_keeps_nobody_out(tmp_path, monkeypatch):
    """Between opening and locking, its holder leaves and removes the file."""
    removed, flock = [], locks.fcntl.flock

    def late(file, how):
        if not removed:
            removed.append(True)
            (tmp_path / locks.LOCK).unlink()
        flock(file, how)

    monkeypatch.setattr(locks.fcntl, "flock", late)
    with locks.held(tmp_path), pytest.raises(locks.InUse):
        entered(tmp_path)


def test_tokens_are_made_where_there_are_no_locks(tmp_path, monkeypatch):
    without_locks(monkeypatch)
    (tmp_path / "text").write_text("".join(f"line {i}\n" for i in range(50)))
    said = []
    tokenize([str(tmp_path / "text")], tmp_path / "out", documents="lines", held_out=0.1, say=said.append)
    assert "without locks" in said[0]
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("locked", [True, False])
def test_runs_that_begin_together_take_one_directory_each(tmp_path, monkeypatch, locked):
    if not locked:
        without_locks(monkeypatch)
    count, found, together = 6, [], threading.Barrier(6)

    def begin():
        together.wait()
        with rundir.held(rundir.FirstFree(tmp_path / "runs" / "addition")) as (directory, _):
            (directory.path / "experiment.json").write_text("{}")
            found.append(directory.path.name)
            together.wait()

    threads = [threading.Thread(target=begin) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["addition", *(f"addition-{number}" for number in range(2, count + 1))]


def test_a_run_that_never_began_leaves_no_directory(tmp_path):
    with rundir.held(rundir.FirstFree(tmp_path / "runs" / "addition")) as (directory, _):
        assert directory.path.is_dir()
    assert not directory.path.exists()
