"""Held-out loss and the task's own measures of the answers, in one table of a row a cell."""

import math

from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import Finding, Results
from jaxgpt.comparison.sections import BUDGET_NAMES, verdict
from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.intervals import Difference, Estimate, paired


def table(results: Results, budget: Budget) -> Table | None:
    """Loss and measures; None where the task measures nothing beside its scores."""
    findings = results.findings[budget]
    names = list(dict.fromkeys(name for finding in findings for name in finding.summary))
    if not names:
        return None
    losses = any(finding.loss is not None for finding in findings)
    rows = []
    for finding in findings:
        loss = [_entry(finding.loss, _loss_difference(results, finding))] * losses
        name = f"{finding.cell.name} (baseline)" if _is_baseline(results, finding) else finding.cell.name
        rows.append((Entry(name), *loss, *(_entry(finding.summary.get(each)) for each in names)))
    seeds = "the mean over seeds, with its 95 % interval over seeds in parentheses"
    if results.plan.seeds == 1:
        seeds = "in parentheses the 95 % interval of a share; one seed gives none over seeds"
    told = (
        "Held-out loss: nats a token of held-out text, its end included. Less is better; it compares cells "
        "of one tokenizer alone. Bold: surely not the baseline's, which has the same tokenizer. "
    )
    return Table(
        f"{'Loss and measures' if losses else 'Measures'} of the answers, at {BUDGET_NAMES[budget]}",
        f"{told * losses}The others are what the task measures of all answers together, such as shares of "
        f"samples: {seeds}.",
        ("cell", *["held-out loss"] * losses, *names),
        tuple(rows),
    )


def _is_baseline(results: Results, finding: Finding) -> bool:
    baseline = results.baseline(finding.budget)
    return baseline is not None and baseline.cell.values == finding.cell.values


def _loss_difference(results: Results, finding: Finding) -> Difference | None:
    """The loss of a cell minus the baseline's, by seed; None where they read other tokens."""
    baseline = results.baseline(finding.budget)
    if _is_baseline(results, finding) or baseline is None or None in (baseline.loss, finding.loss):
        return None
    if baseline.cell.facts.fingerprint != finding.cell.facts.fingerprint:
        return None
    return paired(finding.loss.per_seed, baseline.loss.per_seed)


def _entry(estimate: Estimate | None, difference: Difference | None = None) -> Entry:
    if estimate is None or math.isnan(estimate.mean):
        return Entry("-")
    bounds = "" if estimate.interval is None else "{:.3f}-{:.3f}".format(*estimate.interval)
    return Entry(f"{estimate.mean:.3f}", verdict(difference, -1), bounds)
