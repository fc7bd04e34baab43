"""`jaxgpt plan`: which mesh, remat and accumulation fit a machine that is not there."""

import argparse
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxgpt.cli.option_types import count, path, positive, whole
from jaxgpt.cli.options import COMMON, Parser, add_common, experiment_fields
from jaxgpt.cli.writable import writable
from jaxgpt.core import fields, hints, printing
from jaxgpt.core.usage import UsageError
from jaxgpt.core.writing import write_atomically
from jaxgpt.plan import costs, targets
from jaxgpt.plan import fitting as report
from jaxgpt.plan.candidates import Candidate, ordered
from jaxgpt.plan.fitting import Tried
from jaxgpt.plan.worker import Worker
from jaxgpt.runs import experiments, run_weights
from jaxgpt.runs.opening import mib
from jaxgpt.training.experiment import Experiment

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
        type=positive,
        help="of a device; default: what a program may use of the target's",
    )
    parser.add_argument(
        "--candidates",
        metavar="N",
        type=count,
        default=8,
        help="compile at most so many (default: %(default)s); 0 needs no compiler and tells the cost alone",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=positive,
        default=900,
        help="give a compilation up after so long (default: %(default)s)",
    )
    _add_cost(parser.add_argument_group("what the training costs"))
    add_common(parser.add_argument_group(COMMON), processes=False)  # no other process takes part
    return parser


def _add_cost(group) -> None:
    group.add_argument(
        "--price", metavar="DOLLARS", type=positive, help="of an hour of one device; the cost is then told"
    )
    group.add_argument(
        "--share",
        metavar="SHARE",
        type=positive,
        help=f"of the peak that the training keeps (default: {costs.SHARE})",
    )
    group.add_argument(
        "--peak",
        metavar="TFLOPS",
        type=positive,
        help="of one device a second (default: the target's in bfloat16)",
    )
    group.add_argument(
        "--watts", metavar="WATTS", type=positive, help="that one device draws (default: the target's)"
    )


def run(given: argparse.Namespace) -> int:
    """Plan; status 1 if nothing fits."""
    # Not process.say, which would start JAX: whatever accelerator there is, is no part of a plan.
    say = functools.partial(print, flush=True) if given.output is None else printing.say
    return 0 if plan(given, say) else 1


def plan(given: argparse.Namespace, say: Say) -> bool:
    """Compile candidates until one fits, and report; whether one did, or none was asked for.

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
    experiment = run_weights.override(experiments.find(given.experiment), given.fields, begin=True)
    rates = _rates(given, target)
    if given.candidates:
        target.check()
    own_data = any(name.startswith("task") for name in given.fields)
    note = target.memory_note if given.memory is None else "as given"
    compiled_for = target if given.candidates else None
    with Worker(experiment, compiled_for, given.vocab, own_data, given.timeout) as worker:
        facts = worker.facts()
        cost = None if rates is None else costs.cost(facts, target.count, rates)
        for line in _heading(target, memory, note, facts) + ([] if cost is None else cost.lines()):
            say(line)
        tried = []
        if given.candidates:
            tried = _search(worker, ordered(experiment, target), memory, given.candidates, say)
    written = {
        "experiment": fields.to_json(experiment),
        "target": {"name": target.name, "devices": target.count, "memory": memory, "memory_note": note},
        **facts,
        **({} if cost is None else {"cost": cost.to_json()}),
    }
    fits = True
    if given.candidates:
        found, fits = _told(tried, experiment, target, facts, say)
        written |= found
    if given.output is not None:
        write_atomically(Path(given.output), json.dumps(written, indent=1) + "\n")
    return fits


def _rates(given: argparse.Namespace, target: targets.Target) -> costs.Rates | None:
    """What a device hour gives and takes; None where no price is given."""
    if given.price is not None:
        peak = None if given.peak is None else given.peak * 1e12
        return costs.Rates.of(target, given.price, share=given.share, peak=peak, watts=given.watts)
    for name in ("share", "peak", "watts"):
        if getattr(given, name) is not None:
            raise UsageError(f"--{name} belongs to a cost: give --price, the dollars of a device hour")
    return None


def _told(
    tried: list[Tried], experiment: Experiment, target: targets.Target, facts: dict[str, Any], say: Say
) -> tuple[dict[str, Any], bool]:
    """Say what was found of the candidates; it as JSON, and whether one fits."""
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
    found = {
        "candidates": [one.to_json() for one in tried],
        "suggestion": suggested.to_json() | {"options": options} if suggested else None,
    }
    return found, suggested is not None


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

    On one mesh temporaries shrink no faster than a batch is cut into pieces. Spread weights shrink them, too:
    gradients and updates are as large as the weights.
    """
    for one in tried:
        other, found = one.candidate, one.found or {}
        mesh = found.get("mesh", {})
        same = all(mesh.get(axis) == getattr(candidate, axis) for axis in ("data", "fsdp", "tensor"))
        arguments = found.get("arguments", 0) if same else 0
        if arguments > memory:
            return "its state alone"
        temporaries = found.get("memory", found).get("temporaries", 0)
        alike = all(getattr(other, name) == getattr(candidate, name) for name in ("fsdp", "tensor", "remat"))
        if not alike or candidate.pieces < other.pieces:
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
