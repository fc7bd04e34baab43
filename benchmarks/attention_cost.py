"""Time and memory of attention by length: `python benchmarks/attention_cost.py`.

One layer of width 128, forwards and backwards, on texts of 1k to 16k tokens: full attention, a window of 256,
Longformer with the same window and 16 tokens that see all, and Reformer's hashing in chunks of 64. Memory is
what XLA sets aside for the compiled step. The exponent is the slope of log cost over log length, by least
squares: 1 is linear, 2 quadratic.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxgpt.models.config import ModelConfig
from jaxgpt.models.transformer import Transformer
from jaxgpt.nn.position.none import NoPosition
from jaxgpt.nn.sparse.longformer import Longformer
from jaxgpt.nn.sparse.reformer import Reformer

LENGTHS = (1024, 2048, 4096, 8192, 16384)
BASE = dict(
    vocab_size=64, num_layers=1, d_model=128, num_heads=2, max_length=LENGTHS[-1], position=NoPosition()
)
KINDS = {
    "full": ModelConfig(**BASE),
    "window 256": ModelConfig(**BASE, window=256),
    "longformer 256": ModelConfig(**BASE, kind="encoder", sparse=Longformer((256,))),
    "hashing 64": ModelConfig(**BASE, sparse=Reformer(layers=("lsh",), chunk=64, buckets=(64,))),
}


def main():
    """Print the table and the exponents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each; medians are quoted")
    parser.add_argument("--longest", type=int, default=LENGTHS[-1], help="the longest text")
    given = parser.parse_args()
    lengths = [length for length in LENGTHS if length <= given.longest]
    print(f"{jax.devices()[0].device_kind}, {given.repeats} repeats, medians")
    print(f"{'attention':<16}" + "".join(f"{length:>18,}" for length in lengths) + "   exponents")
    for name, config in KINDS.items():
        costs = [cost(config, length, given.repeats) for length in lengths]
        cells = "".join(f"{seconds * 1e3:>9.0f} ms{mib:>4.0f} MiB" for seconds, mib in costs)
        slopes = [slope(lengths, [c[i] for c in costs]) for i in (0, 1)]
        print(f"{name:<16}{cells}   time {slopes[0]:.2f}, memory {slopes[1]:.2f}", flush=True)


def cost(config: ModelConfig, length: int, repeats: int) -> tuple[float, float]:
    """Seconds and MiB of one step on a text of some length."""
    model = Transformer(config, rngs=nnx.Rngs(0))
    graph, state = nnx.split(model)
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, 64, (1, length)))
    special = {"global_tokens": jnp.arange(16)[None]} if config.kind == "encoder" else {}

    def loss(state, tokens):
        return (nnx.merge(graph, state)(tokens, **special).hidden ** 2).mean()

    step = jax.jit(jax.grad(loss)).lower(state, tokens).compile()
    jax.block_until_ready(step(state, tokens))
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(step(state, tokens))
        times.append(time.perf_counter() - began)
    return statistics.median(times), step.memory_analysis().temp_size_in_bytes / 2**20


def slope(lengths: list[int], costs: list[float]) -> float:
    """Of log cost over log length."""
    return float(np.polyfit(np.log(lengths), np.log(costs), 1)[0])


if __name__ == "__main__":
    main()
