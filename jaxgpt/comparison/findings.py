"""What a comparison found, in a few sentences made from its numbers."""

import itertools

import numpy as np

from jaxgpt.comparison.axes import listed
from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import Finding, Results, difference
from jaxgpt.comparison.sections import BUDGET_NAMES, share, signed
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.evaluation import Row

#: Exact match from which a length counts as mastered.
MASTERED = 0.99


def sentences(results: Results, budget: Budget) -> list[str]:
    """The findings with one budget, the most important first."""
    findings = results.findings[budget]
    found = []
    if findings and max(map(_mean, findings)) == 0:
        found = ["No cell answers a question right: train longer, or ask for less."]
    elif len(findings) > 1:
        found = [
            _best(results, budget),
            _against_baseline(results, budget),
            *_sides(findings),
            _headings(findings),
            _lengths(findings),
            _changed(results, budget),
        ]
    missing = results.missing[budget]
    if missing:
        found.append(f"No result: {'; '.join(f'{name} ({reason})' for name, reason in missing.items())}.")
    return [sentence for sentence in found if sentence]


def _mean(finding: Finding) -> float:
    return finding.overall.exact_match.mean


def _interval(row: Row) -> str:
    low, high = row.exact_match.interval
    return f"{share(row.exact_match.mean)} ({share(low)} to {share(high)})"


def _ordered(results: Results, budget: Budget) -> list[Finding]:
    return sorted(results.findings[budget], key=_mean, reverse=True)


def _best(results: Results, budget: Budget) -> str:
    best, *others = _ordered(results, budget)
    # What cannot be told apart from the best shares its place.
    beside = [other for other in others if not difference(best.overall, other.overall).sure]
    text = f"Best: {best.cell.name}, with {_interval(best.overall)} of all questions right"
    if not beside:
        apart = difference(best.overall, others[0].overall)
        return f"{text}, surely ahead of the next, {others[0].cell.name}, by {signed(apart)}."
    names = listed(f"{other.cell.name} ({share(_mean(other))})" for other in beside)
    return f"{text}; not surely ahead of {names}."


def _against_baseline(results: Results, budget: Budget) -> str:
    baseline = results.baseline(budget)
    if baseline is None:
        return f"The baseline, {results.plan.baseline.name}, has no result, so nothing is compared with it."
    better, worse, unsure = [], [], []
    for finding in _ordered(results, budget):
        apart = results.difference(finding, "all", "all")
        if apart is not None:
            place = unsure if not apart.sure else better if apart.mean > 0 else worse
            place.append(f"{finding.cell.name} {signed(apart)}")
    kinds = ((better, "surely better"), (worse, "surely worse"), (unsure, "not told apart"))
    parts = [f"{text}: {listed(names)}" for names, text in kinds if names]
    return f"Against {baseline.cell.name}, {_interval(baseline.overall)}: {'; '.join(parts)}."


def _sides(findings: tuple[Finding, ...]) -> list[str]:
    """Cells that differ in the side alone from which digits are grouped, directly against each other."""
    found = []
    for right, left in itertools.permutations(findings, 2):
        mirrored = {path: _mirrored(text) for path, text in right.cell.values.items()}
        if mirrored == right.cell.values or mirrored != left.cell.values:
            continue
        apart = difference(right.overall, left.overall)
        verdict = "cannot be told apart from"
        if apart.sure:
            verdict = "is surely better than" if apart.mean > 0 else "is surely worse than"
        parts = [f"{signed(apart)} of all questions"]
        for row in right.headings:
            part = difference(row, left.row("heading", row.group))
            if part is not None:
                unsure = "" if part.sure else ", not sure"
                parts.append(f"{signed(part)} on {row.group}{unsure}")
        found.append(f"From which side: {right.cell.name} {verdict} {left.cell.name}: {'; '.join(parts)}.")
    return found


def _mirrored(text: str) -> str:
    """A tokenizer's name with `right` made `left`."""
    return ":".join("left" if part == "right" else part for part in text.split(":"))


def _headings(findings: tuple[Finding, ...]) -> str:
    """Which cells are worse under one heading than under their best, such as where lengths differ."""
    if not any(len(finding.headings) > 1 for finding in findings):
        return ""
    gaps = []
    for finding in findings:
        ordered = sorted(finding.headings, key=lambda row: row.exact_match.mean)
        apart = difference(ordered[0], ordered[-1]) if len(ordered) > 1 else None
        if apart is not None and apart.sure:
            gaps.append((apart.mean, finding.cell.name, ordered[0], ordered[-1]))
    if not gaps:
        return "Where it hurts: no cell is surely worse under one heading than under another."
    parts = [
        f"{name} {share(worst.exact_match.mean)} on {worst.group} against {share(best.exact_match.mean)} "
        f"on {best.group}"
        for _, name, worst, best in sorted(gaps, key=lambda gap: gap[0])
    ]
    return f"Where it hurts, each gap sure: {'; '.join(parts)}."


def _lengths(findings: tuple[Finding, ...]) -> str:
    """Up to which length of operands each cell is right."""
    reached: dict[int, list[str]] = {}
    for finding in findings:
        lengths = _by_longer(finding.groups)
        if not lengths:
            return ""
        good = itertools.takewhile(lambda pair: pair[1] >= MASTERED, sorted(lengths.items()))
        reached.setdefault(max((length for length, _ in good), default=0), []).append(finding.cell.name)
    parts = [f"{listed(names)} {_up_to(length)}" for length, names in sorted(reached.items(), reverse=True)]
    return f"For which lengths at least {MASTERED} are right, by the longer operand: {'; '.join(parts)}."


def _up_to(length: int) -> str:
    return f"up to {length} digit{'s' if length > 1 else ''}" if length else "at no length"


def _by_longer(rows: tuple[Row, ...]) -> dict[int, float]:
    """Exact match by the longer operand's length, over all questions of it."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        pair = plots.lengths(row.group)
        if pair is not None:
            found.setdefault(max(pair), []).append(row)
    return {
        length: float(np.average([r.exact_match.mean for r in rows], weights=[r.n for r in rows]))
        for length, rows in found.items()
    }


def _changed(results: Results, budget: Budget) -> str:
    """What is otherwise than with the first budget."""
    first = results.plan.budgets[0]
    if budget == first or results.baseline(first) is None or results.baseline(budget) is None:
        return ""
    verdicts = []
    for one in (first, budget):
        found = {f.cell.name: results.difference(f, "all", "all") for f in results.findings[one]}
        verdicts.append({name: _verdict(apart) for name, apart in found.items() if apart is not None})
    changed = [
        f"{name} is {new} instead of {verdicts[0][name]}"
        for name, new in verdicts[1].items()
        if name in verdicts[0] and new != verdicts[0][name]
    ]
    if not changed:
        return f"What is sure against the baseline is the same as at {BUDGET_NAMES[first]}."
    return f"Otherwise than at {BUDGET_NAMES[first]}: {'; '.join(changed)}."


def _verdict(apart) -> str:
    if not apart.sure:
        return "not told apart from the baseline"
    return "surely better" if apart.mean > 0 else "surely worse"
