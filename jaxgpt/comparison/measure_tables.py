"""The table of held-out loss, the task's other scores, its measures of answers, and its yardsticks."""

import math

from jaxgpt.comparison.axes import listed
from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import Finding, Results
from jaxgpt.comparison.sections import BUDGET_NAMES, uncorrected, verdict
from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.intervals import Difference, Estimate, paired


def table(results: Results, budget: Budget) -> Table | None:
    """Loss, scores, measures and yardsticks; None where the task has nothing beside exact match."""
    findings = results.findings[budget]
    scores = list(dict.fromkeys(name for finding in findings for name in finding.overall.scores))
    names = list(dict.fromkeys(name for finding in findings for name in finding.summary))
    yardsticks = list(dict.fromkeys(name for finding in findings for name in finding.yardsticks))
    if not scores and not names and not yardsticks:
        return None
    losses = any(finding.loss is not None for finding in findings)
    loss_apart = {finding.cell.name: _loss_difference(results, finding) for finding in findings}
    scores_apart = {
        name: {finding.cell.name: _score_difference(results, finding, name) for finding in findings}
        for name in scores
    }
    rows = []
    for finding in findings:
        loss = [_entry(finding.loss, loss_apart[finding.cell.name])] * losses
        name = f"{finding.cell.name} (baseline)" if _is_baseline(results, finding) else finding.cell.name
        found = ((finding.overall.scores.get(each), scores_apart[each][finding.cell.name]) for each in scores)
        scored = (_entry(score, apart, 1) for score, apart in found)
        measured = (_entry(finding.summary.get(each)) for each in names)
        beside = (_yardstick(finding.yardsticks.get(each)) for each in yardsticks)
        rows.append((Entry(name), *loss, *scored, *measured, *beside))
    seeds = "Each is the mean over seeds, with its 95 % interval in parentheses."
    if results.plan.seeds == 1:
        seeds = "In parentheses is the 95 % interval over the questions; one seed gives none over seeds."
    told = [
        "Held-out loss: nats a token of held-out text, its end included. Less is better; it compares cells "
        "of one tokenizer alone. Bold: surely not the baseline's, which has the same tokenizer; a difference "
        f"of losses, not of answers.{uncorrected(loss_apart)}"
    ] * losses
    if scores:
        told.append(
            f"{listed(scores)}: the task's scores beside exact match, over all questions. Bold: surely not "
            "the baseline's, by the exact interval of the median difference, paired by seed."
        )
        left = {name: uncorrected(apart) for name, apart in scores_apart.items()}
        told += [f"{name}:{sentence}" for name, sentence in left.items() if sentence]
    if names:
        told.append(
            f"{listed(names)}: what the task measures of all answers together, such as a share of samples."
        )
    if yardsticks:
        told.append(f"{listed(yardsticks)}: of no model, to compare with.")
    return Table(
        f"{'Loss and measures' if losses else 'Measures'} of the answers, at {BUDGET_NAMES[budget]}",
        " ".join([*told, seeds]),
        ("cell", *["held-out loss"] * losses, *scores, *names, *yardsticks),
        tuple(rows),
    )


def _yardstick(value: float | None) -> Entry:
    return Entry("-" if value is None or math.isnan(value) else f"{value:.3g}")


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


def _score_difference(results: Results, finding: Finding, name: str) -> Difference | None:
    """A score of a cell minus the baseline's, by seed; None where one has no such score."""
    baseline = results.baseline(finding.budget)
    if _is_baseline(results, finding) or baseline is None:
        return None
    found, other = (one.overall.scores.get(name) for one in (finding, baseline))
    return None if found is None or other is None else paired(found.per_seed, other.per_seed)


def _entry(estimate: Estimate | None, difference: Difference | None = None, better: int = -1) -> Entry:
    if estimate is None or math.isnan(estimate.mean):
        return Entry("-")
    bounds = "" if estimate.interval is None else "{:.3f}-{:.3f}".format(*estimate.interval)
    return Entry(f"{estimate.mean:.3f}", verdict(difference, better), bounds)
