"""What is trained, and what is not trained again; training itself is stood in for."""

import dataclasses
import signal
from types import SimpleNamespace

import pytest
from comparison_building import evaluation, plan, row, write_run

from jaxgpt.comparison import results, running
from jaxgpt.comparison.cells import FOLDER, Plan
from jaxgpt.training.trainer import TrainingError


class Trainer:
    """Stands in for `train`: notes what it was asked, and leaves the files of a finished run."""

    def __init__(self, plan, workdir, monkeypatch):
        self.plan, self.workdir, self.calls, self.before = plan, workdir, [], lambda folder: None
        monkeypatch.setattr(running, "train", self)

    def __call__(self, experiment, path, *, resume, say):
        self.calls.append((path.name, resume, experiment.training.steps))
        job = next(job for job in self.plan.all_jobs() if job.folder == path.name)
        assert experiment == job.experiment and path.parent == self.workdir / FOLDER
        path.mkdir(parents=True, exist_ok=True)
        (path / "experiment.json").write_text("{}")
        status = self.before(path.name)
        if status is not None:
            return SimpleNamespace(status=status)
        say("step 5/20  loss 1.0  3k tokens/s  0:01 left")
        say("a table")
        write_run(self.workdir, job, evaluation((0.5, 0.25)))
        return SimpleNamespace(status="finished")


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    return Trainer(plan("--tokenizers", "digits,digits:2:right,bytes"), tmp_path, monkeypatch)


FOLDERS = ["digits", "digits-2-right", "bytes", "digits-2-right--flops", "bytes--flops"]


def test_every_run_is_trained_once(trainer, tmp_path):
    lines = []
    # bytes reads as many tokens as digits, and has more of them to choose from.
    assert running.run(trainer.plan, tmp_path, lines.append) == ("finished", {})
    assert [name for name, _, _ in trainer.calls] == FOLDERS
    steps = {name: count for name, _, count in trainer.calls}
    assert steps["digits"] == steps["digits-2-right"] == 20 and steps["digits-2-right--flops"] != 20
    assert lines[0].startswith("runs: 0 done, 1 running, 4 left; 0:0") and "now digits, 20 steps" in lines[0]
    assert "to go" not in lines[0] and "runs: 2 done, 1 running, 2 left" in lines[4] and "to go" in lines[4]
    assert lines[1] == "  step 5/20  loss 1.0  3k tokens/s  0:01 left" and "  a table" not in lines
    assert (tmp_path / "logs" / "bytes.txt").read_text().endswith("a table\n")
    assert lines[-1].startswith("runs: 5 done")


def test_a_finished_run_is_never_trained_again(trainer, tmp_path):
    running.run(trainer.plan, tmp_path, lambda line: None)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / FOLDER).rglob("*")}
    trainer.calls.clear()
    trainer.plan.write(tmp_path)
    assert running.run(Plan.read(tmp_path), tmp_path, lambda line: None) == ("finished", {})
    assert trainer.calls == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / FOLDER).rglob("*")} == files


def test_a_comparison_that_was_killed_between_cells_goes_on_with_what_is_missing(trainer, tmp_path):
    class Killed(BaseException):
        pass

    def before(folder):
        if folder == "bytes":
            raise Killed

    trainer.before = before
    with pytest.raises(Killed):
        running.run(trainer.plan, tmp_path, lambda line: None)
    trainer.calls.clear()
    trainer.before = lambda folder: None
    running.run(trainer.plan, tmp_path, lambda line: None)
    # The one that had begun goes on; the two before it are left alone.
    assert [(name, resume) for name, resume, _ in trainer.calls] == [
        ("bytes", True),
        ("digits-2-right--flops", False),
        ("bytes--flops", False),
    ]


class Loaded:
    models, tokenizer, task = (), None, None


def test_a_deleted_evaluation_is_made_again_and_other_questions_are_not_mixed_in(
    trainer, tmp_path, monkeypatch
):
    running.run(trainer.plan, tmp_path, lambda line: None)
    written = tmp_path / FOLDER / "bytes" / "evaluation.json"
    more = dataclasses.replace(evaluation((0.5, 0.25)), overall=row("all", (0.5, 0.25), n=777))
    more.write_json(written)
    with pytest.raises(ValueError, match=r"^[^\n]*100 in .*/digits and 777 in .*/bytes; delete[^\n]*$"):
        results.read(trainer.plan, tmp_path)
    written.unlink()
    loaded = []
    monkeypatch.setattr(running, "load", lambda path: loaded.append(path.name) or Loaded())
    monkeypatch.setattr(running.plots, "accuracy_grid", lambda result, path: None)
    monkeypatch.setattr(running, "evaluate", lambda *run, n, **options: evaluation((0.75, 0.25)))
    running.run(trainer.plan, tmp_path, lambda line: None)
    found = results.read(trainer.plan, tmp_path).findings["examples"]
    assert loaded == ["bytes"] and len(trainer.calls) == len(FOLDERS)
    assert found[2].overall.exact_match.per_seed == (0.75, 0.25)


def test_a_signal_ends_the_comparison(trainer, tmp_path):
    trainer.before = lambda folder: "stopped" if folder == "digits-2-right" else None
    assert running.run(trainer.plan, tmp_path, lambda line: None) == ("stopped", {})
    assert [name for name, _, _ in trainer.calls] == ["digits", "digits-2-right"]
    found = results.read(trainer.plan, tmp_path)
    assert [f.cell.name for f in found.findings["examples"]] == ["digits"]
    assert found.missing["examples"] == {"digits:2:right": "not trained yet", "bytes": "not trained yet"}
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"])
def test_a_signal_between_two_runs_ends_it_too(trainer, tmp_path, monkeypatch, name):
    with monkeypatch.context() as patch:
        number = getattr(signal, name)
        patch.setattr(running, "_test_chosen", lambda *given: signal.raise_signal(number))
        assert running.run(trainer.plan, tmp_path, lambda line: None) == ("stopped", {})
    assert len(trainer.calls) == 1
    assert running.run(trainer.plan, tmp_path, lambda line: None) == ("finished", {})
    assert len(trainer.calls) == len(FOLDERS)


def test_a_run_that_cannot_go_on_leaves_the_others_their_turn(trainer, tmp_path):
    def before(folder):
        if folder == "digits-2-right":
            raise TrainingError("loss nan")

    trainer.before = before
    status, failed = running.run(trainer.plan, tmp_path, lambda line: None)
    assert status == "finished" and failed == {"digits-2-right": "loss nan"}
    assert [name for name, _, _ in trainer.calls] == FOLDERS
    assert results.read(trainer.plan, tmp_path, failed).missing["examples"] == {"digits:2:right": "loss nan"}


def test_a_sweep_reports_what_validation_chose_and_tests_nothing_else(tmp_path, monkeypatch):
    """Training, validation and testing are stood in for: epsilon 1e-7 is best for bytes, 1e-8 for digits."""
    swept = plan(
        "--tokenizers", "digits,bytes", "--sweep", "optimizer.epsilon=1e-8,1e-7", "--budgets", "examples"
    )
    scores = {"digits": (0.6, 0.5), "bytes": (0.25, 0.75)}
    asked = []

    class Loaded:
        models, tokenizer, task = (), None, None

    def load(path):
        found = Loaded()
        found.name = path.name
        return found

    def train(experiment, path, *, resume, say):
        assert experiment.training.test_examples == 0
        path.mkdir(parents=True)
        (path / "decoding.json").write_text('{"tokens_per_second": 1}')
        return SimpleNamespace(status="finished")

    def exact_match(models, tokenizer, task, *, split, n, data_seed):
        assert (split, n) == ("validation", 8)
        folder = loaded[-1].name
        score = scores[folder.split("--")[0]][folder.endswith("1e-7")]
        return type("Found", (), {"per_seed": (score, score)})

    loaded = []
    monkeypatch.setattr(running, "load", lambda path: loaded.append(load(path)) or loaded[-1])
    monkeypatch.setattr(running, "train", train)
    monkeypatch.setattr(running, "exact_match", exact_match)
    monkeypatch.setattr(running.plots, "accuracy_grid", lambda result, path: None)

    def evaluate(models, tokenizer, task, *, n, **options):
        assert n == 50  # the questions of the experiment, not of the runs that tried
        asked.append(loaded[-1].name)
        return evaluation((0.5, 0.5))

    monkeypatch.setattr(running, "evaluate", evaluate)
    running.run(swept, tmp_path, lambda line: None)
    assert asked == ["digits--epsilon-1e-8", "bytes--epsilon-1e-7"]
    found = results.read(swept, tmp_path).findings["examples"]
    assert [f.option["optimizer.epsilon"] for f in found] == ["1e-8", "1e-7"]
    assert found[1].tried == {"epsilon=1e-8": 0.25, "epsilon=1e-7": 0.75}
    running.run(swept, tmp_path, lambda line: None)
    assert len(asked) == 2


def test_the_time_of_a_run_counts_what_every_process_spent(tmp_path):
    found = plan("--tokenizers", "digits,bytes", "--budgets", "examples")
    for job in found.all_jobs():
        write_run(tmp_path, job, evaluation((0.5, 0.5)), seconds=(1.0, 10.0, 2.0, 7.0))  # it was stopped once
    assert [f.seconds for f in results.read(found, tmp_path).findings["examples"]] == [17.0, 17.0]
