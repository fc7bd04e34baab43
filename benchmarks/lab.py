"""How long all methods of attribution take on 1,000 tokens: `python benchmarks/lab.py`.

A model of 0.41M weights, two layers of width 128, reads 16 prompts of 63 tokens; each of the eight methods
scores each prompt. The time has compiling in it.
"""

import argparse
import dataclasses
import statistics
import time

import jax
import numpy as np
from alternate import write
from flax import nnx

from jaxgpt import lab
from jaxgpt.models import Transformer
from jaxgpt.models.presets.small import nanogpt_cpu
from jaxgpt.tokenizers import build

PROMPTS, LENGTH = 16, 63


def main():
    """Print the seconds and keep them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are quoted")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    given = parser.parse_args()
    letters = "".join(map(chr, range(33, 98)))
    tokenizer = build("characters", lambda: [letters])
    config = dataclasses.replace(nanogpt_cpu(), num_layers=2, num_heads=2)
    model = Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))
    rng = np.random.default_rng(0)
    prompts = ["".join(rng.choice(list(letters), LENGTH)) for _ in range(PROMPTS)]
    rounds = []
    for _ in range(given.rounds):
        jax.clear_caches()
        began = time.perf_counter()
        for prompt in prompts:
            lab.attributions((model, tokenizer), prompt, "A")
        rounds.append(time.perf_counter() - began)
    row = {"tokens": PROMPTS * LENGTH, "methods": len(lab.METHODS), "seconds": statistics.median(rounds)}
    print(f"{row['methods']} methods on {row['tokens']:,} tokens: {row['seconds']:.1f} s")
    if not given.no_write:
        print(f"written: {write('lab', [row])}")


if __name__ == "__main__":
    main()
