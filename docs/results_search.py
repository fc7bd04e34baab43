"""The part of results.md on constructions: searches with a transformer and without, at equal time."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

from results_types import SearchRow

from jaxgpt import search
from jaxgpt.core import tables
from jaxgpt.search import search_findings
from jaxgpt.search.generations import FILE

SECTION = "Constructions"
INTRODUCTION = (
    "Does a transformer that learns the best sets and proposes new ones find larger ones than the "
    "same local search without it? **In short: not here.** On a 16 x 16 grid the search without a "
    "model has the best known sets before the transformer has learned anything, and of no three in "
    "line, too, it is never later. What the transformer writes does get better from generation to "
    "generation; so does what a bigram writes, as much in the same time. Local search alone finds the "
    "best known sets of most problems in seconds ([its "
    "figures](benchmarks.md#constructions-by-local-search)). Without local search it may matter what is "
    "fed back: after eight generations larger sets learned more often give 24.7 points in the mean, "
    "all kept sets alike 23.8, a model of preferences 23.8, policy gradient 23.3. Six seeds call none of "
    "these differences sure, since in each some seeds tie. E13 of the lecture (`larger-grid`) was not "
    "run.\n\n"
    "Each arm has the same time, compiling not counted, and takes turns with the others "
    "([how](constructions.md#with-a-transformer-and-without)); *kept* are the sets before a "
    "generation, and *made* is what the model writes once that is repaired and filled up, before any "
    "local search. Largest sets are the mean of the seeds, then each seed's; the interval of a share is "
    "Wilson's; a seed that never got there counts as longer than all. The largest sets were verified by "
    "plain Python that shares no code with the search. All ran "
    "beside other work."
)
_ALT = "The largest set of each seed over time, a panel an arm"


def _row(title: str, name: str, words: str, note: str = "") -> SearchRow:
    run = f"results_search_{name}"
    return SearchRow(title, run, f"jaxgpt search {words} --workdir runs/{run}", note)


SEARCHES = (
    _row(
        "Isosceles-free sets of a 16 x 16 grid",
        "isosceles_16",
        "isosceles --problem.n 16 --arms transformer,none,bigram,transformer-alone --generations 2 "
        "--train-steps 200 --seeds 6",
    ),
    _row(
        "No three in line on a 14 x 14 grid",
        "no_three_14",
        "no-three --problem.n 14 --generations 3 --train-steps 200 --seeds 6",
    ),
    _row(
        "What a transformer makes of greedy fill (E11)",
        "own_attempts",
        "own-attempts --seeds 6",
        note="The lecture showed a few hundred sets of its author: the largest 23 of mean 16.7 became 24 of "
        "mean 15.9, where what has no form counted -10; the mean of the top fifth went from 20.7 to 21.9.",
    ),
    _row(
        "The same, with smaller grids shown as well (E12)",
        "smaller_grids",
        "smaller-grids --seeds 6",
        note="In the lecture the largest was then 25, and the mean of the top fifth 23.4. Here, too, the "
        "largest set is larger than without smaller grids, with four seeds of six, and smaller with none.",
    ),
    *(
        _row(
            f"Feedback without local search, {name} (E14)",
            f"feedback_{run}",
            f"feedback --generations 8 --train-steps 100 --seeds 6 {options}".rstrip(),
        )
        for name, run, options in (
            ("the best are kept", "best", ""),
            ("larger ones more often", "weighted", "--feedback weighted"),
            ("policy gradient", "policy", "--feedback policy"),
            ("policy gradient with a model of preferences", "pairs", "--feedback policy --reward pairs"),
        )
    ),
)


def read(row: SearchRow, folder: Path, pictures: Path) -> dict[str, Any] | None:
    """What a search found; its picture is copied. None where there is no finished one."""
    path = folder / row.run
    if not (path / FILE).exists() or not (path / "best_over_time.png").exists():
        return None
    found = search.read(path)
    pictures.mkdir(exist_ok=True)
    shutil.copyfile(path / "best_over_time.png", pictures / row.picture)
    made = [search_findings.table(found)]
    if any(record.written for stands in found.stands.values() for one in stands for record in one.records):
        made.append(search_findings.shown_and_made(found))
    return {
        "sentences": search_findings.sentences(found),
        "tables": [dataclasses.asdict(table) for table in made],
    }


def lines(rows: tuple[SearchRow, ...], kept: dict[str, Any]) -> list[str]:
    """The whole section."""
    told = [f"## {SECTION}", "", INTRODUCTION, ""]
    for row in rows:
        told += [f"### {row.title}", "", "```sh", row.command, "```", ""]
        found = kept.get(row.run)
        if found is None:
            told += ["Not run.", ""]
            continue
        told += [*(f"- {sentence}" for sentence in found["sentences"]), ""]
        for table in found["tables"]:
            cells = [[_cell(entry) for entry in each] for each in table["rows"]]
            told += [*tables.grid(table["header"], cells), ""]
        told += [
            f"![{_ALT}](constructions/{row.picture})",
            "",
        ]
        told += [row.note, ""] if row.note else []
    return told


def _cell(entry: dict[str, str]) -> str:
    return f"{entry['text']} ({entry['detail']})" if entry["detail"] else entry["text"]
