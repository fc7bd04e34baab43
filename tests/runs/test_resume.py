"""A run that was stopped goes on as if it had not been: signals, kills, and what is left behind."""

import contextlib
import json
import random
import shutil
import signal
import time

import pytest
from tiny_runs import TINY, arguments, copied, finish, losses, metrics, one_line, records, run, start, tiny

from jaxgpt import load as jaxgpt_load
from jaxgpt.runs import session
from jaxgpt.runs.session import train

#: Long enough to be stopped, with something to do at many steps.
FIELDS = {
    "training__steps": 400,
    "training__save_every": 20,
    "training__chunk": 4,
    "training__keep_best": 0,
}
#: What is recorded before the evaluation at step 20.
LOOKED_AT = '"step": 20, "seed": 0, "name": "validation_loss"'


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The losses of an uninterrupted run."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    train(tiny(**FIELDS), workdir, say=lambda line: None)
    found = losses(workdir)
    assert sorted(found) == list(range(1, 401))
    return found


def wait_for(path, process, seconds=90, text=""):
    """Until a file exists and holds `text`."""
    end = time.monotonic() + seconds
    while not (path.exists() and (path.is_dir() or text in path.read_text())):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


def resume(workdir, *more):
    """Go on to the end."""
    status, output, errors = run("train", "--resume", "--workdir", workdir, *more)
    assert status == 0, errors
    return output


@pytest.mark.thorough
def test_sigterm_in_training(tmp_path, whole):
    workdir = tmp_path / "run"
    process = start("train", *arguments(workdir, **FIELDS))
    wait_for(workdir / "metrics.jsonl", process, text='"step": 30,')
    process.send_signal(signal.SIGTERM)
    status, output, errors = finish(process, 60)
    assert status == 0, errors
    step = int(output.split("stopped at step ")[1].split(";")[0])
    assert 30 <= step < 400 and "--resume" in output
    assert sorted(losses(workdir)) == list(range(1, step + 1))
    assert (workdir / "checkpoints" / str(step)).is_dir()
    assert f"going on from step {step}" in resume(workdir)
    assert losses(workdir) == whole  # bit for bit, and each step once


@pytest.mark.thorough
@pytest.mark.parametrize("moment", ["compiling", "evaluating"])
def test_sigterm_elsewhere(tmp_path, moment, whole):
    workdir = tmp_path / "run"
    evaluation = {"training__eval_every": 20, "training__eval_examples": 5000}
    process = start(
        "train",
        *arguments(workdir, **FIELDS, **(evaluation if moment == "evaluating" else {})),
        variables={"JAX_ENABLE_COMPILATION_CACHE": "false", "PYTHONUNBUFFERED": "1"},
    )
    if moment == "compiling":
        while "prepared in" not in process.stdout.readline():
            pass
    else:
        wait_for(workdir / "metrics.jsonl", process, text=LOOKED_AT)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    status, output, errors = finish(process, 60)
    assert status == 0, errors
    assert time.monotonic() - began < 30
    if moment == "compiling":
        assert "stopped before training began" in output
        assert not (workdir / "experiment.json").exists()
        return
    assert "stopped at step 20" in output
    assert not any("validation_exact_match" in record for record in records(workdir))
    resume(workdir, "--training.eval-examples", "8", "--training.eval-every", "200")
    assert losses(workdir) == whole


@pytest.mark.thorough
def test_an_evaluation_that_was_left_out_is_made_up(tmp_path, jaxgpt):
    """Stopped between the checkpoint of a step and its evaluation: the record still comes, once."""
    workdir = tmp_path / "run"
    fields = {"training__save_every": 10, "training__eval_every": 10, "training__sample_every": 10}
    assert jaxgpt("train", *arguments(workdir, training__steps=30, **fields))[0] == 0
    before = metrics(workdir)
    lines = (workdir / "metrics.jsonl").read_text().splitlines(keepends=True)
    cut = next(i for i, r in enumerate(before) if r["step"] == 20 and r["name"] == "validation_exact_match")
    (workdir / "metrics.jsonl").write_text("".join(lines[:cut]))
    samples = (workdir / "samples.txt").read_text()
    (workdir / "samples.txt").write_text("".join(samples.splitlines(keepends=True)[:1]))
    shutil.rmtree(workdir / "checkpoints" / "30")
    status, output, errors = jaxgpt("train", "--resume", "--workdir", workdir)
    assert status == 0, errors
    assert "going on from step 20" in output

    def comparable(found):
        return [row for row in found if row["name"] not in ("seconds", "tokens_per_second")]

    assert comparable(metrics(workdir)) == comparable(before)
    assert (workdir / "samples.txt").read_text() == samples


def kill_and_resume(workdir, whole, kills, seed):
    """SIGKILL at random moments of a run, then go on to the end."""
    generator = random.Random(seed)
    words = arguments(workdir, **FIELDS)
    going = 0
    for _ in range(kills):
        begun = (workdir / "experiment.json").exists()
        process = start("train", *(["--resume", "--workdir", str(workdir)] if begun else words))
        if generator.random() < 0.7:  # often while training and saving, sometimes before
            later = workdir / "checkpoints" / str(going + 20 * generator.randrange(1, 6))
            with contextlib.suppress(AssertionError):  # it may end, or take its time
                wait_for(later, process, 4)
        time.sleep(generator.random() * 0.5)
        process.kill()
        process.communicate()
        saved = [int(p.name) for p in (workdir / "checkpoints").glob("*") if p.name.isdecimal()]
        assert max(saved, default=0) >= going, "a committed checkpoint vanished"
        going = max(saved, default=0)
    # What a kill between write and rename leaves behind is ignored, and cleaned.
    partial = workdir / "checkpoints" / "399.orbax-checkpoint-tmp"
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.mkdir(exist_ok=True)
    (partial / "half").write_bytes(b"\0" * 100)
    if (workdir / "experiment.json").exists():
        resume(workdir)
    else:
        assert run("train", *words)[0] == 0
    assert losses(workdir) == whole
    assert not list((workdir / "checkpoints").glob("*tmp*"))


def test_a_run_goes_on_from_its_newest_checkpoint(tmp_path):
    fields = {"training__steps": 4, "training__chunk": 2, "training__save_every": 2}
    train(tiny(**fields), tmp_path / "run", say=lambda line: None)
    said = []
    longer = tiny(**fields | {"training__steps": 5})
    train(longer, tmp_path / "run", resume=True, say=said.append)
    assert "going on from step 4" in said


def test_a_run_that_goes_on_is_not_finished_yet(tmp_path, monkeypatch):
    """What told of the old end is gone before anything else, and what was to be kept stays."""
    fields = {"training__steps": 4, "training__keep_spaced": 3, "training__keep_last": 1}
    fields |= {"training__keep_best": 0, "training__test_examples": 5}
    train(tiny(**fields), tmp_path / "run", say=lambda line: None)
    ends = [tmp_path / "run" / name for name in ("outcome.json", "evaluation.json", "accuracy_grid.png")]
    assert all(path.exists() for path in ends) and kept(tmp_path / "run") == [1, 2, 4]
    monkeypatch.setattr(session, "finish", lambda *given: None)  # as if it was killed before
    train(tiny(**fields | {"training__steps": 6}), tmp_path / "run", resume=True, say=lambda line: None)
    assert not any(path.exists() for path in ends)
    assert jaxgpt_load(tmp_path / "run").evaluation is None
    assert kept(tmp_path / "run") == [1, 2, 4, 6]


def test_what_was_to_be_kept_stays_however_often_a_run_goes_on(tmp_path):
    """Also where the first of the steps were recorded by a version that told the number of steps alone."""
    workdir = tmp_path / "run"
    fields = {"training__keep_spaced": 3, "training__keep_last": 1, "training__keep_best": 0}
    train(tiny(**fields, training__steps=4), workdir, say=lambda line: None)
    told = json.loads((workdir / "resolved.json").read_text())
    assert told.pop("kept_steps") == [1, 2, 4]
    (workdir / "resolved.json").write_text(json.dumps(told))
    for steps, expected in ((6, [1, 2, 4, 6]), (8, [1, 2, 4, 6, 8])):
        train(tiny(**fields, training__steps=steps), workdir, resume=True, say=lambda line: None)
        assert kept(workdir) == expected


def kept(workdir):
    """The steps of the checkpoints."""
    return sorted(int(path.name) for path in (workdir / "checkpoints").iterdir() if path.name.isdecimal())


@pytest.mark.thorough
def test_sigkill_many_times(tmp_path, whole):
    kill_and_resume(tmp_path / "run", whole, kills=8, seed=0)


@pytest.mark.thorough
def test_sigint_twice_leaves_at_once(tmp_path, whole):
    workdir = tmp_path / "run"
    fields = FIELDS | {"training__eval_every": 20, "training__eval_examples": 5000}
    process = start("train", *arguments(workdir, **fields))
    wait_for(workdir / "metrics.jsonl", process, text=LOOKED_AT)
    process.send_signal(signal.SIGINT)
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    status, _, errors = finish(process, 20)
    assert status in (0, 130), errors  # the first may have been faster
    assert "Traceback" not in errors
    resume(workdir, "--training.eval-every", "0")
    assert losses(workdir) == whole


@pytest.mark.thorough
def test_a_second_run_in_the_same_directory(tmp_path, jaxgpt):
    workdir = tmp_path / "run"
    process = start("train", *arguments(workdir, **FIELDS | {"training__steps": 100000}))
    try:
        wait_for(workdir / "metrics.jsonl", process, text='"step": 10,')
        status, _, errors = jaxgpt("train", *arguments(workdir))
        assert status == 2
        assert f"is in use by process {process.pid}" in one_line(errors)
        assert "is in use by process" in one_line(jaxgpt("train", "--resume", "--workdir", workdir)[2])
    finally:
        process.kill()
        process.communicate()
    assert (workdir / ".lock").exists()  # left behind, and no hindrance
    status, _, errors = jaxgpt("train", "--resume", "--workdir", workdir, "--training.steps", "20")
    assert status == 0 or "lies behind the checkpoint" in one_line(errors)


@pytest.mark.thorough
def test_one_command_begins_a_run_and_goes_on_with_it(tmp_path, jaxgpt, monkeypatch):
    """On a machine that may be taken away it is given again and again."""
    monkeypatch.chdir(tmp_path)
    words = ["train", *arguments("run", training__steps=3), "--resume"]
    status, output, errors = jaxgpt(*words)
    assert status == 0 and not errors and "run holds no run yet: it begins now" in output
    longer = ["train", *arguments("run", training__steps=4), "--resume"]
    status, output, _ = jaxgpt(*longer)
    assert status == 0 and "going on from step 3" in output and "no run yet" not in output
    unnamed = [word for word in words if word not in ("--workdir", "run")]
    assert "runs/addition holds no run yet" in jaxgpt(*unnamed)[1]
    assert "going on from step 3" in jaxgpt(*unnamed)[1]


def test_a_size_may_be_given_again_with_the_command_that_began_the_run(tmp_path, jaxgpt):
    given = {**TINY, "model": "1x16", "training.steps": "3", "training.chunk": "1"}
    left = ("model.num-layers", "model.d-model", "model.num-heads")
    words = [f"--{name}={text}" for name, text in given.items() if name not in left]
    command = ("train", "addition", "--workdir", tmp_path / "run", *words, "--resume")
    status, output, errors = jaxgpt(*command)
    assert status == 0 and "holds no run yet" in output, errors
    status, output, errors = jaxgpt(*command)
    assert status == 0 and "going on from step 3" in output, errors
    message = one_line(jaxgpt(*command, "--model.num-heads", "2")[2])
    assert "model.num_heads: 1 -> 2" in message


def test_a_run_of_another_experiment_is_not_gone_on_with(finished_run, tmp_path, jaxgpt):
    workdir = copied(finished_run, tmp_path / "run")
    again = ("--resume", "--workdir", workdir)
    assert "no experiment is called 'adition'; did you mean addition" in one_line(
        jaxgpt("train", "adition", *again)[2]
    )
    message = one_line(jaxgpt("train", "gcd", *again)[2])
    assert f"{workdir} holds a run of the task arithmetic, and gcd has the task gcd" in message
    # It may have begun as `gcd --task arithmetic`: then the fields tell.
    message = one_line(jaxgpt("train", "gcd", "--task", "arithmetic", *again)[2])
    assert "cannot go on with these: task.max_digits: 1 -> 10" in message
    for words in (("gcd", "--task", "arithmetic", "--task.max-digits", "1"), ("addition",)):
        status, output, errors = jaxgpt("train", *words, *again)
        assert status == 0 and "going on from step 20" in output, errors


@pytest.mark.thorough
def test_what_was_killed_before_its_first_file_was_whole_begins_again(tmp_path, jaxgpt):
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "metrics.jsonl").touch()
    (run / "tokenizer.json").write_text("{}")
    (run / ".experiment.json.7.tmp").write_text('{"task":')
    words = ["train", *arguments(run, training__steps=3), "--resume"]
    status, output, _ = jaxgpt(*words)
    assert status == 0 and "holds no run yet" in output
    (run / "experiment.json").unlink()
    assert "holds no run: there is no experiment.json" in one_line(jaxgpt(*words)[2])
    (run / "experiment.json").symlink_to("nowhere")
    assert "experiment.json" in one_line(jaxgpt(*words)[2])
