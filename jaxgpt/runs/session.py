"""One run from its experiment to its results: `train` is what train.py calls."""

import collections
import contextlib
import dataclasses
import errno
import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import jax

from jaxgpt.core import fields, hints, printing
from jaxgpt.core.progress import Progress
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation.scoring import exact_match
from jaxgpt.models.transformer import Transformer
from jaxgpt.parallel import processes
from jaxgpt.runs import opening as report
from jaxgpt.runs import records
from jaxgpt.runs import run_directory as rundir
from jaxgpt.runs.checkpoints import Checkpoints, check_layers
from jaxgpt.runs.ending import finish
from jaxgpt.runs.run import Run, Status
from jaxgpt.runs.run_directory import FirstFree, RunDirectory
from jaxgpt.runs.run_loop import Hooks, Loop, compile_interruptibly
from jaxgpt.runs.run_weights import weights_of
from jaxgpt.runs.sampled import samples
from jaxgpt.runs.stop import Stopped, StopRequest
from jaxgpt.tokenizers.tokenizer import Tokenizer
from jaxgpt.training.experiment import Experiment
from jaxgpt.training.optimizers import Optimizer
from jaxgpt.training.prepare import Prepared, prepare
from jaxgpt.training.selection import Selection
from jaxgpt.training.spikes import Spikes
from jaxgpt.training.step_cost import example_tokens
from jaxgpt.training.trainer import Trainer, TrainingError, first_state

Say = Callable[[str], None]


def train(
    experiment: Experiment,
    path: Path | str | FirstFree,
    *,
    resume: bool = False,
    dry_run: bool = False,
    overridden: frozenset[str] = frozenset(),
    shown: report.Shown = "changed",
    say: Say = printing.say,
) -> Run:
    """Train an experiment in a run directory, evaluate it and draw its results.

        run = jaxgpt.train(experiment, "runs/x")
        run.status                  # "finished", or "stopped" by a signal: go on with resume=True
        run.evaluation.table()
        run.models[0]

    In a notebook or a thread it does the same; a signal is heeded in the main thread alone.

    Args:
      path: of the run directory; made if missing. A `FirstFree` is chosen and taken in one step.
      resume: go on with the run that is there, or begin it where there is none yet; `experiment` may differ
        in the fields that `rundir.MUTABLE` lists.
      dry_run: stop after one compilation; nothing is written.
      overridden: dotted paths to mark in the report.
      shown: which fields the report has: those that differ from the defaults of their classes, or all.
      say: takes each line of what is told; by default it is printed.

    Raises:
      ValueError: for anything that does not fit, in one line, before training.
      TrainingError: if a loss is not finite.
      CheckpointError: if a checkpoint cannot be written or none can be read.
    """
    first = jax.process_index() == 0  # of several processes this one alone writes and speaks
    say = _unless_gone(say) if first else lambda line: None
    records.check_extras(experiment.training)
    for line in experiment.only_here():
        say(f"warning: {line}")
    processes.check_same(_settings(experiment, resume=resume, dry_run=dry_run))
    reported = functools.partial(_report, overridden=overridden, shown=shown, say=say)
    if dry_run:
        return _dry_run(experiment, path, reported, say)
    with (
        rundir.held(path) if first else contextlib.nullcontext((None, "")) as (mine, note),
        StopRequest() as stop,
    ):
        # Which directory is free, and now taken, the first process alone can tell.
        taken = processes.gathered(str(mine and mine.path))[0]
        directory = RunDirectory(taken if isinstance(path, FirstFree) else path)
        if note:
            say(note)
        return _run_in(directory, experiment, resume, reported, stop, say)


def _dry_run(
    experiment: Experiment, path: Path | str | FirstFree, reported: Callable[..., Prepared], say: Say
) -> Run:
    """One compilation; nothing is trained or written."""
    prepared = None
    with StopRequest() as stop:
        try:
            with stop.droppable():
                prepared = reported(experiment, None)
            _compile(prepared, stop, say)
        except Stopped:
            processes.tell(0, "it was asked to stop")
            say("stopped; nothing was trained or written")
            return _unfinished("stopped", experiment, prepared, path)
    say("dry run: nothing was trained or written")
    return _unfinished("dry run", experiment, prepared, path)


def _run_in(
    directory: RunDirectory,
    experiment: Experiment,
    resume: bool,
    reported: Callable[..., Prepared],
    stop: StopRequest,
    say: Say,
) -> Run:
    """The run in a directory that this process holds, trained and evaluated, or stopped by a signal."""
    prepared, step = None, None
    try:
        experiment, tokenizer, resume = _begun(directory, experiment, resume, say)
        with stop.droppable():
            prepared = reported(experiment, tokenizer)
        compiled = _compile(prepared, stop, say)
        with stop.droppable():
            loop = _start(prepared, directory, compiled, stop, resume, say)
        if jax.process_index() == 0:
            if loop.step < prepared.resolved.steps:
                directory.forget_end()
            kept = _kept_steps(prepared, directory, resume)
            resolved = dataclasses.replace(prepared.resolved, kept_steps=kept)
            directory.write(prepared.experiment, resolved, prepared.tokenizer)
        try:
            loop.run()
        finally:
            step = loop.step
            loop.progress.close()
            loop.records.close()
            loop.checkpoints.close()
        with stop.droppable():
            models = loop.trainer.models
            chosen = None if loop.selection is None else loop.trainer.models_of(loop.selection.params)
            processes.by_first(lambda: finish(prepared, directory, loop, models, chosen, say))
    except Stopped:
        if not stop.agreed:
            processes.tell(0, "it was asked to stop; go on with --resume")
        say(_stopped(directory, step))
        return _unfinished("stopped", experiment, prepared, directory.path, step or 0)
    return Run(directory, prepared.experiment, prepared.tokenizer, tuple(models), step, "finished")


def _begun(
    directory: RunDirectory, experiment: Experiment, resume: bool, say: Say
) -> tuple[Experiment, Tokenizer | None, bool]:
    """The experiment, the tokenizer of a run that goes on, and whether one does.

    Raises:
      ValueError: if the directory holds a run that was not to go on, or cannot.
    """
    processes.check_shared(directory.path)
    if resume and processes.gathered(str(directory.untouched()))[0] == "True":
        say(f"{directory.path} holds no run yet: it begins now")
        resume = False
    if resume:
        return *_check_resumed(directory, experiment, say), True
    if processes.gathered(str(directory.exists()))[0] == "True":
        raise ValueError(
            f"{directory.path} already holds a run; go on with it by --resume, or choose another --workdir"
        )
    return experiment, None, False


def _stopped(directory: RunDirectory, step: int | None) -> str:
    """Where a run was stopped, and how it goes on."""
    if not directory.exists():
        return "stopped before training began"
    where = "before it went on" if step is None else f"at step {step}"
    again = hints.command("train", "--resume", "--workdir", directory.path, *processes.options())
    return f"stopped {where}; go on with: {again}{directory.trust_option()}"


def _unfinished(
    status: Status,
    experiment: Experiment,
    prepared: Prepared | None,
    path: Path | str | FirstFree,
    step: int = 0,
) -> Run:
    """A run without models; `prepared` is None if it did not come so far."""
    directory = RunDirectory(path.base if isinstance(path, FirstFree) else path)
    if prepared is None:
        return Run(directory, experiment, cast(Tokenizer, None), (), step, status)
    return Run(directory, prepared.experiment, prepared.tokenizer, (), step, status)


def _unless_gone(say: Say) -> Say:
    """`say`, to which a terminal that was closed is no error: SIGHUP, which saves, may come later."""

    def told(line: str) -> None:
        try:
            say(line)
        except OSError as error:
            if error.errno != errno.EIO:
                raise

    return told


def _settings(experiment: Experiment, **options: bool) -> list[str]:
    """What all processes of a run must have in common."""
    rows = [f"{row.path}={row.value}" for row in fields.describe(experiment)]
    options |= {"jax": jax.__version__}
    return rows + [f"{name.replace('_', '-')}={value}" for name, value in options.items()]


def _check_resumed(directory: RunDirectory, experiment: Experiment, say: Say) -> tuple[Experiment, Tokenizer]:
    """The run that goes on, with the fingerprint of its data, and its tokenizer; says what was changed."""
    recorded, tokenizer = directory.read()
    if directory.checkpoints.is_dir():
        # Before anything is encoded: what another tokenizer makes of the task's text misleads.
        checkpoints = Checkpoints(directory.checkpoints, fingerprint=tokenizer.fingerprint, read_only=True)
        checkpoints.check_tokenizer()
        check_layers(experiment.model, checkpoints)
    if not experiment.task.fingerprint and type(experiment.task) is type(recorded.task):
        task = dataclasses.replace(experiment.task, fingerprint=recorded.task.fingerprint)
        experiment = dataclasses.replace(experiment, task=task)
    for row in rundir.changes(recorded, experiment):
        say(f"changed since the run began: {row}")
    return experiment, tokenizer


def _report(
    experiment: Experiment,
    tokenizer: Tokenizer | None,
    *,
    overridden: frozenset[str],
    shown: report.Shown,
    say: Say,
) -> Prepared:
    began = time.perf_counter()
    given = weights_of(experiment) if tokenizer is None else None  # a run that goes on may have outlived it
    prepared = prepare(experiment, tokenizer, given=given)
    say(report.settings(prepared.experiment, overridden, shown))
    say(report.summary(prepared))
    say(f"prepared in {time.perf_counter() - began:.1f} s")
    return prepared


def _compile(prepared: Prepared, stop: StopRequest, say: Say):
    began = time.perf_counter()
    compiled = compile_interruptibly(prepared.program.compile(prepared.feed.data), stop)
    say(f"compiled in {time.perf_counter() - began:.1f} s; a step: {report.compiled_memory(compiled)}")
    return compiled


def _kept_steps(prepared: Prepared, directory: RunDirectory, resume: bool) -> tuple[int, ...]:
    """The steps whose checkpoints are kept, those of each number of steps before a resume among them."""
    training = prepared.program.training
    steps = {*training.kept_steps}
    if resume:
        before = directory.read_resolved()
        # An older version recorded the number of steps alone.
        steps |= {*before.kept_steps, *dataclasses.replace(training, steps=before.steps).kept_steps}
    return tuple(sorted(steps))


def _start(prepared: Prepared, directory: RunDirectory, compiled, stop, resume: bool, say: Say) -> Loop:
    """The loop at the newest checkpoint, or at step 0 of a run that has none."""
    experiment, training = prepared.experiment, prepared.experiment.training
    checkpoints = Checkpoints(
        directory.checkpoints,
        fingerprint=prepared.tokenizer.fingerprint,
        keep_last=training.keep_last,
        keep_best=training.keep_best,
        keep_steps=_kept_steps(prepared, directory, resume),
    )
    step, state, selection, spikes, spent = 0, None, None, Spikes(experiment.seeds), 0.0
    if resume:
        if checkpoints.steps():
            like = prepared.program.abstract()
            step, state, skipped = checkpoints.restore(
                like | ({"selected": like["params"]} if training.select_every else {})
            )
            spikes, spent = Spikes(experiment.seeds, checkpoints.skipped(step)), checkpoints.trained_for(step)
            if training.select_every:
                selection = checkpoints.selected(step, state["params"], state.pop("selected"))
            for line in skipped:
                say(line)
            say(f"going on from step {step}")
            rule, steps = experiment.optimizer, prepared.resolved.steps
            if jump := _rate_jump(directory, rule, steps, step, spikes.total.tolist()):
                say(jump)
        else:
            say("no checkpoint had been written yet: starting at step 0")
    if step > prepared.resolved.steps:
        raise ValueError(
            f"training.steps={prepared.resolved.steps} lies behind the checkpoint of step {step}; raise "
            "it to go on"
        )
    if state is None:
        if resume:
            prepared = dataclasses.replace(prepared, given=weights_of(experiment))
        state = first_state(prepared)
        if training.select_every:
            selection = Selection.begin(state["params"], experiment.seeds)
    asks = experiment.objective.asks and training.eval_examples > 0
    batch = training.batch_size * experiment.seeds
    width = example_tokens(prepared)
    return Loop(
        Trainer.going_on(prepared, state, step, compiled=compiled, spikes=spikes),
        checkpoints=checkpoints,
        records=records.Records(
            directory,
            seeds=range(training.seed, training.seed + experiment.seeds),
            keep_until=step,
            tensorboard=training.tensorboard,
            wandb=training.wandb,
            config=fields.to_json(experiment),
        ),
        stop=stop,
        progress=Progress(prepared.resolved.steps, start=step, tokens=batch * width, say=say, spent=spent),
        hooks=_hooks(prepared, directory, say),
        selection=selection,
        owed=[
            *_owed(directory, step, experiment.seeds, asks=asks),
            *(["save"] if checkpoints.interim(step) else []),
        ],
    )


#: A learning rate that changes by more than this factor where a run goes on is told of.
_JUMP = 1.5


def _rate_jump(
    directory: RunDirectory,
    optimizer: Optimizer,
    steps: int,
    step: int,
    skipped: Sequence[int] = (0,),
) -> str:
    """What a schedule that was stretched or changed does to the learning rate; "" if it is nothing much.

    Args:
      optimizer, steps: how the run goes on, and where it ends. step: where it is.
      skipped: updates that each seed skipped. A schedule counts those that were made; where seeds differ,
        the largest jump is told.
    """
    if step >= steps:
        return ""
    old = directory.read()[0].optimizer.rate(directory.read_resolved().steps)
    new = optimizer.rate(steps)
    made = sorted({step - count for count in skipped if count < step})
    jumps = [(float(old(count - 1)), float(new(count))) for count in made]
    jumps = [(a, b) for a, b in jumps if not (a > 0 and 1 / _JUMP <= b / a <= _JUMP)]
    if not jumps:
        return ""
    before, after = max(jumps, key=lambda jump: abs(jump[1] - jump[0]))
    times = f", {after / before:.3g} times as much" if before > 0 else ""
    line = f"the learning rate was {before:.3g} and is now {after:.3g}{times}"
    if optimizer.schedule == "constant" or before == 0:
        return line
    return (
        f"{line}: the {optimizer.schedule} schedule now ends at step {steps}; "
        f"to keep the old rate, add --optimizer.schedule constant --optimizer.learning-rate {before:.3g}"
    )


def _owed(directory: RunDirectory, step: int, seeds: int, *, asks: bool) -> list[str]:
    """What a run that was stopped at `step` has not done there, as far as its files tell.

    Args:
      asks: whether an evaluation asks questions; one that does not tells of the loss alone.
    """
    found = records.read(directory.metrics) if directory.metrics.exists() else []
    counts = collections.Counter(metric.name for metric in found if metric.step == step)
    evaluated = counts["validation_exact_match" if asks else "validation_loss"] == seeds
    sampled = any(line.startswith(f"step {step}: ") for line in directory.sample_lines())
    selected = counts["selection_exact_match"] == seeds
    return ["eval"] * (not evaluated) + ["sample"] * (not sampled) + ["select"] * (not selected)


def _hooks(prepared: Prepared, directory: RunDirectory, say: Say) -> Hooks:
    task, training = prepared.experiment.task, prepared.experiment.training
    objective = prepared.experiment.objective

    def score(step: int, models: list[Transformer]) -> dict:
        if not objective.asks:
            return {}
        found = exact_match(
            models,
            prepared.tokenizer,
            task,
            split="validation",
            n=training.eval_examples,
            data_seed=training.data_seed,
            objective=objective,
        )
        if found is None:
            return {}
        say(f"step {step}: validation exact match {found.mean:.4f}")
        return {"validation_exact_match": list(found.per_seed)}

    def select(step: int, models: list[Transformer]) -> list[float]:
        found = exact_match(
            models, prepared.tokenizer, task, examples=prepared.selection, objective=objective
        )
        shown = " ".join(f"{value:.4f}" for value in found.per_seed)
        say(f"step {step}: selection exact match {shown}")
        return list(found.per_seed)

    def sample(step: int, models: list[Transformer]) -> None:
        lines = samples(models[0], prepared.tokenizer, task, objective)
        for line in lines:
            say(f"step {step}: {line}")
        # What a run that was stopped wrote from here on is written again.
        kept = [line for line in directory.sample_lines() if int(line.split()[1][:-1]) < step]
        new = [f"step {step}: {line}" for line in lines]
        write_atomically(directory.samples, "".join(line + "\n" for line in kept + new))

    return Hooks(evaluate=score, sample=sample, select=select)


__all__ = ["TrainingError", "train"]
