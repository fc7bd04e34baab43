"""How many strings a model writes from nothing in a minute: `python benchmarks/strings.py`.

makemore's transformer, 0.2M weights, writes strings of zeros and ones at temperature 1, without training: of
30 to 40 symbols, and of 50 to 200. Its end token is as likely as any other, so what limits a string is the
length asked for; every string here has it.
"""

import argparse
import dataclasses
import statistics
import time

from alternate import write
from flax import nnx

from jaxgpt.generation import Sampling
from jaxgpt.generation.decode import generate
from jaxgpt.models import Transformer
from jaxgpt.models.presets.small import makemore
from jaxgpt.tokenizers import build

STRINGS = 512


def main():
    """Print the strings a minute and keep them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are quoted")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    given = parser.parse_args()
    tokenizer = build("characters", lambda: ["01"])
    rows = []
    for length in (40, 200):
        config = dataclasses.replace(makemore(), max_length=length + 2)
        model = Transformer(config.for_vocabulary(tokenizer.vocabulary()), rngs=nnx.Rngs(0))

        def written(seed, model=model, length=length):
            prompts = [tokenizer.begun([])] * STRINGS
            sampling = Sampling(temperature=1.0, seed=seed)
            return generate(model, prompts, max_new_tokens=length, sampling=sampling)

        written(0)  # compiles
        rounds = []
        for seed in range(1, 1 + given.rounds):
            began = time.perf_counter()
            written(seed)
            rounds.append(time.perf_counter() - began)
        rate = 60 * STRINGS / statistics.median(rounds)
        rows.append({"symbols": length, "strings_a_minute": rate})
        print(f"{length:>4} symbols: {rate:,.0f} strings a minute")
    if not given.no_write:
        print(f"written: {write('strings', rows)}")


if __name__ == "__main__":
    main()
