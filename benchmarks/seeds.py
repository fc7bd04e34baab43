"""Replicas of several seeds at once against one run after another: `python benchmarks/seeds.py`.

One step of nanoGPT's 0.8M-parameter model for each of K seeds: K times the step of one seed, all K on one
device, all K spread over the devices (of a CPU: its cores, as `jaxgpt.core.settings` spreads them), and K
times the step of a compiled PyTorch model (of at most eight seeds, and as many times longer as there are
more), in turns.
"""

import argparse
import dataclasses
import os

import numpy as np
from alternate import alternate, options, serve, write

SIDES = ("one by one", "at once", "spread")
PEER = "compiled PyTorch"
#: Seeds that PyTorch trains one by one in a round, at most.
_MOST = 8


def main():
    """Print the table and keep it."""
    parser = options(__doc__, rounds=7)
    parser.add_argument("--counts", default="2,4,8", help="numbers of seeds")
    parser.add_argument("--sides", default=",".join(SIDES), help=f"of {', '.join(SIDES)} and {PEER}")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--steps", type=int, default=20, help="steps a round")
    parser.add_argument("--seeds", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        serve(lambda: prepare(given.side, given.seeds, given.steps, given.dtype))
        return
    rows, names = [], given.sides.split(",")
    print(f"{'seeds':>5}  {'side':<12}{'ms a step':>10} {'spread':>7}{'times as fast':>15}")
    for count in map(int, given.counts.split(",")):
        arguments = ["--seeds", str(count), "--steps", str(given.steps), "--dtype", given.dtype]
        sides = alternate(__file__, names, rounds=given.rounds, arguments=arguments, together=given.together)
        for name, side in sides.items():
            if not side.error:
                scaled = tuple(s * side.facts.get("scale", 1) for s in side.seconds)
                sides[name] = dataclasses.replace(side, seconds=scaled)
        for side in sides.values():
            if side.error:
                rows.append({"seeds": count, "side": side.name, "error": side.error})
                continue
            step = side.median / given.steps
            ratio = side.over(sides[names[0]])
            rows.append({"seeds": count, "side": side.name, "step_seconds": step, "ratio": ratio})
            rows[-1] |= {"dtype": given.dtype}
            rows[-1] |= {"spread": side.spread} | side.facts
            print(
                f"{count:>5}  {side.name:<12}{1e3 * step:>10.1f} {side.spread:>7.1%}{ratio:>15.2f}",
                flush=True,
            )
    if not given.no_write:
        print(f"written: {write('seeds', rows, add=given.add)}")


def prepare(side: str, seeds: int, steps: int, dtype: str):
    """The program of a side."""
    if side == PEER:
        from training import SIZES, theirs

        some = min(seeds, _MOST)
        facts, work = theirs("compiled", (*SIZES["tiny"][:-1], steps * some), dtype)
        return facts | {"scale": seeds / some}, work
    from jaxgpt.core import settings

    settings.apply()
    if side == "spread":
        settings.spread_seeds(seeds)
    import jax

    from jaxgpt.core.fields import override
    from jaxgpt.data.feed import DeviceFeed
    from jaxgpt.data.order import Order
    from jaxgpt.data.stream import Stream
    from jaxgpt.models.template import Template
    from jaxgpt.parallel import sharding
    from jaxgpt.runs.experiments import find
    from jaxgpt.training.program import Program

    experiment = override(
        find("text"), {"training.chunk": str(steps), "model.vocab-size": "65", "model.dtype": dtype}
    )
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
