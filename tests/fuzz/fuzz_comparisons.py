"""Directories of comparisons: the plan and the figures of its runs, up to the tables."""

from pathlib import Path
from random import Random

from fuzz_subjects import Subject

from jaxgpt.comparison import findings, results, sections
from jaxgpt.comparison.cells import Plan


def read(path: Path, rng: Random) -> None:
    plan = Plan.read(path)
    found = results.read(plan, path)
    for budget in plan.budgets:
        if found.findings[budget]:
            sections.exact_match(found, budget)
            findings.sentences(found, budget)


def subject(compared: Path) -> Subject:
    return Subject((compared,), read)
