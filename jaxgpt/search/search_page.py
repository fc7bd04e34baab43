"""The report of a search: one page, the numbers of every generation, and the best sets as files."""

from pathlib import Path

import numpy as np

from jaxgpt.core.paths import make_folder
from jaxgpt.core.tables import comma_separated
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation import plots
from jaxgpt.pages.blocks import Folded, Paragraph, Picture, Points, Section
from jaxgpt.pages.rendering import render
from jaxgpt.search import pool, search_findings, search_pictures, set_files
from jaxgpt.search.generation_step import Record, Stand
from jaxgpt.search.generations import BEST, Searched

#: Sets of each arm that are drawn, and that are written: not more, since verifiers are slow on purpose.
_SHOWN, _WRITTEN = 4, 20
_COLUMNS = ("written", "readable", "new", "repeated", "conflicts", "loss", "temperature")


def write(searched: Searched, folder: Path) -> list[Path]:
    """Write `report.html`, `best_over_time.png`, `generations.csv` and the best sets of each arm in `best/`.

    Returns:
      What was written, the page first.

    Raises:
      OSError: if the folder cannot be written to.
    """
    make_folder(folder / BEST)
    sections = [_arms(searched), _sizes(searched)]
    learned = {arm: s for arm, s in searched.stands.items() if any(map(_writes, s))}
    if learned:
        sections.append(_proposals(searched, learned))
    sections.append(_sets(searched, folder))
    title = f"The largest set: {searched.problem}"
    write_atomically(folder / "report.html", render(title, search_findings.sentences(searched), sections))
    write_atomically(folder / "generations.csv", _numbers(searched))
    plots.save(
        search_pictures.over_time(searched.stands, searched.problem.best_known()),
        folder / "best_over_time.png",
    )
    return [folder / name for name in ("report.html", "generations.csv", "best_over_time.png", BEST)]


def _arms(searched: Searched) -> Section:
    table = search_findings.table(searched)
    known = searched.problem.best_known()
    line = "" if known is None else f" The dotted line is the best known, {known}."
    alt = "The largest set of each seed against its seconds, a panel an arm; grey: the means of the others."
    return Section(
        "Does the model help?",
        [Picture(search_pictures.over_time(searched.stands, known), alt, alt + line), table],
    )


def _sizes(searched: Searched) -> Section:
    blocks = []
    for arm, stands in searched.stands.items():
        best = max(stands, key=lambda stand: stand.best)
        alt = f"{arm}, the seed that found the largest set: sizes of the sets of each generation."
        blocks.append(Picture(search_pictures.sizes(arm, best), alt))
    return Section("How large the sets of a generation are", blocks)


def _proposals(searched: Searched, learned: dict) -> Section:
    alt = "Shares of what the models wrote, over time."
    text = (
        "A proposal is new if it is not among the sets that the model was shown. It is repaired where it "
        "holds a conflict. Where more than 10 % are repeated, the next generation is written at a higher "
        "temperature."
    )
    notes = {
        f"seed {seed}, {arm}, generation {number}: {record.note}"
        for arm, stands in learned.items()
        for seed, stand in enumerate(stands)
        for number, record in enumerate(stand.records)
        if record.note
    }
    table = search_findings.shown_and_made(searched)
    blocks = [Paragraph(text), Picture(search_pictures.novelty(learned), alt), table]
    if notes:
        blocks.append(Folded("Generations with a note", [Points(sorted(notes))]))
    return Section("What the models write", blocks)


def _sets(searched: Searched, folder: Path) -> Section:
    blocks = []
    for arm, stands in searched.stands.items():
        sets = pool.best(np.concatenate([stand.sets for stand in stands]), _WRITTEN)
        written = [frozenset(np.flatnonzero(row).tolist()) for row in sets]
        set_files.write(searched.problem, written, folder / BEST / arm, drawn=_SHOWN)
        chosen = written[:_SHOWN]
        titles = [search_findings.symmetry_words(searched, one) for one in chosen]
        broken = sum(bool(searched.problem.verify(one)) for one in chosen)
        said = "none holds a conflict" if not broken else f"{broken} hold a conflict"
        named = ", with their symmetries" if all(titles) else ""
        alt = f"The largest sets of the arm {arm}{named}; by the problem's verifier {said}."
        drawn = search_pictures.boards(searched.problem, [sorted(one) for one in chosen], titles)
        blocks.append(Picture(drawn, alt))
    text = f"As text, JSON and PNG, up to {_WRITTEN} different ones of each arm: {BEST}/"
    return Section("The largest sets", [*blocks, Paragraph(text)])


def _numbers(searched: Searched) -> str:
    rows = [("arm", "seed", "generation", "seconds", "best", "repaired_mean", "improved_mean", *_COLUMNS)]
    for arm, stands in searched.stands.items():
        for seed, stand in enumerate(stands):
            elapsed = 0.0
            for number, record in enumerate(stand.records):
                elapsed += record.elapsed
                means = (_mean(record.repaired), _mean(record.improved))
                rows.append((arm, seed, number, f"{elapsed:.3f}", record.best, *means, *_columns(record)))
    return comma_separated(rows)


def _writes(stand: Stand) -> bool:
    """Whether a model proposed."""
    return any(record.written for record in stand.records)


def _columns(record: Record) -> list:
    values = [getattr(record, name) for name in _COLUMNS]
    return ["" if value is None else f"{value:.6g}" for value in values]


def _mean(sizes: dict[int, int]) -> str:
    return f"{search_findings.mean_size(sizes):.4f}" if sizes else ""
