"""Every figure of docs/benchmarks.md, and the page: `python benchmarks/everything.py --path shakespeare.txt`.

Takes about an hour on two CPU cores, and ten minutes on a GPU. The text is that of nanoGPT's Shakespeare
run, which is left out on a CPU, where it takes hours.
"""

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: The commands for each kind of device.
COMMANDS = {
    "cpu": (
        "training.py --rounds 5",
        "decoding.py --sizes tiny,baby --batches 1,16,64 --sides jaxgpt,cached,no-cache --rounds 5",
        "decoding.py --sizes tiny,baby --batches 256 --new 64 --sides jaxgpt,cached --rounds 5 --add",
        "decoding.py --sizes gpt2 --batches 1,16,64 --new 16 --sides jaxgpt,cached,no-cache --rounds 5 --add",
        "decoding.py --sizes gpt2-xl --batches 1 --dtype bfloat16 --sides jaxgpt,cached --rounds 5 --add",
        "seeds.py --counts 2,4 --rounds 5",
        "step_overhead.py",
        "products.py",
        "scaling.py --rounds 5",
        "startup.py --rounds 5",
        "data.py --rounds 5",
        "memory.py",
        "lab.py",
        "strings.py",
        "annealer.py",
        "constructions.py",
        "packing.py --rounds 5",
    ),
    "gpu": (
        "kernels.py",
        "training.py --sizes baby-gpu,gpt2-gpu --dtypes bfloat16 --sides jaxgpt,compiled --rounds 5",
        "shakespeare.py --path {path}",
        "seeds.py --counts 256 --dtype bfloat16 --rounds 5 --sides 'at once,compiled PyTorch'",
        "decoding.py --sizes gpt2,gpt2-xl --batches 1,64 --new 128 --dtype bfloat16 --rounds 5",
    ),
}


def main() -> int:
    """Run all commands in turn; one that fails does not keep the others from running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=tuple(COMMANDS), help="default: what JAX finds")
    parser.add_argument("--path", default="", help="text for the Shakespeare run, on a GPU")
    parser.add_argument("--only", default="", help="names of scripts, by comma")
    given = parser.parse_args()
    device = given.device or found()
    only, failed = [name for name in given.only.split(",") if name], []
    for text in COMMANDS[device]:
        if "{path}" in text and not given.path:
            print("left out, since there is no --path: " + text, flush=True)
            continue
        name, *words = shlex.split(text.format(path=shlex.quote(given.path)))
        if only and name.removesuffix(".py") not in only:
            continue
        began = time.perf_counter()
        print(f"python benchmarks/{text}", flush=True)
        done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / name), *words], cwd=ROOT)
        print(f"{name}: {time.perf_counter() - began:.0f} s, status {done.returncode}", flush=True)
        failed += [name] if done.returncode else []
    subprocess.run([sys.executable, "docs/benchmarks.py"], cwd=ROOT, check=True)
    if failed:
        print("failed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


def found() -> str:
    """The kind of device, told by another process, since this one must not hold it."""
    command = [sys.executable, "-c", "import jax; print(jax.default_backend())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
