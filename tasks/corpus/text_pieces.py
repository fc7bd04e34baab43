"""What tasks on the pieces of a text have in common: a file, and a length above which a piece is left out."""

import abc
import dataclasses
import functools
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from jaxgpt.task import Example, Task
from tasks.corpus.places import place_in


@dataclasses.dataclass(frozen=True)
class TextPieces(Task, abc.ABC):
    """A task whose examples are made of the pieces of a file of text, such as its sentences.

    A subclass defines `lengths`, and leaves out pieces for which `too_long` is true.

    Raises:
      ValueError: if `max_characters` is below 0.
    """

    path: Annotated[str, "file of text"] = ""
    max_characters: Annotated[int, "pieces of more are left out; 0: none are"] = 0

    endless: ClassVar[bool] = False
    file_fields = ("path", "hold_out")
    #: The noun for a piece, in the plural.
    unit: ClassVar[str] = "pieces"

    def __post_init__(self):
        if self.max_characters < 0:
            raise ValueError(f"max_characters={self.max_characters} must be at least 1, or 0")

    @abc.abstractmethod
    def lengths(self) -> Sequence[int]:
        """The characters of each piece of the file."""

    def too_long(self, characters: int) -> bool:
        """Whether a piece of so many characters is left out."""
        return characters > (self.max_characters or math.inf)

    def notes(self) -> str:
        """How many pieces are left out."""
        if not self.path or not self.max_characters:
            return ""
        found = self.lengths()
        left = f"{sum(map(self.too_long, found)):,} of {len(found):,} {self.unit}"
        return f"left out    {left}, of more than {self.max_characters} characters"

    def place_of(self, example: Example) -> str:
        return place_in([self.path], example.canonical)


@dataclasses.dataclass(frozen=True)
class LinePieces(TextPieces, abc.ABC):
    """A task on the lines of a file, each cut into pieces of a number of words; equal pieces are there once.

    A subclass defines `pieces`.

    Raises:
      ValueError: if `words` is below 1.
    """

    words: Annotated[int, "words of a piece at most; longer lines are cut into several"] = 8

    split_fields: ClassVar[tuple[str, ...]] = ("held_out", "hold_out", "words")

    def __post_init__(self):
        super().__post_init__()
        if self.words < 1:
            raise ValueError(f"words={self.words} must be at least 1")

    @abc.abstractmethod
    def pieces(self) -> Sequence[str]:
        """The canonical form of each piece, in the order of the file."""

    def lengths(self):
        return [len(piece) for piece in self.pieces()]

    def held_forms(self, text: str) -> Iterator[str]:
        """The pieces of the file that stand in a line, and those of which it is a part, half of them or more.

        Raises:
          ValueError: if the line has no word.
        """
        asked = self.typed(text).canonical.split()
        if not asked:
            raise ValueError("there is no word")
        known, whole = self._known
        for first in range(len(asked)):
            for last in range(first + 1, min(first + self.words, len(asked)) + 1):
                if (piece := " ".join(asked[first:last])) in known:
                    yield piece
        line, at = f" {' '.join(asked)} ", 0
        while (at := whole.find(line, at)) >= 0:
            piece = whole[whole.rfind("\n", 0, at) + 2 : whole.index("\n", at) - 1]
            if len(piece.split()) <= 2 * len(asked):
                yield piece
            at += 1

    @functools.cached_property
    def _known(self) -> tuple[frozenset[str], str]:
        """All pieces, and the same as a text, each between two spaces on a line of its own."""
        pieces = self.pieces() if self.path else ()
        return frozenset(pieces), "\n" + "".join(f" {piece} \n" for piece in pieces)


def cut_line(line: str, words: int) -> Iterator[list[str]]:
    """The words of each piece of a line, so many at most."""
    whole = line.split()
    for first in range(0, len(whole), words):
        yield whole[first : first + words]
