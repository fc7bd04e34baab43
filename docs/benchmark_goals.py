"""What the library should reach, by figures of `benchmarks/results/`."""

import dataclasses
import operator
from collections.abc import Callable
from typing import Any

from jaxgpt.core import tables

Rows = list[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Goal:
    """One figure with what it is compared with.

    Attributes:
      device: the start of the kind of device that it is measured on.
      benchmark: by which script.
      row: the values of the row that holds it.
      key: what it is called there. needed: what it should be.
      best: whether it should be at least (`ge`) or at most (`le`) that.
      form: how it is written.
    """

    what: str
    peer: str
    device: str
    benchmark: str
    row: dict[str, Any]
    needed: float
    key: str = "ratio"
    best: Callable[[float, float], bool] = operator.ge
    form: Callable[[float], str] = "{:.2f}".format

    def cells(self, results: dict[str, dict[str, Any]]) -> tuple[str, ...]:
        """A row of the table."""
        found = [
            row
            for name, data in sorted(results.items())
            if name.startswith(f"{self.benchmark}-{self.device}")
            for row in data["rows"]
            if self.key in row and all(row.get(name) == value for name, value in self.row.items())
        ]
        sign = "at least" if self.best is operator.ge else "at most"
        needed = f"{sign} {self.form(self.needed)}"
        if not found:
            return self.what, self.peer, needed, "not run", "", ""
        value = found[-1][self.key]
        spread = found[-1].get("spread")
        return (
            self.what,
            self.peer,
            needed,
            self.form(value),
            "" if spread is None else f"{spread:.1%}",
            "yes" if self.best(value, self.needed) else "**no**",
        )


def trained(size: str, dtype: str, side: str, needed: float, device: str = "cpu") -> Goal:
    """Training as fast as a side."""
    peer = {"written out": "PyTorch, makemore's operations"}.get(side, f"PyTorch, {side}")
    row = {"size": size, "dtype": dtype, "side": side}
    return Goal(f"training {size}, {dtype}", peer, device, "training", row, needed)


def decoded(size: str, batch: int, side: str, needed: float, dtype: str, device: str = "cpu") -> Goal:
    """Decoding as fast as a side."""
    peer = {
        "cached": "transformers with its cache",
        "static": "transformers, static cache, compiled",
        "no-cache": "PyTorch without a cache",
    }[side]
    row = {"size": size, "batch": batch, "side": side, "dtype": dtype}
    return Goal(f"decoding {size}, batch {batch}, {dtype}", peer, device, "decoding", row, needed)


GPU = "nvidia"
GOALS = (
    trained("tiny", "float32", "eager", 1.0),
    trained("tiny", "bfloat16", "eager", 1.3),
    trained("makemore", "float32", "written out", 1.67),
    trained("baby", "bfloat16", "eager", 0.9),
    decoded("tiny", 1, "no-cache", 16, "float32"),
    decoded("tiny", 1, "cached", 4, "float32"),
    decoded("tiny", 64, "cached", 1.3, "float32"),
    decoded("baby", 64, "cached", 1.3, "float32"),
    Goal(
        "a step, over plain jax.jit",
        "the same as one function of leaves",
        "cpu",
        "step_overhead",
        {"side": "ours, in chunks"},
        1.01,
        best=operator.le,
    ),
    *(
        Goal(
            f"waiting for data, {path}",
            "the step",
            "cpu",
            "data",
            {"path": path},
            0.02,
            "waited",
            operator.le,
            "{:.2%}".format,
        )
        for path in ("table on the device", "table on the host", "tokens in files, not in memory")
    ),
    *(
        Goal(f"`{what}`, s", "", "cpu", "startup", {"what": what}, needed, "seconds", operator.le)
        for what, needed in (("import jaxgpt", 1.0), ("train.py --help", 1.5))
    ),
    Goal(
        "moves valued a second of a core, isosceles n = 16",
        "(an annealer in C: below)",
        "cpu",
        "annealer",
        {"side": "jaxgpt", "what": "rate"},
        1e6,
        "rate",
        form="{:,.0f}".format,
    ),
    Goal(
        "28 points without isosceles triangle, n = 16, longest of all seeds, s",
        "(an annealer in C: below)",
        "cpu",
        "constructions",
        {"problem": "isosceles", "n": "16"},
        60,
        "longest",
        operator.le,
        "{:.1f}".format,
    ),
    *(
        Goal(
            f"{problem}, n = {n}: seeds that find {asked}",
            "the best known" if best else "",
            "cpu",
            "constructions",
            {"problem": problem, "n": n, "asked": asked},
            1,
            "share",
            form="{:.0%}".format,
        )
        for problem, n, asked, best in (
            ("isosceles", "16", "28", True),
            ("isosceles", "32", "56", True),
            ("isosceles", "64", "110", False),
            ("isosceles", "100", "160", False),
            ("no_three", "2 to 20", "4 to 40", True),
            ("no_three", "3 to 19", "6 to 38", True),
            ("no_three", "30", "60", True),
            ("cap_sets", "4", "20", True),
            ("cap_sets", "5", "45", True),
            ("cap_sets", "6", "112", True),
            ("c4_free", "4 to 25", "4 to 63", True),
        )
    ),
    trained("gpt2-gpu", "bfloat16", "compiled", 1.0, GPU),
    Goal(
        "nanoGPT's Shakespeare run without dropout on attention weights, s",
        "(compiled PyTorch: below)",
        GPU,
        "shakespeare",
        {"side": "no attention dropout", "iterations": 5000},
        20,
        "seconds",
        operator.le,
        "{:.1f}".format,
    ),
    Goal(
        "the same, validation loss",
        "nanoGPT: 1.4697",
        GPU,
        "shakespeare",
        {"side": "no attention dropout", "iterations": 5000},
        1.47,
        "loss",
        operator.le,
        "{:.4f}".format,
    ),
    Goal(
        "256 seeds at once, of PyTorch's time one by one",
        "PyTorch, compiled",
        GPU,
        "seeds",
        {"seeds": 256, "side": "compiled PyTorch"},
        1 / 20,
        best=operator.le,
        form=lambda value: f"1/{1 / value:.0f}",
    ),
    decoded("gpt2", 1, "cached", 10, "bfloat16", GPU),
    decoded("gpt2", 1, "static", 1, "bfloat16", GPU),
    Goal(
        "decoding gpt2-xl, batch 1: bandwidth",
        "what the device copies",
        GPU,
        "decoding",
        {"size": "gpt2-xl", "batch": 1, "side": "jaxgpt"},
        0.5,
        "bandwidth",
        form="{:.0%}".format,
    ),
)


def table(results: dict[str, dict[str, Any]]) -> list[str]:
    """All goals with what was found."""
    header = ("what", "against", "should be", "is", "spread", "reached")
    return [*tables.grid(header, [goal.cells(results) for goal in GOALS]), ""]
