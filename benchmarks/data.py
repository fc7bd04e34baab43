"""How fast examples come: `python benchmarks/data.py`.

For every input path the examples a second that a run can be fed with, and which share of a step of nanoGPT's
0.8M-parameter model the run waits for them; and how many examples a second are made and tokenized before.
Tokens in files are read once with the operating system holding them in memory, and once with all of them put
out of it before each round.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from alternate import write

CHUNK = 20


def main():
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each; medians are quoted")
    parser.add_argument("--text-mib", type=int, default=64, help="text of the tokens in files")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    given = parser.parse_args()
    rows = []
    print(f"{'path':<34}{'examples/s':>12}{'waited':>9}")
    for name, per_second, waited in itertools.chain(
        feeds(given.rounds, given.text_mib), making(given.rounds)
    ):
        rows.append({"path": name, "examples_per_second": per_second, "waited": waited})
        share = "" if waited is None else f"{waited:>8.2%}"
        print(f"{name:<34}{per_second:>12,.0f} {share}", flush=True)
    if not given.no_write:
        print(f"written: {write('data', rows)}")


def feeds(rounds: int, text_mib: int):
    """(path, examples a second, share of a step that is waited) of each way to the device."""
    import jax

    from jaxgpt.core.fields import override
    from jaxgpt.data.feed import DeviceFeed, HostFeed
    from jaxgpt.data.order import Order
    from jaxgpt.data.stream import Stream
    from jaxgpt.models.template import Template
    from jaxgpt.parallel import sharding
    from jaxgpt.runs.experiments import find
    from jaxgpt.training.program import Program

    experiment = override(find("text"), {"training.chunk": str(CHUNK), "model.vocab-size": "259"})
    training, window = experiment.training, experiment.model.max_length
    mesh = sharding.make_mesh(training.mesh, training.batch_size)
    program = Program(Template(experiment.model), experiment.optimizer, training, 1, mesh, window)
    array = Stream(np.random.default_rng(0).integers(0, 259, 1_000_000).astype(np.uint16), window)
    folder = tempfile.TemporaryDirectory()
    files = tokens(Path(folder.name), text_mib).windows("train", window)
    for name, table, kind in (
        ("table on the device", array, DeviceFeed),
        ("table on the host", array, HostFeed),
        ("tokens in files", files, HostFeed),
        ("tokens in files, not in memory", files, HostFeed),
    ):
        orders = [Order(table.num_examples, training.batch_size, 0)]
        feed = kind(table, orders, CHUNK, mesh)
        forget = (lambda: put_out(files)) if name.endswith("not in memory") else (lambda: None)
        compiled, state = program.compile(feed.data).compile(), program.init()
        whole, place = sharding.replicated(mesh), 0
        waits, steps = [], []
        for index in range(rounds + 1):
            forget()
            began = time.perf_counter()
            data, indices = feed(place, CHUNK)
            jax.block_until_ready((data, indices))
            fed = time.perf_counter()
            first, number = (sharding.put(np.int32(v), whole) for v in (place, CHUNK))
            state, metrics = compiled(state, data, indices, first, number)
            np.asarray(metrics["loss"])
            place += CHUNK
            if index:
                waits.append(fed - began)
                steps.append(time.perf_counter() - fed)
        # Nothing else runs meanwhile, so that what is read ahead has all cores.
        alone = []
        for _ in range(rounds):
            forget()
            began = time.perf_counter()
            jax.block_until_ready(feed(place, CHUNK))
            alone.append(time.perf_counter() - began)
            place += CHUNK
        waited = statistics.median(waits) / (statistics.median(waits) + statistics.median(steps))
        yield name, CHUNK * training.batch_size / statistics.median(alone), waited


def tokens(folder: Path, text_mib: int):
    """The corpus of a text of random words."""
    from jaxgpt.data.tokenizing import tokenize

    letters = np.frombuffer(b"etaoin shrdlu\n", np.uint8)
    text = np.random.default_rng(0).choice(letters, text_mib << 20)
    text.tofile(folder / "text.txt")
    return tokenize([str(folder / "text.txt")], folder / "tokens", workers=os.cpu_count() or 1)


def put_out(files):
    """Have the operating system forget what it holds of some files."""
    for reader in files.stream.readers:
        with open(reader.path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def making(rounds: int):
    """The same of what is done before the first step: examples made, and rows of their tokens."""
    from jaxgpt import tokenizers
    from jaxgpt.data.rows import build_rows
    from jaxgpt.runs.experiments import find

    count = 10_000
    task = find("addition").task
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        examples = list(itertools.islice(task.examples("train"), count))
        times.append(time.perf_counter() - began)
    yield "addition, made", count / statistics.median(times), None
    for spec in ("digits", "digits:3:right", "bytes", "bpe:300"):
        tokenizer = tokenizers.build(spec, lambda: (e.prompt + e.target for e in examples[:1000]))
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            build_rows(examples, tokenizer, encoder_decoder=False, max_length=200)
            times.append(time.perf_counter() - began)
        yield f"rows by {spec}", count / statistics.median(times), None


if __name__ == "__main__":
    main()
