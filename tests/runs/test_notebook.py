"""Training from a thread and from a notebook: no signal is taken, and nothing but plain lines is printed."""

import asyncio
import contextlib
import io
import signal
import threading

import jax
import numpy as np
import pytest
from tiny_runs import tiny

import jaxgpt

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Cell(io.TextIOBase):
    """What a notebook puts in the place of a standard stream: no terminal, and no file."""

    encoding = "UTF-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)


def in_a_notebook(work):
    """What `work()` gives, and prints, inside a running event loop, where a notebook runs its cells."""
    printed = Cell()

    async def cell():
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            return work()

    return asyncio.run(cell()), printed.text


@pytest.mark.thorough
def test_a_run_in_a_notebook_prints_plain_lines_and_goes_on(tmp_path, quick_compilation):
    def work():
        experiment = tiny(training__steps=2, training__test_examples=4)
        first = jaxgpt.train(experiment, tmp_path / "run")
        return first, jaxgpt.train(tiny(training__steps=3), tmp_path / "run", resume=True)

    before = [signal.getsignal(number) for number in SIGNALS]
    (first, second), printed = in_a_notebook(work)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert (first.status, first.step, second.status, second.step) == ("finished", 2, "finished", 3)
    for text in ("step 2/2  loss", "exact match", "going on from step 2"):
        assert text in printed
    assert all(c == "\n" or c.isprintable() for c in printed)
    assert repr(second) == f"Run({str(tmp_path / 'run')!r}, finished, step 3, 1 models)"


@pytest.mark.thorough
def test_a_trainer_in_a_notebook_prints_nothing(quick_compilation):
    def work():
        trainer = jaxgpt.Trainer(tiny(training__steps=2))
        trainer.step(2)
        return trainer.evaluate(n=4, n_extra=0), trainer.losses

    (found, losses), printed = in_a_notebook(work)
    assert found.n == 4 and np.isfinite(losses).all() and printed == ""


@pytest.mark.thorough
def test_a_run_in_a_thread_takes_no_signal(tmp_path, quick_compilation):
    seen, said, found = [], [], []

    def say(line):
        said.append(line)
        seen.append([signal.getsignal(number) for number in SIGNALS])

    def work():
        with jax.debug_nans(True):
            experiment = tiny(training__steps=3, training__chunk=2, training__test_examples=4)
            found.append(jaxgpt.train(experiment, tmp_path / "run", say=say))

    before = [signal.getsignal(number) for number in SIGNALS]
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found[0].status == "finished" and seen and all(handlers == before for handlers in seen)
    assert [m.step for m in found[0].metrics if m.name == "loss"] == [1, 2, 3]


@pytest.mark.thorough
def test_a_dry_run_gives_no_model_and_says_so(tmp_path, quick_compilation):
    run = jaxgpt.train(tiny(training__steps=2), tmp_path / "run", dry_run=True, say=lambda line: None)
    assert (run.status, run.step, run.models, run.metrics, run.evaluation) == ("dry run", 0, (), [], None)
    assert run.tokenizer.decode(run.tokenizer.encode("1+2=")) == "1+2=" and not (tmp_path / "run").exists()
    with pytest.raises(
        ValueError, match=r"run: there is no model, training ended as 'dry run'; .*resume=True"
    ):
        run.generate("1+1")
