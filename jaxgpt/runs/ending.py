"""The end of a run: samples, the final table, pictures and outcome.json."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from jaxgpt.core.progress import Counter, clock
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.scoring import evaluate
from jaxgpt.evaluation.scoring_options import Kept
from jaxgpt.models.transformer import Transformer
from jaxgpt.runs import records
from jaxgpt.runs.machine import machine
from jaxgpt.runs.run_directory import RunDirectory, gallery
from jaxgpt.runs.run_loop import Loop
from jaxgpt.training.prepare import Prepared
from jaxgpt.training.trainer import trained_on

Say = Callable[[str], None]


def finish(
    prepared: Prepared,
    directory: RunDirectory,
    loop: Loop,
    models: list[Transformer],
    chosen: list[Transformer] | None,
    say: Say,
) -> None:
    """Samples, the final table and the pictures; `chosen` are the models that were selected."""
    training = prepared.experiment.training
    say(f"trained {loop.step} steps in {clock(loop.progress.seconds)}")
    if skipped := int(loop.trainer.spikes.total.sum()):
        say(f"{skipped} updates were skipped as spikes: training.skip_spikes={training.skip_spikes}")
    loop.hooks.sample(loop.step, models)
    if not prepared.experiment.objective.asks:
        say("the validation loss measures this objective; no questions are asked")
    elif training.test_examples:
        _test(prepared, models, directory.evaluation, directory.accuracy, say)
        if chosen is not None:
            steps = ", ".join(map(str, loop.selection.steps))
            say(f"the same with the weights that did best on the selection questions, of step {steps}")
            _test(prepared, chosen, directory.selected_evaluation, directory.selected_accuracy, say)
    found = records.read(directory.metrics)
    plots.learning_curve(found, directory.learning_curve)
    outcome = {
        "steps": loop.step,
        "seconds": records.training_seconds(found),
        "parameters": prepared.program.template.num_params,
        "machine": machine(),
    }
    if loop.selection is not None:
        outcome["selection"] = loop.selection.note()
    if training.skip_spikes is not None or loop.trainer.spikes.total.any():
        outcome["skipped"] = loop.trainer.spikes.total.tolist()
    write_atomically(directory.outcome, json.dumps(outcome, indent=1) + "\n")
    say(f"everything is in {directory.path}")


def _test(prepared: Prepared, models: list[Transformer], output: Path, picture: Path, say: Say) -> None:
    """The table of the test questions, printed and written."""
    training, began = prepared.experiment.training, time.perf_counter()
    result = evaluate(
        models,
        prepared.tokenizer,
        prepared.experiment.task,
        split="test",
        n=training.test_examples,
        n_extra=training.extra_examples,
        trained_on=trained_on(prepared),
        kept=Kept(gallery=gallery(output)),
        progress=Counter("evaluating", say),
    )
    say(result.table())
    say(f"evaluated in {clock(time.perf_counter() - began)}")
    result.write_json(output)
    plots.accuracy_grid(result, picture)
