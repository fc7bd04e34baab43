"""Ladders of frozen features that are kept beside the run that they read, so that each is trained once."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from jaxgpt.core import fields, foreign
from jaxgpt.core.writing import write_atomically
from jaxgpt.lab.feature_ladder import FINE_TUNED, FRESH, READINGS, FeatureLadder, Rung
from jaxgpt.lab.ladder_training import LadderConfig, feature_ladder
from jaxgpt.runs.run import Run
from jaxgpt.task import Task


def kept_ladder(run: Run, replica: int, task: Task, config: LadderConfig) -> FeatureLadder:
    """The ladder of one of a run's models: read if it is there and made of the same, else trained and kept.

    It lies in the run directory as `feature-ladder-0.json` and so on. What it was made of stands in it: the
    config, the step of the run, the tokenizer, the task and its file. A file that is damaged, or of anything
    else, is made anew.

    Raises:
      ValueError: as `feature_ladder`.
      OSError: if the file cannot be written.
    """
    path = run.directory.path / f"feature-ladder-{replica}.json"
    pinned = task.pinned()
    made_of = {
        "config": fields.to_json(config),
        "step": run.step,
        "tokenizer": run.tokenizer.fingerprint,
        # Files may lie elsewhere if their fingerprint tells that they are the same.
        "task": fields.to_json(dataclasses.replace(pinned, **dict.fromkeys(task.file_fields, ""))),
        "files": pinned.fingerprint,
    }
    found = _read(path, made_of, config)
    if found is None:
        found = feature_ladder((run.models[replica], run.tokenizer), task, config)
        told = {"made_of": made_of, "ladder": dataclasses.asdict(found)}
        write_atomically(path, json.dumps(told, indent=1) + "\n")
    return found


def _read(path: Path, made_of: dict[str, Any], config: LadderConfig) -> FeatureLadder | None:
    """The ladder in a file; None if there is none that was made of the same."""
    try:
        data = foreign.read_json(path)
        return _ladder(data["ladder"], config.seeds) if data["made_of"] == made_of else None
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _ladder(data: dict[str, Any], seeds: int) -> FeatureLadder:
    """Raises ValueError, KeyError, TypeError or OverflowError for values that no ladder has."""
    rungs = tuple(
        Rung(name, float(rate), tuple(map(float, right))) for name, rate, right in map(tuple, data["rungs"])
    )
    found = FeatureLadder(rungs, float(data["chance"]), int(data["words"]), int(data["labelled"]))
    shares = [found.chance, *(share for rung in rungs for share in rung.right)]
    named = tuple(rung.name for rung in rungs) == (FRESH, *READINGS, FINE_TUNED)
    if not named or any(len(rung.right) != seeds for rung in rungs) or not all(0 <= s <= 1 for s in shares):
        raise ValueError("no ladder")
    return found
