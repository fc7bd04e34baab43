"""Time and memory of a layer of attention by the length of its text."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.structure import split
from jaxgpt.models.template import Template
from jaxgpt.models.token_features import Features
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer

_WIDTH, _GLOBAL = 128, 16


class Cost(NamedTuple):
    """What one forward and backward pass takes.

    Attributes:
      seconds: of each repeat.
      mib: that XLA sets aside for what lies between the two passes.
    """

    seconds: tuple[float, ...]
    mib: float


def layers(longest: int) -> Mapping[str, ModelConfig]:
    """One layer of width 128 of each kind of attention, without positions, for texts of up to a length."""

    def layer(**fields) -> ModelConfig:
        sizes = {"vocab_size": 64, "num_layers": 1, "d_model": _WIDTH, "num_heads": 2, "max_length": longest}
        return ModelConfig(**sizes, position=NoPosition(), **fields)

    return {
        "full": layer(),
        "windows of 256": layer(window=256),
        "Longformer: windows of 256, 16 tokens that see all": layer(
            kind="encoder", sparse=Longformer((256,))
        ),
        "Reformer: hashed, chunks of 64": layer(sparse=Reformer(layers=("lsh",), chunk=64, buckets=(64,))),
    }


def cost(config: ModelConfig, length: int, repeats: int) -> Cost:
    """The cost of one step on a text of a length, forwards and backwards; the first run is not counted."""
    template = Template(config)
    structure, weights = split(template.model(template.init(jax.random.key(0))))
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, 64, (1, length)))
    seen = jnp.arange(_GLOBAL)[None] if isinstance(config.sparse, Longformer) else None

    def loss(weights, tokens):
        model = structure.model(weights)
        return (model(tokens, features=Features(global_tokens=seen), logits_of="none").hidden ** 2).mean()

    step = jax.jit(jax.grad(loss)).lower(weights, tokens).compile()
    mib = step.memory_analysis().temp_size_in_bytes / 2**20
    seconds = []
    for _ in range(repeats + 1 if repeats else 0):
        began = time.perf_counter()
        jax.block_until_ready(step(weights, tokens))
        seconds.append(time.perf_counter() - began)
    return Cost(tuple(seconds[1:]), mib)


def exponent(lengths: Sequence[int], costs: Sequence[float]) -> float:
    """The slope of log cost over log length, by least squares: 1 is linear, 2 quadratic."""
    return float(np.polyfit(np.log(lengths), np.log(costs), 1)[0])
