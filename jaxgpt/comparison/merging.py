"""Joining two comparisons of one experiment whose cells differ."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from jaxgpt.comparison.axes import Axis
from jaxgpt.comparison.cells import FOLDER, Cell, Plan, directory, trust_option
from jaxgpt.comparison.running import SELECTION
from jaxgpt.core import fields, hints
from jaxgpt.core.untrusted import refuse_links
from jaxgpt.core.usage import UsageError
from jaxgpt.runs.run_directory import held


def merge(sources: Sequence[Path], workdir: Path) -> Plan:
    """A comparison with the cells of all sources, each once, and copies of their runs.

    Raises:
      ValueError: if one is not finished, or a setting outside of what is varied differs, in one line.
    """
    if len(sources) < 2:
        raise UsageError("--merge takes two directories of comparisons or more, separated by commas")
    plans = [Plan.read(source) for source in sources]
    first = plans[0]
    for source, plan in zip(sources, plans, strict=True):
        _check_finished(plan, source)
        _check_same(first, sources[0], plan, source)
    cells: dict[tuple[str, ...], Cell] = {}
    origin: dict[tuple[str, ...], Path] = {}
    paths = [axis.path for axis in first.request.axes]
    for source, plan in zip(sources, plans, strict=True):
        for cell in plan.cells:
            key = tuple(cell.values[path] for path in paths)
            cell = dataclasses.replace(cell, values={path: cell.values[path] for path in paths})
            if key in cells:
                _check_duplicate(cells[key], cell, origin[key], source)
                continue
            cells[key], origin[key] = _renamed(cell, list(cells.values())), source
    axes = tuple(
        Axis(path, tuple(dict.fromkeys(cell.values[path] for cell in cells.values()))) for path in paths
    )
    request = dataclasses.replace(first.request, axes=axes)
    notes = dict.fromkeys(note for plan in plans for note in plan.notes)
    merged = Plan(request, tuple(cells.values()), tuple(notes))
    with held(workdir):  # only now: a mistake leaves nothing
        _copy(
            merged,
            workdir,
            dict(zip((c.slug for c in merged.cells), origin.values(), strict=True)),
            plans,
            sources,
        )
        merged.write(workdir)
    return merged


def _check_finished(plan: Plan, source: Path) -> None:
    for budget in plan.budgets:
        for cell in plan.cells:
            jobs = plan.jobs(cell, budget)
            if not any(directory(source, job).evaluation.is_file() for job in jobs):
                raise ValueError(
                    f"{source} is not finished: cell {cell.name} has no evaluation; go on with "
                    f"{hints.command('compare', '--resume', '--workdir', source)}{trust_option(source)}, "
                    "then merge"
                )


def _check_same(first: Plan, path: Path, other: Plan, source: Path) -> None:
    """Raises ValueError for the first setting outside of the axes in which two comparisons differ."""
    for part in ("budgets", "sweep"):
        old, new = (getattr(plan.request, part) for plan in (first, other))
        if old != new:
            raise ValueError(f"{path} and {source} cannot be merged: their {part} differ")
    old, new = (sorted(axis.path for axis in plan.request.axes) for plan in (first, other))
    if old != new:
        raise ValueError(
            f"{path} varies {', '.join(old)} and {source} varies {', '.join(new)}: it must be the same"
        )
    rows = fields.differences(first.cells[0].experiment, other.cells[0].experiment)
    if first.cells[0].facts.files != other.cells[0].facts.files:
        rows.append("task: its files hold other text")
    excused = [path for plan in (first, other) for axis in plan.request.axes for path in axis.fields]
    rows = [row for row in rows if not _varied(row.split(":")[0], excused)]
    if rows:
        raise ValueError(
            f"{path} and {source} cannot be merged, their settings differ: {'; '.join(rows)}; compare again "
            "with the same"
        )
    trained = [plan.baseline.experiment.training for plan in (first, other)]
    seen = [training.steps * training.batch_size for training in trained]
    if seen[0] != seen[1]:
        raise ValueError(
            f"{path} and {source} cannot be merged: their cells train on {seen[0]:,} and {seen[1]:,} "
            "examples; compare with one --baseline in both"
        )
    if "flops" in first.request.budgets:
        spent = [plan.baseline.flops * plan.baseline.experiment.training.steps for plan in (first, other)]
        if spent[0] != spent[1]:
            raise ValueError(
                f"{path} and {source} cannot be merged: their baselines, {first.baseline.name} and "
                f"{other.baseline.name}, cost {spent[0]:.3g} and {spent[1]:.3g} FLOPs, so equal FLOPs "
                "are not the same; compare with one --baseline in both"
            )


def _varied(path: str, axes: Sequence[str]) -> bool:
    return any(path == axis or path.startswith(axis + ".") for axis in axes)


def _check_duplicate(kept: Cell, other: Cell, path: Path, source: Path) -> None:
    rows = fields.differences(kept.experiment, other.experiment)
    if kept.facts.fingerprint != other.facts.fingerprint:
        rows.append(f"tokenizer: {kept.facts.fingerprint} -> {other.facts.fingerprint}")
    if rows:
        raise ValueError(
            f"cell {kept.name} is in {path} and in {source}, and they are not the same: {'; '.join(rows)}"
        )


def _renamed(cell: Cell, others: Sequence[Cell]) -> Cell:
    """The cell under a name and a folder that no other has."""
    if cell.name in {other.name for other in others}:
        cell = dataclasses.replace(cell, name=" / ".join(cell.values.values()))
    taken = {other.slug for other in others}
    slug, number = cell.slug, 2
    while slug in taken:
        slug, number = f"{cell.slug}-{number}", number + 1
    return dataclasses.replace(cell, slug=slug)


def _copy(merged: Plan, workdir: Path, origin: dict[str, Path], plans, sources) -> None:
    """The finished runs of every cell, from where the cell came."""
    known = dict(zip(sources, plans, strict=True))
    for budget in merged.budgets:
        for cell in merged.cells:
            source = origin[cell.slug]
            plan = known[source]
            there = next(other for other in plan.cells if other.values == cell.values)
            for old, new in zip(plan.jobs(there, budget), merged.jobs(cell, budget), strict=True):
                run, target = directory(source, old), workdir / FOLDER / new.folder
                if (run.evaluation.is_file() or (run.path / SELECTION).is_file()) and not target.exists():
                    refuse_links(run.path)
                    shutil.copytree(run.path, target, ignore=shutil.ignore_patterns(".lock"))
