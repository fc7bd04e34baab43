"""The pictures of attention that a finished run has beside its others."""

from collections.abc import Callable
from pathlib import Path

import jax

from jaxgpt.core.wording import one_line
from jaxgpt.evaluation import plots
from jaxgpt.lab.board_maps import BoardMap
from jaxgpt.lab.captured import has_weights
from jaxgpt.lab.place_maps import place_map
from jaxgpt.lab.subject import Subject
from jaxgpt.runs.run import Run

#: Steps that are shown, of those that were kept.
_STEPS = 6


def draw(run: Run, say: Callable[[str], None]) -> None:
    """Draw where each place of the task's texts looks, in the run's directory, and say so.

    Nothing is drawn or said if the task has no such texts, or the first model no attention weights. Why a
    picture could not be drawn is said: the run is finished all the same.
    """
    try:
        drawn = _drawn(run)
    except Exception as error:  # noqa: BLE001 - a task of one's own may raise anything
        say(f"no picture of attention: {one_line(str(error) or type(error).__name__)}")
        return
    if drawn:
        say(f"where each place looks: {', '.join(map(str, drawn))}")


def _drawn(run: Run) -> list[Path]:
    attended = run.task.attended()
    if attended is None or not has_weights(run.model):
        return []
    # Checkpoints are read by all processes together; of several the first alone is here.
    source = run if jax.process_count() == 1 else Subject.of(run)
    found, directory = place_map(source, attended, steps=_STEPS), run.directory
    figures = {directory.attention: found.plot, directory.attention_heads: found.heads}
    if attended.board is not None:
        board = BoardMap(found.attention, attended.board, found.seeds)
        figures |= {directory.board: board.plot, directory.distances: board.plot_distances}
    for path, figure in figures.items():
        plots.save(figure(), path)
    return list(figures)
