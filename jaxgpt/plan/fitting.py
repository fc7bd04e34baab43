"""A plan as a table for people and as JSON."""

import dataclasses
from typing import Any

from jaxgpt.core.tables import columns
from jaxgpt.plan.candidates import Candidate
from jaxgpt.runs.opening import mib


@dataclasses.dataclass(frozen=True)
class Tried:
    """A candidate with what became of it.

    Attributes:
      found: what `compiling.Compiler.compile` answered; None if it was left out.
      note: why it does not fit, or is not known to.
    """

    candidate: Candidate
    found: dict[str, Any] | None
    fits: bool
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return (
            dataclasses.asdict(self.candidate) | {"fits": self.fits, "note": self.note} | (self.found or {})
        )


def described(candidate: Candidate, found: dict[str, Any] | None = None) -> str:
    """A candidate in a few words; with the sizes of its mesh, where these were worked out."""
    sizes = (found or {}).get("mesh") or {
        name: getattr(candidate, name) for name in ("data", "fsdp", "tensor")
    }
    mesh = " ".join(f"{name} {size if size != -1 else 'rest'}" for name, size in sizes.items() if size != 1)
    return f"{mesh or 'one device'}, remat {candidate.remat}, accumulation {candidate.pieces}"


def table(tried: list[Tried]) -> list[str]:
    """One line a candidate that was looked at."""
    rows = [("", "mesh, remat, accumulation", "arguments", "temporaries", "other", "in all", "fits")]
    for number, one in enumerate(tried, 1):
        if one.found is None:
            continue
        memory = one.found.get("memory")
        if memory:
            sizes = [mib(memory[name]) for name in ("arguments", "temporaries")]
            sizes += [mib(memory["outputs"] + memory["code"]), mib(memory["peak"])]
        else:
            sizes = [
                mib(one.found[name]) if name in one.found else "" for name in ("arguments", "temporaries")
            ]
            sizes += ["", ""]
        no = "not known" if one.found["status"] == "failed" else "no"
        verdict = "yes" if one.fits else no + (f": {one.note}" if one.note else "")
        rows.append((str(number), described(one.candidate, one.found), *sizes, verdict))
    return columns(rows, left=(1, 6))


def step(found: dict[str, Any], devices: int, model_flops: int | None) -> list[str]:
    """What a device does in a step."""
    done = found["a_step"]
    exchanges = ", ".join(
        f"{counted['count']:,} {kind} of {mib(counted['bytes'])}"
        for kind, counted in done["collectives"].items()
    )
    kernels = done["kernels"]
    operations = f"{amount(found['flops_a_step'])}, {amount(found['flops_a_step'] / devices)} a device"
    if model_flops:
        operations += f"; by the model's formula, without what is computed again, {amount(model_flops)}"
    lines = [
        f"operations   {operations}",
        f"collectives  {exchanges or 'none'}",
        f"kernels      {kernels['all']:,}: {kernels['fusions']:,} fusions, {kernels['custom_calls']:,} "
        "custom calls, the rest single instructions",
    ]
    if done["loops_of_unknown_length"]:
        count = done["loops_of_unknown_length"]
        lines.append(f"             {count} inner loops of unknown length were counted as running once")
    return lines


def amount(operations: float) -> str:
    """Floating-point operations in a unit that suits them."""
    units = (("ZFLOP", 1e21), ("EFLOP", 1e18), ("PFLOP", 1e15), ("TFLOP", 1e12), ("GFLOP", 1e9))
    for unit, scale in units:
        if operations >= scale:
            return f"{operations / scale:,.2f} {unit}"
    return f"{operations / 1e6:,.2f} MFLOP"
