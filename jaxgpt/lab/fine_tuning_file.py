"""What a training on another text gave, in a file: so that it is trained once."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation.intervals import Estimate
from jaxgpt.lab.fine_tuning import FineTuning
from jaxgpt.lab.text_loss import TextLoss

_CURVES = ("gained", "scratch", "forgotten")


def write(path: Path, found: FineTuning, made_of: Any) -> None:
    """Write a training's curves, and a digest of what they were made of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"made_of": _digest(made_of), "found": dataclasses.asdict(found)}
    write_atomically(path, json.dumps(told) + "\n")


def read(path: Path, made_of: Any) -> FineTuning | None:
    """The curves in a file; None if there is none, or it is of something else, or it was changed."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["made_of"] != _digest(made_of):
            return None
        found = told["found"]
        curves = {name: tuple(map(_loss, found[name])) for name in _CURVES}
        names = {name: str(found[name]) for name in ("learned", "trained_on")}
        return FineTuning(**names, step=int(found["step"]), steps=tuple(map(int, found["steps"])), **curves)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(made_of: Any) -> str:
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def _loss(told: Any) -> TextLoss:
    nats, bits_a_byte, left_out = told
    return TextLoss(_estimate(nats), _estimate(bits_a_byte), float(left_out))


def _estimate(told: Any) -> Estimate:
    mean, interval, per_seed = told
    pair = None if interval is None else (float(interval[0]), float(interval[1]))
    return Estimate(float(mean), pair, tuple(map(float, per_seed)))
