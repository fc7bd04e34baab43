"""Damaged, full, foreign and unwritable: one line that names the way out, and nothing is lost."""

import errno
import json
import os
import pickle
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_runs import REPOSITORY, arguments, copied, losses, one_line, records, tiny, with_training
from tiny_runs import run as run_process
from variants import often

import jaxgpt as library
from jaxgpt.core import fields, locks
from jaxgpt.core.writing import write_atomically
from jaxgpt.runs import run_directory as rundir
from jaxgpt.runs import session
from jaxgpt.runs.checkpoints import CheckpointError, Checkpoints
from jaxgpt.runs.digests import Digests
from jaxgpt.runs.session import train


@pytest.fixture
def spoiled(finished_run, tmp_path):
    """A copy of a run of 20 steps with checkpoints of steps 15 and 20."""
    return copied(finished_run, tmp_path / "run")


def damage(checkpoint: Path, how: str):
    """Truncate or overwrite every file of a checkpoint, or turn one bit of the largest."""
    files = [path for path in checkpoint.rglob("*") if path.is_file()]
    assert files
    if how == "bit":
        largest = max(files, key=lambda path: path.stat().st_size)
        data = bytearray(largest.read_bytes())
        data[len(data) // 2] ^= 16
        largest.write_bytes(data)
        return
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if how == "truncate" else b"\xff" * 64)


def resume(jaxgpt, run, *more):
    return jaxgpt("train", "--resume", "--workdir", run, *more)


@pytest.mark.parametrize("how", often(["truncate", "overwrite", "bit"], ("bit",)))
def test_the_newest_checkpoint_is_bad(jaxgpt, spoiled, finished_run, how):
    damage(spoiled / "checkpoints" / "20", how)
    status, output, errors = resume(jaxgpt, spoiled)
    assert status == 0, errors
    assert "the checkpoint of step 20 cannot be read: 20/" in output
    assert "is not as it was written" in output
    assert "going on from step 15" in output
    assert losses(spoiled) == losses(finished_run)
    assert (spoiled / "checkpoints" / "20.damaged").is_dir()


@pytest.mark.thorough
@pytest.mark.parametrize("how", often(["truncate", "overwrite", "without digests"], ("overwrite",)))
def test_a_bad_checkpoint_is_noticed_without_its_digests(jaxgpt, spoiled, how):
    """As after a kill between the commit and its digests."""
    shutil.rmtree(spoiled / "checkpoints" / ".sha256")
    if how != "without digests":
        damage(spoiled / "checkpoints" / "20", how)
    status, output, errors = resume(jaxgpt, spoiled)
    assert status == 0, errors
    assert f"going on from step {20 if how == 'without digests' else 15}" in output


@pytest.mark.thorough
@pytest.mark.parametrize("how", often(["truncate", "overwrite"], ("truncate",)))
def test_every_checkpoint_is_bad(jaxgpt, spoiled, how):
    for step in ("15", "20"):
        damage(spoiled / "checkpoints" / step, how)
    before = (spoiled / "metrics.jsonl").read_bytes()
    for status, _, errors in (
        resume(jaxgpt, spoiled),
        jaxgpt("generate", spoiled, "--prompt", "1+1"),
        jaxgpt("evaluate", spoiled, "--n", "1"),
    ):
        assert status == 2
        assert "checkpoints: no checkpoint in it" in one_line(errors) and "can be read" in one_line(errors)
    assert (spoiled / "metrics.jsonl").read_bytes() == before


def test_changed_architecture_is_refused_with_every_field(jaxgpt, spoiled):
    status, _, errors = resume(jaxgpt, spoiled, "--model.d-model", "32", "--model.norm", "rms")
    assert status == 2
    message = one_line(errors)
    assert "model.d_model: 16 -> 32" in message and "model.norm: layer -> rms" in message
    assert json.loads((spoiled / "experiment.json").read_text())["model"]["d_model"] == 16


@pytest.mark.thorough
def test_learning_rate_and_steps_may_change(jaxgpt, spoiled):
    words = ["--training.steps", "22", "--optimizer.learning-rate", "1e-4"]
    status, output, errors = resume(jaxgpt, spoiled, *words)
    assert status == 0, errors
    assert "changed since the run began: training.steps: 20 -> 22" in output
    assert "changed since the run began: optimizer.learning_rate: 0.0" in output
    assert sorted(losses(spoiled)) == list(range(1, 23))
    assert json.loads((spoiled / "experiment.json").read_text())["training"]["steps"] == 22


@pytest.mark.thorough
def test_a_run_of_epochs_goes_on_by_epochs_or_by_steps(jaxgpt, tmp_path):
    workdir = tmp_path / "run"
    assert jaxgpt("train", *arguments(workdir, training__epochs=0.5, training__train_examples=80))[0] == 0
    assert max(losses(workdir)) == 5
    status, output, errors = resume(jaxgpt, workdir, "--training.epochs", "1")
    assert status == 0, errors
    assert "changed since the run began: training.epochs: 0.5 -> 1.0" in output
    assert sorted(losses(workdir)) == list(range(1, 11))
    status, output, errors = resume(jaxgpt, workdir, "--training.steps", "12")
    assert status == 0, errors
    assert "changed since the run began: training.steps: 1000 -> 12" in output
    assert "changed since the run began: training.epochs: 1.0 -> None" in output
    assert sorted(losses(workdir)) == list(range(1, 13))
    written = json.loads((workdir / "experiment.json").read_text())["training"]
    assert (written["steps"], written["epochs"]) == (12, None)


@pytest.mark.thorough
def test_a_schedule_that_is_stretched_is_told_of(jaxgpt, spoiled):
    status, output, errors = resume(jaxgpt, spoiled, "--training.steps", "200")
    assert status == 0, errors
    rates = {record["step"]: record["learning_rate"] for record in records(spoiled) if "loss" in record}
    assert rates[21] / rates[20] > 40
    told = f"was {rates[20]:.3g} and is now {rates[21]:.3g}, {rates[21] / rates[20]:.3g} times as much"
    assert f"the learning rate {told}: the cosine schedule now ends at step 200" in output
    assert f"--optimizer.schedule constant --optimizer.learning-rate {rates[20]:.3g}" in output


def test_a_schedule_counts_the_updates_that_were_made(spoiled):
    directory = rundir.RunDirectory(spoiled)
    recorded, _ = directory.read()
    longer = fields.override(recorded, {"training.steps": "200"})
    old, new = (each.optimizer.rate(each.training.steps) for each in (recorded, longer))
    for skipped in ([0], [3], [19]):
        told = session._rate_jump(directory, longer.optimizer, 200, 20, skipped)
        made = 20 - skipped[0]
        before, after = float(old(made - 1)), float(new(made))
        wanted = f"the learning rate was {before:.3g} and is now {after:.3g}"
        jumps = not 1 / 1.5 <= after / before <= 1.5
        assert told.startswith(wanted) == jumps and bool(told) == jumps
    # Of several seeds the largest jump; one that has made no update has no rate to jump from.
    both = session._rate_jump(directory, longer.optimizer, 200, 20, [3, 0, 20])
    assert both == session._rate_jump(directory, longer.optimizer, 200, 20, [0])
    assert session._rate_jump(directory, longer.optimizer, 200, 20, [20]) == ""


@pytest.mark.thorough
def test_the_old_learning_rate_can_be_kept(jaxgpt, spoiled):
    rate = [record["learning_rate"] for record in records(spoiled) if "loss" in record][-1]
    words = ["--training.steps", "25", "--optimizer.schedule", "constant", "--optimizer.learning-rate"]
    status, output, errors = resume(jaxgpt, spoiled, *words, f"{rate:.3g}")
    assert status == 0, errors
    assert "the learning rate was" not in output
    kept = [record["learning_rate"] for record in records(spoiled) if "loss" in record][-5:]
    assert kept == pytest.approx([rate] * 5, rel=0.01)


def test_steps_that_epochs_would_overrule_are_refused(tmp_path):
    """From Python, where nobody knows which of the two was meant."""
    begun = tiny(training__epochs=1.0)
    with pytest.raises(ValueError, match=r"^training.steps=40 and training.epochs=1.0 are two ways"):
        rundir.changes(begun, with_training(begun, steps=40))


@pytest.mark.thorough
def test_fewer_steps_than_done_change_nothing(jaxgpt, spoiled):
    status, _, errors = resume(jaxgpt, spoiled, "--training.steps", "10")
    assert status == 2
    assert "training.steps=10 lies behind the checkpoint of step 20" in one_line(errors)
    assert json.loads((spoiled / "experiment.json").read_text())["training"]["steps"] == 20


def test_the_directory_holds_a_run(jaxgpt, spoiled):
    status, _, errors = jaxgpt("train", *arguments(spoiled))
    assert status == 2
    assert "already holds a run; go on with it by --resume" in one_line(errors)


@pytest.mark.parametrize("place", ["file/run", "/proc/run"])
def test_a_directory_that_cannot_be_written(jaxgpt, tmp_path, monkeypatch, place):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("jaxgpt.runs.session.prepare", None)  # nothing is prepared, let alone compiled
    status, output, errors = jaxgpt("train", *arguments(tmp_path / place))
    assert status == 2
    assert "cannot be written to" in one_line(errors) and "choose another" in one_line(errors)
    assert output == ""


@pytest.mark.parametrize(("extra", "module"), [("tensorboard", "tensorboardX"), ("wandb", "wandb")])
def test_an_extra_that_is_missing(jaxgpt, tmp_path, monkeypatch, extra, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("jaxgpt.runs.session.prepare", None)
    status, _, errors = jaxgpt("train", *arguments(tmp_path / "run"), f"--training.{extra}", "yes")
    assert status == 2
    assert f"pip install 'jaxgpt[{extra}]'" in one_line(errors)


@pytest.mark.thorough
def test_a_loss_that_is_not_finite(tmp_path):
    experiment = tiny(
        optimizer__learning_rate="1e30",
        optimizer__warmup_steps="0",
        optimizer__clip_norm="none",
        training__save_every="1",
    )
    where = r"step [12] \(seed 0, batch [01], examples \[.*not finite.*learning_rate"
    with pytest.raises(RuntimeError, match=where) as e:
        train(experiment, tmp_path / "run", say=lambda line: None)
    assert "\n" not in str(e.value)
    assert not list((tmp_path / "run" / "checkpoints").glob("[0-9]*"))


LIMITED = """
import resource, sys
from jaxgpt.cli.main import main
sys.dont_write_bytecode = True  # Python would leave a cut file, which no later process can read
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.thorough
def test_a_full_disk(spoiled, finished_run, jaxgpt):
    """A limit on the size of files stands for the disk: metrics still fit, a checkpoint does not."""
    shutil.rmtree(spoiled / "checkpoints" / "20")
    intact = spoiled / "checkpoints" / "15"
    before = {p: p.read_bytes() for p in intact.rglob("*") if p.is_file()}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "12000", "train", "--resume", "--workdir", str(spoiled)],
        cwd=REPOSITORY,
        env=os.environ | {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_COMPILATION_CACHE": "false"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    message = one_line(done.stderr)
    assert "the checkpoint of step 20 could not be written" in message and "make room" in message
    assert {p: p.read_bytes() for p in intact.rglob("*") if p.is_file()} == before
    status, _, errors = resume(jaxgpt, spoiled)
    assert status == 0, errors
    assert losses(spoiled) == losses(finished_run)
    assert (spoiled / "checkpoints" / "20").is_dir()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.thorough
@pytest.mark.parametrize("kib", [0, 44])
def test_a_disk_with_some_room_left(small_disk, finished_run, kib):
    """One line, whatever the first thing is that finds no room; what is there stays; then it goes on."""
    place, leave = small_disk
    run = copied(finished_run, place / "run")
    shutil.rmtree(run / "checkpoints" / "20")
    intact = run / "checkpoints" / "15"
    before = {p: p.read_bytes() for p in intact.rglob("*") if p.is_file()}
    leave(kib)
    status, _, errors = run_process("train", "--resume", "--workdir", run)
    assert status in (0, 2) and "Traceback" not in errors
    if status:
        assert len(errors.splitlines()) == 1 and "make room" in one_line(errors)
        assert {p: p.read_bytes() for p in intact.rglob("*") if p.is_file()} == before
    leave(4096)
    status, _, errors = run_process("train", "--resume", "--workdir", run)
    assert status == 0, errors
    assert losses(run) == losses(finished_run)


def test_threads_that_are_late_say_nothing_of_a_closed_loop(tmp_path, monkeypatch):
    """When one of many arrays cannot be written, the others' threads find the event loop closed."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    Checkpoints(tmp_path / "a", fingerprint="")
    Checkpoints(tmp_path / "b", fingerprint="")
    for error in (
        RuntimeError("Event loop is closed"),
        RuntimeError("another"),
        OSError("Event loop is closed"),
    ):
        sys.unraisablehook(SimpleNamespace(exc_value=error))
    assert [str(one.exc_value) for one in told] == ["another", "Event loop is closed"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_file_that_cannot_be_written_is_named(tmp_path, monkeypatch, code):
    """What `write` raises has no name in it."""
    (tmp_path / "file").write_text("as it was")

    def fails(*given, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match=f"file cannot be written .{os.strerror(code)}.") as error:
        write_atomically(tmp_path / "file", "new")
    assert ("make room" in str(error.value)) == (code != errno.EIO)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "as it was"


def test_what_killed_processes_were_writing_is_removed_by_who_holds_the_directory(tmp_path):
    """And nothing else: not what a process that lives is writing, nor files of other names."""
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    dead, lives = ended.pid, os.getppid()
    left = [f".metrics.jsonl.{dead}-140.tmp", f".metrics.jsonl.{os.getpid()}-140.tmp"]
    others = [f".metrics.jsonl.{lives}-140.tmp", ".notes.tmp", f".notes.{dead}.tmp", f"notes.{dead}-1.tmp"]
    digests = tmp_path / "checkpoints" / ".sha256"
    digests.mkdir(parents=True)
    (tmp_path / "checkpoints" / "5").mkdir()
    for folder in (tmp_path, digests):
        for name in left + others:
            (folder / name).write_text("half")
    with rundir.held(tmp_path):
        found = {path.name for path in tmp_path.iterdir() if path.is_file()}
        assert found - set(locks.FILES) == set(others)
        Digests(tmp_path / "checkpoints").write(5)
    assert {path.name for path in digests.iterdir()} == {*others, "5.json"}


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize("protocol", often([0, 2, 5], (5,)))
def test_a_pickle_is_never_opened(jaxgpt, spoiled, tmp_path, protocol):
    sprung = tmp_path / "sprung"
    data = pickle.dumps(Trap(sprung), protocol=protocol)
    (tmp_path / "model.pt").write_bytes(data)
    with pytest.raises(ValueError, match=r"model\.pt is a") as error:
        library.load(tmp_path / "model.pt")
    if protocol:
        assert "pickle" in str(error.value)
    for path in (spoiled / "checkpoints").rglob("*"):
        if path.is_file():
            path.write_bytes(data)
    assert jaxgpt("generate", spoiled, "--prompt", "1+1")[0] == 2
    assert resume(jaxgpt, spoiled)[0] == 2
    (spoiled / "tokenizer.json").write_bytes(data)
    assert "tokenizer.json" in one_line(jaxgpt("generate", spoiled, "--prompt", "1+1")[2])
    (spoiled / "experiment.json").write_bytes(data)
    assert "experiment.json" in one_line(jaxgpt("generate", spoiled, "--prompt", "1+1")[2])
    assert not sprung.exists()
    pickle.loads(data)  # noqa: S301 - the trap works
    assert sprung.exists()


@pytest.mark.parametrize(
    "name",
    ["state/manifest.ocdbt", "state/_METADATA", "_CHECKPOINT_METADATA", "metrics/metrics", "state/d/*"],
)
@pytest.mark.parametrize("recorded", [True, False])
def test_a_file_of_holes_in_a_checkpoint_is_damage(spoiled, name, recorded):
    """Orbax would take a terabyte for it, which ends the process without a word."""
    (path,) = (spoiled / "checkpoints" / "20").glob(name)
    os.truncate(path, 2**40)
    if not recorded:
        shutil.rmtree(spoiled / "checkpoints" / ".sha256")
    with pytest.raises(CheckpointError, match=r"has 1,099,511,627,776 bytes"):
        library.load(spoiled, checkpoint=20)
    assert library.load(spoiled).step == 15


@pytest.mark.parametrize("loss", [[[]], "0.5", True, None, {}])
def test_a_loss_that_is_no_number_is_damage(spoiled, loss):
    file = spoiled / "checkpoints" / "20" / "_CHECKPOINT_METADATA"
    metadata = json.loads(file.read_text())
    metadata["custom_metadata"]["loss"] = loss
    file.write_text(json.dumps(metadata))
    shutil.rmtree(spoiled / "checkpoints" / ".sha256")
    assert library.load(spoiled, checkpoint="best").step == 15


def test_a_link_inside_a_checkpoint_is_refused(jaxgpt, spoiled, tmp_path):
    (tmp_path / "secret").write_text("x")
    (spoiled / "checkpoints" / "20" / "more").symlink_to(tmp_path / "secret")
    for status, _, errors in (resume(jaxgpt, spoiled), jaxgpt("generate", spoiled, "--prompt", "1+1")):
        assert status == 2
        assert "is a symbolic link" in one_line(errors)
