"""Write docs/benchmarks.md from benchmarks/results: `python docs/benchmarks.py`; `--check` compares alone."""

import json
import sys
from pathlib import Path
from typing import Any

import benchmark_goals

from jaxgpt.core import tables

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = Path(__file__).parent / "benchmarks.md"

#: Of each benchmark: what it is called, and its columns as (heading, key, how it is written).
TABLES = {
    "training": (
        "Training against PyTorch",
        (
            ("size", "size", "{}"),
            ("type", "dtype", "{}"),
            ("side", "side", "{}"),
            ("tokens/s", "tokens_per_second", "{:,.0f}"),
            ("spread", "spread", "{:.1%}"),
            ("of the peak", "share", "{:.0%}"),
            ("ours is faster by", "ratio", "{:.2f}"),
            ("compile, s", "compile_seconds", "{:.1f}"),
            ("peak, MiB", "peak_mib", "{:,.0f}"),
            ("on the device", "device_mib", "{:,.0f}"),
        ),
    ),
    "decoding": (
        "Decoding against transformers",
        (
            ("size", "size", "{}"),
            ("batch", "batch", "{}"),
            ("type", "dtype", "{}"),
            ("side", "side", "{}"),
            ("tokens/s", "tokens_per_second", "{:,.0f}"),
            ("spread", "spread", "{:.1%}"),
            ("ours is faster by", "ratio", "{:.2f}"),
            ("first token, ms", "first_seconds", lambda value: f"{1e3 * value:.1f}"),
            ("bandwidth", "bandwidth", "{:.0%}"),
        ),
    ),
    "seeds": (
        "Several seeds at once",
        (
            ("seeds", "seeds", "{}"),
            ("side", "side", "{}"),
            ("ms a step", "step_seconds", lambda value: f"{1e3 * value:.1f}"),
            ("spread", "spread", "{:.1%}"),
            ("of the first side's speed", "ratio", "{:.3g}"),
        ),
    ),
    "shakespeare": (
        "nanoGPT's run on Shakespeare's characters",
        (
            ("side", "side", "{}"),
            ("iterations", "iterations", "{:,}"),
            ("seconds", "seconds", "{:.1f}"),
            ("ms an iteration", "iteration_seconds", lambda value: f"{1e3 * value:.2f}"),
            ("spread", "spread", "{:.1%}"),
            ("ours is faster by", "ratio", "{:.2f}"),
            ("least validation loss", "loss", "{:.4f}"),
        ),
    ),
    "step_overhead": (
        "What the library adds to a step",
        (
            ("side", "side", "{}"),
            ("ms a step", "step_seconds", lambda value: f"{1e3 * value:.2f}"),
            ("spread", "spread", "{:.1%}"),
            ("over the plain step", "ratio", "{:.3f}"),
        ),
    ),
    "products": (
        "Products of bfloat16 and their gradients",
        (
            ("what", "what", "{}"),
            ("side", "side", "{}"),
            ("GFLOP/s", "gflops", "{:,.0f}"),
            ("spread", "spread", "{:.1%}"),
            ("ours is faster by", "ratio", "{:.2f}"),
        ),
    ),
    "scaling": (
        "What a step costs as one thing grows",
        (
            ("what", "what", "{}"),
            ("value", "value", "{}"),
            ("ms a step", "step_seconds", lambda value: f"{1e3 * value:.1f}"),
            ("of the first", "ratio", "{:.2f}"),
            ("temporary, MiB", "temporary_mib", "{:.1f}"),
            ("compile, s", "compile_seconds", "{:.1f}"),
        ),
    ),
    "startup": (
        "How long things take to begin",
        (
            ("what", "what", "{}"),
            ("seconds", "seconds", "{:.2f}"),
            ("least", "least", "{:.2f}"),
            ("most", "most", "{:.2f}"),
        ),
    ),
    "data": (
        "How fast examples come",
        (
            ("path", "path", "{}"),
            ("examples/s", "examples_per_second", "{:,.0f}"),
            ("waited, of a step", "waited", "{:.2%}"),
        ),
    ),
    "memory": (
        "Memory before the first step",
        (
            ("experiment", "experiment", "{}"),
            ("examples", "examples", "{:,}"),
            ("table, MiB", "table_mib", "{:,.0f}"),
            ("peak, MiB", "peak_mib", "{:,.0f}"),
        ),
    ),
    "lab": (
        "Attributions",
        (
            ("methods", "methods", "{}"),
            ("tokens", "tokens", "{:,}"),
            ("seconds", "seconds", "{:.1f}"),
        ),
    ),
    "strings": (
        "Strings written from nothing",
        (
            ("symbols a string", "symbols", "{}"),
            ("strings a minute", "strings_a_minute", "{:,.0f}"),
        ),
    ),
    "constructions": (
        "Constructions by local search",
        (
            ("problem", "problem", "{}"),
            ("n", "n", "{}"),
            ("symmetry", "symmetry", "{}"),
            ("states", "states", "{:,}"),
            ("most steps", "steps", "{:,}"),
            ("best known", "best", "{}"),
            ("asked", "asked", "{}"),
            ("found", "found", "{}"),
            ("seeds", "seeds", "{}"),
            ("that found what is asked", "share", "{:.0%}"),
            ("seconds", "seconds", "{:.1f}"),
            ("longest", "longest", "{:.1f}"),
            ("processor seconds", "processor", "{:.1f}"),
        ),
    ),
    "annealer": (
        "Local search beside an annealer in C",
        (
            ("side", "side", "{}"),
            ("search", "what", "{}"),
            ("evaluations/s of a core", "rate", "{:,.0f}"),
            ("evaluations", "evaluations", "{:,.0f}"),
            ("processor seconds", "processor", "{:.2f}"),
            ("seconds", "seconds", "{:.2f}"),
            ("spread", "spread", "{:.1%}"),
        ),
    ),
    "packing": (
        "Rows that several examples share",
        (
            ("row", "row", "{}"),
            ("rows a step", "rows", "{}"),
            ("places with a token", "share", "{:.1%}"),
            ("tokens that count/s", "tokens_per_second", "{:,.0f}"),
            ("spread", "spread", "{:.1%}"),
            ("faster than padded by", "ratio", "{:.2f}"),
        ),
    ),
}


def page() -> str:
    """The newest results of every benchmark as tables."""
    lines = [
        "# Benchmarks",
        "",
        "`python docs/benchmarks.py` writes this page from `benchmarks/results/`, which holds the figures of",
        "every day. What is compared runs in turns, each in its own process. Figures are medians over",
        "rounds. `spread` is the distance between the quartiles, divided by the median. A ratio is the",
        "median of the ratios of all rounds: above 1 jaxgpt is faster.",
        "",
        *_notes(),
    ]
    results = newest()
    lines += ["## What should be reached, and what is", "", *benchmark_goals.table(results)]
    for name, (title, columns) in TABLES.items():
        found = [data for kind, data in sorted(results.items()) if kind.startswith(f"{name}-")]
        lines += [f"## {title}", ""] if found else []
        for data in found:
            lines += table(columns, data)
    return "\n".join(lines)


def newest() -> dict[str, dict[str, Any]]:
    """The newest results of each benchmark on each kind of device, by `benchmark-device`."""
    found = {}
    for path in sorted(RESULTS.glob("*.json")):
        found[path.stem[: -len("-2000-01-01")]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def table(columns: tuple, data: dict[str, Any]) -> list[str]:
    """What one benchmark found on one machine."""
    machine = data["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    lines = [f"`{data['command']}`, {data['date']}; {machine['cores']} cores of"]
    lines += [f"{machine['processor']}, {machine['device']}, Python {machine['python']}; {versions}.", ""]
    rows = []
    for row in data["rows"]:
        cells = [_cell(row.get(key), form) for _, key, form in columns]
        if row.get("error"):
            known = [cell for cell in cells if cell]
            cells = [*known, f"not run: {row['error'][:80]}", *[""] * (len(cells) - len(known) - 1)]
        rows.append(cells)
    return [*lines, *tables.grid([heading for heading, *_ in columns], rows), ""]


def _cell(value: Any, form: Any) -> str:
    if value is None:
        return ""
    return form(value) if callable(form) else form.format(value)


def _notes() -> list[str]:
    notes = RESULTS / "notes.md"
    return [notes.read_text(encoding="utf-8").strip(), ""] if notes.exists() else []


def main(arguments: list[str]) -> int:
    """Write the page, or say that it is not what would be written."""
    if arguments == ["--check"]:
        return 0 if PAGE.read_text(encoding="utf-8") == page() else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
