"""The tables of a comparison, and how their numbers are written."""

import math
from collections.abc import Mapping
from typing import Literal

from jaxgpt.comparison.axes import listed
from jaxgpt.comparison.cells import Budget, Plan
from jaxgpt.comparison.curves import Reached
from jaxgpt.comparison.results import LEARNED, SHARES, Finding, Results, option_name
from jaxgpt.core.progress import clock
from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.evaluation import Row
from jaxgpt.evaluation.intervals import Difference, Interval, holm
from jaxgpt.models.attention_pairs import meets_all

#: Groups beyond what was trained on, up to so many, have columns beside the headings.
_MOST_COLUMNS = 6

#: (kind, name) of a row of an evaluation.
Column = tuple[str, str]

BUDGET_NAMES = {"examples": "equal examples", "flops": "equal training FLOPs"}


def tables(results: Results, budget: Budget) -> list[Table]:
    """Who learned it, exact match, what is different from the baseline, and what it cost."""
    if not results.findings[budget]:
        return []
    found = [
        learning(results, budget),
        exact_match(results, budget),
        differences(results, budget),
        costs(results, budget),
    ]
    return [table for table in found if table is not None]


def columns(results: Results, budget: Budget) -> list[Column]:
    """What the main tables show: everything, the task's headings, and what is beyond the training.

    Where no cell has a right answer there is no column; `folded` names those.
    """
    return [column for column in _all_columns(results, budget) if not _empty(results, budget, column)]


def folded(results: Results, budget: Budget) -> str:
    """A sentence that names the columns in which every cell has 0; "" if there is none."""
    names = [name for kind, name in _all_columns(results, budget) if _empty(results, budget, (kind, name))]
    return f" Not shown, since every cell has 0 there: {', '.join(names)}." if names else ""


def _all_columns(results: Results, budget: Budget) -> list[Column]:
    findings = results.findings[budget]
    headings = dict.fromkeys(row.group for finding in findings for row in finding.headings)
    outside = dict.fromkeys(
        row.group for finding in findings for row in finding.groups if not row.in_distribution
    )
    shown = list(outside) if len(outside) <= _MOST_COLUMNS else []
    return [("all", "all"), *(("heading", h) for h in headings), *(("group", g) for g in shown)]


def _empty(results: Results, budget: Budget, column: Column) -> bool:
    kind, name = column
    rows = [finding.row(kind, name) for finding in results.findings[budget]]
    return kind != "all" and not any(row is not None and any(row.exact_match.per_seed) for row in rows)


def learning(results: Results, budget: Budget) -> Table | None:
    """How many seeds learned the task, and how much training each cell's seeds needed; None without looks."""
    findings = results.findings[budget]
    if not any(finding.curve.steps for finding in findings):
        return None
    rows = []
    for finding in findings:
        needs = [_need(finding, share, factor) for share in SHARES for factor in _amounts(finding)]
        rows.append((Entry(_name(results, finding)), _rate(finding.success), *needs))
    looks = max(len(finding.curve.steps) for finding in findings)
    few = "" if results.plan.seeds > 5 else " Fewer than six seeds give no interval of a median."
    return Table(
        f"Who learned it, and how soon, at {BUDGET_NAMES[budget]}",
        f"Learned: seeds with at least {LEARNED} of the test questions right, with the exact 95 % interval "
        "of that rate (Clopper and Pearson). Examples and FLOPs of one seed until the exact match on "
        f"validation was at least {' or '.join(map(str, SHARES))} for the first time, at one of {looks} "
        "looks: the median of all seeds (Kaplan and Meier), in parentheses its exact 95 % interval and the "
        "seeds that got there. A seed that never did counts as one that needs more than the whole training, "
        f"> before its length.{few}",
        (
            "cell",
            "seeds that learned it",
            *(f"{what} to {share}" for share in SHARES for what in ("examples", "FLOPs")),
        ),
        tuple(rows),
    )


def _amounts(finding: Finding) -> tuple[float, float]:
    return finding.examples_a_step, finding.cell.flops


def _rate(reached: Reached) -> Entry:
    return Entry(f"{reached.count} of {len(reached.needs)}", detail=_bounds(reached.share.interval, 2))


def _need(finding: Finding, share: float, factor: float) -> Entry:
    """The median amount until a share was reached."""
    reached, whole = finding.needs(share).times(factor), finding.steps * factor
    if not finding.curve.steps:
        return Entry("-")
    median = f">{amount(whole)}" if reached.median is None else amount(reached.median)
    interval = ""
    if reached.interval is not None and reached.count:
        ends = [f">{amount(whole)}" if end == math.inf else amount(end) for end in reached.interval]
        interval = f"{' to '.join(ends)}; "
    return Entry(median, detail=f"{interval}{reached.count} of {len(reached.needs)}")


def amount(value: float) -> str:
    """A count of examples or operations: whole up to a million, then as a power of ten."""
    return f"{round(value):,}" if value < 1e6 else f"{value:.2g}"


def exact_match(results: Results, budget: Budget) -> Table:
    """Exact match with intervals, a row a cell; bold where it is surely not the baseline's."""
    chosen = columns(results, budget)
    rows = []
    for finding in results.findings[budget]:
        entries = [_entry(results, finding, kind, name) for kind, name in chosen]
        rows.append((Entry(_name(results, finding)), *entries))
    return Table(
        f"Exact match at {BUDGET_NAMES[budget]}",
        f"{_asked(results, budget)} {_intervals(results)} {_sure(results)}{folded(results, budget)}",
        ("cell", *(_heading(results, budget, column) for column in chosen)),
        tuple(rows),
    )


def differences(results: Results, budget: Budget) -> Table | None:
    """Differences from the baseline, paired by seed; None where there is none to look for."""
    if results.learned(budget) != "something":
        return None
    chosen = columns(results, budget)
    found = [(f, [results.difference(f, *column) for column in chosen]) for f in results.findings[budget]]
    found = [(f, entries) for f, entries in found if any(entry is not None for entry in entries)]
    if not found:
        return None
    p_values = [entries[0].p for _, entries in found]  # the first column is that of all questions
    rows = [
        (Entry(f.cell.name), *map(_difference, entries), Entry(p_value(p)), Entry(p_value(corrected)))
        for (f, entries), p, corrected in zip(found, p_values, holm(p_values), strict=True)
    ]
    return Table(
        f"Exact match minus that of {results.plan.baseline.name}, at {BUDGET_NAMES[budget]}",
        "The median over seeds of the difference of each seed, with its exact 95 % interval: it takes "
        "nothing for granted of how seeds are distributed, and needs six of them. Bold: the interval "
        "excludes 0, which is the same as p <= 0.05 in the exact sign test. p: of that test for all "
        f"questions; after Holm: corrected for the {len(found)} cells in this table. Columns beside `all` "
        "are not corrected.",
        ("cell", *(_heading(results, budget, column) for column in chosen), "p", "p after Holm"),
        tuple(rows),
    )


def p_value(p: float) -> str:
    """A p-value with three decimals."""
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def costs(results: Results, budget: Budget) -> Table:
    """Tokens, sizes, operations, time and bits per byte."""
    rows = []
    swept = bool(results.plan.request.sweep)
    bits_apart = {f.cell.name: results.bits_difference(f) for f in results.findings[budget]}
    for finding in results.findings[budget]:
        facts = finding.cell.facts
        bits, apart = finding.bits_per_byte, bits_apart[finding.cell.name]
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
            Entry("-" if finding.decoding_speed is None else f"{finding.decoding_speed:,.0f}"),
            Entry("-")
            if bits is None
            else Entry(f"{bits.mean:.3f}", verdict(apart, -1), _bounds(bits.interval)),
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
    whole = all(meets_all(finding.cell.experiment.model) for finding in results.findings[budget])
    near = "" if whole else "; where tokens do not meet all T of a row, those that they are multiplied with"
    return Table(
        f"What was read and what it cost, at {BUDGET_NAMES[budget]}",
        "Tokens a number: of the numbers in the examples, each on its own. Tokens an example: prompt and "
        "answer. Tokens a row: with begin token and padding, as computed. FLOPs: training of one seed, "
        "6 N + 12 L H Q T a token and the output matrix (arXiv 2204.02311, appendix B), for padded "
        f"rows{near}. Time: of training{seeds}, without compiling. Tokens decoded a second: of 64 answers at "
        "once, with a cache. Bits per byte: of held-out text, less is "
        f"better{unknown}; bold: surely not the baseline's, by the exact interval of the median difference, "
        f"paired by seed. That is a difference of losses, not of answers.{uncorrected(bits_apart)}{sweep}",
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
            "tokens decoded a second",
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
        f"{_intervals(results)} {_sure(results)}",
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
    return f"{difference.median:+.3f}" + (f" ({detail})" if detail else "")


def _signed_bounds(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval[0]:+.3f} to {interval[1]:+.3f}"


def _bounds(interval: Interval | None, digits: int = 3) -> str:
    return "" if interval is None else f"{interval[0]:.{digits}f}-{interval[1]:.{digits}f}"


def verdict(difference: Difference | None, better: int = 1) -> Literal["", "better", "worse"]:
    """Whether a difference is sure, and to which side; `better` is the sign of a good one."""
    if difference is None or not difference.sure:
        return ""
    return "better" if difference.median * better > 0 else "worse"


def uncorrected(apart: Mapping[str, Difference | None]) -> str:
    """A sentence on a column's bold figures after Holm's correction; "" for a column without any.

    Args:
      apart: the difference of each cell from the baseline, by its name; None where there is none.
    """
    known = {name: difference for name, difference in apart.items() if difference is not None}
    if not any(difference.sure for difference in known.values()):
        return ""
    p_values = holm([difference.p for difference in known.values()])
    kept = [name for name, p in zip(known, p_values, strict=True) if p <= 0.05]
    return (
        f" Bold is not corrected for the number of cells; after Holm's correction for {len(known)} sure are: "
        f"{listed(kept) if kept else 'none'}."
    )


def _entry(results: Results, finding: Finding, kind: str, name: str) -> Entry:
    row = finding.row(kind, name)
    if row is None:
        return Entry("-")
    # Where nobody has learned it, or everybody has, one can still be a little ahead in every seed.
    telling = results.learned(finding.budget) == "something"
    sure = verdict(results.difference(finding, kind, name)) if telling else ""
    return Entry(share(row.exact_match.mean), sure, _bounds(row.exact_match.interval))


def _difference(difference: Difference | None) -> Entry:
    if difference is None:
        return Entry("-")
    return Entry(f"{difference.median:+.3f}", verdict(difference), _signed_bounds(difference.interval))


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
        "Mean over seeds, in parentheses a 95 % interval of the mean that also holds where some seeds learn "
        "the task and others do not: the seeds are weighted anew with one more that has 0, or 1 (Gaffke's "
        "bound, arXiv 1905.06208)."
    )


def _sure(results: Results) -> str:
    return (
        f"Bold and shaded: surely better or worse than {results.plan.baseline.name}, by the exact interval "
        "of the median difference, paired by seed; not corrected for how many are compared."
    )


def _tried(finding: Finding) -> str:
    return "; ".join(f"{name}: {share(value)}" for name, value in finding.tried.items())
