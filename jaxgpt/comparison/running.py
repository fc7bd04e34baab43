"""Training what a comparison lacks: every run once, and what was begun goes on."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import jax

from jaxgpt.comparison import decoding_speed
from jaxgpt.comparison.cells import Budget, Cell, Job, Plan, directory
from jaxgpt.core import foreign
from jaxgpt.core.progress import Counter, clock
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.scoring import evaluate, exact_match
from jaxgpt.evaluation.scoring_options import Kept, TrainedOn
from jaxgpt.parallel import processes
from jaxgpt.runs.run import load
from jaxgpt.runs.run_directory import RunDirectory, gallery
from jaxgpt.runs.session import train
from jaxgpt.runs.stop import Stopped, StopRequest
from jaxgpt.training.prepare import training_examples
from jaxgpt.training.trainer import TrainingError

Say = Callable[[str], None]

#: In a run of a sweep: the exact match of each seed on validation.
SELECTION = "selection.json"


def run(plan: Plan, workdir: Path, say: Say) -> tuple[str, dict[str, str]]:
    """Train every run that is not finished.

    Returns:
      `finished` or `stopped`, and what became of runs that cannot go on (such as a loss that is not finite)
      by folder.
    """
    failed: dict[str, str] = {}
    with StopRequest() as stop:  # between runs; a run has its own
        try:
            return _run(plan, workdir, failed, stop, say), failed
        except Stopped:
            processes.tell(0, "it was asked to stop; go on with --resume")
            return "stopped", failed


def _run(plan: Plan, workdir: Path, failed: dict[str, str], stop: StopRequest, say: Say) -> str:
    progress = _Progress(plan.all_jobs(), workdir, say)
    for budget in plan.budgets:
        for cell in plan.cells:
            jobs = plan.jobs(cell, budget)
            for job in jobs:
                if is_trained(workdir, job) or job.folder in failed:
                    continue
                with stop.droppable():
                    progress.begin(job)
                try:
                    if _train(job, workdir, stop, say) == "stopped":
                        return "stopped"
                except TrainingError as error:
                    failed[job.folder] = str(error)
                    say(f"{job.name}: {error}")
                progress.end(job)
                jax.clear_caches()  # the programs of all runs together would take gigabytes
            # After a sweep, and where an evaluation was deleted, the test questions are still to be asked.
            with stop.droppable():
                _test_chosen(workdir, jobs, say)
    return "finished"


def is_trained(workdir: Path, job: Job) -> bool:
    """Whether a run has everything that the report, or the choice among a sweep's options, needs of it."""
    run = directory(workdir, job)
    return ((run.path / SELECTION) if job.option else run.outcome).is_file()


def chosen(workdir: Path, plan: Plan, cell: Cell, budget: Budget) -> Job | None:
    """The run that stands for a cell: that with the best mean exact match on validation; None without any."""
    jobs = [job for job in plan.jobs(cell, budget) if is_trained(workdir, job)]
    return _best(workdir, jobs) if jobs else None


def validation(workdir: Path, job: Job) -> float:
    """The mean exact match of a sweep's option on validation."""
    path = directory(workdir, job).path / SELECTION
    data = foreign.read_json(path)
    values = data.get("per_seed") if isinstance(data, dict) else None
    if not (isinstance(values, list) and values and all(type(v) in (int, float) for v in values)):
        raise ValueError(f"{path} has no exact match of each seed; delete it and --resume")
    return sum(values) / len(values)


def _best(workdir: Path, jobs: list[Job]) -> Job:
    return (
        jobs[0] if len(jobs) == 1 and not jobs[0].option else max(jobs, key=lambda j: validation(workdir, j))
    )


def _train(job: Job, workdir: Path, stop: StopRequest, say: Say) -> str:
    """Train one run, or go on with it; what it says goes into a file, and its steps to the screen too."""
    run = directory(workdir, job)
    log = workdir / "logs" / f"{job.folder}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)

    def note(line: str) -> None:
        with open(log, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line + "\n")
        if line.startswith("step ") and "tokens/s" in line:
            say(f"  {line}")

    status = train(job.experiment, run.path, resume=run.exists(), say=note).status
    if status == "finished" and job.option:
        with stop.droppable():
            _ask(job, run)
    return status


def _ask(job: Job, run: RunDirectory) -> None:
    """The validation questions, by which an option of a sweep is chosen."""
    trained = load(run.path)
    found = exact_match(
        trained.models,
        trained.tokenizer,
        trained.task,
        split="validation",
        n=job.experiment.training.eval_examples,
        data_seed=job.experiment.training.data_seed,
    )
    text = json.dumps({"split": "validation", "per_seed": list(found.per_seed)}) + "\n"
    # All processes read it to choose.
    processes.by_first(lambda: write_atomically(run.path / SELECTION, text))


def _test_chosen(workdir: Path, jobs: list[Job], say: Say) -> None:
    """Ask the test questions of the option that validation chose, if that has not been done."""
    tried = [job for job in jobs if is_trained(workdir, job)]
    if not tried:
        return
    job = _best(workdir, tried)
    run = directory(workdir, job)
    if jax.process_count() == 1:  # of several, one alone cannot decode
        decoding_speed.measure(run)
    if run.evaluation.is_file():
        return
    trained, training = load(run.path), job.experiment.training
    result = evaluate(
        trained.models,
        trained.tokenizer,
        trained.task,
        n=job.cell.experiment.training.test_examples,
        n_extra=training.extra_examples,
        trained_on=TrainedOn(
            training_examples(job.experiment, "train", training.train_examples),
            objective=job.experiment.objective,
            data_seed=training.data_seed,
        ),
        kept=Kept(gallery=gallery(run.evaluation) if jax.process_index() == 0 else None),
        progress=Counter(f"  testing {job.name}", say),
    )

    def keep() -> None:
        plots.accuracy_grid(result, run.accuracy)
        result.write_json(run.evaluation)

    processes.by_first(keep)  # all processes read what was written to tell what is left to do


class _Progress:
    """Runs done, running and left, with the time spent and what is left, by operations."""

    def __init__(self, jobs: list[Job], workdir: Path, say: Say):
        self._say, self._total = say, len(jobs)
        self._left = {job.folder: job for job in jobs if not is_trained(workdir, job)}
        self._began = time.perf_counter()
        self._flops = 0

    def begin(self, job: Job) -> None:
        """Say what stands."""
        spent = time.perf_counter() - self._began
        done = self._total - len(self._left)
        text = f"runs: {done} done, 1 running, {len(self._left) - 1} left; {clock(spent)} spent"
        if self._flops:
            ahead = sum(other.flops for other in self._left.values())
            text += f", about {clock(spent * ahead / self._flops)} to go"
        self._say(f"{text}; now {job.name}")

    def end(self, job: Job) -> None:
        """Note that a run is done."""
        del self._left[job.folder]
        self._flops += job.flops
        if not self._left:
            self._say(f"runs: {self._total} done; {clock(time.perf_counter() - self._began)} spent")
