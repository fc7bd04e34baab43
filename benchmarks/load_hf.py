"""Time and memory of reading GPT-2 124M from safetensors: `python benchmarks/load_hf.py`.

The weights are random, in the shapes of the published ones, and written to a temporary directory first. Each
reading is a process of its own: seconds from the call to all weights on the device, and by how much the
largest resident memory grew, over the size of the file.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from jaxgpt.huggingface.config_fields import Given
from jaxgpt.huggingface.families.gpt2 import GPT2
from jaxgpt.huggingface.load import shapes_apart

READ = """
import sys, time, jax
from flax import nnx
from jaxgpt import load_hf

def largest():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

jax.devices()
before, began = largest(), time.perf_counter()
jax.block_until_ready(jax.tree.leaves(nnx.state(load_hf(sys.argv[1]).model)))
print(time.perf_counter() - began, largest() - before)
"""


def main():
    """Print seconds and the share of the file's size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="readings; medians are quoted")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write(path)
        size = (path / "model.safetensors").stat().st_size
        found = []
        for _ in range(repeats):
            words = [sys.executable, "-c", READ, folder]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            found.append([float(word) for word in done.stdout.split()])
        seconds, grown = (statistics.median(column) for column in zip(*found, strict=True))
    print(f"file {size / 1e6:.0f} MB: {seconds:.2f} s, memory grew by {grown / size:.2f} times its size")


def write(path: Path) -> None:
    """GPT-2 124M with random weights."""
    description = {"model_type": "gpt2"}
    (path / "config.json").write_text(json.dumps(description))
    config = GPT2().config(Given(description, "config.json"))
    shapes, rng = shapes_apart(config), np.random.default_rng(0)
    entries = GPT2().entries(config)
    tensors = {
        f"transformer{entry.key}": rng.standard_normal(entry.shape(shapes[entry.paths[0]]), dtype="f")
        for entry in entries
    }
    save_file(tensors, path / "model.safetensors")


if __name__ == "__main__":
    main()
