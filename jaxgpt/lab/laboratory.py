"""All analyses of some runs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxgpt.core.wording import one_line
from jaxgpt.lab import chapters
from jaxgpt.lab.chapters import Prompts
from jaxgpt.lab.material import Reading
from jaxgpt.lab.report import Chapter
from jaxgpt.lab.subject import Subject

Say = Callable[[str], None]


class Analyses(NamedTuple):
    """What was found.

    Attributes:
      chapters: of the page, in order.
      left_out: what is not on it, a sentence each with the reason.
    """

    chapters: list[Chapter]
    left_out: list[str]


def analyse(
    readings: Sequence[Reading],
    prompts: Prompts,
    say: Say,
    *,
    more: Sequence[Callable[[], Chapter]] = (),
) -> Analyses:
    """Every analysis that the runs allow; what they do not allow is left out, and said.

    Args:
      more: chapters that follow those about running text.
    """
    texts = [one for one in readings if one.held_out]
    found = Analyses([], [])
    if len(texts) < len(readings):
        without = ", ".join(one.name for one in readings if not one.held_out)
        found.left_out.append(f"what is about running text: the task of {without} asks questions")
    if single := [one.name for one in readings if isinstance(one.source, Subject)]:
        cure = "train with --training.keep-spaced 20"
        found.left_out.append(f"how {', '.join(single)} learned: one checkpoint alone was kept; {cure}")
    makers = [lambda make=make: make(texts, prompts) for make in chapters.OF_TEXTS if texts]
    makers += [*more, *(lambda make=make: make(readings, prompts) for make in chapters.OF_RUNS)]
    probed = [one for one in readings if one.probed is not None]
    makers += [lambda make=make: make(probed, prompts) for make in chapters.OF_PROBED if probed]
    attended = [one for one in readings if one.attended is not None]
    makers += [lambda make=make: make(attended, prompts) for make in chapters.OF_ATTENDED if attended]
    boards = [one for one in attended if one.attended.board is not None]
    makers += [lambda make=make: make(boards, prompts) for make in chapters.OF_BOARDS if boards]
    for make in makers:
        try:
            chapter = make()
        except ValueError as error:
            found.left_out.append(one_line(str(error)))
            continue
        found.chapters.append(chapter)
        say(f"{chapter.title}: done")
    return found
