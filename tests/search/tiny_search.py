"""A problem and a search that take seconds."""

import dataclasses

import numpy as np

from jaxgpt import search
from jaxgpt.models.presets.small import tiny
from jaxgpt.training.optimizers.adamw import AdamW
from tasks.constructions import Problem

PROBLEM = Problem.named("isosceles")(n=5)
CONFIG = search.SearchConfig(
    generations=2,
    states=16,
    steps=4,
    keep=12,
    train_steps=6,
    batch_size=8,
    optimizer=AdamW(learning_rate=1e-2, warmup_steps=0),
    model=dataclasses.replace(tiny(), num_layers=1, d_model=16, num_heads=2),
)
NOTHING = np.zeros((0, 25), bool)


def members(sets):
    return [frozenset(np.flatnonzero(row).tolist()) for row in sets]
