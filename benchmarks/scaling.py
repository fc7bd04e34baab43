"""What a step costs as one thing grows: `python benchmarks/scaling.py`.

Around nanoGPT's 0.8M-parameter model: the context, the batch, the depth (layers unrolled, and scanned), and
the devices (of a CPU: some of its cores each), one at a time. Seconds a step, and the memory that XLA sets
aside.
"""

import argparse
import dataclasses
import time

import numpy as np
from alternate import alternate, options, serve, write

BASE = {"length": 64, "batch": 12, "depth": 4, "layers": "unrolled", "devices": 1}
GRID = {
    "length": (64, 128, 256, 512, 1024),
    "batch": (3, 12, 48, 192),
    "depth": (2, 4, 8, 16),
    "depth, scanned": (2, 4, 8, 16),
    "devices": (1, 2),
}


def main():
    """Print the table and keep it."""
    parser = options(__doc__, rounds=5)
    parser.add_argument("--what", default="length;batch;depth;depth, scanned;devices", help="parts, by ;")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        serve(lambda: prepare(given.part, int(given.side)))
        return
    rows = []
    print(
        f"{'what':<16}{'value':>6}{'ms a step':>11} {'spread':>7}{'of the first':>14}{'MiB':>8}{'compile':>9}"
    )
    for part in given.what.split(";"):
        names = [str(value) for value in GRID[part]]
        sides = alternate(
            __file__, names, rounds=given.rounds, arguments=["--part", part], together=given.together
        )
        for name, side in sides.items():
            ratio = side.median / sides[names[0]].median
            rows.append({"what": part, "value": int(name), "step_seconds": side.median, "ratio": ratio})
            rows[-1] |= {"spread": side.spread} | side.facts
            print(
                f"{part:<16}{name:>6}{1e3 * side.median:>11.1f} {side.spread:>7.1%}{ratio:>14.2f}"
                f"{side.facts['temporary_mib']:>8.1f}{side.facts['compile_seconds']:>8.1f}s",
                flush=True,
            )
    if not given.no_write:
        print(f"written: {write('scaling', rows, add=given.add)}")


def prepare(part: str, value: int):
    """The step with one thing changed."""
    from jaxgpt.core import settings

    settings.apply()
    shape = BASE | {part.split(",")[0]: value}
    if "scanned" in part:
        shape["layers"] = "scanned"
    import jax

    if shape["devices"] > 1:
        jax.config.update("jax_num_cpu_devices", shape["devices"])

    from jaxgpt.data.feed import DeviceFeed
    from jaxgpt.data.order import Order
    from jaxgpt.data.stream import Stream
    from jaxgpt.models.template import Template
    from jaxgpt.parallel import sharding
    from jaxgpt.runs.experiments import find
    from jaxgpt.training.program import Program

    experiment = find("text")
    model = dataclasses.replace(
        experiment.model,
        vocab_size=65,
        num_layers=shape["depth"],
        max_length=shape["length"],
        layers=shape["layers"],
    )
    training = dataclasses.replace(experiment.training, batch_size=shape["batch"], chunk=1)
    mesh = sharding.make_mesh(training.mesh, training.batch_size)
    program = Program(Template(model), experiment.optimizer, training, 1, mesh, shape["length"])
    table = Stream(np.random.default_rng(0).integers(0, 65, 100_000).astype(np.uint8), shape["length"])
    feed = DeviceFeed(table, [Order(table.num_examples, training.batch_size, 0)], 1, mesh)
    began = time.perf_counter()
    compiled = program.compile(feed.data).compile()
    facts = {
        "compile_seconds": time.perf_counter() - began,
        "temporary_mib": compiled.memory_analysis().temp_size_in_bytes / 2**20,
    }
    state, place, whole = program.init(), 0, sharding.replicated(mesh)

    def work():
        nonlocal state, place
        data, indices = feed(place, 1)
        first, number = (sharding.put(np.int32(v), whole) for v in (place, 1))
        state, metrics = compiled(state, data, indices, first, number)
        place += 1
        np.asarray(metrics["loss"])

    return facts, work


if __name__ == "__main__":
    main()
