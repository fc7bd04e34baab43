"""What a comparison found, in a few sentences made from its numbers."""

import itertools

import numpy as np

from jaxgpt.comparison import measure_tables, sections
from jaxgpt.comparison.axes import listed
from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import LEARNED, NOTHING, SHARES, Finding, Results, difference
from jaxgpt.comparison.sections import BUDGET_NAMES, amount, share, signed
from jaxgpt.evaluation import plots
from jaxgpt.evaluation.evaluation import Row
from jaxgpt.evaluation.intervals import Difference, two_groups


def sentences(results: Results, budget: Budget) -> list[str]:
    """The findings with one budget, the most important first."""
    findings = results.findings[budget]
    found = []
    learned = results.learned(budget)
    if findings and learned != "something":
        found = [_nothing(results, budget) if learned == "nothing" else _everything(findings)]
        found.append(_bold(results, budget))
    elif len(findings) > 1:
        found = [
            _rates(results, budget),
            *_groups(findings),
            _best(results, budget),
            _soonest(results, budget),
            _cheapest(findings) if budget == "examples" else "",
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


def _nothing(results: Results, budget: Budget) -> str:
    most = {f.cell.name: max(f.overall.exact_match.per_seed) for f in results.findings[budget]}
    best = max(most, key=most.__getitem__)
    steps = 4 * results.plan.baseline.experiment.training.steps
    return (
        f"Nothing was learned that answers could show: every seed of every cell has less than {NOTHING} of "
        f"all questions right, the best one, of {best}, {share(most[best])}. Train longer, with "
        f"--training.steps {steps}, four times as long, or ask for less."
    )


def _everything(findings: tuple[Finding, ...]) -> str:
    text = (
        f"Every seed of every cell has more than {LEARNED} of all questions right, so these questions tell "
        "none apart. Ask harder ones, or train shorter."
    )
    needs = [(finding.needs(LEARNED).times(finding.examples_a_step).median, finding) for finding in findings]
    known = sorted((need, finding.cell.name) for need, finding in needs if need is not None)
    if not known:
        return text
    soonest = ", ".join(f"{name} after {amount(need)}" for need, name in known)
    return (
        f"{text} Examples that half of the seeds needed to {LEARNED} of the validation questions: {soonest}."
    )


def _bold(results: Results, budget: Budget) -> str:
    """The meaning of bold figures, where exact match has none; "" without bold figures."""
    made = [sections.costs(results, budget), measure_tables.table(results, budget)]
    if not any(entry.sure for table in made if table is not None for row in table.rows for entry in row):
        return ""
    return (
        "What is bold in the tables is a difference of losses, or of scores beside exact match; it is none "
        "of right answers."
    )


def _rates(results: Results, budget: Budget) -> str:
    """How many seeds of each cell learned the task, where in some cell some did and some did not."""
    ordered = sorted(results.findings[budget], key=lambda f: (f.success.count, _mean(f)), reverse=True)
    if not any(0 < finding.success.count < finding.seeds for finding in ordered):
        return ""
    parts = [f"{f.cell.name} {f.success.count} of {f.seeds}" for f in ordered]
    return f"Seeds that learned it, with at least {LEARNED} of all questions right: {', '.join(parts)}."


def _groups(findings: tuple[Finding, ...]) -> list[str]:
    """The cells whose seeds form two groups, which no mean describes."""
    found = []
    for finding in findings:
        values = finding.overall.exact_match.per_seed
        if (groups := two_groups(values)) is not None:
            low, high = groups
            found.append(
                f"The seeds of {finding.cell.name} form two groups, so its mean describes none of them: "
                f"{len(high)} of {len(values)} have {_range(high)} of all questions right, {len(low)} have "
                f"{_range(low)}."
            )
    return found


def _range(values: tuple[float, ...]) -> str:
    low, high = share(min(values)), share(max(values))
    return low if low == high else f"{low} to {high}"


def _soonest(results: Results, budget: Budget) -> str:
    """Which cells needed the fewest examples, or operations, to learn the task."""
    needs = []
    for finding in results.findings[budget]:
        factor = finding.examples_a_step if budget == "examples" else finding.cell.flops
        median = finding.needs(LEARNED).times(factor).median
        if median is not None:
            needs.append((median, finding.cell.name))
    if not needs:
        return ""
    unit = "examples" if budget == "examples" else "FLOPs"
    parts = [f"{name} after {amount(need)} {unit}" for need, name in sorted(needs)]
    lacking = len(results.findings[budget]) - len(needs)
    rest = f"; in {lacking} cell{'s' * (lacking > 1)} half of the seeds never got there" if lacking else ""
    return f"Half of the seeds had {LEARNED} of the validation questions right: {', '.join(parts)}{rest}."


def _cheapest(findings: tuple[Finding, ...]) -> str:
    """Which cells needed the fewest operations, where all saw the same examples."""
    needs = [
        (finding.needs(SHARES[0]).times(finding.cell.flops).median, finding.cell.name) for finding in findings
    ]
    parts = [f"{name} {amount(need)}" for need, name in sorted(need for need in needs if need[0] is not None)]
    if not parts:
        return ""
    told = ", ".join(parts)
    share = f"{SHARES[0]} of the validation questions"
    return f"By training FLOPs of a seed, until half of the seeds had {share} right: {told}."


def _interval(row: Row) -> str:
    low, high = row.exact_match.interval
    return f"{share(row.exact_match.mean)} ({share(low)} to {share(high)})"


def _ordered(results: Results, budget: Budget) -> list[Finding]:
    return sorted(results.findings[budget], key=_mean, reverse=True)


def _best(results: Results, budget: Budget) -> str:
    best, *others = _ordered(results, budget)
    # What cannot be told apart from the best shares its place.
    beside = [other for other in others if not _surely_more(difference(best.overall, other.overall))]
    text = f"Best: {best.cell.name}, with {_interval(best.overall)} of all questions right"
    if not beside:
        apart = difference(best.overall, others[0].overall)
        return f"{text}, surely ahead of the next, {others[0].cell.name}, by {signed(apart)}."
    names = listed(f"{other.cell.name} ({share(_mean(other))})" for other in beside)
    return f"{text}; not surely ahead of {names}."


def _surely_more(apart: Difference) -> bool:
    """A mean may be higher where most seeds have less."""
    return apart.sure and apart.median > 0


def _against_baseline(results: Results, budget: Budget) -> str:
    baseline = results.baseline(budget)
    if baseline is None:
        return f"The baseline, {results.plan.baseline.name}, has no result, so nothing is compared with it."
    better, worse, unsure = [], [], []
    for finding in _ordered(results, budget):
        apart = results.difference(finding, "all", "all")
        if apart is not None:
            place = unsure if not apart.sure else better if apart.median > 0 else worse
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
            verdict = "is surely better than" if apart.median > 0 else "is surely worse than"
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
    """Which cells have less right under one heading than under their best, such as where lengths differ.

    The two headings are chosen by their means, and ask different questions, so no interval is made.
    """
    if not any(len(finding.headings) > 1 for finding in findings):
        return ""
    gaps = []
    for finding in findings:
        ordered = sorted(finding.headings, key=lambda row: row.exact_match.mean)
        apart = difference(ordered[0], ordered[-1]) if len(ordered) > 1 else None
        if apart is not None and max(apart.per_seed) < 0:
            gaps.append((apart.median, finding.cell.name, ordered[0], ordered[-1]))
    if not gaps:
        return "Where it hurts: no cell has less right with every seed under one heading than under another."
    parts = [
        f"{name} {share(worst.exact_match.mean)} on {worst.group} against {share(best.exact_match.mean)} "
        f"on {best.group}"
        for _, name, worst, best in sorted(gaps, key=lambda gap: gap[0])
    ]
    return f"Where it hurts, with every seed: {'; '.join(parts)}."


def _lengths(findings: tuple[Finding, ...]) -> str:
    """On which lengths of operands each cell is right; those that are on most lengths first."""
    reached: dict[tuple[int, ...], list[str]] = {}
    for finding in findings:
        lengths = _by_longer(finding.groups)
        if not lengths:
            return ""
        good = tuple(length for length, mean in sorted(lengths.items()) if mean >= LEARNED)
        reached.setdefault(good, []).append(finding.cell.name)
    ordered = sorted(reached.items(), key=lambda item: len(item[0]), reverse=True)
    parts = [f"{listed(names)} {_of_digits(lengths)}" for lengths, names in ordered]
    return f"For which lengths at least {LEARNED} are right, by the longer operand: {'; '.join(parts)}."


def _of_digits(lengths: tuple[int, ...]) -> str:
    """`at 1 to 3 and 5 digits`."""
    if not lengths:
        return "at no length"
    starts = [length for length in lengths if length - 1 not in lengths]
    ends = [length for length in lengths if length + 1 not in lengths]
    ranges = [f"{a} to {b}" if a < b else str(a) for a, b in zip(starts, ends, strict=True)]
    return f"at {listed(ranges)} digit{'' if lengths == (1,) else 's'}"


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
    if results.learned(first) != "something":
        return ""  # nothing was said of it
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
    return "surely better" if apart.median > 0 else "surely worse"
