"""What a row of the lecture is: a claim, the models that test it, and what is shown of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from jaxgpt.core.choice import Choice
from jaxgpt.lab.part import Part
from jaxgpt.lecture.arm import Arm
from jaxgpt.runs.run import Run

#: The files that rows read, by the name of the option that gives them.
FILES = {
    "text": "running text, such as plays",
    "pairs": "sentences and their translations, with a tab between them",
    "synopses": "a table of titles, genres and texts, as CSV",
}


@dataclasses.dataclass(frozen=True)
class Row(Choice, package="jaxgpt.lecture.rows"):
    """One figure of the lecture, asked again at a size that two CPU cores train in minutes.

    A member sets `title`, `claim` and `files`, and defines `arms` and `parts`.
    """

    #: Where it stands in the lecture, by which rows are ordered.
    place: ClassVar[int] = 100
    #: A few words.
    title: ClassVar[str] = ""
    #: What the lecture says, and with what figures, in a few sentences.
    claim: ClassVar[str] = ""
    #: The names of the files that it reads, of `FILES`.
    files: ClassVar[tuple[str, ...]] = ()

    def arms(self, files: Mapping[str, str]) -> Sequence[Arm]:
        """What is trained, in this order.

        Args:
          files: the path of each file, by its name.
        """
        return ()

    def check(self, files: Mapping[str, str]) -> None:
        """Raise ValueError if a file is too short for the figures; called before any training."""

    def shortened(self) -> Self:
        """The row as a quick look has it, where shorter trainings of its arms are not enough."""
        return self

    def parts(self, runs: Mapping[str, Run], files: Mapping[str, str]) -> Mapping[str, Part]:
        """What is shown, by the name of its picture.

        Args:
          runs: the trained arms, by their names.
          files: the path of each file, by its name.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no parts")
