"""Two processes of one device each train as one process does (jax.distributed over localhost)."""

import signal
import socket

import numpy as np
import pytest
from tiny_runs import arguments, finish, losses, records, run, start

FIELDS = {
    "training__save_every": 10,
    "training__eval_every": 10,
    "training__test_examples": 4,
    "training__mesh__data": 2,
}


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def start_both(*words):
    """The same command as process 0 and 1 of 2."""
    address = f"127.0.0.1:{free_port()}"
    variables = {
        "JAX_COORDINATOR_ADDRESS": address,
        "JAX_NUM_PROCESSES": "2",
        "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo",
    }
    return [
        start(*words, "--distributed", variables=variables | {"JAX_PROCESS_ID": str(index)})
        for index in (0, 1)
    ]


def finish_both(processes, seconds=180):
    """Their outputs; both must end well."""
    try:
        ended = [finish(process, seconds) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [status for status, _, _ in ended] == [0, 0], "\n".join(e[-3000:] for _, _, e in ended)
    return [output for _, output, _ in ended]


def comparable(workdir):
    """What both ways of training must agree on: the kinds of records, and their losses."""
    found = records(workdir)
    names = [(r["step"], sorted(r)) for r in found]
    values = [r.get("loss", r.get("validation_loss", 0.0)) for r in found]
    return names, np.asarray(values)


@pytest.mark.slow
def test_two_processes_are_one(tmp_path):
    alone, both = tmp_path / "alone", tmp_path / "both"
    status, _, errors = run("train", *arguments(alone, **FIELDS | {"training__mesh__data": 1}))
    assert status == 0, errors
    outputs = finish_both(start_both("train", *arguments(both, **FIELDS)))
    assert "in 2 processes" in outputs[0]
    assert [line for line in outputs[1].splitlines() if not line.startswith("[Gloo]")] == []
    ours, theirs = comparable(both), comparable(alone)
    assert ours[0] == theirs[0]
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5)
    for name in ("experiment.json", "tokenizer.json", "evaluation.json", "samples.txt"):
        assert (both / name).exists()
    # What they saved, one process reads and goes on with.
    words = ["--training.mesh.data", "1", "--training.steps", "22"]
    status, output, errors = run("train", "--resume", "--workdir", both, *words)
    assert status == 0, errors
    assert "going on from step 20" in output


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on(tmp_path):
    whole, both = tmp_path / "whole", tmp_path / "both"
    fields = FIELDS | {"training__steps": 400, "training__eval_every": 0, "training__test_examples": 0}
    assert run("train", *arguments(whole, **fields | {"training__mesh__data": 1}))[0] == 0
    processes = start_both("train", *arguments(both, **fields))
    for line in processes[0].stdout:
        if line.startswith("compiled in"):
            break
    while not (both / "metrics.jsonl").exists() or '"step": 30,' not in (both / "metrics.jsonl").read_text():
        assert processes[0].poll() is None, processes[0].communicate()
    for process in processes:
        process.send_signal(signal.SIGTERM)
    outputs = finish_both(processes)
    assert "stopped at step" in outputs[0]
    finish_both(start_both("train", "--resume", "--workdir", both))
    found, expected = losses(both), losses(whole)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), list(expected.values()), atol=1e-4)
