"""The tables of a comparison, and how their numbers are written."""

from jaxgpt.comparison.cells import Budget, Plan
from jaxgpt.comparison.results import Finding, Results, option_name
from jaxgpt.core.progress import clock
from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.evaluation import Row
from jaxgpt.evaluation.intervals import Difference, Interval

#: Groups beyond what was trained on, up to so many, have columns beside the headings.
_MOST_COLUMNS = 6

#: (kind, name) of a row of an evaluation.
Column = tuple[str, str]

BUDGET_NAMES = {"examples": "equal examples", "flops": "equal training FLOPs"}


def tables(results: Results, budget: Budget) -> list[Table]:
    """Exact match, what is different from the baseline, and what it cost; then every group."""
    if not results.findings[budget]:
        return []
    found = [exact_match(results, budget), differences(results, budget), costs(results, budget)]
    return [table for table in found if table is not None]


def columns(results: Results, budget: Budget) -> list[Column]:
    """What the main tables show: everything, the task's headings, and what is beyond the training."""
    findings = results.findings[budget]
    headings = dict.fromkeys(row.group for finding in findings for row in finding.headings)
    outside = dict.fromkeys(
        row.group for finding in findings for row in finding.groups if not row.in_distribution
    )
    shown = list(outside) if len(outside) <= _MOST_COLUMNS else []
    return [("all", "all"), *(("heading", h) for h in headings), *(("group", g) for g in shown)]


def exact_match(results: Results, budget: Budget) -> Table:
    """Exact match with intervals, a row a cell; bold where it is surely not the baseline's."""
    chosen = columns(results, budget)
    rows = []
    for finding in results.findings[budget]:
        entries = [_entry(results, finding, kind, name) for kind, name in chosen]
        rows.append((Entry(_name(results, finding)), *entries))
    return Table(
        f"Exact match at {BUDGET_NAMES[budget]}",
        f"{_asked(results, budget)} {_intervals(results)} Bold: the difference from "
        f"{results.plan.baseline.name}, paired by seed, has an interval without 0.",
        ("cell", *(_heading(results, budget, column) for column in chosen)),
        tuple(rows),
    )


def differences(results: Results, budget: Budget) -> Table | None:
    """Differences from the baseline, paired by seed."""
    chosen = columns(results, budget)
    rows = []
    for finding in results.findings[budget]:
        entries = [results.difference(finding, kind, name) for kind, name in chosen]
        if any(entry is not None for entry in entries):
            rows.append((Entry(finding.cell.name), *map(_difference, entries)))
    if not rows:
        return None
    return Table(
        f"Exact match minus that of {results.plan.baseline.name}, at {BUDGET_NAMES[budget]}",
        "Mean of the differences of each seed, with Student's 95 % interval over them; where every seed "
        "differs by the same, Newcombe's for two shares of as many questions. Bold: the interval excludes 0. "
        "Each interval stands for itself; they are not corrected for their number.",
        ("cell", *(_heading(results, budget, column) for column in chosen)),
        tuple(rows),
    )


def costs(results: Results, budget: Budget) -> Table:
    """Tokens, sizes, operations, time and bits per byte."""
    rows = []
    swept = bool(results.plan.request.sweep)
    for finding in results.findings[budget]:
        facts = finding.cell.facts
        bits, apart = finding.bits_per_byte, results.bits_difference(finding)
        sure = apart is not None and apart.sure
        row = [
            Entry(_name(results, finding)),
            Entry("-" if facts.tokens_per_number is None else f"{facts.tokens_per_number:.2f}"),
            Entry(f"{facts.tokens_per_example:.1f}"),
            Entry(f"{facts.characters_per_token:.2f}"),
            Entry(f"{facts.tokens + facts.source}"),
            Entry(f"{facts.vocab_size:,}"),
            Entry(f"{facts.body:,}"),
            Entry(f"{facts.params:,}"),
            Entry(f"{finding.steps:,}"),
            Entry(f"{finding.flops:.3g}"),
            Entry("-" if finding.seconds is None else clock(finding.seconds)),
            Entry("-") if bits is None else Entry(f"{bits.mean:.3f}", sure, _bounds(bits.interval)),
        ]
        if swept:
            row.append(Entry(f"{option_name(finding.option)} ({_tried(finding)})"))
        rows.append(tuple(row))
    seeds = "" if results.plan.seeds == 1 else f" all {results.plan.seeds} seeds together"
    sweep = (
        " Setting: what the best mean exact match on validation chose, with that of every option tried."
        if swept
        else ""
    )
    known = all(finding.bits_per_byte is not None for finding in results.findings[budget])
    unknown = "" if known else ", - where a value has no likelihood"
    return Table(
        f"What was read and what it cost, at {BUDGET_NAMES[budget]}",
        "Tokens a number: of the numbers in the examples, each on its own. Tokens an example: prompt and "
        "answer. Tokens a row: with begin token and padding, as computed. FLOPs: training of one seed, "
        "6 N + 12 L H Q T a token and the output matrix (arXiv 2204.02311, appendix B), for padded rows. "
        f"Time: of training{seeds}, without compiling. Bits per byte: of held-out text, less is "
        f"better{unknown}; bold as above.{sweep}",
        (
            "cell",
            "tokens a number",
            "tokens an example",
            "characters a token",
            "tokens a row",
            "vocabulary",
            "parameters without embeddings",
            "parameters",
            "steps",
            "FLOPs",
            "time",
            "bits per byte",
            *(["setting"] if swept else []),
        ),
        tuple(rows),
    )


def by_group(results: Results, budget: Budget) -> Table | None:
    """Exact match of every group, a column a cell."""
    findings = results.findings[budget]
    groups: dict[str, Row] = {}
    for finding in findings:
        for row in finding.groups:
            groups.setdefault(row.group, row)
    if len(groups) < 2:
        return None
    inside = [name for name, row in groups.items() if row.in_distribution]
    outside = [name for name in groups if name not in inside]
    rows = [
        (
            Entry(name if name in inside else f"{name} (beyond training)"),
            Entry(f"{groups[name].n:,}"),
            *(_entry(results, finding, "group", name) for finding in findings),
        )
        for name in inside + outside
    ]
    return Table(
        f"Exact match by group, at {BUDGET_NAMES[budget]}",
        f"{_intervals(results)} Bold: surely not that of {results.plan.baseline.name}, as above.",
        ("group", "questions", *(_name(results, finding) for finding in findings)),
        tuple(rows),
    )


def how_read(plan: Plan) -> Table | None:
    """One test question of each cell as the model sees it."""
    if not all(cell.facts.question or cell.facts.answer for cell in plan.cells):
        return None
    rows = [(Entry(cell.name), Entry(cell.facts.question), Entry(cell.facts.answer)) for cell in plan.cells]
    return Table(
        "How each cell reads a question",
        "One of the test questions and its answer, with a bar between tokens.",
        ("cell", "question", "answer"),
        tuple(rows),
    )


def plan_table(plan: Plan) -> Table:
    """What would be trained."""
    rows = []
    for cell in plan.cells:
        facts = cell.facts
        steps = [plan.steps(cell, budget) for budget in plan.budgets]
        rows.append(
            (
                Entry(cell.name + (" (baseline)" if cell == plan.baseline else "")),
                *(Entry(f"{count:,}") for count in steps),
                *(Entry(f"{cell.flops * count:.3g}") for count in steps),
                Entry("-" if facts.tokens_per_number is None else f"{facts.tokens_per_number:.2f}"),
                Entry(f"{facts.tokens_per_example:.1f}"),
                Entry(f"{facts.tokens + facts.source}"),
                Entry(f"{facts.body:,}"),
                Entry(f"{facts.params:,}"),
            )
        )
    names = [BUDGET_NAMES[budget] for budget in plan.budgets]
    return Table(
        "Plan",
        "",
        (
            "cell",
            *(f"steps, {name}" for name in names),
            *(f"FLOPs, {name}" for name in names),
            "tokens a number",
            "tokens an example",
            "tokens a row",
            "without embeddings",
            "parameters",
        ),
        tuple(rows),
    )


def share(value: float) -> str:
    """A share with three decimals; only what is wholly right reads 1.000, only what is wholly wrong 0.000."""
    if 0.9995 <= value < 1:
        return ">0.999"
    return "<0.001" if 0 < value < 0.0005 else f"{value:.3f}"


def signed(difference: Difference) -> str:
    """`+0.012 (+0.003 to +0.021)`."""
    detail = _signed_bounds(difference.interval)
    return f"{difference.mean:+.3f}" + (f" ({detail})" if detail else "")


def _signed_bounds(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval[0]:+.3f} to {interval[1]:+.3f}"


def _bounds(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f}-{interval[1]:.3f}"


def _entry(results: Results, finding: Finding, kind: str, name: str) -> Entry:
    row = finding.row(kind, name)
    if row is None:
        return Entry("-")
    difference = results.difference(finding, kind, name)
    exact = row.exact_match
    sure = difference is not None and difference.sure
    return Entry(share(exact.mean), sure, _bounds(exact.interval), share=exact.mean)


def _difference(difference: Difference | None) -> Entry:
    if difference is None:
        return Entry("-")
    return Entry(f"{difference.mean:+.3f}", difference.sure, _signed_bounds(difference.interval))


def _name(results: Results, finding: Finding) -> str:
    return finding.cell.name + (" (baseline)" if finding.cell == results.plan.baseline else "")


def _heading(results: Results, budget: Budget, column: Column) -> str:
    kind, name = column
    return f"{name} (beyond training)" if kind == "group" else name


def _asked(results: Results, budget: Budget) -> str:
    counts = {finding.overall.n for finding in results.findings[budget]}
    shown = " or ".join(f"{count:,}" for count in sorted(counts))
    seeds = results.plan.seeds
    return f"{shown} held-out questions, answered by {seeds} seed{'s' if seeds > 1 else ''}."


def _intervals(results: Results) -> str:
    if results.plan.seeds == 1:
        return "In parentheses Wilson's 95 % interval over the questions; one seed gives none over seeds."
    return (
        "Mean over seeds, in parentheses Student's 95 % interval over seeds (Wilson's where all seeds agree)."
    )


def _tried(finding: Finding) -> str:
    return "; ".join(f"{name}: {share(value)}" for name, value in finding.tried.items())
