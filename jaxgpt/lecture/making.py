"""Making rows of the lecture: their models are trained, and what they show is written."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jaxgpt.core import tables
from jaxgpt.core.paths import make_folder
from jaxgpt.core.tables import Table
from jaxgpt.core.writing import write_atomically
from jaxgpt.evaluation import plots
from jaxgpt.lab import report
from jaxgpt.lab.part import Part
from jaxgpt.lab.report import Chapter
from jaxgpt.lecture.arm import Arm, file_name
from jaxgpt.lecture.equal_cost import at_equal_cost
from jaxgpt.lecture.passages import passages
from jaxgpt.lecture.row import Row
from jaxgpt.runs.again import train_or_load
from jaxgpt.runs.run import Run
from jaxgpt.task import Task

Say = Callable[[str], None]
#: The most characters that a token has in the mean of a text, by the tokenizers of the rows.
_LONGEST_TOKEN = 8
#: The names of a row's parts in their order, in its folder.
PARTS = "parts.json"


def make(
    rows: Sequence[Row],
    files: Mapping[str, str],
    folder: Path,
    *,
    seeds: int,
    quick: bool = False,
    say: Say,
) -> Path | None:
    """Train the arms of each row, and write what they show.

    A run that is there is read, or gone on with. Each row has a folder with its runs, and a picture (PNG), a
    CSV and a table in Markdown of each of its parts, with passages that models wrote. `report.html` shows all
    rows of the call.

    Args:
      files: the path of each file that a row reads, by its name.
      seeds: models of each arm.
      quick: trainings are a twentieth as long, and fewer in some rows, to see that all works.

    Returns:
      The page; None if a signal stopped a training: the same call goes on.

    Raises:
      ValueError: if a file is not enough for a row or a task, if two arms have one directory, and as
        `jaxgpt.train`, also where a run there has other settings.
    """
    for row in rows:
        row.check(files)
        _check_folders(row.arms(files))
    _check_tasks([arm for row in rows for arm in row.arms(files)])
    chapters = []
    for row in [row.shortened() for row in rows] if quick else rows:
        own = folder / file_name(type(row).kind())
        runs = trained(row.arms(files), own, seeds=seeds, quick=quick, say=say)
        if runs is None:
            return None
        parts = row.parts(runs, files)
        for name, part in parts.items():
            _write(part, own / name)
        write_atomically(own / PARTS, json.dumps(list(parts)) + "\n")
        shown = {f"{own.name}-{name}": part for name, part in parts.items()}
        chapters.append(Chapter(row.title, row.claim, shown))
        for part in parts.values():
            say(f"{row.title}: {part.summary()}")
    told = [f"{seeds} seeds of each model."] if seeds > 1 else []
    if quick:
        told.append(
            "A quick look: each training had a twentieth of its steps, and some rows have fewer models, so "
            "the figures say little."
        )
    return report.write(folder, "A lecture's figures, asked again", told, chapters)


def trained(arms: Sequence[Arm], folder: Path, *, seeds: int, quick: bool, say: Say) -> dict[str, Run] | None:
    """The run of each arm; None if a signal stopped one."""
    runs: dict[str, Run] = {}
    for number, arm in enumerate(arms, 1):
        values = {"seeds": str(seeds)}
        if arm.begins_from:
            values["model.init"] = str(runs[arm.begins_from].directory.path)
        title = f"{folder.name}: {arm.name} ({number} of {len(arms)})"
        experiment = arm.training(values, quick=quick)
        if arm.as_costly_as:
            experiment = at_equal_cost(experiment, runs[arm.as_costly_as].experiment)
        run = train_or_load(experiment, folder / arm.folder, title=title, say=say)
        if run is None:
            return None
        runs[arm.name] = run
    return runs


def _check_folders(arms: Sequence[Arm]) -> None:
    """Raises ValueError if two arms would be trained in one directory, or one in none."""
    folders: dict[str, str] = {}
    for arm in arms:
        if not arm.folder or arm.folder in folders:
            other = folders.get(arm.folder)
            like = "" if other is None else f", as that of {other!r} is"
            raise ValueError(f"the run of {arm.name!r} would be in {arm.folder!r}{like}; name it otherwise")
        folders[arm.folder] = arm.name


def _check_tasks(arms: Sequence[Arm]) -> None:
    """Raises ValueError if a task has no training example, such as of a file without the column it reads."""
    tasks: list[Task] = []
    windows: list[int] = []
    for arm in arms:
        task = arm.task()
        if task not in tasks:
            next(iter(task.examples("train")), None)
            tasks.append(task)
            windows.append(0)
        if not arm.begins_from:
            place = tasks.index(task)
            windows[place] = max(windows[place], arm.training({}, quick=False).model.max_length)
    for task, window in zip(tasks, windows, strict=True):
        if task.layout == "stream" and window:
            _check_text(task, window)


def _check_text(task: Task, window: int) -> None:
    """Raises ValueError if so little of a text is held out that it may not fill one window of the model."""
    found = sum(len(example.prompt + example.target) for example in task.examples("validation"))
    needed = _LONGEST_TOKEN * (window + 1)
    if found < needed:
        path = getattr(task, "path", type(task).kind())
        raise ValueError(
            f"{path}: {found:,} of its characters are held out, and {needed:,} are needed; give a longer text"
        )


def _write(part: Part, path: Path) -> None:
    """The picture, the numbers, and the tables of a part with a few of its passages."""
    make_folder(path.parent)
    plots.save(part.plot(), path.with_suffix(".png"))
    part.to_csv(path.with_suffix(".csv"))
    blocks = part.blocks()
    found = [tables.markdown(block) for block in blocks if isinstance(block, Table)] + passages(blocks)
    write_atomically(path.with_suffix(".md"), "\n".join([*found, "", part.summary(), ""]))
