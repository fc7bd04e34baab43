"""The report of a comparison: a CSV, tables in Markdown and LaTeX, pictures, and one page with everything."""

import csv
import io
import re
from pathlib import Path

from jaxgpt.comparison import (
    curve_pictures,
    error_pictures,
    error_tables,
    findings,
    pictures,
    sections,
    size_pictures,
)
from jaxgpt.comparison.axes import listed
from jaxgpt.comparison.cells import Plan
from jaxgpt.comparison.results import Results
from jaxgpt.core import tables
from jaxgpt.core.tables import Table, escape
from jaxgpt.core.writing import write_atomically

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; margin: 2rem auto; padding: 0 1rem;
  max-width: 76rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
p, li { max-width: 60rem; } li { margin-bottom: .4rem; }
.wide { overflow-x: auto; } .grids { display: flex; flex-wrap: wrap; gap: 1rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e5e5e5; white-space: nowrap; }
thead th { border-bottom: 2px solid #888; vertical-align: bottom; white-space: normal; max-width: 9rem; }
tbody th, thead th:first-child { text-align: left; font-weight: 500; }
.better { background: #d5ead5; } .worse { background: #f8d8d0; }
small { color: #555; } details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; } code { background: #f3f3f3; }
"""


def write(results: Results, workdir: Path) -> list[Path]:
    """Write the whole report into the directory of the comparison.

    Returns:
      What was written, the page first; the pictures are in `pictures/`.
    """
    drawings = _draw(results, workdir / "pictures")
    parts = [
        (budget, sections.tables(results, budget) + error_tables.tables(results, budget))
        for budget in results.plan.budgets
    ]
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


def _latex(every: list[Table]) -> str:
    """All tables for a paper."""
    labels = [re.sub("[^a-z0-9]+", "-", table.title.lower()).strip("-") for table in every]
    found = [tables.latex(table, label) for table, label in zip(every, labels, strict=True)]
    return "\n".join(["% The tables need \\usepackage{booktabs}.", "", *found])


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
    body = [
        f"<h1>{escape(title(plan))}</h1>",
        f"<p>{escape(setting(results))}</p>",
        "<p>How it was made fair:</p>",
        _list(plan.notes),
    ]
    if (read := sections.how_read(plan)) is not None:
        body.append(tables.page(read))
    for budget in plan.budgets:
        body.append(f"<h2>Findings at {escape(sections.BUDGET_NAMES[budget])}</h2>")
        body.append(_list(findings.sentences(results, budget)))
    for budget, made in parts:
        body.append(f"<h2>Figures at {escape(sections.BUDGET_NAMES[budget])}</h2>")
        if not made:
            body.append("<p>No cell has a result yet.</p>")
            continue
        learned = [path for path in drawings[budget] if path.stem.startswith("learning-")]
        body += [f"<figure>{_inline(path)}</figure>" for path in learned[:1]]
        body += _folded("Learning against tokens, FLOPs and seconds", learned[1:])
        first, *rest = made
        body.append(tables.page(first))
        by_length = [p for p in drawings[budget] if p.stem.startswith(("exact_match-", "sizes-"))]
        body += [f"<figure>{_inline(path)}</figure>" for path in by_length]
        body += map(tables.page, rest)
        if where_wrong := error_pictures.of(drawings[budget]):
            body.append(_side_by_side(where_wrong))
        if groups.get(budget) is not None:
            body.append(tables.page(groups[budget], folded=True))
        grids = [path for path in drawings[budget] if path.stem.startswith("grid-")]
        body += _folded("A grid for each cell", grids)
    body.append("<h2>Settings that all cells share</h2>")
    body.append(f"<p><code>{escape(_shared(plan))}</code></p>")
    body.append(
        "<p>Every seed's figures are in <code>results.csv</code>; each cell is a run directory in "
        "<code>cells</code>, which <code>jaxgpt generate</code> and <code>jaxgpt evaluate</code> read.</p>"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title(plan))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _folded(name: str, paths: list[Path]) -> list[str]:
    """Pictures that are shown when they are asked for."""
    if not paths:
        return []
    return [f"<details><summary>{escape(name)}</summary>{_side_by_side(paths)}</details>"]


def _side_by_side(paths: list[Path]) -> str:
    """Pictures beside each other, as many as there is room for."""
    return '<div class="grids">' + "".join(f"<figure>{_inline(path)}</figure>" for path in paths) + "</div>"


def every_seed(results: Results) -> str:
    """One line a cell, budget, seed, row and measure, as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, results.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(results.rows())
    return file.getvalue()


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


def _inline(path: Path) -> str:
    """An SVG as part of a page: without its head, its names made its own."""
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    own = re.sub(r"[^A-Za-z0-9]", "_", path.stem) + "_"

    def renamed(tag: re.Match[str]) -> str:
        text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", tag[0])
        text = re.sub(r'\bid="', f'id="{own}', text)
        return re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{own}", text)

    text = re.sub(r"<[^<>]*>", renamed, text)  # and not what stands between tags
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(path.stem)}"', 1)


def _list(items) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(item)}</li>" for item in items) + "\n</ul>"


def setting(results: Results) -> str:
    """How many cells and seeds there are, what was computed on, and how long it took."""
    plan = results.plan
    machines = {f.machine for found in results.findings.values() for f in found if f.machine}
    computed = f" Computed on {listed(sorted(machines))}." if machines else ""
    times = [f.seconds for f in {f.folder: f for found in results.findings.values() for f in found}.values()]
    if times and None not in times:
        computed += f" Training took {sum(times) / 60:.0f} min in all."
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
