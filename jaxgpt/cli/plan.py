"""`jaxgpt plan`: which mesh, remat and accumulation fit a machine that is not there."""

import argparse
import functools
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxgpt.cli.option_types import path, whole
from jaxgpt.cli.options import COMMON, Parser, add_common, experiment_fields
from jaxgpt.cli.writable import writable
from jaxgpt.core import fields, hints, printing
from jaxgpt.core.usage import UsageError
from jaxgpt.core.writing import write_atomically
from jaxgpt.plan import fitting as report
from jaxgpt.plan import targets
from jaxgpt.plan.candidates import Candidate, ordered
from jaxgpt.plan.fitting import Tried
from jaxgpt.plan.worker import Worker
from jaxgpt.runs import experiments
from jaxgpt.runs.opening import mib
from jaxgpt.training import start

Say = Callable[[str], None]


def parser() -> Parser:
    """Its options."""
    parser = Parser(
        "plan",
        "EXPERIMENT --target NAME [--OPTION VALUE ...] [--FIELD VALUE ...]",
        fields=experiment_fields,
        description="Compile an experiment for devices that are not there, until a way to spread it fits.",
    )
    parser.add_argument("experiment", metavar="EXPERIMENT", nargs="?", help="such as text")
    parser.add_argument(
        "--target",
        metavar="NAME",
        help="devices to plan for, such as v5e:16x16, h200:4x8 (hosts x GPUs) or cpu:8",
    )
    parser.add_argument("--output", metavar="FILE", type=path, help="JSON with everything that was found")
    parser.add_argument(
        "--vocab", metavar="N", type=whole, help="plan without data, for a tokenizer of N ids"
    )
    parser.add_argument(
        "--memory",
        metavar="GIB",
        type=_positive,
        help="of a device; default: what a program may use of the target's",
    )
    parser.add_argument(
        "--candidates",
        metavar="N",
        type=whole,
        default=8,
        help="compile at most so many (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_positive,
        default=900,
        help="give a compilation up after so long (default: %(default)s)",
    )
    add_common(parser.add_argument_group(COMMON), processes=False)  # no other process takes part
    return parser


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError("a positive number is needed")
    return value


def run(given: argparse.Namespace) -> int:
    """Plan; status 1 if nothing fits."""
    # Not process.say, which would start JAX: whatever accelerator there is, is no part of a plan.
    say = functools.partial(print, flush=True) if given.output is None else printing.say
    return 0 if plan(given, say) else 1


def plan(given: argparse.Namespace, say: Say) -> bool:
    """Compile candidates until one fits, and report; whether one did.

    Raises:
      ValueError: for a target, a field or an option that does not fit, in one line.
    """
    if given.experiment is None:
        raise UsageError(f"name an experiment, such as text; {hints.command('train', '--list')} shows them")
    if given.target is None:
        raise UsageError("name the devices to plan for: --target v5e:16x16, h200:4x8, cpu:8 or another")
    target = targets.parse(given.target)
    memory = target.memory if given.memory is None else int(given.memory * 2**30)
    if given.output is not None:
        writable(given.output)
    experiment = start.override(experiments.find(given.experiment), given.fields, begin=True)
    target.check()
    own_data = any(name.startswith("task") for name in given.fields)
    note = target.memory_note if given.memory is None else "as given"
    with Worker(experiment, target, given.vocab, own_data, given.timeout) as worker:
        facts = worker.facts()
        for line in _heading(target, memory, note, facts):
            say(line)
        tried = _search(worker, ordered(experiment, target), memory, given.candidates, say)
    suggested = next((one for one in tried if one.fits), None)
    for line in report.table(tried):
        say(line)
    shown = suggested or next((one for one in tried if one.found and "a_step" in one.found), None)
    if shown is not None:
        which = "" if shown is suggested else ", though it does not fit"
        say(f"a step of candidate {tried.index(shown) + 1}{which}:")
        for line in report.step(shown.found, target.count, facts["model_flops_a_step"]):
            say(line)
    options = suggested.candidate.options(experiment) if suggested else ""
    say(_suggestion(suggested, options))
    if given.output is not None:
        written = {
            "experiment": fields.to_json(experiment),
            "target": {"name": target.name, "devices": target.count, "memory": memory, "memory_note": note},
            **facts,
            "candidates": [one.to_json() for one in tried],
            "suggestion": suggested.to_json() | {"options": options} if suggested else None,
        }
        write_atomically(Path(given.output), json.dumps(written, indent=1) + "\n")
    return suggested is not None


def _heading(target: targets.Target, memory: int, note: str, facts: dict[str, Any]) -> list[str]:
    shown = f" ({note})" if note else ""
    return [
        f"target       {target.name}: {target.count} devices, {mib(memory)} each{shown}",
        f"parameters   {facts['parameters']:,}",
        f"data         {facts['data']}",
        f"vocabulary   {facts['vocabulary']}",
        f"tokens       {facts['tokens_a_step']:,} a step",
    ]


def _search(worker: Worker, candidates, memory: int, most: int, say: Say) -> list[Tried]:
    """Candidates in order up to the first that fits, with at most so many compiled."""
    tried: list[Tried] = []
    compiled = 0
    for candidate in candidates:
        if note := _excluded(candidate, tried, memory):
            tried.append(Tried(candidate, None, False, note))
            continue
        if compiled == most:
            break
        say(f"compiling candidate {len(tried) + 1}: {report.described(candidate)} ...")
        began = time.perf_counter()
        found = worker.compile(candidate, memory)
        compiled += "seconds" in found or found["status"] == "failed"
        fits = found["status"] == "compiled" and found["memory"]["peak"] <= memory
        if found["status"] == "compiled":
            say(f"  {mib(found['memory']['peak'])} a device, after {time.perf_counter() - began:.0f} s")
        tried.append(Tried(candidate, found, fits, found.get("reason", "")))
        if fits:
            break
    return tried


def _excluded(candidate: Candidate, tried: list[Tried], memory: int) -> str:
    """Why a candidate cannot fit, by what was found of others; "" if it might.

    Temporaries shrink no faster than a batch is cut into pieces, and not by spreading the weights.
    """
    for one in tried:
        other, found = one.candidate, one.found or {}
        mesh = found.get("mesh", {})
        same = all(mesh.get(axis) == getattr(candidate, axis) for axis in ("data", "fsdp", "tensor"))
        arguments = found.get("arguments", 0) if same else 0
        if arguments > memory:
            return "its state alone"
        temporaries = found.get("memory", found).get("temporaries", 0)
        alike = (other.tensor, other.remat) == (candidate.tensor, candidate.remat)
        if not alike or candidate.fsdp < other.fsdp or candidate.pieces < other.pieces:
            continue
        if arguments + temporaries * other.pieces // candidate.pieces > memory:
            return "not compiled: too large by the candidates above"
    return ""


def _suggestion(suggested: Tried | None, options: str) -> str:
    if suggested is None:
        return (
            "suggestion   nothing that was tried fits: lower training.batch_size or model.max_length, take "
            "more devices, or raise --candidates"
        )
    return f"suggestion   {options}" if options else "suggestion   it fits as it is"
