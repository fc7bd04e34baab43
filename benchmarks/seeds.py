"""Replicas of several seeds at once against one run after another: `python benchmarks/seeds.py`.

One step of nanoGPT's 0.8M-parameter model for each of K seeds: K times the step of one seed, all K on one
device, and all K spread over the devices (of a CPU: its cores, as `jaxgpt.settings` spreads them), in
turns.
"""

import argparse
import os

import numpy as np
from alternate import alternate, serve, write

SIDES = ("one by one", "at once", "spread")


def main():
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="2,4,8", help="numbers of seeds")
    parser.add_argument("--steps", type=int, default=20, help="steps a round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each side; medians are quoted")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        serve(lambda: prepare(given.side, given.seeds, given.steps))
        return
    rows = []
    print(f"{'seeds':>5}  {'side':<12}{'ms a step':>10} {'spread':>7}{'times as fast':>15}")
    for count in map(int, given.counts.split(",")):
        arguments = ["--seeds", str(count), "--steps", str(given.steps)]
        sides = alternate(__file__, SIDES, rounds=given.rounds, arguments=arguments)
        for side in sides.values():
            step = side.median / given.steps
            ratio = side.over(sides["one by one"])
            rows.append({"seeds": count, "side": side.name, "step_seconds": step, "ratio": ratio})
            rows[-1] |= {"spread": side.spread} | side.facts
            print(
                f"{count:>5}  {side.name:<12}{1e3 * step:>10.1f} {side.spread:>7.1%}{ratio:>15.2f}",
                flush=True,
            )
    if not given.no_write:
        print(f"written: {write('seeds', rows)}")


def prepare(side: str, seeds: int, steps: int):
    """The program of a side."""
    from jaxgpt import settings

    settings.apply()
    if side == "spread":
        settings.spread_seeds(seeds)
    import jax

    from jaxgpt.data.feed import DeviceFeed
    from jaxgpt.data.order import Order
    from jaxgpt.data.stream import Stream
    from jaxgpt.experiments import find
    from jaxgpt.fields import override
    from jaxgpt.training import sharding
    from jaxgpt.training.program import Program, Template

    experiment = override(find("text"), {"training.chunk": str(steps), "model.vocab-size": "65"})
    training, window = experiment.training, experiment.model.max_length
    together = 1 if side == "one by one" else seeds
    mesh = sharding.make_mesh(training.mesh, training.batch_size, together)
    program = Program(Template(experiment.model), experiment.optimizer, training, together, mesh, window)
    stream = np.random.default_rng(0).integers(0, 65, 100_000).astype(np.uint8)
    table = Stream(stream, window)
    orders = [Order(table.num_examples, training.batch_size, seed) for seed in range(together)]
    feed = DeviceFeed(table, orders, steps, mesh)
    compiled, whole, place = program.compile(feed.data).compile(), sharding.replicated(mesh), 0
    states = [program.init() for _ in range(seeds // together)]

    def work():
        nonlocal place
        data, indices = feed(place, steps)
        first, number = (sharding.put(np.int32(v), whole) for v in (place, steps))
        for index, state in enumerate(states):
            states[index], metrics = compiled(state, data, indices, first, number)
            np.asarray(metrics["loss"])
        place += steps

    return {"devices": jax.device_count(), "cores": os.cpu_count()}, work


if __name__ == "__main__":
    main()
