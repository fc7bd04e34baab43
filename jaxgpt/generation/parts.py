"""How many rows a program decodes: equal parts of a batch, side by side, and never a row alone on a GPU.

A step of decoding is many small operations, most of which XLA for CPUs computes on one core. Programs that
one thread starts run one after another, those of several threads at the same time.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax

from jaxgpt.models.parts import Weights
from jaxgpt.nn.backend import on_cpu, on_gpu
from jaxgpt.settings import cores

#: Of fewer prompts a part is not worth its own program.
_LEAST = 2


def count(prompts: int, weights: Weights) -> int:
    """How many parts so many prompts are decoded in: one a core of a CPU, elsewhere one.

    Also one where the weights lie on several devices, whose programs must not meet each other.
    """
    if not on_cpu() or any(len(leaf.sharding.device_set) > 1 for leaf in weights):
        return 1
    return max(1, min(cores(), prompts // _LEAST))


def spare_rows(count: int) -> int:
    """How many rows that are done are decoded beside `count` others.

    Of one row XLA for GPUs makes products of a matrix and a vector, and writes out what it sums up: it moves
    a matrix three times. Of two it makes products of matrices.
    """
    return int(count == 1 and on_gpu())


def split(tree: Any, parts: int) -> list[Any]:
    """The tree with each array cut into so many equal parts."""
    if parts == 1:
        return [tree]

    def part(index, leaf):
        size = len(leaf) // parts
        return leaf[index * size : (index + 1) * size]

    return [jax.tree.map(lambda leaf, index=index: part(index, leaf), tree) for index in range(parts)]


def side_by_side(function: Callable, arguments: list[tuple]) -> list[Any]:
    """What a compiled function returns for each part's arguments; nothing waits for its computing.

    One part is started after another, so that the first compiles for all.
    """
    first, *others = arguments
    results = [function(*first)]
    for given in others:
        with ThreadPoolExecutor(1) as thread:
            results.append(thread.submit(_as_here(function), *given).result())
    return results


def _as_here(function):
    """With what this thread has set of JAX, which holds for one thread alone."""
    found = jax.config.jax_enable_x64, jax.config.jax_default_device, jax.config.jax_default_matmul_precision

    def run(*arguments):
        wide, device, precision = found
        with jax.enable_x64(wide), jax.default_device(device), jax.default_matmul_precision(precision):
            return function(*arguments)

    return run
