"""Golden figures: losses, greedy tokens and parameter shapes of short runs, recorded to compare with.

    python -m tests.golden            compare with tests/golden.json; 1 if anything differs
    python -m tests.golden --record   write tests/golden.json
    python -m tests.golden text       compare one row, or several

A change that moves code without changing what it computes leaves them all as they are. The file says with
which JAX and on which processor it was recorded. With another JAX nothing is compared.
"""

import os

# Before JAX starts. One thread and AVX2 make the figures depend less on the machine.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false --xla_cpu_max_isa=AVX2"
os.environ["JAXGPT_SETTINGS"] = "off"

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import jax
from flax import nnx

import jaxgpt
from jaxgpt.core import fields
from jaxgpt.runs import experiments

FILE = Path(__file__).with_suffix(".json")
SEEDS = (0, 1)
STEPS = 60
#: Largest difference of a loss.
TOLERANCE = 1e-6


# The adapter: all that the script knows of jaxgpt. A restructuring changes these functions and ROWS alone.


def run_losses(workdir: Path) -> list[float]:
    """The training loss of each step of a run."""
    rows = map(json.loads, (workdir / "metrics.jsonl").read_text().splitlines())
    return [row["value"] for row in rows if row["name"] == "loss"]


def trained(name: str, options: dict[str, str], workdir: Path) -> tuple[list[float], jaxgpt.Run]:
    """The losses of an experiment with these options, and the run."""
    experiment = fields.override(experiments.find(name), options)
    jaxgpt.train(experiment, workdir, say=lambda line: None)
    return run_losses(workdir), jaxgpt.load(workdir)


def parameter_shapes(run: jaxgpt.Run) -> list[list[int]]:
    """The shapes of all parameters, sorted, without names."""
    return sorted(list(leaf.shape) for leaf in jax.tree.leaves(nnx.state(run.model, nnx.Param)))


def greedy_tokens(run: jaxgpt.Run, prompts: list[str], length: int) -> list:
    """For each prompt the ids of `length` new tokens, of a number token with its features.

    Of a model that fills in tokens their text, of one with labels the label.
    """
    if run.model.config.label_names or run.model.config.kind == "encoder":
        return [answers[0] for answers in run.generate(prompts, max_new_tokens=length)]
    texts = [run.tokenizer.encode(run.task.prompt(prompt)) for prompt in prompts]
    rows, source = [run.tokenizer.begun(text) for text in texts], None
    if run.model.config.kind == "encoder_decoder":
        rows, source = [run.tokenizer.begun([]) for _ in texts], [[*t, run.tokenizer.eos_id] for t in texts]
    new = jaxgpt.generate(run.model, rows, source=source, max_new_tokens=length)
    return [[_token(token) for token in row] for row in new]


def _token(token) -> int | list:
    features = getattr(token, "features", None)
    return int(token) if features is None else [int(token), *map(float, features)]


#: Options of every row.
COMMON = {
    "training.steps": str(STEPS),
    "training.chunk": "20",
    "training.log-every": "1",
    "training.eval-every": "0",
    "training.sample-every": "0",
    "training.eval-examples": "8",
    "training.test-examples": "0",
    # A warm-up of a hundred steps would leave these runs with hardly any learning.
    "optimizer.warmup-steps": "10",
}
SUMS = {"training.train-examples": "4000", "training.batch-size": "32"}
NARROW = {"model.num-layers": "2", "model.d-model": "64", "training.batch-size": "8"}
TEXT = NARROW | {"task.path": "story.txt"}
PAIRS = {
    "task.path": "story.txt",
    "tokenizer": "bpe:320",
    "training.batch-size": "8",
    "model.max-length": "128",
}
BLOCKS = TEXT | {"task.split-by": "blocks", "task.block-characters": "200"}
#: row -> experiment, its options beside COMMON, prompts, new tokens.
ROWS: dict[str, tuple[str, dict[str, str], list[str], int]] = {
    "addition": ("addition", SUMS, ["9+71421", "12+34", "555+5"], 8),
    "addition-seq2seq": ("addition-seq2seq", SUMS, ["9+71421", "12+34"], 8),
    "numbers": ("addition-tokenizations", SUMS | {"tokenizer": "fone"}, ["9+71421", "12+34"], 2),
    "text": ("text", TEXT, ["The ", "A small boat"], 24),
    "synopses": (
        "synopses",
        NARROW
        | {"task.path": "stories.csv", "task.text-column": "story", "tokenizer": "bpe:320"}
        | {"task.min-characters": "40", "model.max-length": "96"},
        ["The ", "A small boat"],
        16,
    ),
    "masked": (
        "text",
        BLOCKS | {"model.kind": "encoder", "objective": "masked", "objective.tokens": "random"},
        ["The ", "A small boat"],
        3,
    ),
    "labels": (
        "sentence-pairs",
        PAIRS,
        ["The tide comes in.\tIt goes out.", "A small boat waits.\tThe tide comes in."],
        1,
    ),
    "pretraining": (
        "bert-pretraining",
        PAIRS,
        ["The tide comes in.\tIt goes out."],
        1,
    ),
    "denoising": (
        "text",
        {
            "task.path": "story.txt",
            "task.split-by": "blocks",
            "task.block-characters": "200",
            "model": "small_encoder_decoder",
            "model.max-length": "48",
            "objective": "denoising",
            "objective.copies": "2",
            "training.batch-size": "8",
        },
        ["The tide comes", "A small boat"],
        12,
    ),
}


# What is recorded and compared.


def write_texts(folder: Path) -> None:
    """`story.txt`, paragraphs of a few sentences, and `stories.csv`, the same ones as a table."""
    things = ["tide", "boat", "letter", "keeper", "harbour", "lamp", "gull", "storm"]
    kinds = ["small", "grey", "late", "quiet", "old", "bright"]
    acts = ["comes in", "goes out", "waits", "turns back", "is seen again", "says nothing"]
    state, paragraphs = 1, []
    for number in range(240):
        sentences = []
        for _ in range(4):
            words = []
            for choices in (("The", "A", "Every"), kinds, things, acts):
                state = (1103515245 * state + 12345) % 2**31
                words.append(choices[(state >> 16) % len(choices)])
            sentences.append(" ".join(words) + ".")
        paragraphs.append(" ".join(sentences) + f" That was day {number}.")
    (folder / "story.txt").write_text("\n\n".join(paragraphs) + "\n")
    (folder / "stories.csv").write_text("story\n" + "".join(f'"{text}"\n' for text in paragraphs))


def measure(row: str, seed: int, folder: Path) -> dict:
    """The figures of one row at one seed."""
    name, options, prompts, length = ROWS[row]
    options = COMMON | options | {"training.seed": str(seed)}
    if "task.path" in options:
        options["task.path"] = str(folder / options["task.path"])
    losses, run = trained(name, options, folder / f"{row}-{seed}")
    shapes = parameter_shapes(run)
    return {
        "losses": losses,
        "tokens": greedy_tokens(run, prompts, length),
        "shapes": shapes,
        "parameters": sum(_size(shape) for shape in shapes),
    }


def _size(shape: list[int]) -> int:
    size = 1
    for side in shape:
        size *= side
    return size


def differences(expected: dict, found: dict) -> tuple[float, list[str]]:
    """The largest difference of a loss, and all that is not as recorded."""
    pairs = list(zip(expected["losses"], found["losses"], strict=False))
    largest = max((abs(one - other) for one, other in pairs), default=0.0)
    wrong = [name for name in ("tokens", "shapes", "parameters") if expected[name] != found[name]]
    if len(expected["losses"]) != len(found["losses"]):
        wrong.append(f"{len(found['losses'])} losses for {len(expected['losses'])}")
    if not largest <= TOLERANCE:  # NaN is none, too
        step = next(i for i, (one, other) in enumerate(pairs) if not abs(one - other) <= TOLERANCE)
        wrong.append(f"losses from step {step + 1} on")
    return largest, wrong


def machine() -> dict[str, str]:
    """What the figures depend on beside the code."""
    processor = "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        found = dict(line.partition(":")[::2] for line in lines if ":" in line)
        found = {key.strip(): value.strip() for key, value in found.items()}
        processor = f"{found.get('model name')}, model {found.get('model')}"
    return {"jax": jax.__version__, "processor": processor}


def main(words: list[str] | None = None) -> int:
    """Compare or record; the status."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help=f"write {FILE.name}")
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)}; all if left out")
    given = parser.parse_args(words)
    if unknown := set(given.rows) - set(ROWS):
        parser.error(f"{', '.join(sorted(unknown))}: no row; there are {', '.join(ROWS)}")
    if given.record and given.rows:
        parser.error("--record writes all rows; leave their names out")
    recorded = {} if given.record else json.loads(FILE.read_text())
    here = machine()
    if not given.record and recorded["jax"] != here["jax"]:
        print(f"skipped: recorded with jax {recorded['jax']}, this is {here['jax']}")
        return 0
    if not given.record and recorded["processor"] != here["processor"]:
        print(f"recorded on {recorded['processor']}, this is {here['processor']}: losses may differ")
    found, failed = {}, False
    with tempfile.TemporaryDirectory(prefix="jaxgpt-golden-") as name:
        folder = Path(name)
        jax.config.update("jax_compilation_cache_dir", str(folder / "programs"))  # for the second seed
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        write_texts(folder)
        for row in given.rows or ROWS:
            for seed in SEEDS:
                began = time.perf_counter()
                key = f"{row} seed {seed}"
                found[key] = measure(row, seed, folder)
                seconds, last = time.perf_counter() - began, found[key]["losses"][-1]
                line = f"{key:<24} {seconds:5.1f} s   last loss {last:.6f}"
                if not given.record:
                    largest, wrong = differences(recorded["rows"][key], found[key])
                    failed = failed or bool(wrong)
                    line += f"   largest difference {largest:.1e}   {'; '.join(wrong) or 'same'}"
                print(line, flush=True)
            jax.clear_caches()
    if given.record:
        rows = ",\n".join(f"  {json.dumps(key)}: {_lines(value)}" for key, value in found.items())
        head = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in here.items())
        FILE.write_text(f'{{\n{head}"rows": {{\n{rows}\n}}\n}}\n')
    return int(failed)


def _lines(value: dict) -> str:
    """A row as JSON, one figure a line."""
    return "{\n" + ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n  }"


if __name__ == "__main__":
    sys.exit(main())
