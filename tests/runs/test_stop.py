"""Stops: at any moment, by any signal that asks for one, and a run's records are those of one without."""

import contextlib
import errno
import os
import pty
import select
import signal
import time

import jax
import pytest
from flax import nnx
from tiny_runs import arguments, metrics, records, start, tiny
from variants import often

from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.runs import ending, session
from jaxgpt.runs import run_loop as loops
from jaxgpt.runs.checkpoints import Checkpoints
from jaxgpt.runs.pace import INTERVAL, SHARE, Pace
from jaxgpt.runs.run_loop import Loop
from jaxgpt.runs.session import train
from jaxgpt.runs.stop import Stopped, StopRequest

ASKING = ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")
TIMES = ("seconds", "tokens_per_second")


def quiet(line):
    pass


def comparable(workdir):
    """What a run recorded, in its order, but for times; and its samples."""
    found = [row for row in metrics(workdir) if row["name"] not in TIMES]
    return found, (workdir / "samples.txt").read_text()


@pytest.fixture
def quick(monkeypatch, quick_compilation):
    """Questions are not asked: what is recorded of them follows from the weights."""

    def figure(models):
        return float(jax.tree.leaves(nnx.state(models[0]))[0].sum())

    def exact_match(models, *rest, **options):
        return Estimate(figure(models), None, (figure(models),))

    compiled, compile_once = [], session._compile
    monkeypatch.setattr(
        session, "_compile", lambda *given: (compiled or compiled.append(compile_once(*given)) or compiled)[0]
    )
    monkeypatch.setattr(session, "exact_match", exact_match)
    monkeypatch.setattr(session, "samples", lambda model, *rest: [f"{figure([model])!r}"])
    monkeypatch.setattr(ending.plots, "learning_curve", lambda *given: None)


@contextlib.contextmanager
def signalled(monkeypatch, moment, step, name):
    """A signal comes once, at a step or later: as it is dispatched, evaluated, sampled, selected or saved."""
    sent = []

    def then(call):
        def wrapped(*args, **kwargs):
            at = args[0].step if isinstance(args[0], Loop) else args[0]
            if at >= step and not sent:
                sent.append(at)
                signal.raise_signal(getattr(signal, name))
            return call(*args, **kwargs)

        return wrapped

    with monkeypatch.context() as patch:
        if moment in ("evaluate", "sample", "select"):
            make = session._hooks

            def hooks(*given):
                made = make(*given)
                setattr(made, moment, then(getattr(made, moment)))
                return made

            patch.setattr(session, "_hooks", hooks)
        else:
            patch.setattr(Loop, moment, then(getattr(Loop, moment)))
        yield
    assert sent


#: Moments of one run of 9 steps, each in another of its processes.
MOMENTS = (
    ("_dispatch", 0, "SIGTERM"),
    ("_dispatch", 1, "SIGHUP"),
    ("evaluate", 2, "SIGUSR1"),
    ("select", 3, "SIGINT"),
    ("sample", 4, "SIGTERM"),
    ("select", 6, "SIGUSR1"),
    ("evaluate", 6, "SIGHUP"),
    ("_log", 7, "SIGTERM"),
    ("_finite_losses", 9, "SIGTERM"),
)


@pytest.mark.thorough
@pytest.mark.parametrize("save_every", often([0, 3], (3,)))
def test_stops_at_any_moment_leave_the_records_of_a_run_without(tmp_path, monkeypatch, quick, save_every):
    experiment = tiny(
        task__validation_digits=2,
        training__steps=9,
        training__chunk=1,
        training__save_every=save_every,
        training__eval_every=2,
        training__sample_every=2,
        training__select_every=3,
    )
    train(experiment, tmp_path / "whole", say=quiet)
    disturbed = tmp_path / "disturbed"
    for moment, step, name in MOMENTS:
        with signalled(monkeypatch, moment, step, name):
            outcome = train(experiment, disturbed, resume=disturbed.exists(), say=quiet)
        assert outcome.status == "stopped"
    assert train(experiment, disturbed, resume=True, say=quiet).status == "finished"
    assert comparable(disturbed) == comparable(tmp_path / "whole")
    kept = [sorted(p.name for p in (run / "checkpoints").glob("[0-9]*")) for run in tmp_path.iterdir()]
    assert kept[0] == kept[1]
    assert not any((disturbed / "checkpoints" / ".interim").iterdir())


@pytest.mark.thorough
def test_saves_that_nobody_asked_for_change_nothing(tmp_path, monkeypatch, quick):
    experiment = tiny(training__steps=9, training__chunk=1, training__eval_every=4, training__save_every=0)
    train(experiment, tmp_path / "whole", say=quiet)
    written, save = [], Checkpoints.save

    def noted(self, step, *given, interim=False, **options):
        written.append((step, interim))
        save(self, step, *given, interim=interim, **options)
        self.wait()
        assert self.steps()[-1] == step and self.interim(step) == interim

    monkeypatch.setattr(Checkpoints, "save", noted)
    monkeypatch.setattr(loops, "Pace", lambda size, now: Pace(0, now - 2 * INTERVAL))
    monkeypatch.setattr("jaxgpt.runs.pace.INTERVAL", 0.0)
    monkeypatch.setattr("jaxgpt.runs.pace.SHARE", float("inf"))
    train(experiment, tmp_path / "often", say=quiet)
    assert [step for step, interim in written if interim] == list(range(9)) and written[-1] == (9, False)
    assert comparable(tmp_path / "often") == comparable(tmp_path / "whole")
    assert Checkpoints(tmp_path / "often" / "checkpoints", fingerprint="").steps() == [9]


@pytest.mark.parametrize("cost", [0.0, 0.5, 3.0, 20.0, 1000.0])
def test_they_take_a_hundredth_of_the_time(cost):
    pace, now, saving, saves = Pace(0, 0.0), 0.0, 0.0, 0
    while now < 500_000:
        now += 1.7
        if pace.due(now):
            now, saving, saves = now + cost, saving + cost, saves + 1
            pace.saved(now, cost)
            assert saves == 1 or saving - cost <= SHARE * now  # the first one measures
    assert saves == pytest.approx(500_000 / (max(INTERVAL, cost / SHARE) + cost), rel=0.01, abs=2)


def test_what_a_large_first_save_takes_is_estimated():
    assert Pace(10**6, 0.0).due(INTERVAL) and not Pace(10**10, 0.0).due(INTERVAL)


@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1"])
def test_a_signal_that_was_ignored_stays_so(name):
    """As nohup has it."""
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(number)
            assert not stop.requested
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("name", ASKING)
def test_every_signal_that_asks_drops_what_may_be_dropped_once(name):
    before = signal.getsignal(getattr(signal, name))
    with StopRequest() as stop:
        with pytest.raises(Stopped), stop.droppable():
            signal.raise_signal(getattr(signal, name))
        signal.raise_signal(signal.SIGTERM)  # while it is saved
        assert stop.requested
    assert signal.getsignal(getattr(signal, name)) == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_falls_into_a_finalizer_is_heard():
    """Python prints an exception of a finalizer, without raising it."""

    class Dropped:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    ended = False
    with StopRequest() as stop, pytest.raises(Stopped), stop.droppable():
        dropped = Dropped()
        del dropped
        ended = True  # nothing was raised here
    assert ended and stop.requested


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("moment", ["_report", "_compile", "_start"])
@pytest.mark.parametrize("dry", [False, True])
def test_a_stop_before_training(tmp_path, monkeypatch, moment, name, dry):
    """Preparing takes a minute of a large corpus, compiling too: both end, and nothing is left."""

    def slow(*given, **named):
        signal.raise_signal(getattr(signal, name))
        if moment == "_compile":  # where a thread compiles
            return loops.compile_interruptibly(None, given[1])
        pytest.fail("it went on")

    if dry and moment == "_start":
        pytest.skip("a dry run starts nothing")
    for earlier in ("_report", "_compile"):
        monkeypatch.setattr(session, earlier, lambda *given, **named: None)
    monkeypatch.setattr(session, moment, slow)
    said = []
    outcome = train(tiny(), tmp_path / "run", dry_run=dry, say=said.append)
    assert outcome.status == "stopped" and said[-1].startswith("stopped")
    assert not (tmp_path / "run").exists()


def test_a_terminal_that_is_gone_does_not_end_a_run():
    """What is printed between its end and SIGHUP; an error of another kind is one."""

    def say(line):
        raise OSError(errno.EIO if line == "gone" else errno.ENOSPC, line)

    told = session._unless_gone(say)
    told("gone")
    with pytest.raises(OSError, match="full"):
        told("full")


@pytest.mark.thorough
def test_a_closed_terminal_saves(tmp_path):
    """The terminal goes first, then SIGHUP comes; nothing that is printed meanwhile ends the run."""
    ours, theirs = pty.openpty()
    workdir = tmp_path / "run"
    words = arguments(workdir, training__steps=100_000, training__save_every=0, training__chunk=4)
    process = start("train", *words, start_new_session=True, output=theirs)
    os.close(theirs)
    end = time.monotonic() + 120
    while not ((workdir / "metrics.jsonl").exists() and len(records(workdir)) > 8):
        assert process.poll() is None and time.monotonic() < end
        if select.select([ours], [], [], 0.05)[0]:
            os.read(ours, 65536)
    os.close(ours)
    time.sleep(0.2)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    step = records(workdir)[-1]["step"]
    assert (workdir / "checkpoints" / str(step)).is_dir()
