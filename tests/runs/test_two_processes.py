"""Two processes of one device each train as one process does (jax.distributed over localhost)."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_runs import REPOSITORY, arguments, finish, losses, one_line, records, start, tiny
from two_process_runs import RUNS

from jaxgpt.parallel import processes
from jaxgpt.runs.session import train

#: A process that is killed ends the other within these seconds.
KILLED_SECONDS = 60


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def variables(count=2) -> list[dict[str, str]]:
    """The environment of each of some processes that are to meet."""
    shared = {
        "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{free_port()}",
        "JAX_NUM_PROCESSES": str(count),
        "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo",
        # Of two processes only one can use what is kept of compiled programs.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    return [shared | {"JAX_PROCESS_ID": str(index)} for index in range(count)]


def start_script(code, *words, variables):
    """A Python program, given as its file or its text, with its output in pipes."""
    path = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "tests")))
    program = [str(code)] if isinstance(code, Path) else ["-c", code]
    return subprocess.Popen(
        [sys.executable, *program, *map(str, words)],
        env=os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": path} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_both(*words):
    """The same command as process 0 and 1 of 2."""
    return [start(*words, "--distributed", variables=own) for own in variables()]


@contextlib.contextmanager
def ending(started):
    """Nothing that was started outlives the test."""
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def finish_both(started, seconds=400):
    """Outputs of processes that must end well."""
    with ending(started):
        ended = [finish(process, seconds) for process in started]
    assert [status for status, _, _ in ended] == [0, 0], "\n".join(e[-3000:] for _, _, e in ended)
    return [output for _, output, _ in ended]


def without_gloo(text):
    """What we print; gloo says on standard output that it is there."""
    return [line for line in text.splitlines() if not line.startswith("[Gloo]")]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The folder of `two_process_runs.py`, and what each process saw."""
    folder = tmp_path_factory.mktemp("both")
    script = Path(__file__).with_name("two_process_runs.py")
    outputs = finish_both([start_script(script, folder, variables=own) for own in variables()])
    return folder, [json.loads(without_gloo(output)[-1]) for output in outputs]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder of the same runs by one process."""
    folder = tmp_path_factory.mktemp("alone")
    one = {"training__mesh__data": 1, "training__mesh__seeds": 1, "training__on_device_mib": 1024}
    for name in ("host", "seeds"):
        train(tiny(**RUNS[name] | one), folder / name, say=lambda line: None)
    return folder


def comparable(workdir):
    """What both ways of training must agree on: the kinds of records, and their losses."""
    found = records(workdir)
    names = [(r["step"], sorted(r)) for r in found]
    values = [r[name] for r in found for name in ("loss", "validation_loss") if name in r]
    return names, np.concatenate([np.ravel(v) for v in values])


@pytest.mark.thorough
def test_four_steps_of_two_processes_are_those_of_one(tmp_path):
    """What every change is tried with; the runs of `both` are longer and hold more."""
    fields = {"training__steps": 4, "training__chunk": 2}
    outputs = finish_both(
        start_both("train", *arguments(tmp_path / "both", **fields, training__mesh__data=2))
    )
    assert "in 2 processes" in outputs[0] and without_gloo(outputs[1]) == []
    train(tiny(**fields, training__mesh__data=1), tmp_path / "alone", say=lambda line: None)
    found, expected = losses(tmp_path / "both"), losses(tmp_path / "alone")
    assert sorted(found) == sorted(expected) == [1, 2, 3, 4]
    np.testing.assert_allclose(list(found.values()), list(expected.values()), atol=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("run", ["host", "seeds"])
def test_losses_of_two_processes_equal_those_of_one(both, alone, run):
    ours, theirs = comparable(both[0] / run), comparable(alone / run)
    assert ours[0] == theirs[0]
    assert len(ours[1]) >= 20
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5)


@pytest.mark.thorough
def test_one_process_writes_and_speaks_and_the_other_does_not(both):
    folder, (first, second) = both
    assert any("in 2 processes" in line for line in first["said"]["host"])
    assert {str(folder / "host" / "metrics.jsonl")} <= set(first["wrote"])
    assert second["wrote"] == [] and not any(second["said"].values())


@pytest.mark.thorough
def test_evaluation_and_samples_of_two_processes_are_those_of_one(both, alone):
    for name in ("samples.txt", "tokenizer.json"):
        ours, theirs = ((folder / "seeds" / name).read_text() for folder in (both[0], alone))
        assert ours == theirs
    ours, theirs = (json.loads((f / "seeds" / "evaluation.json").read_text()) for f in (both[0], alone))
    assert len(ours["per_seed"]) == 4
    assert (ours["per_seed"], ours["n"]) == (theirs["per_seed"], theirs["n"])


@pytest.mark.thorough
def test_what_does_not_fit_is_refused_by_both_processes(both):
    folder, seen = both
    for answer in seen:
        refused = answer["refused"]
        assert sorted(refused) == ["apart", "batch", "different", "mesh", "taken"]
        assert "already holds a run" in refused["taken"]
        assert "data=3" in refused["mesh"] and "does not fit 2 devices" in refused["mesh"]
        assert "training.accumulation = 7 is not divisible by mesh data x fsdp = 2" in refused["batch"]
        assert "process 0 with training.steps=20, process 1 with training.steps=21" in refused["different"]
        assert f"{folder}/apart-" in refused["apart"]
        assert "does not reach process 1; name a directory on a file system" in refused["apart"]
    # None of these left a directory behind.
    assert sorted(path.name for path in folder.iterdir()) == sorted(RUNS)


def wait_for_step(workdir, step, started):
    """Until a record of a step is there."""
    metrics, last = workdir / "metrics.jsonl", time.monotonic() + 120
    while not metrics.exists() or f'"step": {step},' not in metrics.read_text():
        assert all(process.poll() is None for process in started), [p.communicate() for p in started]
        assert time.monotonic() < last, "no such step"
        time.sleep(0.05)


def checked_end(process, seconds):
    """The one line of an error with which a process must end."""
    status, _, errors = finish(process, seconds)
    assert status == 2, errors
    assert len(errors.splitlines()) == 1, errors
    return one_line(errors)


@pytest.mark.thorough
def test_one_of_two_processes_is_killed_and_both_resume(tmp_path):
    steps = {"training__steps": 200, "training__save_every": 10, "training__log_every": 1}
    whole, both = tmp_path / "whole", tmp_path / "both"
    train(tiny(**steps, training__mesh__data=1), whole, say=lambda line: None)
    with ending(start_both("train", *arguments(both, **steps, training__mesh__data=2))) as started:
        wait_for_step(both, 30, started)
        started[1].kill()
        message = checked_end(started[0], KILLED_SECONDS)
    assert "another process of this run is gone" in message and "--resume" in message
    # Both resume, and a signal to one alone stops both.
    started = start_both("train", "--resume", "--workdir", both)
    with ending(started):
        wait_for_step(both, 60, started)
        started[1].send_signal(signal.SIGTERM)
        outputs = finish_both(started)
    stopped = re.search(r"stopped at step (\d+);", outputs[0])
    assert stopped and 60 <= int(stopped[1]) < 200 and without_gloo(outputs[1]) == []
    experiment = tiny(**steps, training__mesh__data=1)
    train(experiment, both, resume=True, say=(said := []).append)
    assert f"going on from step {stopped[1]}" in said
    found, expected = losses(both), losses(whole)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), list(expected.values()), atol=1e-4)


JOIN = "from jaxgpt.parallel import processes; processes.join(3)"
#: One process ends in the way that is put in, the other waits for whatever comes.
END = """
import os, signal, sys, time
from jaxgpt.parallel import processes
processes.join(60)
assert processes.gathered(os.environ["JAX_PROCESS_ID"]) == ["0", "1"]
if os.environ["JAX_PROCESS_ID"] != sys.argv[1]:
    time.sleep(90)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
processes.tell(2, "the disk is full")
processes.leave(2)
"""
#: The first process does what cannot be done, and all go on.
FIRST = """
from jaxgpt.parallel import processes
def work():
    raise OSError("the disk is full")
processes.join(60)
try:
    processes.by_first(work)
except (OSError, ValueError) as error:
    print(type(error).__name__, error)
processes.by_first(lambda: print("once"))
processes.leave(0)
"""
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "4"}  # as `jaxgpt --distributed` sets it


@pytest.mark.thorough
def test_what_the_first_process_cannot_do_the_others_hear():
    with ending([start_script(FIRST, variables=own | QUIET) for own in variables()]) as started:
        said = [process.communicate(timeout=KILLED_SECONDS)[0].splitlines() for process in started]
    assert said == [["OSError the disk is full", "once"], ["ValueError process 0 ended: the disk is full"]]


@pytest.mark.parametrize(
    ("index", "how", "message"),
    [
        (0, "killed", "another process of this run is gone or cannot be reached"),
        pytest.param(1, "fails", "process 1 ended: the disk is full", marks=pytest.mark.thorough),
    ],
)
def test_when_one_of_two_processes_ends_the_other_does(index, how, message):
    with ending([start_script(END, index, how, variables=own | QUIET) for own in variables()]) as started:
        assert message in checked_end(started[1 - index], KILLED_SECONDS)


@pytest.mark.thorough
def test_a_process_that_finds_no_other_ends_in_one_line():
    lonely = [variables()[0] | QUIET, variables()[1] | QUIET]
    with ending([start_script(JOIN, variables=own) for own in lonely]) as started:
        first, second = (checked_end(process, 60) for process in started)
    address = lonely[0]["JAX_COORDINATOR_ADDRESS"]
    assert f"not all processes came to {address} within 3 s" in first
    address = lonely[1]["JAX_COORDINATOR_ADDRESS"]
    assert f"process 0 was not found at {address} within 3 s" in second


@pytest.mark.thorough
def test_a_process_that_is_told_too_little_ends_in_one_line(tmp_path):
    given = {"JAX_COORDINATOR_ADDRESS": "127.0.0.1:1", "JAX_NUM_PROCESSES": "2"}
    process = start("train", *arguments(tmp_path / "run"), "--distributed", variables=given)
    assert "--distributed: JAX_PROCESS_ID not set" in checked_end(process, 60)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("somewhere", "2", "0"), "JAX_COORDINATOR_ADDRESS=somewhere must be HOST:PORT"),
        (("host:1", "two", "0"), "JAX_NUM_PROCESSES=two must be a number"),
        (("host:1", "2", "2"), "JAX_PROCESS_ID=2 must be below JAX_NUM_PROCESSES=2"),
    ],
)
def test_variables_that_make_no_sense(monkeypatch, values, message):
    names = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
    for name, value in zip(names, values, strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message):
        processes.join()


@pytest.mark.thorough
def test_one_of_two_processes_hangs_and_the_other_ends(tmp_path):
    words = arguments(tmp_path / "run", training__steps=100000, training__mesh__data=2)
    with ending(start_both("train", *words)) as started:
        wait_for_step(tmp_path / "run", 30, started)
        started[1].send_signal(signal.SIGSTOP)
        assert "another process of this run is gone" in checked_end(started[0], KILLED_SECONDS)
