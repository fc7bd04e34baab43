"""What the library adds to a training step: `python benchmarks/step_overhead.py`.

Three figures, on nanoGPT's 0.8M-parameter character model (batch 12, context 64), alternating, medians:

- our step, in chunks, over the same computation as a plain `jax.jit` function of the leaves, one step a call;
- our step in chunks of one, over the same (what is paid where chunks do not help);
- what Python spends on a chunk: indices, transfers, the call and reading the metrics, with a compiled
  function of the same arguments and results that computes nothing.
"""

import argparse
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from alternate import write

from jaxgpt.core.fields import override
from jaxgpt.data.feed import DeviceFeed
from jaxgpt.data.order import Order
from jaxgpt.data.stream import Stream
from jaxgpt.models.template import Template
from jaxgpt.objectives.batches import gather
from jaxgpt.parallel import sharding
from jaxgpt.runs.experiments import find
from jaxgpt.training.program import Program

CHUNK = 20
SIDES = {"plain": "plain jax.jit", "chunks": "ours, in chunks", "ones": "ours, one step a dispatch"}


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="alternations; medians are quoted")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    given = parser.parse_args()
    repeats = given.rounds

    experiment = override(find("text"), {"training.chunk": str(CHUNK), "model.vocab-size": "65"})
    training, window = experiment.training, experiment.model.max_length
    mesh = sharding.make_mesh(training.mesh, training.batch_size)
    template = Template(experiment.model)
    program = Program(template, experiment.optimizer, training, 1, mesh, window)
    stream = np.random.default_rng(0).integers(0, 65, 100_000).astype(np.uint8)
    table = Stream(stream, window)
    feed = DeviceFeed(table, [Order(table.num_examples, training.batch_size, 0)], CHUNK, mesh)
    compiled = program.compile(feed.data).compile()
    whole = sharding.replicated(mesh)
    print(f"{template.num_params:,} parameters, {jax.devices()[0].device_kind}, {repeats} alternations")

    plain, leaves = plain_step(program, feed)
    state = program.init()
    place = 0

    def nothing(state, data, indices, first, count):
        zeros = jnp.zeros((CHUNK, 1))
        return state, {"loss": zeros, "grad_norm": zeros, "weight": zeros}

    idle = jax.jit(nothing, donate_argnums=0, keep_unused=True)

    def ours(count: int, dispatches: int, function=compiled):
        nonlocal state, place
        for _ in range(dispatches):
            data, indices = feed(place, count)
            first, number = (sharding.put(np.int32(v), whole) for v in (place, count))
            state, metrics = function(state, data, indices, first, number)
            place += count
            np.asarray(metrics["loss"])

    def theirs():
        nonlocal leaves
        for i in range(CHUNK):
            leaves, loss = plain(leaves, feed.data, feed.orders[0].batch(i), np.int32(i))
        np.asarray(loss)

    times = {"chunks": [], "ones": [], "plain": [], "python": []}
    runs = {
        "chunks": lambda: ours(CHUNK, 1),
        "ones": lambda: ours(1, CHUNK),
        "plain": theirs,
        "python": lambda: ours(CHUNK, CHUNK, idle),
    }
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if repeat:  # the first round warms up
                times[name].append(time.perf_counter() - began)
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"plain jax.jit        {1e3 * median['plain'] / CHUNK:8.3f} ms a step")
    print(
        f"ours, chunks of {CHUNK}   {1e3 * median['chunks'] / CHUNK:8.3f} ms a step, "
        f"ratio {ratio(times['chunks'], times['plain']):.3f}"
    )
    print(
        f"ours, one a dispatch {1e3 * median['ones'] / CHUNK:8.3f} ms a step, "
        f"ratio {ratio(times['ones'], times['plain']):.3f}"
    )
    print(f"Python, a chunk      {1e3 * median['python'] / CHUNK:8.3f} ms")
    rows = []
    for name, what in SIDES.items():
        low, _, high = statistics.quantiles(times[name], n=4)
        rows.append({"side": what, "step_seconds": median[name] / CHUNK})
        rows[-1] |= {"spread": (high - low) / median[name], "ratio": ratio(times[name], times["plain"])}
    if not given.no_write:
        print(f"written: {write('step_overhead', rows)}")


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios round by round, which a drifting machine does not move."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def plain_step(program: Program, feed: DeviceFeed):
    """The same update as a user would write it: one jitted function of a list of arrays."""
    template, training = program.template, program.training
    transformation = program.optimizer.build(training.steps, template.axes)
    params = template.init(jax.random.key(0))
    start = (params, transformation.init(params))
    structure = jax.tree.structure(start)

    def step(leaves, data, index, number):
        params, optimizer = jax.tree.unflatten(structure, leaves)
        batch = gather(data, index, program.window)

        def loss(params):
            logits = template.model(params)(
                batch["tokens"][:, :-1], key=jax.random.fold_in(key, number)
            ).logits
            return optax.softmax_cross_entropy_with_integer_labels(logits, batch["tokens"][:, 1:]).mean()

        key = jax.random.key(0)
        value, grads = jax.value_and_grad(loss)(params)
        updates, optimizer = transformation.update(grads, optimizer, params)
        return jax.tree.leaves((optax.apply_updates(params, updates), optimizer)), value

    return jax.jit(step, donate_argnums=0), jax.tree.leaves(start)


if __name__ == "__main__":
    main()
