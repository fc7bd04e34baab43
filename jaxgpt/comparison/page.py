"""The report of a comparison: a CSV, tables in Markdown and LaTeX, pictures, and one page with everything."""

import dataclasses
import re
from pathlib import Path

from jaxgpt.comparison import (
    curve_pictures,
    error_pictures,
    error_tables,
    findings,
    measure_tables,
    pictures,
    sections,
    size_pictures,
)
from jaxgpt.comparison.axes import listed
from jaxgpt.comparison.cells import Budget, Plan, directory
from jaxgpt.comparison.results import Results
from jaxgpt.core import tables
from jaxgpt.core.tables import Table
from jaxgpt.core.writing import write_atomically
from jaxgpt.pages.blocks import Beside, Block, Folded, Paragraph, Passage, Picture, Points, Section
from jaxgpt.pages.rendering import render
from jaxgpt.runs import records


def write(results: Results, workdir: Path) -> list[Path]:
    """Write the whole report into the directory of the comparison.

    Returns:
      What was written, the page first; the pictures are in `pictures/`.
    """
    drawings = _draw(results, workdir / "pictures")
    parts = [(budget, _tables(results, budget)) for budget in results.plan.budgets]
    groups = {budget: sections.by_group(results, budget) for budget, made in parts if made}
    every = [table for budget, made in parts for table in (*made, groups.get(budget)) if table is not None]
    report = {
        "report.html": page(results, parts, groups, drawings),
        "report.md": markdown(results, every, drawings),
        "tables.tex": _latex(every),
        "results.csv": every_seed(results),
    }
    for name, text in report.items():
        write_atomically(workdir / name, text)
    return [workdir / name for name in report]


def _tables(results: Results, budget: Budget) -> list[Table]:
    """All tables of one budget but that of every group."""
    measures = measure_tables.table(results, budget)
    beside = [] if measures is None else [measures]
    return sections.tables(results, budget) + beside + error_tables.tables(results, budget)


def _latex(every: list[Table]) -> str:
    """All tables for a paper."""
    labels = [re.sub("[^a-z0-9]+", "-", table.title.lower()).strip("-") for table in every]
    found = [tables.latex(table, label) for table, label in zip(every, labels, strict=True)]
    return "\n".join(["% The tables need \\usepackage{booktabs,graphicx}.", "", *found])


def title(plan: Plan) -> str:
    """What is compared."""
    return f"{plan.request.name}, by {listed([axis.path for axis in plan.request.axes])}"


def markdown(results: Results, every: list[Table], drawings: dict[str, list[Path]]) -> str:
    """What is compared, findings, and tables as Markdown; pictures where they lie beside it."""
    read = sections.how_read(results.plan)
    lines = [f"# {tables.plain(title(results.plan))}", "", tables.plain(setting(results)), ""]
    lines += ["How it was made fair:", "", *(f"- {tables.plain(note)}" for note in results.plan.notes), ""]
    lines += [] if read is None else [tables.markdown(read)]
    for budget in results.plan.budgets:
        lines += [f"## Findings at {sections.BUDGET_NAMES[budget]}", ""]
        lines += [f"- {tables.plain(sentence)}" for sentence in findings.sentences(results, budget)] + [""]
        for path in drawings.get(budget, []):
            lines += [f"![{path.stem}]({path.parent.name}/{path.name})", ""]
    return "\n".join(lines) + "\n## Tables\n\n" + "\n".join(map(tables.markdown, every))


def page(results: Results, parts, groups, drawings: dict[str, list[Path]]) -> str:
    """One web page that needs nothing beside it."""
    plan = results.plan
    read = sections.how_read(plan)
    made_fair: list[Block] = [Points(plan.notes), *([] if read is None else [read])]
    shown = [Section("How it was made fair", made_fair)]
    for budget in plan.budgets:
        told = Points(findings.sentences(results, budget))
        shown.append(Section(f"Findings at {sections.BUDGET_NAMES[budget]}", [told]))
    for budget, made in parts:
        blocks = _figures(made, groups.get(budget), drawings[budget]) if made else [_NOTHING]
        shown.append(Section(f"Figures at {sections.BUDGET_NAMES[budget]}", blocks))
    shown.append(Section("Settings that all cells share", [Passage(_shared(plan)), _BESIDE_THE_PAGE]))
    return render(title(plan), [setting(results)], shown)


_NOTHING = Paragraph("No cell has a result yet.")
_BESIDE_THE_PAGE = Paragraph(
    "Every seed's figures are in results.csv; each cell is a run directory in cells, which "
    "`jaxgpt generate` and `jaxgpt evaluate` read."
)


def _figures(made: list[Table], group: Table | None, drawn: list[Path]) -> list[Block]:
    """The tables and pictures of one budget."""
    learned, by_length, grids = (
        [_picture(path) for path in drawn if path.stem.startswith(names)]
        for names in ("learning-", ("exact_match-", "sizes-"), "grid-")
    )
    first, *rest = made
    blocks: list[Block] = [*learned[:1]]
    if learned[1:]:
        blocks.append(Folded("Learning against tokens, FLOPs and seconds", learned[1:]))
    blocks += [first, *by_length, *rest]
    if where_wrong := error_pictures.of(drawn):
        blocks.append(Beside([_picture(path) for path in where_wrong]))
    if group is not None:
        blocks.append(Folded(group.title, [dataclasses.replace(group, title="")]))
    if grids:
        blocks.append(Folded("A grid for each cell", [Beside(grids)]))
    return blocks


#: What a picture shows, by the beginning of its file's name.
_SHOWN = {
    "learning-": "Exact match on validation against what was spent, a panel a cell",
    "exact_match-": "Exact match against the length of the operands, or by group, a line a cell",
    "sizes-": "Who learned it, against the size of the model",
    "grid-": "Exact match of one cell by group",
    "errors_place": "Right digits by place, a panel a cell",
    "errors_facet": "Exact match by a property of the question, a panel a cell",
    "errors_kinds": "Kinds of wrong answers, a bar a cell",
}


def _picture(path: Path) -> Picture:
    """A picture that was drawn; its title says what it shows, so nothing stands below it."""
    shown = next((text for name, text in _SHOWN.items() if path.stem.startswith(name)), "A picture")
    return Picture(path, f"{shown}; {path.name}. The tables have its numbers.", "")


def every_seed(results: Results) -> str:
    """One line a cell, budget, seed, row and measure, as CSV."""
    rows = ([row.get(name) for name in results.columns] for row in results.rows())
    return tables.comma_separated([results.columns, *rows])


def _draw(results: Results, folder: Path) -> dict[str, list[Path]]:
    """The pictures of each budget as SVG files, the curves first; PNGs lie beside them."""
    folder.mkdir(exist_ok=True)
    found = {}
    for budget, cells in results.findings.items():
        if not cells:
            continue
        paths = [folder / f"exact_match-{budget}.svg"]
        pictures.curves(cells, budget, paths[0])
        if size_pictures.success(cells, budget, folder / f"sizes-{budget}.svg"):
            paths.append(folder / f"sizes-{budget}.svg")
        # The amount that is equal first.
        for amount in sorted(curve_pictures.AMOUNTS, key=lambda name: name != budget):
            path = folder / f"learning-{budget}-{amount}.svg"
            if curve_pictures.learning(cells, budget, amount, path):
                paths.append(path)
        for finding in cells:
            paths.append(folder / f"grid-{finding.cell.slug}-{budget}.svg")
            pictures.grid(finding, paths[-1])
        found[budget] = paths + error_pictures.draw(cells, budget, folder)
    return found


def setting(results: Results) -> str:
    """How many cells and seeds there are, what was computed on, and how long it took."""
    plan = results.plan
    machines = {f.machine for found in results.findings.values() for f in found if f.machine}
    computed = f" Computed on {listed(sorted(machines))}." if machines else ""
    runs = [directory(results.workdir, job).metrics for job in plan.all_jobs()]
    if seconds := sum(records.training_seconds(records.read(path)) for path in runs if path.is_file()):
        computed += f" Training took {seconds / 60:.0f} min in all."
    seeds = f"{plan.seeds} seed{'s' if plan.seeds > 1 else ''} each"
    training = plan.baseline.experiment.training
    return (
        f"{len(plan.cells)} cells, {seeds}; the baseline, {plan.baseline.name}, trains {training.steps:,} "
        f"steps of {training.batch_size:,} examples. Every interval is at 95 %; a "
        "difference is called sure where the exact interval of its median, paired by seed, excludes "
        f"0.{computed}"
    )


def _shared(plan: Plan) -> str:
    """The fields that have one value in all cells."""
    from jaxgpt.core.fields import describe

    rows = [{row.path: str(row.value) for row in describe(cell.experiment)} for cell in plan.cells]
    return " ".join(
        f"{path}={value}"
        for path, value in rows[0].items()
        if value and all(other.get(path) == value for other in rows)
    )
