"""Where the answers of a comparison are wrong and how, in tables of a row a cell."""

from collections.abc import Iterable, Sequence

from jaxgpt.comparison.cells import Budget
from jaxgpt.comparison.results import Finding, Results
from jaxgpt.comparison.sections import BUDGET_NAMES, share
from jaxgpt.core.tables import Entry, Table
from jaxgpt.evaluation.errors import by_size
from jaxgpt.evaluation.evaluation import Row
from jaxgpt.evaluation.intervals import Estimate

#: Rows of an evaluation that have columns of their own; of more the first are shown.
_MOST_COLUMNS = 10


def tables(results: Results, budget: Budget) -> list[Table]:
    """Right digits by place, exact match by each facet, kinds of wrong answers; none without diagnoses."""
    cells = diagnosed(results.findings[budget])
    if not cells:
        return []
    found = [
        _by_row(
            cells,
            [cell.errors.places for cell in cells],
            f"Right digits by place, at {BUDGET_NAMES[budget]}",
            "Share of right digits in each place, over the questions whose right answer has that place.",
        )
    ]
    for facet in facets(cells):
        found.append(
            _by_row(
                cells,
                [cell.errors.facets.get(facet, ()) for cell in cells],
                f"Exact match by {facet}, at {BUDGET_NAMES[budget]}",
                f"Share of right answers, over the questions with each {facet}.",
            )
        )
    found.append(_wrong(cells, budget))
    return [table for table in found if len(table.header) > 1]


def diagnosed(findings: Iterable[Finding]) -> list[Finding]:
    """The cells whose answers were diagnosed."""
    return [finding for finding in findings if finding.errors is not None]


def facets(cells: Iterable[Finding]) -> list[str]:
    """The facets that any of the cells has, in their order."""
    return list(dict.fromkeys(facet for cell in cells for facet in cell.errors.facets))


def kinds(cells: Iterable[Finding]) -> list[str]:
    """The kinds of wrong answers that the cells' task tells apart, in its order."""
    return list(dict.fromkeys(kind for cell in cells for kind in cell.errors.wrong))


def groups(rows: Sequence[tuple[Row, ...]]) -> list[str]:
    """The names of the cells' rows: numbers by size, others as the cell with the most has them."""
    longest_first = sorted(rows, key=len, reverse=True)
    names = list(dict.fromkeys(row.group for each in longest_first for row in each))
    return sorted(names, key=by_size) if all(map(str.isdecimal, names)) else names


def _by_row(cells: Sequence[Finding], rows: Sequence[tuple[Row, ...]], title: str, caption: str) -> Table:
    names = groups(rows)
    shown = names[:_MOST_COLUMNS]
    if len(names) > len(shown):
        caption += f" The first {len(shown)} of {len(names)} are shown; results.csv has all."
    counts: dict[str, int] = {}
    for row in (row for each in rows for row in each):
        counts[row.group] = max(row.n, counts.get(row.group, 0))
    lines = []
    for cell, each in zip(cells, rows, strict=True):
        by_group = {row.group: _entry(row.exact_match) for row in each}
        lines.append((Entry(cell.cell.name), *(by_group.get(group, Entry("-")) for group in shown)))
    questions = (Entry("questions"), *(Entry(f"{counts[group]:,}") for group in shown))
    return Table(title, f"{caption} {_intervals(cells)}", ("cell", *shown), (*lines, questions))


def _wrong(cells: Sequence[Finding], budget: Budget) -> Table:
    # A kind that no cell has would be a column of zeros.
    shown = [kind for kind in kinds(cells) if any(sum(cell.errors.wrong.get(kind, ())) for cell in cells)]
    lines = []
    for cell in cells:
        errors, among = cell.errors, cell.errors.wrong_answers
        having = sum(map(bool, among))
        seeds = f"{having} of {len(among)} seeds" if having < len(among) else ""
        shares = [_entry(errors.share(kind) if kind in errors.wrong else None) for kind in shown]
        lines.append((Entry(cell.cell.name), Entry(f"{sum(among):,}", detail=seeds), *shares))
    return Table(
        f"Kinds of wrong answers, at {BUDGET_NAMES[budget]}",
        "Wrong answers: of all seeds together. Then the share that each kind has of a seed's; a seed without "
        "a wrong answer has no share, and - says that no seed has one. "
        f"{_intervals(cells)}",
        ("cell", "wrong answers", *shown) if shown else ("cell",),
        tuple(lines),
    )


def _intervals(cells: Sequence[Finding]) -> str:
    if cells[0].seeds > 1:
        return "Mean over seeds, with its 95 % interval over seeds in parentheses."
    return "In parentheses Wilson's 95 % interval; one seed gives none over seeds."


def _entry(estimate: Estimate | None) -> Entry:
    if estimate is None:
        return Entry("-")
    interval = estimate.interval
    bounds = "" if interval is None else f"{interval[0]:.3f}-{interval[1]:.3f}"
    return Entry(share(estimate.mean), detail=bounds)
