"""How many rows a program decodes: equal parts of a batch, side by side, and never a row alone on a GPU.

A step of decoding is many small operations, most of which XLA for CPUs computes on one core. Programs that
one thread starts run one after another, those of several threads at the same time.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax

from jaxgpt.core.settings import cores
from jaxgpt.models.structure import Weights
from jaxgpt.nn.kernels.platform import on_cpu, on_gpu

#: Prompts that a part has at least, and parts that there are at most; more than two have not been measured.
_LEAST, _MOST = 2, 4
#: Bytes of weights from which on it costs more that each part reads them at every token.
_LARGE = 128 << 20
#: What a `with` may have set of JAX for this thread alone.
_SETTINGS = (
    *("enable_x64", "default_device", "default_matmul_precision", "threefry_partitionable"),
    *("debug_nans", "disable_jit"),
)


def count(prompts: int, weights: Weights) -> int:
    """How many parts so many prompts are decoded in: up to one a core of a CPU, elsewhere one.

    Also one where the weights are large, or lie on several devices, whose programs must not meet.
    """
    spread = any(hasattr(leaf, "sharding") and len(leaf.sharding.device_set) > 1 for leaf in weights)
    if spread or not on_cpu() or sum(leaf.nbytes for leaf in weights) >= _LARGE:
        return 1
    most = max(1, min(cores(), _MOST, prompts // _LEAST))
    return -(-prompts // -(-prompts // most))  # none of them without a prompt of its own


def spare_rows(count: int) -> int:
    """How many rows that are done are decoded beside `count` others.

    Of one row XLA for GPUs makes products of a matrix and a vector, and writes out what it sums up: it moves
    a matrix three times. Of two it makes products of matrices.
    """
    return int(count == 1 and on_gpu())


def cut(tree: Any, parts: int) -> list[Any]:
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
    """The function under the settings of this thread."""
    found = {name: getattr(jax.config, f"jax_{name}") for name in _SETTINGS}

    def run(*arguments):
        with contextlib.ExitStack() as stack:
            for name, value in found.items():
                stack.enter_context(getattr(jax, name)(value))
            return function(*arguments)

    return run
